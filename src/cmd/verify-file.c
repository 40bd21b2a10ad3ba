/* SPDX-License-Identifier: Apache-2.0 */
/* verify-file.c - the file of desfs verify --report.
 *
 * Each row is a line and each line but the last row ends in a comma, so what a
 * crash has cut short is known.  The rows of a shard come before the row that
 * says it is done; rows without such a one are dropped when a run goes on.
 */
#include "config.h"

#include "cmd/verify-file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/json-text.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/version.h"
#include "cmd/json-row.h"
#include "cmd/row-file.h"
#include "cmd/verify-out.h"
#include "verify/uid-set.h"

#define LINE_LEN_MAX (1u << 20)
#define SYNC_NS (10 * CLOCK_NS_PER_SEC)

struct verify_file {
	char *path, *part;
	struct row_file rows;
	struct uid_set done; /* of what row_hash makes of them */
	uint64_t n_done;
	uint64_t synced; /* when */
};

/* --- writing rows --------------------------------------------------------- */

static void end_row(struct verify_file *f)
{
	row_file_put(&f->rows, "},\n");
}

void verify_file_finding(struct verify_file *f, int target,
			 const struct finding *finding)
{
	json_row_begin(&f->rows.row);
	verify_row_finding(&f->rows.row, finding, target);
	end_row(f);
}

void verify_file_error(struct verify_file *f, int target, const char *text)
{
	json_row_begin(&f->rows.row);
	json_row_str(&f->rows.row, "kind", "error");
	json_row_i64(&f->rows.row, "target", target);
	json_row_str(&f->rows.row, "text", text);
	end_row(f);
}

void verify_file_shard(struct verify_file *f, int target,
		       const struct verify_shard_result *s)
{
	uint64_t now = clock_mono_ns();

	json_row_begin(&f->rows.row);
	json_row_str(&f->rows.row, "kind", "shard");
	json_row_i64(&f->rows.row, "target", target);
	if (s->store)
		json_row_str(&f->rows.row, "store", s->store);
	json_row_str(&f->rows.row, "key", s->key);
	if (s->root)
		json_row_hex(&f->rows.row, "root", s->root, SHARD_ROOT_LEN);
	verify_row_totals(&f->rows.row, s->totals);
	end_row(f);
	if (fflush(f->rows.to))
		f->rows.rc = RC_IO;
	if (now < f->synced + SYNC_NS)
		return;
	f->synced = now;
	if (fdatasync(fileno(f->rows.to)))
		f->rows.rc = RC_IO;
}

static void hash_text(struct sha256 *sum, const char *text)
{
	/* With the NUL, so that no two lists are alike. */
	sha256_update(sum, text ? text : "\1", text ? strlen(text) + 1 : 1);
}

/* What has to be the same for a run to go on. */
static void call_hash(const struct verify_call *c, uint8_t ret[SHA256_LEN])
{
	struct sha256 sum;

	sha256_init(&sum);
	hash_text(&sum, c->deep ? "deep" : "");
	hash_text(&sum, c->sample);
	hash_text(&sum, c->since);
	for (size_t i = 0; i < c->n_targets; i++)
		hash_text(&sum, c->targets[i]);
	sha256_final(&sum, ret);
}

static void write_head(struct verify_file *f, const struct verify_call *c)
{
	uint8_t hash[SHA256_LEN];

	json_row_begin_kind(&f->rows.row, "verify-report");
	json_row_str(&f->rows.row, "version", version_text());
	json_row_name(&f->rows.row, "targets");
	for (size_t i = 0; i < c->n_targets; i++) {
		buf_append_str(&f->rows.row, i ? "," : "[");
		json_text_string(&f->rows.row, c->targets[i],
				 strlen(c->targets[i]));
	}
	buf_append_str(&f->rows.row, c->n_targets ? "]" : "[]");
	row_file_put(&f->rows, ",\"rows\":[\n");
	call_hash(c, hash);
	json_row_begin(&f->rows.row);
	json_row_str(&f->rows.row, "kind", "run");
	json_row_time(&f->rows.row, "started", c->started);
	json_row_bool(&f->rows.row, "deep", c->deep);
	if (c->sample)
		json_row_str(&f->rows.row, "sample", c->sample);
	/* As text: not all readers have integers of 64 bits. */
	buf_printf(&f->rows.row, ",\"seed\":\"%" PRIu64 "\"", c->seed);
	if (c->since)
		json_row_time(&f->rows.row, "since", c->since_time);
	json_row_hex(&f->rows.row, "call", hash, sizeof(hash));
	end_row(f);
}

/* --- going on ------------------------------------------------------------- */

/* A hash of the row's "target":N,"key":"..." as it is written. */
static uint64_t text_hash(const char *p, size_t len)
{
	uint8_t hash[SHA256_LEN];
	uint64_t ret = 0;

	sha256_of(p, len, hash);
	for (size_t i = 0; i < 8; i++)
		ret = ret << 8 | hash[i];
	return ret ? ret : 1;
}

/* Of a row up to its key: a target and a store. */
#define STORE_LEN_MAX 4096

/* 0: the line says nothing of an object. */
static uint64_t row_hash(const char *line)
{
	static const char target[] = ",\"target\":", key[] = ",\"key\":\"";
	const char *from = strstr(line, target);
	const char *at = from ? strstr(from, key) : NULL;

	/* Both come right after the kind, before any text but a store's name,
	 * in which quotes are escaped.
	 */
	if (!at || from - line > 32 || at - from > STORE_LEN_MAX)
		return 0;
	for (at += strlen(key); *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
	}
	return text_hash(from, (size_t)(at - from));
}

static bool is_of_kind(const char *line, const char *kind)
{
	CLEANUP_FREE char *begin = xasprintf("{\"kind\":\"%s\"", kind);

	return !strncmp(line, begin, strlen(begin));
}

/* A whole line without its comma; false at the end. */
static bool next_line(FILE *from, char **line, size_t *cap)
{
	ssize_t n = getline(line, cap, from);

	if (n < 2 || n > (ssize_t)LINE_LEN_MAX ||
	    strcmp(*line + n - 2, ",\n") != 0)
		return false;
	(*line)[n - 2] = '\0';
	return true;
}

static enum rc add_totals(const char *line, struct verify_totals *t,
			  struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	const struct {
		const char *name;
		uint64_t *to;
	} rows[] = {
		{ "shards", &t->shards },
		{ "damaged_shards", &t->damaged_shards },
		{ "entries", &t->entries },
		{ "files", &t->files },
		{ "plain_bytes", &t->plain_bytes },
		{ "blocks", &t->blocks },
		{ "deleted", &t->deleted },
		{ "overdue", &t->overdue },
		{ "damage", &t->damage },
		{ "lost", &t->lost },
		{ "weak", &t->weak },
		{ "notes", &t->notes },
	};

	if (json_parse(line, strlen(line), LINE_LEN_MAX, &j, err))
		return err->rc;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t n;

		if (json_get_u64(j, rows[i].name, JSON_INT_MAX, &n, err))
			return err->rc;
		*rows[i].to += n;
	}
	return RC_OK;
}

static enum rc take_over(const char *line, struct verify_call *c,
			 struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	uint8_t hash[SHA256_LEN], want[SHA256_LEN];
	const char *seed;

	if (!is_of_kind(line, "run"))
		return err_set(err, RC_CORRUPT, "not a report");
	if (json_parse(line, strlen(line), LINE_LEN_MAX, &j, err) ||
	    json_get_hex(j, "call", hash, sizeof(hash), err) ||
	    json_get_str(j, "seed", 20, &seed, err) ||
	    json_get_time(j, "started", &c->started, err) ||
	    (c->since && json_get_time(j, "since", &c->since_time, err)))
		return err->rc;
	call_hash(c, want);
	if (memcmp(hash, want, sizeof(want)) != 0)
		return err_set(err, RC_USAGE,
			       "the run that was stopped was called with other "
			       "arguments");
	c->seed = strtoull(seed, NULL, 10);
	return RC_OK;
}

/* Which shards are done; what their rows sum up to. */
static enum rc read_done(struct verify_file *f, FILE *from,
			 struct verify_call *c, struct verify_totals *totals,
			 struct err *err)
{
	char *line = NULL;
	size_t cap = 0;
	enum rc rc = RC_OK;

	if (getline(&line, &cap, from) < 0 || !next_line(from, &line, &cap))
		rc = err_set(err, RC_CORRUPT, "not a report");
	if (!rc)
		rc = take_over(line, c, err);
	while (!rc && next_line(from, &line, &cap)) {
		uint64_t hash = row_hash(line);

		if (!is_of_kind(line, "shard") || !hash)
			continue;
		rc = add_totals(line, totals, err);
		if (uid_set_add(&f->done, hash))
			f->n_done++;
	}
	free(line);
	return rc;
}

static enum rc copy_done(struct verify_file *f, FILE *from, struct err *err)
{
	char *line = NULL;
	size_t cap = 0;

	rewind(from);
	if (getline(&line, &cap, from) < 0 || !next_line(from, &line, &cap))
		return err_set(err, RC_CORRUPT, "not a report");
	while (next_line(from, &line, &cap)) {
		uint64_t hash = row_hash(line);

		if (!hash || !uid_set_has(&f->done, hash))
			continue;
		if (fputs(line, f->rows.to) < 0 || fputs(",\n", f->rows.to) < 0)
			f->rows.rc = RC_IO;
	}
	free(line);
	return RC_OK;
}

/* --- the file ------------------------------------------------------------- */

static enum rc begin(struct verify_file *f, const char *path,
		     const struct verify_call *c, struct err *err)
{
	if (row_file_begin(&f->rows, path, err))
		return err->rc;
	write_head(f, c);
	return RC_OK;
}

/* The rows of whole shards into a new file, which takes the old one's place. */
static enum rc go_on(struct verify_file *f, FILE *from, struct verify_call *c,
		     struct verify_totals *totals, struct err *err)
{
	CLEANUP_FREE char *tmp = xasprintf("%s.tmp", f->part);
	enum rc rc = read_done(f, from, c, totals, err);

	if (rc)
		return err_prefix(err, "%s", f->part);
	rc = begin(f, tmp, c, err);
	if (!rc)
		rc = copy_done(f, from, err);
	if (!rc)
		rc = row_file_publish(&f->rows, tmp, f->part, err);
	return rc;
}

enum rc verify_file_open(const char *path, bool resume,
			 struct verify_call *call, struct verify_totals *totals,
			 struct verify_file **ret, struct err *err)
{
	struct verify_file *f;
	FILE *from = NULL;
	enum rc rc = RC_NOENT;

	if (!io_may_replace(AT_FDCWD, path, err))
		return err->rc;
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->part = xasprintf("%s.part", path);
	row_file_init(&f->rows);
	f->synced = clock_mono_ns();
	if (resume)
		rc = row_file_lock(f->part, &from, err);
	if (!rc)
		rc = go_on(f, from, call, totals, err);
	else if (rc == RC_NOENT)
		rc = begin(f, f->part, call, err);
	if (from)
		fclose(from);
	if (rc) {
		verify_file_free(f);
		return rc;
	}
	*ret = f;
	return RC_OK;
}

uint64_t verify_file_n_done(const struct verify_file *f)
{
	return f->n_done;
}

bool verify_file_is_done(const struct verify_file *f, int target,
			 const char *store, const char *key)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	if (!f->n_done)
		return false;
	json_row_begin(&b);
	json_row_str(&b, "kind", "shard");
	json_row_i64(&b, "target", target);
	if (store)
		json_row_str(&b, "store", store);
	json_row_str(&b, "key", key);
	return uid_set_has(&f->done, row_hash(buf_str(&b)));
}

enum rc verify_file_end(struct verify_file *f, const struct verify_totals *t,
			struct err *err)
{
	json_row_begin(&f->rows.row);
	json_row_str(&f->rows.row, "kind", "total");
	json_row_time(&f->rows.row, "ended", clock_wall_us());
	verify_row_totals(&f->rows.row, t);
	buf_printf(&f->rows.row, ",\"corruption_rate\":%.9g",
		   verify_corruption_rate(t->shards, t->damaged_shards,
					  t->missing_shards));
	row_file_put(&f->rows, "}\n]}\n");
	return row_file_publish(&f->rows, f->part, f->path, err);
}

void verify_file_free(struct verify_file *f)
{
	if (!f)
		return;
	/* What is lost here is done again. */
	row_file_release(&f->rows);
	uid_set_release(&f->done);
	free(f->path);
	free(f->part);
	free(f);
}
