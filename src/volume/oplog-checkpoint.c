/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-checkpoint.c - records of the log held together in one object. */
#include "config.h"

#include "volume/oplog-checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/json-elements.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/stamped.h"
#include "volume/oplog-json-backend.h"
#include "volume/record-digest.h"

#define CHECKPOINT_VERSION 1
#define KIND "checkpoint"
#define RECORDS "records"
#define REST_MAX (64u << 10)

bool oplog_checkpoint_name_time(const char *name, int64_t *ret_time)
{
	const size_t prefix = strlen(OPLOG_CHECKPOINT);

	return !strncmp(name, OPLOG_CHECKPOINT, prefix) &&
	       oplog_record_name_time(name + prefix, ret_time);
}

enum rc oplog_checkpoint_key(int64_t time, char *ret, size_t size,
			     struct err *err)
{
	char name[STAMPED_TEXT];
	int n;

	if (stamped_name(time, name, err))
		return err->rc;
	n = snprintf(ret, size, "log/" OPLOG_CHECKPOINT "%s.json", name);
	if (n < 0 || (size_t)n >= size)
		return err_set(err, RC_LIMIT, "checkpoint's key needs %d bytes",
			       n + 1);
	return RC_OK;
}

/* --- writing -------------------------------------------------------------- */

/* The shards with what is gone left out; names are borrowed. */
static struct shard_meta *reduced(const struct oplog_record *r,
				  oplog_gone_fn *is_gone, void *arg)
{
	struct shard_meta *shards = xcalloc(r->n_shards + 1, sizeof(*shards));

	for (size_t i = 0; i < r->n_shards; i++) {
		shards[i] = r->shards[i];
		if (!shards[i].is_purged && is_gone)
			shards[i].is_purged = is_gone(arg, &r->shards[i]);
	}
	return shards;
}

static struct json_t *rest_of(const uint8_t archive_id[SHARD_ID_LEN],
			      int64_t time)
{
	struct json_t *j = json_new_obj();

	json_set_u64(j, "version", CHECKPOINT_VERSION);
	json_set_str(j, "kind", KIND);
	json_set_hex(j, "archive_id", archive_id, SHARD_ID_LEN);
	json_set_time(j, "time", time);
	return j;
}

/* The digest is over the records' digests, each of which is over all else. */
static void digest_record(struct record_digest *d,
			  const uint8_t digest[SHARD_ID_LEN])
{
	char text[HEX_TEXT(SHARD_ID_LEN)];
	CLEANUP_JSON struct json_t *j = NULL;

	hex_encode(digest, SHARD_ID_LEN, text);
	j = json_new_str(text);
	record_digest_element(d, j);
}

static enum rc append_records(const struct oplog_record *const *records,
			      size_t n, const uint8_t archive_id[SHARD_ID_LEN],
			      oplog_gone_fn *is_gone, void *arg,
			      struct record_digest *d, struct buf *body,
			      size_t *ret_n, struct err *err)
{
	for (*ret_n = 0; *ret_n < n; ++*ret_n) {
		struct oplog_record r = *records[*ret_n];
		CLEANUP_BUF struct buf text = { .max = OPLOG_RECORD_MAX };
		CLEANUP_FREE struct shard_meta *shards =
			reduced(&r, is_gone, arg);
		uint8_t digest[SHARD_ID_LEN];

		r.shards = shards;
		oplog_record_encode_kept(&r, archive_id, &text, digest);
		if (!buf_ok(&text))
			return err_set(err, RC_LIMIT,
				       "log/%s cannot be written again",
				       r.name);
		if (body->len + text.len + 1 > OPLOG_CHECKPOINT_MAX - REST_MAX)
			return RC_OK;
		if (body->len)
			buf_append_str(body, ",");
		buf_append(body, text.p, text.len);
		digest_record(d, digest);
	}
	return RC_OK;
}

enum rc oplog_checkpoint_encode(const struct oplog_record *const *records,
				size_t n,
				const uint8_t archive_id[SHARD_ID_LEN],
				int64_t time, oplog_gone_fn *is_gone, void *arg,
				struct buf *out, size_t *ret_n, struct err *err)
{
	CLEANUP_JSON struct json_t *rest = rest_of(archive_id, time);
	CLEANUP_BUF struct buf body = { .max = OPLOG_CHECKPOINT_MAX };
	CLEANUP_BUF struct buf after = { .max = REST_MAX };
	uint8_t digest[SHARD_ID_LEN];
	struct record_digest d;

	record_digest_begin(&d, rest, RECORDS);
	if (append_records(records, n, archive_id, is_gone, arg, &d, &body,
			   ret_n, err)) {
		record_digest_release(&d);
		return err->rc;
	}
	if (record_digest_end(&d, digest, err))
		return err->rc;
	json_set_hex(rest, "digest", digest, sizeof(digest));
	json_write_around(rest, RECORDS, out, &after);
	buf_append(out, body.p, body.len);
	buf_append(out, after.p, after.len);
	buf_append_str(out, "\n");
	if (!buf_ok(out))
		return err_set(err, RC_LIMIT, "checkpoint is too long");
	return RC_OK;
}

/* --- reading -------------------------------------------------------------- */

static enum rc parse_rest(const void *p, size_t len, struct json_t **ret,
			  struct json_elements *e, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = REST_MAX };

	if (len > OPLOG_CHECKPOINT_MAX)
		return err_set(err, RC_LIMIT,
			       "checkpoint has %zu bytes, at most %u are read",
			       len, OPLOG_CHECKPOINT_MAX);
	if (!json_elements_find(e, p, len, RECORDS)) {
		*e = (struct json_elements){ .is_begun = false };
		return json_parse(p, len, REST_MAX, ret, err);
	}
	if (e->before.len + e->after.len > REST_MAX)
		return err_set(err, RC_LIMIT,
			       "checkpoint has %zu bytes beside " RECORDS
			       ", at most %u are read",
			       e->before.len + e->after.len, REST_MAX);
	buf_append(&text, e->before.p, e->before.len);
	buf_append(&text, e->after.p, e->after.len);
	if (!buf_ok(&text))
		return err_set(err, RC_NOMEM, "no memory for a checkpoint");
	return json_parse(text.p, text.len, REST_MAX, ret, err);
}

static enum rc check_kind(const struct json_t *j, struct err *err)
{
	const char *kind = "";
	uint64_t version = 0;

	if (!json_is_obj(j))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (json_get_u64(j, "version", JSON_INT_MAX, &version, err))
		return err->rc;
	if (version != CHECKPOINT_VERSION)
		return err_set(err, RC_UNSUPPORTED,
			       "checkpoint has version %" PRIu64
			       ", this program reads %d",
			       version, CHECKPOINT_VERSION);
	if (json_get_str(j, "kind", 64, &kind, err))
		return err->rc;
	if (strcmp(kind, KIND) != 0)
		return err_set(err, RC_UNSUPPORTED,
			       "it is of kind %s, not " KIND, kind);
	return RC_OK;
}

/* The records of one that is being read. */
struct reader {
	struct oplog_record *records;
	size_t n, cap;
	uint8_t archive_id[SHARD_ID_LEN];
};

static void release_records(struct reader *rd)
{
	for (size_t i = 0; i < rd->n; i++)
		oplog_record_release(&rd->records[i]);
	free(rd->records);
}

static enum rc read_one(struct reader *rd, const struct json_piece *piece,
			struct record_digest *d, struct err *err)
{
	struct oplog_record r = { 0 };
	uint8_t digest[SHARD_ID_LEN];

	if (oplog_record_decode_kept(piece->p, piece->len, &r, digest, err))
		return err->rc;
	digest_record(d, digest);
	rd->records = mem_grow(rd->records, &rd->cap, rd->n + 1,
			       sizeof(*rd->records));
	rd->records[rd->n++] = r;
	if (memcmp(r.archive_id, rd->archive_id, SHARD_ID_LEN) != 0)
		return err_set(err, RC_CORRUPT, "it is of another archive");
	if (rd->n > 1 && strcmp(rd->records[rd->n - 2].name, r.name) >= 0)
		return err_set(err, RC_CORRUPT, "%s is not in order", r.name);
	return RC_OK;
}

static enum rc read_records(struct reader *rd, struct json_t *rest,
			    struct json_elements *e, struct err *err)
{
	uint8_t digest[SHARD_ID_LEN], want[SHARD_ID_LEN];
	struct json_piece piece;
	struct record_digest d;

	if (json_get_hex(rest, "digest", want, sizeof(want), err))
		return err->rc;
	json_unset(rest, "digest");
	json_unset(rest, RECORDS);
	record_digest_begin(&d, rest, RECORDS);
	for (size_t i = 0; json_elements_next(e, &piece); i++) {
		if (read_one(rd, &piece, &d, err)) {
			record_digest_release(&d);
			return err_prefix(err, "record %zu", i);
		}
	}
	if (record_digest_end(&d, digest, err))
		return err->rc;
	if (memcmp(digest, want, sizeof(want)) != 0)
		return err_set(err, RC_CORRUPT,
			       "digest does not fit the other members");
	return RC_OK;
}

static enum rc hand_over(struct reader *rd, int64_t time,
			 oplog_checkpoint_fn *fn, void *arg, struct err *err)
{
	if (rd->n && rd->records[rd->n - 1].time > time)
		return err_set(err, RC_CORRUPT, "it is older than record %s",
			       rd->records[rd->n - 1].name);
	for (size_t i = 0; i < rd->n; i++) {
		if (fn(arg, &rd->records[i], err))
			return err->rc;
		rd->records[i] = (struct oplog_record){ 0 };
	}
	return RC_OK;
}

enum rc oplog_checkpoint_decode(const void *p, size_t len,
				uint8_t ret_archive_id[SHARD_ID_LEN],
				int64_t *ret_time, oplog_checkpoint_fn *fn,
				void *arg, struct err *err)
{
	CLEANUP_JSON struct json_t *rest = NULL;
	struct reader rd = { .n = 0 };
	struct json_elements e;
	struct json_t *array = NULL;
	size_t n = 0;
	enum rc rc;

	if (parse_rest(p, len, &rest, &e, err) || check_kind(rest, err) ||
	    json_get_array(rest, RECORDS, 0, &array, &n, err) ||
	    json_get_hex(rest, "archive_id", rd.archive_id, SHARD_ID_LEN,
			 err) ||
	    json_get_time(rest, "time", ret_time, err))
		return err->rc;
	memcpy(ret_archive_id, rd.archive_id, SHARD_ID_LEN);
	rc = read_records(&rd, rest, &e, err);
	if (!rc)
		rc = hand_over(&rd, *ret_time, fn, arg, err);
	release_records(&rd);
	return rc;
}

/* --- two of one record ---------------------------------------------------- */

static enum rc check_same(const struct oplog_record *a,
			  const struct oplog_record *b, struct err *err)
{
	bool is_same = a->kind == b->kind && a->n_shards == b->n_shards &&
		       !memcmp(a->sha256, b->sha256, SHA256_LEN);

	for (size_t i = 0; is_same && i < a->n_shards; i++)
		is_same = !strcmp(a->shards[i].key, b->shards[i].key);
	if (is_same)
		return RC_OK;
	return err_set(err, RC_CORRUPT,
		       "log/%s is one thing here and another in a checkpoint",
		       a->name);
}

static void forget_names(struct shard_meta *m)
{
	struct shard_meta rest = { .key = m->key,
				   .size = m->size,
				   .is_purged = true };

	memcpy(rest.root, m->root, SHARD_ROOT_LEN);
	free(m->first);
	free(m->last);
	*m = rest;
}

/* One that was taken back does not replace anything. */
static void forget_replaces(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_replaces; i++)
		free(r->replaces[i].key);
	r->n_replaces = 0;
}

enum rc oplog_record_reduce(struct oplog_record *r,
			    const struct oplog_record *other, bool *ret_is_less,
			    struct err *err)
{
	if (check_same(r, other, err))
		return err->rc;
	*ret_is_less = !r->n_replaces && other->n_replaces;
	if (!other->n_replaces)
		forget_replaces(r);
	for (size_t i = 0; i < r->n_shards; i++) {
		struct shard_meta *m = &r->shards[i];

		if (m->is_purged && !other->shards[i].is_purged)
			*ret_is_less = true;
		if (!m->is_purged && other->shards[i].is_purged)
			forget_names(m);
	}
	return RC_OK;
}
