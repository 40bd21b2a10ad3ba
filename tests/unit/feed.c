/* SPDX-License-Identifier: Apache-2.0 */
/* feed.c - tests of packing records of a feed, read back through a volume. */
#include "config.h"

#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/spool.h"
#include "base/stop.h"
#include "pack/feed.h"
#include "pack/pack.h"
#include "verify/verify.h"
#include "shard/route.h"
#include "volume/oplog.h"
#include "volume/volume.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
/* Midnight of 2026-11-21. */
#define TIME(day, second) \
	(INT64_C(1795219200) * SECOND + (day)*DAY + (second)*SECOND)
#define N_MAX 64

enum hash { NO_HASH, RIGHT_HASH, WRONG_HASH };

struct rec {
	const char *uid;
	int64_t at;
	const char *text; /* NULL: cannot be opened */
	uint64_t size;    /* 0: that of text, which is repeated up to it */
	uint64_t cut;     /* so many bytes less are there */
	enum hash hash;
	const char *meta;
	uint64_t ino; /* 0: it has one name */
	enum entry_type type;
	const char *target;
	bool changes;  /* while it is read */
	enum rc fails; /* when it is opened */
};

struct told {
	unsigned int n;
	enum feed_status status;
	char why[sizeof(((struct err *)NULL)->msg)];
	char shard[SHARD_KEY_TEXT];
	bool has_sha256;
	uint8_t sha256[SHA256_LEN];
};

struct fixture {
	char dir[64];
	const struct rec *recs;
	size_t n;
	struct told told[N_MAX];
	struct pack_options opts;
	struct report_counts counts;
	struct volume *v;
	bool stops; /* with the first result */
	char *sources[1];
};

static int begin(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	const struct profile *profile = profile_get(0);

	snprintf(f->dir, sizeof(f->dir), "/tmp/desfs-feed-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	log_set_level(LOG_LEVEL_ERR);
	f->opts = (struct pack_options){ .archive = f->dir,
					 .route = PACK_ANY_ROUTE,
					 .codec = profile->codec,
					 .level = profile->level,
					 .sizes = profile->sizes,
					 .max_shard = UINT64_C(1) << 30,
					 .jobs = 2,
					 .open_shards = 2,
					 .spool = "/tmp" };
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int end(void **state)
{
	struct fixture *f = *state;

	volume_close(f->v);
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* --- a feed in memory ------------------------------------------------------
 */

static uint64_t size_of(const struct rec *r)
{
	return r->size || !r->text ? r->size : strlen(r->text);
}

static char byte_of(const struct rec *r, uint64_t i)
{
	return r->text[i % strlen(r->text)];
}

static void hash_of(const struct rec *r, uint8_t out[SHA256_LEN])
{
	struct sha256 h;

	sha256_init(&h);
	for (uint64_t i = 0; i < size_of(r); i++) {
		char byte = byte_of(r, i);

		sha256_update(&h, &byte, 1);
	}
	sha256_final(&h, out);
}

static enum rc list(void *arg, feed_emit_fn *emit, void *emit_arg,
		    struct err *err)
{
	const struct fixture *f = arg;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < f->n && !rc; i++) {
		const struct rec *r = &f->recs[i];
		struct feed_record out = { .created_at = r->at,
					   .number = i,
					   .place = i };
		struct span uid = span_of(r->uid, strlen(r->uid));

		entry_split_uid(uid, &out.it.parent, &out.it.name);
		out.it.type = r->type ? r->type : ENTRY_REG;
		out.it.mode = 0640;
		out.it.uid = 7;
		out.it.mtime_s = 1000;
		out.it.size = size_of(r);
		out.it.dev = 1;
		out.it.ino = r->ino;
		out.it.nlink = r->ino ? 2 : 1;
		if (r->target)
			out.it.target = span_of(r->target, strlen(r->target));
		if (r->meta)
			out.meta = span_of(r->meta, strlen(r->meta));
		out.has_sha256 = r->hash != NO_HASH;
		if (out.has_sha256)
			hash_of(r, out.sha256);
		out.sha256[3] ^= r->hash == WRONG_HASH;
		rc = emit(emit_arg, &out, err);
	}
	return rc;
}

/* Every other one lies behind other bytes. */
static enum rc open_one(void *arg, uint64_t place, uint64_t size, int *ret_fd,
			uint64_t *ret_base, struct err *err)
{
	const struct fixture *f = arg;
	const struct rec *r = &f->recs[place];
	char *bytes;

	if (r->fails)
		return err_set(err, r->fails, "no room for it");
	if (!r->text)
		return err_set(err, RC_NOENT, "no such source");
	assert_int_equal(size, size_of(r));
	*ret_base = place % 2 ? 100 : 0;
	if (spool_temporary("/tmp", ret_fd, err))
		return err->rc;
	size -= r->cut;
	bytes = xcalloc(1, size + 1);
	for (uint64_t i = 0; i < size; i++)
		bytes[i] = byte_of(r, i);
	assert_int_equal(io_pwrite(*ret_fd, bytes, size, *ret_base), 0);
	free(bytes);
	return RC_OK;
}

static enum rc check_one(void *arg, uint64_t place, int fd, uint64_t size,
			 struct err *err)
{
	const struct fixture *f = arg;

	(void)fd;
	(void)size;
	return f->recs[place].changes
		       ? err_set(err, RC_CHANGED, "changed while it was read")
		       : RC_OK;
}

static void take_result(void *arg, const struct feed_result *r)
{
	struct fixture *f = arg;
	struct told *t = &f->told[r->number];

	if (f->stops)
		stop_request();
	t->n++;
	t->status = r->status;
	t->has_sha256 = r->has_sha256;
	memcpy(t->sha256, r->sha256, SHA256_LEN);
	if (r->why)
		snprintf(t->why, sizeof(t->why), "%s", r->why->msg);
	if (r->shard)
		snprintf(t->shard, sizeof(t->shard), "%s", r->shard);
}

static void expect_sound(const struct fixture *f)
{
	const struct verify_options o = { .deep = true, .fn = finding_ignore };
	struct verify_totals totals = { 0 };
	struct err err;

	assert_int_equal(verify_archive(f->dir, &o, &totals, &err), RC_OK);
	assert_int_equal(totals.damage, 0);
	assert_int_equal(totals.lost, 0);
	assert_int_equal(totals.weak, 0);
	assert_int_equal(totals.missing_shards, 0);
}

static enum rc run(struct fixture *f)
{
	const struct report_options o = { 0 };
	struct report *report = report_new(&o);
	struct err err = { 0 };
	enum rc rc;

	volume_close(f->v);
	f->v = NULL;
	rc = pack_run(&f->opts, report, &err);
	if (rc)
		print_message("# %s\n", err.msg);
	f->counts = report_counts(report);
	report_free(report);
	if (f->opts.dry_run || (rc && rc != RC_PARTIAL))
		return rc;
	expect_sound(f);
	assert_int_equal(volume_open(&f->v, f->dir, NULL, &err), RC_OK);
	return rc;
}

static enum rc pack(struct fixture *f, const struct rec *recs, size_t n)
{
	const struct feed feed = { .list = list,
				   .open = open_one,
				   .check = check_one,
				   .result = take_result,
				   .arg = f };
	enum rc rc;

	assert_true(n <= N_MAX);
	memset(f->told, 0, sizeof(f->told));
	f->recs = recs;
	f->n = n;
	f->opts.feed = &feed;
	rc = run(f);
	f->opts.feed = NULL;
	return rc;
}

static void expect_told(const struct fixture *f, size_t i,
			enum feed_status status)
{
	if (f->told[i].n != 1 || f->told[i].status != status)
		print_message("# record %zu (%s): told %u times, %d %s\n", i,
			      f->recs[i].uid, f->told[i].n,
			      (int)f->told[i].status, f->told[i].why);
	assert_int_equal(f->told[i].n, 1);
	assert_int_equal(f->told[i].status, status);
}

static void expect_failed(const struct fixture *f, size_t i, const char *why)
{
	expect_told(f, i, FEED_FAILED);
	if (!strstr(f->told[i].why, why))
		print_message("# record %zu: %s\n", i, f->told[i].why);
	assert_non_null(strstr(f->told[i].why, why));
}

/* --- what is in the archive ------------------------------------------------
 */

struct wanted {
	struct fixture *f;
	int64_t at;
	unsigned int n, n_found;
	struct entry e; /* numbers only */
	char meta[64];
	char *bytes;
	char shard[SHARD_KEY_TEXT];
};

static bool look(void *arg, const struct volume_entry *ve)
{
	struct wanted *w = arg;
	size_t n = 0;
	struct err err;

	w->n++;
	if (ve->e.created_at != w->at)
		return true;
	w->n_found++;
	w->e = ve->e;
	snprintf(w->meta, sizeof(w->meta), "%.*s", (int)ve->e.meta.len,
		 ve->e.meta.len ? ve->e.meta.p : "");
	snprintf(w->shard, sizeof(w->shard), "%s",
		 volume_shard(w->f->v, ve->node)->key);
	free(w->bytes);
	w->bytes = xcalloc(1, ve->e.size + 1);
	if (ve->e.type == ENTRY_REG && ve->e.size)
		assert_int_equal(volume_read(w->f->v, ve, 0, w->bytes,
					     ve->e.size, &n, &err),
				 RC_OK);
	return true;
}

/* The version of the record, whose bytes are the caller's to free. */
static struct wanted find(struct fixture *f, size_t i)
{
	const struct rec *r = &f->recs[i];
	struct wanted w = { .f = f, .at = r->at };
	struct err err;

	assert_int_equal(volume_versions(f->v, span_of(r->uid, strlen(r->uid)),
					 0, look, &w, &err),
			 RC_OK);
	return w;
}

static void expect_there(struct fixture *f, size_t i)
{
	const struct rec *r = &f->recs[i];
	struct wanted w = find(f, i);
	uint8_t hash[SHA256_LEN];

	assert_int_equal(w.n_found, 1);
	assert_int_equal(w.e.size, size_of(r));
	for (uint64_t k = 0; k < size_of(r); k++) {
		if (w.bytes[k] != byte_of(r, k))
			fail_msg("%s: byte %llu", r->uid,
				 (unsigned long long)k);
	}
	hash_of(r, hash);
	assert_true(w.e.has_hash);
	assert_memory_equal(w.e.sha256, hash, SHA256_LEN);
	assert_int_equal(w.e.mode, 0640);
	assert_int_equal(w.e.uid, 7);
	assert_string_equal(w.meta, r->meta ? r->meta : "");
	assert_true(f->told[i].has_sha256);
	assert_memory_equal(f->told[i].sha256, hash, SHA256_LEN);
	assert_string_equal(f->told[i].shard, w.shard);
	free(w.bytes);
}

static void expect_absent(struct fixture *f, size_t i)
{
	struct wanted w = find(f, i);

	assert_int_equal(w.n_found, 0);
	free(w.bytes);
}

/* --- tests -----------------------------------------------------------------
 */

static void each_record_is_in_the_archive_of_its_time(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/b/one", .at = TIME(0, 5), .text = "first" },
		{ .uid = "a/two", .at = TIME(1, 7), .text = "second" },
		{ .uid = "three", .at = TIME(2, 0), .text = "third" },
		{ .uid = "a/b/empty", .at = TIME(2, 9), .text = "" },
	};
	struct fixture *f = *state;
	uint32_t *days = NULL;
	size_t n_days = 0;
	struct err err;

	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(recs); i++) {
		expect_told(f, i, FEED_ARCHIVED);
		expect_there(f, i);
	}
	assert_int_equal(volume_days(f->v, &days, &n_days, &err), RC_OK);
	assert_int_equal(n_days, 3);
	assert_int_equal(days[0], 20261121);
	assert_int_equal(days[2], 20261123);
	free(days);
}

/* The names that path shows in the tree view, in a line. */
static bool add_name(void *arg, struct span name, const struct volume_entry *ve,
		     uint64_t next)
{
	struct buf *b = arg;

	(void)next;
	if (b->len)
		buf_append_str(b, " ");
	buf_append(b, name.p, name.len);
	if (ve->e.type == ENTRY_DIR)
		buf_append_str(b, "/");
	return true;
}

static void expect_names(struct fixture *f, const char *path, const char *names)
{
	struct buf b = { .max = 4096 };
	struct volume_entry dir;
	struct err err;

	assert_int_equal(
		volume_resolve(f->v, span_of(path, strlen(path)), &dir, &err),
		RC_OK);
	assert_int_equal(volume_readdir(f->v, &dir, 0, add_name, &b, &err),
			 RC_OK);
	assert_string_equal(buf_str(&b), names);
	volume_entry_release(&dir);
	buf_release(&b);
}

static void directories_above_are_there_though_nobody_listed_them(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/b/c/one", .at = TIME(0, 5), .text = "first" },
		{ .uid = "a/two", .at = TIME(1, 7), .text = "second" },
		{ .uid = "d", .at = TIME(1, 7), .type = ENTRY_DIR },
		{ .uid = "d/l",
		  .at = TIME(1, 8),
		  .type = ENTRY_SYMLINK,
		  .target = "../a" },
	};
	struct fixture *f = *state;
	struct volume_entry ve;
	struct err err;

	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
	expect_names(f, "", "a/ d/");
	expect_names(f, "a", "b/ two");
	expect_names(f, "a/b", "c/");
	expect_names(f, "a/b/c", "one");
	expect_names(f, "d", "l");
	assert_int_equal(volume_resolve(f->v, span_of("a", 1), &ve, &err),
			 RC_OK);
	assert_false(ve.e.implicit);
	assert_int_equal(ve.e.mode, 0755);
	assert_int_equal(ve.e.mtime_s, TIME(1, 7) / SECOND);
	assert_int_equal(ve.e.created_at, TIME(1, 7));
	volume_entry_release(&ve);
	assert_int_equal(volume_resolve(f->v, span_of("d", 1), &ve, &err),
			 RC_OK);
	assert_false(ve.e.implicit);
	assert_int_equal(ve.e.mode, 0640);
	volume_entry_release(&ve);
}

static void all_versions_are_archived_and_the_newest_is_shown(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/f", .at = TIME(0, 9), .text = "of nine" },
		{ .uid = "a/f", .at = TIME(0, 5), .text = "of five" },
		{ .uid = "a/f", .at = TIME(2, 1), .text = "the last one" },
		{ .uid = "a/f", .at = TIME(1, 1), .text = "between" },
	};
	struct fixture *f = *state;
	struct volume_entry ve;
	struct err err;

	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(recs); i++) {
		expect_told(f, i, FEED_ARCHIVED);
		expect_there(f, i);
	}
	assert_int_equal(volume_resolve(f->v, span_of("a/f", 3), &ve, &err),
			 RC_OK);
	assert_int_equal(ve.e.created_at, TIME(2, 1));
	volume_entry_release(&ve);
}

static void of_records_of_one_name_and_time_the_first_counts(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "f", .at = TIME(0, 5), .text = "first" },
		{ .uid = "f", .at = TIME(0, 5), .text = "second" },
		{ .uid = "g", .at = TIME(0, 5), .text = "another" },
		{ .uid = "f", .at = TIME(0, 5), .text = "first" },
		{ .uid = "f", .at = TIME(0, 6), .text = "later" },
	};
	struct fixture *f = *state;

	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_PARTIAL);
	expect_told(f, 0, FEED_ARCHIVED);
	expect_told(f, 1, FEED_DUPLICATE);
	expect_told(f, 2, FEED_ARCHIVED);
	expect_told(f, 3, FEED_DUPLICATE);
	expect_told(f, 4, FEED_ARCHIVED);
	expect_there(f, 0);
	expect_there(f, 4);
	assert_int_equal(f->counts.failed, 2);
	assert_int_equal(f->counts.packed_files, 3);
	assert_int_equal(f->counts.packed_dirs, 1); /* the root */
	assert_int_equal(f->counts.found, 6);
}

static void what_cannot_be_read_as_listed_is_left_out(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/good",
		  .at = TIME(0, 1),
		  .text = "good",
		  .hash = RIGHT_HASH },
		{ .uid = "a/gone", .at = TIME(0, 1), .size = 5 },
		{ .uid = "a/hash",
		  .at = TIME(0, 1),
		  .text = "abc",
		  .hash = WRONG_HASH },
		{ .uid = "a/short",
		  .at = TIME(0, 1),
		  .text = "too short",
		  .cut = 2 },
		{ .uid = "a/changes",
		  .at = TIME(0, 1),
		  .text = "it moves",
		  .changes = true },
		{ .uid = "a/empty",
		  .at = TIME(0, 1),
		  .text = "",
		  .hash = WRONG_HASH },
		{ .uid = "a/nothing",
		  .at = TIME(0, 1),
		  .text = "",
		  .hash = RIGHT_HASH },
		{ .uid = "", .at = TIME(0, 1), .text = "no name" },
		{ .uid = "a/late", .at = INT64_MAX, .text = "no day" },
	};
	struct fixture *f = *state;

	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_PARTIAL);
	expect_told(f, 0, FEED_ARCHIVED);
	expect_there(f, 0);
	expect_failed(f, 1, "no such source");
	expect_failed(f, 2,
		      "sha256 is ba7816bf8f01cfea414140de5dae2223b00361a396177a"
		      "9cb410ff61f20015ad, wanted ba7816be");
	expect_failed(f, 3, "changed while it was read");
	expect_failed(f, 4, "changed while it was read");
	expect_failed(f, 5, "sha256 is e3b0c442");
	expect_told(f, 6, FEED_ARCHIVED);
	expect_there(f, 6);
	expect_failed(f, 7, "name is empty");
	expect_failed(f, 8, "created_at");
	for (size_t i = 1; i < 6; i++)
		expect_absent(f, i);
	assert_int_equal(f->counts.failed, 7);
	assert_int_equal(f->counts.packed_files, 2);
}

static void large_files_are_compared_with_their_hash(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a",
		  .at = TIME(0, 1),
		  .text = "compresses",
		  .size = 5000001,
		  .hash = RIGHT_HASH },
		{ .uid = "b",
		  .at = TIME(0, 1),
		  .text = "compresses well",
		  .size = 5000001,
		  .hash = WRONG_HASH },
		{ .uid = "c",
		  .at = TIME(0, 1),
		  .text = "whole blocks only ",
		  .size = 4u << 20,
		  .hash = RIGHT_HASH },
		{ .uid = "d",
		  .at = TIME(0, 1),
		  .text = "whole blocks and no ",
		  .size = 4u << 20,
		  .hash = WRONG_HASH },
		{ .uid = "e",
		  .at = TIME(0, 1),
		  .text = "short",
		  .size = 5000001,
		  .cut = 1 },
		{ .uid = "f",
		  .at = TIME(0, 1),
		  .text = "no hash",
		  .size = 3000001 },
	};
	struct fixture *f = *state;

	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_PARTIAL);
	for (size_t i = 0; i < ARRAY_LEN(recs); i++) {
		if (recs[i].hash == WRONG_HASH) {
			expect_failed(f, i, "wanted");
			expect_absent(f, i);
		} else if (recs[i].cut) {
			expect_failed(f, i, "changed while it was read");
			expect_absent(f, i);
		} else {
			expect_told(f, i, FEED_ARCHIVED);
			expect_there(f, i);
		}
	}
}

static void metadata_is_kept_in_the_entry(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a",
		  .at = TIME(0, 1),
		  .text = "a",
		  .meta = "{\"k\":[1,2]}" },
		{ .uid = "b",
		  .at = TIME(0, 1),
		  .text = "a",
		  .meta = "{\"other\":true}" },
		{ .uid = "c", .at = TIME(0, 1), .text = "a" },
	};
	struct fixture *f = *state;

	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(recs); i++)
		expect_there(f, i);
}

static void what_is_there_is_not_packed_again(void **state)
{
	static const struct rec before[] = {
		{ .uid = "a/f", .at = TIME(0, 5), .text = "first" },
		{ .uid = "a/g", .at = TIME(0, 5), .text = "second" },
		{ .uid = "a/h", .at = TIME(0, 5), .text = "third" },
	};
	static const struct rec after[] = {
		{ .uid = "a/f", .at = TIME(0, 5), .text = "first" },
		{ .uid = "a/g",
		  .at = TIME(0, 5),
		  .text = "second",
		  .hash = RIGHT_HASH },
		{ .uid = "a/h",
		  .at = TIME(0, 5),
		  .text = "THIRD",
		  .hash = RIGHT_HASH },
		{ .uid = "a/h", .at = TIME(0, 4), .text = "before" },
		{ .uid = "a/f", .at = TIME(0, 6), .text = "first" },
	};
	static const struct rec again[] = {
		{ .uid = "a/f", .at = TIME(0, 5), .text = "longer" },
		{ .uid = "a/h", .at = TIME(0, 4), .text = "before" },
		{ .uid = "a/f", .at = TIME(0, 6), .text = "first" },
	};
	struct fixture *f = *state;

	assert_int_equal(pack(f, before, ARRAY_LEN(before)), RC_OK);
	assert_int_equal(pack(f, after, ARRAY_LEN(after)), RC_PARTIAL);
	expect_told(f, 0, FEED_THERE);
	expect_there(f, 0);
	expect_told(f, 1, FEED_THERE);
	expect_there(f, 1);
	expect_failed(f, 2, "there with other content");
	expect_told(f, 3, FEED_ARCHIVED);
	expect_there(f, 3);
	expect_told(f, 4, FEED_ARCHIVED);
	expect_there(f, 4);
	assert_int_equal(f->counts.unchanged, 2);
	assert_int_equal(pack(f, again, ARRAY_LEN(again)), RC_PARTIAL);
	expect_failed(f, 0, "there with other content");
	expect_told(f, 1, FEED_THERE);
	expect_told(f, 2, FEED_THERE);
	assert_int_equal(f->counts.shards, 0);
}

static void names_of_one_file_are_links(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/one",
		  .at = TIME(0, 1),
		  .text = "linked",
		  .ino = 5 },
		{ .uid = "a/two",
		  .at = TIME(0, 1),
		  .text = "linked",
		  .ino = 5 },
		{ .uid = "b/three",
		  .at = TIME(0, 1),
		  .text = "linked",
		  .ino = 5 },
		{ .uid = "a/one",
		  .at = TIME(0, 2),
		  .text = "linked later",
		  .ino = 5 },
		{ .uid = "b/three",
		  .at = TIME(0, 2),
		  .text = "linked later",
		  .ino = 5 },
		{ .uid = "a/lone",
		  .at = TIME(0, 1),
		  .text = "alone",
		  .ino = 6 },
	};
	struct fixture *f = *state;
	uint8_t group[2][LINK_GROUP_LEN];

	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(recs); i++) {
		struct wanted w = find(f, i);
		uint8_t *g = group[i > 2];

		expect_told(f, i, FEED_ARCHIVED);
		expect_there(f, i);
		assert_int_equal(w.e.nlink, i < 3 ? 3 : i < 5 ? 2 : 1);
		assert_int_equal(link_group_is_set(w.e.link_group), i < 5);
		if (i == 0 || i == 3)
			memcpy(g, w.e.link_group, LINK_GROUP_LEN);
		else if (i < 5)
			assert_memory_equal(g, w.e.link_group, LINK_GROUP_LEN);
		free(w.bytes);
	}
	assert_memory_not_equal(group[0], group[1], LINK_GROUP_LEN);
}

static void a_dry_run_tells_what_would_be_archived(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/f", .at = TIME(0, 5), .text = "first" },
		{ .uid = "a/f", .at = TIME(0, 5), .text = "second" },
		{ .uid = "a/g", .at = TIME(0, 6), .text = "third" },
	};
	struct fixture *f = *state;

	f->opts.dry_run = true;
	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_PARTIAL);
	expect_told(f, 0, FEED_ARCHIVED);
	expect_told(f, 1, FEED_DUPLICATE);
	expect_told(f, 2, FEED_ARCHIVED);
	assert_string_equal(f->told[0].shard, "");
	assert_int_equal(f->counts.shards, 0);
}

static void parts_begin_anew_when_one_is_full(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/b/1", .at = TIME(0, 9), .text = "x", .size = 3000 },
		{ .uid = "a/b/2", .at = TIME(0, 8), .text = "y", .size = 3000 },
		{ .uid = "a/b/3", .at = TIME(0, 7), .text = "z", .size = 3000 },
		{ .uid = "a/b/3", .at = TIME(0, 6), .text = "u", .size = 3000 },
	};
	struct fixture *f = *state;

	f->opts.max_shard = 6000;
	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(recs); i++) {
		expect_told(f, i, FEED_ARCHIVED);
		expect_there(f, i);
	}
	assert_string_equal(f->told[0].shard, f->told[1].shard);
	assert_string_not_equal(f->told[0].shard, f->told[2].shard);
	expect_names(f, "a/b", "1 2 3");
}

static void workers_have_their_own_slots(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/1", .at = TIME(0, 1), .text = "one" },
		{ .uid = "b/2", .at = TIME(0, 1), .text = "two" },
		{ .uid = "c/3", .at = TIME(0, 1), .text = "three" },
		{ .uid = "d/4", .at = TIME(0, 1), .text = "four" },
		{ .uid = "e/5", .at = TIME(0, 1), .text = "five" },
	};
	struct fixture *f = *state;
	unsigned int n = 0, once = 0;

	for (uint32_t w = 0; w < 3; w++) {
		f->opts.worker = (struct worker){ .i = w, .n = 3 };
		assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
		for (size_t i = 0; i < ARRAY_LEN(recs); i++) {
			n += f->told[i].n;
			once += f->told[i].status == FEED_ARCHIVED &&
				f->told[i].shard[0];
		}
	}
	assert_int_equal(n, 5);
	assert_int_equal(once, 5);
	expect_names(f, "", "a/ b/ c/ d/ e/");
	expect_names(f, "e", "5");
}

static void records_without_a_time_are_packed_when_they_differ(void **state)
{
	static const struct rec before[] = {
		{ .uid = "a/f", .at = FEED_NO_TIME, .text = "first" },
		{ .uid = "a/g", .at = FEED_NO_TIME, .text = "second" },
		{ .uid = "a", .at = FEED_NO_TIME, .type = ENTRY_DIR },
		{ .uid = "l1", .at = FEED_NO_TIME, .text = "link", .ino = 9 },
		{ .uid = "l2", .at = FEED_NO_TIME, .text = "link", .ino = 9 },
	};
	static const struct rec after[] = {
		{ .uid = "a/f", .at = FEED_NO_TIME, .text = "first" },
		{ .uid = "a/g", .at = FEED_NO_TIME, .text = "2nd" },
		{ .uid = "a/g", .at = FEED_NO_TIME, .text = "2nd" },
		{ .uid = "a", .at = FEED_NO_TIME, .type = ENTRY_DIR },
		{ .uid = "l1", .at = FEED_NO_TIME, .text = "link", .ino = 9 },
		{ .uid = "l2", .at = FEED_NO_TIME, .text = "link", .ino = 9 },
	};
	struct fixture *f = *state;
	struct volume_entry ve;
	struct err err;

	assert_int_equal(pack(f, before, ARRAY_LEN(before)), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(before); i++)
		expect_told(f, i, FEED_ARCHIVED);
	assert_int_equal(pack(f, after, ARRAY_LEN(after)), RC_PARTIAL);
	expect_told(f, 0, FEED_THERE);
	expect_told(f, 1, FEED_ARCHIVED);
	expect_told(f, 2, FEED_DUPLICATE);
	expect_told(f, 3, FEED_THERE);
	expect_told(f, 4, FEED_THERE);
	expect_told(f, 5, FEED_THERE);
	assert_int_equal(volume_resolve(f->v, span_of("a/g", 3), &ve, &err),
			 RC_OK);
	assert_int_equal(ve.e.size, 3);
	volume_entry_release(&ve);
	assert_int_equal(pack(f, after, 2), RC_OK);
	expect_told(f, 1, FEED_THERE);
	assert_int_equal(f->counts.shards, 0);
}

static void modification_times_may_be_the_times_of_records(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/f", .at = FEED_NO_TIME, .text = "first" },
		{ .uid = "a/g", .at = TIME(0, 1), .text = "second" },
	};
	static const struct rec with[] = {
		{ .uid = "a/f", .at = 1000 * SECOND, .text = "first" },
		{ .uid = "a/g", .at = TIME(0, 1), .text = "second" },
	};
	struct fixture *f = *state;

	f->opts.created = CREATED_MTIME;
	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
	expect_told(f, 0, FEED_ARCHIVED);
	assert_int_equal(pack(f, with, ARRAY_LEN(with)), RC_OK);
	expect_told(f, 0, FEED_THERE);
	expect_there(f, 0);
	expect_told(f, 1, FEED_THERE);
}

static void write_source(const char *dir, const char *name)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs("a file", file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

/* Pack a directory that has one file with this name. */
static void walk(struct fixture *f, const char *name)
{
	char dir[] = "/tmp/desfs-feed-source-XXXXXX";

	assert_non_null(mkdtemp(dir));
	write_source(dir, name);
	f->sources[0] = dir;
	f->opts.sources = f->sources;
	f->opts.n_sources = 1;
	assert_int_equal(run(f), RC_OK);
	f->opts.sources = NULL;
	f->opts.n_sources = 0;
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void what_was_below_a_name_stays_hidden_when_it_is_implied(void **state)
{
	static const struct rec first[] = {
		{ .uid = "d/old", .at = TIME(0, 1), .text = "old" },
	};
	static const struct rec second[] = {
		{ .uid = "d/new", .at = TIME(1, 20), .text = "new" },
		{ .uid = "d/between", .at = TIME(1, 5), .text = "before" },
	};
	struct fixture *f = *state;
	struct wanted w;

	assert_int_equal(pack(f, first, ARRAY_LEN(first)), RC_OK);
	expect_names(f, "", "d/");
	f->opts.created = CREATED_TIME;
	f->opts.created_at = TIME(1, 10);
	walk(f, "d");
	expect_names(f, "", "d");
	assert_int_equal(pack(f, second, ARRAY_LEN(second)), RC_OK);
	expect_names(f, "", "d/");
	expect_names(f, "d", "new");
	expect_there(f, 0);
	expect_there(f, 1);
	f->recs = first;
	w = find(f, 0);
	assert_int_equal(w.n_found, 1);
	free(w.bytes);
}

static void a_record_older_than_what_hides_it_stays_hidden(void **state)
{
	static const struct rec first[] = {
		{ .uid = "d/old", .at = TIME(0, 1), .text = "old" },
	};
	static const struct rec second[] = {
		{ .uid = "d/older", .at = TIME(0, 3), .text = "late" },
	};
	struct fixture *f = *state;

	assert_int_equal(pack(f, first, ARRAY_LEN(first)), RC_OK);
	f->opts.created = CREATED_TIME;
	f->opts.created_at = TIME(1, 10);
	walk(f, "d");
	assert_int_equal(pack(f, second, ARRAY_LEN(second)), RC_OK);
	expect_told(f, 0, FEED_ARCHIVED);
	expect_there(f, 0);
	expect_names(f, "", "d");
}

static void a_run_that_was_stopped_goes_on(void **state)
{
	static const struct rec recs[] = {
		{ .uid = "a/1", .at = TIME(0, 1), .text = "one" },
		{ .uid = "b/2", .at = TIME(0, 2), .text = "two" },
		{ .uid = "c/3", .at = TIME(1, 1), .text = "three" },
		{ .uid = "d/4", .at = TIME(1, 2), .text = "four" },
		{ .uid = "e/5", .at = TIME(2, 2), .text = "five" },
	};
	struct fixture *f = *state;
	char checkpoint[] = "/tmp/desfs-feed-checkpoint-XXXXXX";
	unsigned int n = 0;
	int fd = mkstemp(checkpoint);

	assert_true(fd >= 0);
	close(fd);
	f->opts.checkpoint = checkpoint;
	f->opts.open_shards = 1;
	f->stops = true;
	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_STOPPED);
	stop_release();
	f->stops = false;
	assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(recs); i++) {
		assert_int_equal(f->told[i].n, 1);
		n += f->told[i].status == FEED_THERE;
		expect_there(f, i);
	}
	assert_in_range(n, 1, 4);
	unlink(checkpoint);
}

static void a_run_that_has_no_room_ends(void **state)
{
	const enum rc all[] = { RC_NOSPACE, RC_NOMEM };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const struct rec recs[] = {
			{ .uid = "a/1", .at = TIME(1, 0), .text = "one" },
			{ .uid = "b/2",
			  .at = TIME(1, 1),
			  .text = "two",
			  .fails = all[i] },
		};

		assert_int_equal(pack(f, recs, ARRAY_LEN(recs)), all[i]);
		assert_int_equal(f->told[1].n, 0);
	}
}

static void options_of_directories_are_refused(void **state)
{
	struct fixture *f = *state;

	f->opts.mirror = true;
	assert_int_equal(pack(f, NULL, 0), RC_USAGE);
	f->opts.mirror = false;
	f->opts.checksum = true;
	assert_int_equal(pack(f, NULL, 0), RC_USAGE);
	f->opts.checksum = false;
	f->opts.remove_sources = true;
	assert_int_equal(pack(f, NULL, 0), RC_USAGE);
	f->opts.remove_sources = false;
	f->opts.files0_from = "-";
	assert_int_equal(pack(f, NULL, 0), RC_USAGE);
	f->opts.files0_from = NULL;
}

/* --- any records -----------------------------------------------------------
 */

static const char *const names[] = { "a/x", "a/y", "b/c/d",
				     "e",   "b/f", "g/h/i/j" };
static const char *const texts[] = { "one", "three", "seven", "and more" };
static const int64_t times[] = { TIME(0, 0), TIME(0, 1),     TIME(0, 86399),
				 TIME(1, 0), TIME(2, 43200), TIME(40, 1) };

struct model {
	struct fixture *f;
	uint64_t seed;
	struct rec has[ARRAY_LEN(names)][ARRAY_LEN(times)]; /* uid NULL: none */
	struct rec recs[N_MAX];
	enum feed_status wanted[N_MAX];
};

static unsigned int any(struct model *m, unsigned int below)
{
	m->seed = m->seed * UINT64_C(6364136223846793005) +
		  UINT64_C(1442695040888963407);
	return (unsigned int)(m->seed >> 33) % below;
}

static enum feed_status predict(struct model *m, size_t n, struct rec *is)
{
	const struct rec *r = &m->recs[n];

	for (size_t i = 0; i < n; i++) {
		if (!strcmp(m->recs[i].uid, r->uid) && m->recs[i].at == r->at)
			return FEED_DUPLICATE;
	}
	if (is->uid) {
		bool same = size_of(is) == size_of(r);

		if (r->hash == WRONG_HASH ||
		    (r->hash == RIGHT_HASH && strcmp(is->text, r->text) != 0))
			same = false;
		return same ? FEED_THERE : FEED_FAILED;
	}
	if (r->cut || r->changes || r->hash == WRONG_HASH)
		return FEED_FAILED;
	*is = *r;
	return FEED_ARCHIVED;
}

static void make_records(struct model *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned int name = any(m, ARRAY_LEN(names)),
			     time = any(m, ARRAY_LEN(times)), bad = any(m, 20);

		m->recs[i] = (struct rec){ .uid = names[name],
					   .at = times[time],
					   .text = texts[any(m, 4)],
					   .size = any(m, 3) ? 0 : 5000,
					   .cut = bad == 1,
					   .changes = bad == 2,
					   .hash = bad == 3 ? WRONG_HASH
							    : any(m, 2) };
		m->wanted[i] = predict(m, i, &m->has[name][time]);
	}
}

/* Each version has the bytes of the record that was archived as it, and the
 * newest is in the tree.
 */
static void expect_model(struct model *m)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct rec *newest = NULL;
		struct volume_entry ve;
		struct err err;

		for (size_t k = 0; k < ARRAY_LEN(times); k++) {
			struct wanted w;

			if (!m->has[i][k].uid)
				continue;
			newest = &m->has[i][k];
			m->f->recs = newest;
			w = find(m->f, 0);
			assert_int_equal(w.n_found, 1);
			assert_int_equal(w.e.size, size_of(newest));
			for (uint64_t at = 0; at < w.e.size; at++)
				assert_int_equal(w.bytes[at],
						 byte_of(newest, at));
			free(w.bytes);
		}
		if (!newest)
			continue;
		assert_int_equal(
			volume_resolve(m->f->v,
				       span_of(names[i], strlen(names[i])), &ve,
				       &err),
			RC_OK);
		assert_int_equal(ve.e.created_at, newest->at);
		volume_entry_release(&ve);
	}
}

static void pack_any(struct model *m)
{
	size_t n = any(m, N_MAX);
	enum rc rc;

	m->f->opts.max_shard = any(m, 2) ? 4000 : UINT64_C(1) << 30;
	m->f->opts.jobs = 1 + any(m, 3);
	m->f->opts.open_shards = 1 + any(m, 3);
	make_records(m, n);
	rc = pack(m->f, m->recs, n);
	assert_true(!rc || rc == RC_PARTIAL);
	for (size_t i = 0; i < n; i++)
		expect_told(m->f, i, m->wanted[i]);
	expect_model(m);
}

static void any_records_are_told_of_and_kept_as_they_should(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct model m = { .seed = seed };
		void *f;

		begin(&f);
		m.f = f;
		m.f->opts.route = seed % 2 ? ROUTE_UID : ROUTE_PARENT;
		for (unsigned int i = 0; i < 3; i++)
			pack_any(&m);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_record_is_in_the_archive_of_its_time, begin, end),
		cmocka_unit_test_setup_teardown(
			directories_above_are_there_though_nobody_listed_them,
			begin, end),
		cmocka_unit_test_setup_teardown(
			all_versions_are_archived_and_the_newest_is_shown,
			begin, end),
		cmocka_unit_test_setup_teardown(
			of_records_of_one_name_and_time_the_first_counts, begin,
			end),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_read_as_listed_is_left_out, begin, end),
		cmocka_unit_test_setup_teardown(
			large_files_are_compared_with_their_hash, begin, end),
		cmocka_unit_test_setup_teardown(metadata_is_kept_in_the_entry,
						begin, end),
		cmocka_unit_test_setup_teardown(
			what_is_there_is_not_packed_again, begin, end),
		cmocka_unit_test_setup_teardown(names_of_one_file_are_links,
						begin, end),
		cmocka_unit_test_setup_teardown(
			a_dry_run_tells_what_would_be_archived, begin, end),
		cmocka_unit_test_setup_teardown(
			parts_begin_anew_when_one_is_full, begin, end),
		cmocka_unit_test_setup_teardown(workers_have_their_own_slots,
						begin, end),
		cmocka_unit_test_setup_teardown(
			records_without_a_time_are_packed_when_they_differ,
			begin, end),
		cmocka_unit_test_setup_teardown(
			modification_times_may_be_the_times_of_records, begin,
			end),
		cmocka_unit_test_setup_teardown(
			what_was_below_a_name_stays_hidden_when_it_is_implied,
			begin, end),
		cmocka_unit_test_setup_teardown(
			a_record_older_than_what_hides_it_stays_hidden, begin,
			end),
		cmocka_unit_test_setup_teardown(a_run_that_was_stopped_goes_on,
						begin, end),
		cmocka_unit_test_setup_teardown(a_run_that_has_no_room_ends,
						begin, end),
		cmocka_unit_test_setup_teardown(
			options_of_directories_are_refused, begin, end),
		cmocka_unit_test(
			any_records_are_told_of_and_kept_as_they_should),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
