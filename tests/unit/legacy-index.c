/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-index.c - tests of reading DES2 and Datavision: what the original
 * programs made, what was made malformed, and every bit of some flipped.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/wr.h"
#include "codec/frame.h"
#include "shard/legacy-cursor.h"
#include "shard/shard-kinds.h"
#include "unit.h"

#define FILE_MAX (16u << 20)

#define SOME_HASH \
	"3e58165e72500e29463d91574771af97d18bbf9c0a4db397b8223fbc372be5fe"

static void free_cursor(struct legacy_cursor **c)
{
	legacy_cursor_free(*c);
}

#define CLEANUP_CURSOR CLEANUP(free_cursor)

/* tests/fixtures/legacy/SET/PATH, whole. */
static void read_file(const char *set, const char *path, struct buf *b)
{
	const char *srcdir = getenv("SRCDIR");
	char full[4096];
	size_t n;
	FILE *in;

	snprintf(full, sizeof(full), "%s/tests/fixtures/legacy/%s/%s",
		 srcdir ? srcdir : ".", set, path);
	in = fopen(full, "re");
	if (!in)
		fail_msg("cannot open %s", full);
	buf_init(b, FILE_MAX);
	do {
		uint8_t *p = buf_reserve(b, 65536);

		assert_non_null(p);
		n = fread(p, 1, 65536, in);
		b->len += n;
	} while (n);
	fclose(in);
}

static struct json_t *read_expected(const char *set)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct json_t *j = NULL;
	struct err err;

	read_file(set, "expected.json", &b);
	if (json_parse(b.p, b.len, FILE_MAX, &j, &err))
		fail_msg("%s: %s", set, err.msg);
	return j;
}

static const char *str_of(const struct json_t *j, const char *name)
{
	const char *s = NULL;
	struct err err;

	if (json_get_str(j, name, FILE_MAX, &s, &err))
		fail_msg("%s", err.msg);
	return s;
}

static uint64_t u64_of(const struct json_t *j, const char *name)
{
	uint64_t v = 0;
	struct err err;

	if (json_get_u64(j, name, JSON_INT_MAX, &v, &err))
		fail_msg("%s", err.msg);
	return v;
}

static struct json_t *array_of(const struct json_t *j, const char *name,
			       size_t *n)
{
	struct json_t *a = NULL;
	struct err err;

	if (json_get_array(j, name, SIZE_MAX, &a, n, &err))
		fail_msg("%s", err.msg);
	return a;
}

/* Bytes of an object in memory. */
static enum rc read_at(void *arg, uint64_t off, void *p, size_t len,
		       struct err *err)
{
	const struct buf *b = arg;

	(void)err;
	assert_true(len > 0 && len <= 1u << 20);
	assert_true(off <= b->len && len <= b->len - off);
	memcpy(p, b->p + off, len);
	return RC_OK;
}

/* Heads and tails of exactly what is needed, so that sanitizers see more. */
static enum rc locate(const struct buf *b, struct legacy_index *ix,
		      struct err *err)
{
	size_t head_len = b->len < LEGACY_HEAD_SIZE ? b->len : LEGACY_HEAD_SIZE;
	size_t tail_len = b->len < LEGACY_TAIL_SIZE ? b->len : LEGACY_TAIL_SIZE;
	CLEANUP_FREE char *head = xmemdup0(b->p, head_len);
	CLEANUP_FREE char *tail = xmemdup0(b->p + b->len - tail_len, tail_len);

	return legacy_index_locate(head, head_len, tail, tail_len, b->len, ix,
				   err);
}

static struct legacy_cursor *opened(const struct buf *b,
				    struct legacy_index *ix)
{
	struct err err = { 0 };

	if (locate(b, ix, &err))
		fail_msg("%s", err.msg);
	return legacy_cursor_new(ix, read_at, (void *)(uintptr_t)b);
}

static void next_is(struct legacy_cursor *c, enum rc want,
		    struct legacy_entry *e)
{
	struct err err = { 0 };
	enum rc rc = legacy_cursor_next(c, e, &err);

	if (rc != want)
		fail_msg("%d, not %d: %s", rc, want, err.msg);
}

static void check_sha256(const void *p, size_t len, const char *want)
{
	uint8_t hash[SHA256_LEN];
	char text[HEX_TEXT(SHA256_LEN)];

	sha256_of(p, len, hash);
	hex_encode(hash, sizeof(hash), text);
	assert_string_equal(text, want);
}

static void check_inline(const struct buf *b, const struct legacy_entry *e,
			 const char *want)
{
	size_t len = (size_t)e->plain_len;
	CLEANUP_FREE uint8_t *out = mem_array(len ? len : 1, 1);
	struct err err = { 0 };
	size_t used = 0;

	assert_non_null(out);
	if (frame_decode_whole(e->codec, b->p + e->off, (size_t)e->stored_len,
			       out, len, &used, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(used, e->stored_len);
	check_sha256(out, len, want);
}

/* A file next to the object path, below _bigFiles. */
static void check_external(const char *set, const char *path, const char *name,
			   size_t name_len, uint64_t size, const char *want)
{
	CLEANUP_BUF struct buf b = { 0 };
	char full[4096];
	int dir_len = (int)(strrchr(path, '/') - path);

	snprintf(full, sizeof(full), "%.*s/_bigFiles/%.*s", dir_len, path,
		 (int)name_len, name);
	read_file(set, full, &b);
	assert_int_equal(b.len, size);
	check_sha256(b.p, b.len, want);
}

/* No metadata and an empty object are the same to the original. */
static void check_meta(const void *p, size_t len, const struct json_t *want)
{
	CLEANUP_JSON struct json_t *found = NULL;
	CLEANUP_BUF struct buf a = { .max = FILE_MAX };
	CLEANUP_BUF struct buf b = { .max = FILE_MAX };
	struct json_t *meta = NULL;
	struct err err;

	if (json_get_obj(want, "meta", &meta, &err) ||
	    json_parse(len ? p : "{}", len ? len : 2, FILE_MAX, &found, &err))
		fail_msg("%s", err.msg);
	json_write(found, &a);
	json_write(meta, &b);
	assert_string_equal(buf_str(&a), buf_str(&b));
}

static void check_des2_entry(const struct buf *b, const char *path,
			     const struct legacy_entry *e,
			     const struct json_t *want)
{
	bool is_big = false;
	struct err err;

	if (json_get_bool(want, "is_bigfile", &is_big, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(e->is_external, is_big);
	assert_int_equal(e->plain_len, u64_of(want, "uncompressed_size"));
	check_meta(e->meta.p, e->meta.len, want);
	assert_int_equal(e->meta_len, e->meta.len);
	if (is_big) {
		assert_int_equal(e->hash.len, LEGACY_HASH_DIGITS);
		assert_memory_equal(e->hash.p, str_of(want, "bigfile_hash"),
				    LEGACY_HASH_DIGITS);
		check_external("des-v2", path, e->hash.p, e->hash.len,
			       e->plain_len, str_of(want, "sha256"));
		return;
	}
	assert_int_equal(e->off, u64_of(want, "offset"));
	assert_int_equal(e->stored_len, u64_of(want, "length"));
	assert_string_equal(codec_by_id(e->codec)->name, str_of(want, "codec"));
	assert_int_equal(e->hash.len, 0);
	check_inline(b, e, str_of(want, "sha256"));
}

static void check_uid(const struct legacy_entry *e, uint64_t i,
		      const char *want)
{
	assert_int_equal(e->ordinal, i);
	assert_int_equal(e->uid.len, strlen(want));
	assert_memory_equal(e->uid.p, want, e->uid.len);
}

static size_t check_des2_shard(const struct json_t *want)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	const char *path = str_of(want, "path");
	uint64_t version = u64_of(want, "version");
	struct json_t *entries;
	struct legacy_index ix;
	struct legacy_entry e;
	size_t n = 0;

	read_file("des-v2", path, &b);
	c = opened(&b, &ix);
	assert_int_equal(ix.kind, version == 1 ? SHARD_KIND_DES2_V1
					       : SHARD_KIND_DES2_V2);
	assert_int_equal(ix.off, u64_of(want, "index_offset"));
	assert_int_equal(ix.len, u64_of(want, "index_size"));
	entries = array_of(want, "entries", &n);
	for (size_t i = 0; i < n; i++) {
		const struct json_t *j = json_at(entries, i);

		next_is(c, RC_OK, &e);
		check_uid(&e, i, str_of(j, "uid"));
		check_des2_entry(&b, path, &e, j);
	}
	next_is(c, RC_NOENT, &e);
	next_is(c, RC_NOENT, &e);
	assert_false(legacy_cursor_is_cut(c));
	return n;
}

static void all_of_des2_is_read_as_by_the_original(void **state)
{
	CLEANUP_JSON struct json_t *all = read_expected("des-v2");
	size_t n_sets = 0, n_files = 0;
	struct json_t *sets = array_of(all, "sets", &n_sets);

	(void)state;
	for (size_t i = 0; i < n_sets; i++) {
		size_t n = 0;
		struct json_t *shards =
			array_of(json_at(sets, i), "shards", &n);

		for (size_t k = 0; k < n; k++)
			n_files += check_des2_shard(json_at(shards, k));
	}
	assert_int_equal(n_sets, 12);
	assert_true(n_files > 200);
}

static void check_container(const struct json_t *want)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	const char *path = str_of(want, "path");
	struct json_t *entries;
	struct legacy_index ix;
	struct legacy_entry e;
	size_t n = 0;

	read_file("datavision", path, &b);
	c = opened(&b, &ix);
	assert_int_equal(ix.kind, SHARD_KIND_DATAVISION);
	entries = array_of(want, "entries", &n);
	assert_int_equal(ix.count, n);
	for (size_t i = 0; i < n; i++) {
		const struct json_t *j = json_at(entries, i);

		next_is(c, RC_OK, &e);
		check_uid(&e, i, str_of(j, "name"));
		assert_int_equal(e.is_external, u64_of(j, "flags"));
		assert_int_equal(e.off, u64_of(j, "data_offset"));
		assert_int_equal(e.plain_len, u64_of(j, "data_length"));
		assert_int_equal(e.meta_off, u64_of(j, "meta_offset"));
		assert_int_equal(e.meta_len, u64_of(j, "meta_length"));
		check_meta(e.meta.p, e.meta.len, j);
		if (e.is_external)
			check_external("datavision", path, e.uid.p, e.uid.len,
				       e.plain_len, str_of(j, "sha256"));
		else
			check_inline(&b, &e, str_of(j, "sha256"));
	}
	next_is(c, RC_NOENT, &e);
	assert_false(legacy_cursor_is_cut(c));
}

static void all_of_datavision_is_read_as_by_the_original(void **state)
{
	CLEANUP_JSON struct json_t *all = read_expected("datavision");
	size_t n = 0;
	struct json_t *containers = array_of(all, "containers", &n);

	(void)state;
	assert_int_equal(n, 16);
	for (size_t i = 0; i < n; i++)
		check_container(json_at(containers, i));
}

/* How many files are damaged since their metadata say another size. */
static size_t count_other_sizes(const struct buf *b)
{
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	struct legacy_index ix;
	struct legacy_entry e;
	struct err err = { 0 };
	size_t n = 0, n_all = 0;
	enum rc rc;

	c = opened(b, &ix);
	while ((rc = legacy_cursor_next(c, &e, &err)) != RC_NOENT) {
		assert_true(n_all++ < ix.count);
		n += rc == RC_CORRUPT && strstr(err.msg, ", its metadata at ");
	}
	return n;
}

static void sizes_in_metadata_are_compared(void **state)
{
	static const struct {
		const char *meta;
		size_t n;
	} rows[] = {
		{ "{\"k\":\"v\",\"size\":1}", 0 },
		{ "{\"k\":\"v\",\"size\":2}", 1 },
		{ "{\"k\":NaN,\"size\":1}", 0 },
		{ "{\"k\":NaN,\"size\":2}", 1 },
		{ "{\"k\":{},\"size\":23}", 1 },
		{ "{\"size\":1,\"k\":NaN}", 0 },
		{ "{\"size\":2,\"k\":[1]}", 1 },
		{ "{\"size\":\"2\",\"b\":3}", 0 },
		{ "{\"size\":-2,\"b\":23}", 0 },
		{ "{\"size\":2.0,\"b\":3}", 0 },
		{ "{\"k\":{\"size\":2}}  ", 0 },
	};
	CLEANUP_BUF struct buf b = { 0 };
	uint8_t *at;

	(void)state;
	read_file("datavision", "plain.des", &b);
	at = memmem(b.p, b.len, rows[0].meta, strlen(rows[0].meta));
	assert_non_null(at);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memcpy(at, rows[i].meta, strlen(rows[0].meta));
		assert_int_equal(count_other_sizes(&b), rows[i].n);
	}
}

/* What reading a malformed file comes to. */
struct verdict {
	char uids[64];                  /* given, one after the other */
	char message[ERR_MSG_MAX + 64]; /* the first; of codecs too */
	bool is_cut;
};

static void note(struct verdict *v, const char *text)
{
	if (!*v->message)
		snprintf(v->message, sizeof(v->message), "%s", text);
}

static void decode(const struct buf *b, const struct legacy_entry *e,
		   struct verdict *v)
{
	size_t len = (size_t)e->plain_len;
	CLEANUP_FREE uint8_t *out = mem_array(len ? len : 1, 1);
	struct err err = { 0 };

	assert_non_null(out);
	if (!e->is_external &&
	    frame_decode_whole(e->codec, b->p + e->off, (size_t)e->stored_len,
			       out, len, NULL, &err)) {
		assert_int_equal(err.rc, RC_CORRUPT);
		note(v, err.msg);
	}
}

static struct verdict judged(const struct buf *b)
{
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	struct verdict v = { 0 };
	struct legacy_index ix;
	struct legacy_entry e;
	struct err err = { 0 };
	enum rc rc = locate(b, &ix, &err);

	if (rc) {
		assert_int_equal(rc, RC_CORRUPT);
		note(&v, err.msg);
		v.is_cut = true;
		return v;
	}
	c = legacy_cursor_new(&ix, read_at, (void *)(uintptr_t)b);
	while ((rc = legacy_cursor_next(c, &e, &err)) != RC_NOENT) {
		size_t n = strlen(v.uids);

		if (!rc) {
			snprintf(v.uids + n, sizeof(v.uids) - n, "%.*s",
				 (int)e.uid.len, e.uid.p);
			decode(b, &e, &v);
			continue;
		}
		assert_int_equal(rc, RC_CORRUPT);
		note(&v, err.msg);
	}
	v.is_cut = legacy_cursor_is_cut(c);
	return v;
}

/* DES2 made by hand. */
static void des2_begin(struct buf *b)
{
	buf_init(b, 8u << 20);
	buf_append(b, "DES2\2\0\0\0", 8);
}

static void des2_inline(struct buf *b, const char *uid, uint8_t flags,
			uint64_t off, uint64_t len, const char *meta)
{
	wr_u16(b, (uint16_t)strlen(uid));
	buf_append_str(b, uid);
	wr_u8(b, flags);
	wr_u64(b, off);
	wr_u64(b, len);
	wr_u8(b, CODEC_NONE);
	wr_u64(b, len);
	wr_u64(b, len);
	wr_u32(b, (uint32_t)strlen(meta));
	buf_append_str(b, meta);
}

static void des2_big(struct buf *b, const char *uid, const char *hash,
		     uint64_t len)
{
	wr_u16(b, (uint16_t)strlen(uid));
	buf_append_str(b, uid);
	wr_u8(b, 1);
	wr_u16(b, (uint16_t)strlen(hash));
	buf_append_str(b, hash);
	wr_u64(b, len);
	wr_u32(b, 0);
}

static void des2_end(struct buf *b, size_t index_off)
{
	size_t len = b->len - index_off;

	buf_append_str(b, "DESI");
	wr_u64(b, len);
	assert_true(buf_ok(b));
}

static void an_index_may_be_longer_than_memory_for_it(void **state)
{
	enum { N = 60000, LARGE = 3 * (1u << 20) / 2 };
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	CLEANUP_FREE char *large = xcalloc(1, LARGE + 1);
	struct legacy_index ix;
	struct legacy_entry e;
	char uid[32];

	(void)state;
	memset(large, ' ', LARGE);
	large[0] = '{';
	large[LARGE - 1] = '}';
	des2_begin(&b);
	wr_u32(&b, N);
	for (unsigned int i = 0; i < N; i++) {
		snprintf(uid, sizeof(uid), "uid-%u", i);
		des2_inline(&b, uid, 0, 8, 0, i == 700 ? large : "{}");
	}
	des2_end(&b, 8);
	c = opened(&b, &ix);
	for (unsigned int i = 0; i < N; i++) {
		next_is(c, RC_OK, &e);
		snprintf(uid, sizeof(uid), "uid-%u", i);
		check_uid(&e, i, uid);
		assert_int_equal(e.meta_len, i == 700 ? LARGE : 2);
		assert_int_equal(e.meta.len, i == 700 ? 0 : 2);
		assert_memory_equal(b.p + e.meta_off, "{", 1);
	}
	next_is(c, RC_NOENT, &e);
	assert_false(legacy_cursor_is_cut(c));
}

static void a_hash_is_no_path(void **state)
{
	static const char *const bad[] = {
		"",
		"../../../../etc/passwd",
		"3E58165E72500E29463D91574771AF97D18BBF9C0A4DB397B8223FBC372BE5FE",
		"3e58165e72500e29463d91574771af97d18bbf9c0a4db397b8223fbc372be5f",
		"3e58165e72500e29463d91574771af97d18bbf9c0a4db397b8223fbc372be5fe0",
		"../58165e72500e29463d91574771af97d18bbf9c0a4db397b8223fbc372be5fe",
	};
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	struct legacy_index ix;
	struct legacy_entry e;

	(void)state;
	des2_begin(&b);
	wr_u32(&b, ARRAY_LEN(bad) + 2);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		des2_big(&b, "bad", bad[i], 1);
	des2_big(&b, "good", SOME_HASH, INT64_MAX);
	des2_big(&b, "large", SOME_HASH, UINT64_MAX);
	des2_end(&b, 8);
	c = opened(&b, &ix);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		next_is(c, RC_CORRUPT, &e);
		check_uid(&e, i, "bad");
	}
	next_is(c, RC_OK, &e);
	assert_true(e.is_external);
	assert_int_equal(e.plain_len, INT64_MAX);
	next_is(c, RC_CORRUPT, &e);
	next_is(c, RC_NOENT, &e);
}

static void unknown_flags_are_ignored(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	struct legacy_index ix;
	struct legacy_entry e;

	(void)state;
	des2_begin(&b);
	wr_u32(&b, 1);
	des2_inline(&b, "", 0xfe, 8, 0, "");
	des2_end(&b, 8);
	c = opened(&b, &ix);
	next_is(c, RC_OK, &e);
	assert_non_null(e.uid.p);
	assert_int_equal(e.uid.len, 0);
	next_is(c, RC_NOENT, &e);
}

/* Which of three files of 4 bytes are given when they are at these offsets. */
static void placed(const uint64_t off[3], const char *want)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	struct legacy_index ix;
	struct legacy_entry e;
	struct err err = { 0 };
	char got[4] = "";
	enum rc rc;

	des2_begin(&b);
	buf_append_str(&b, "aaaabbbbcccc");
	wr_u32(&b, 3);
	for (size_t i = 0; i < 3; i++)
		des2_inline(&b, (const char *const[]){ "a", "b", "c" }[i], 0,
			    off[i], 4, "");
	des2_end(&b, 20);
	c = opened(&b, &ix);
	while ((rc = legacy_cursor_next(c, &e, &err)) != RC_NOENT) {
		assert_true(!rc || rc == RC_CORRUPT);
		if (!rc)
			got[strlen(got)] = *e.uid.p;
	}
	assert_string_equal(got, want);
	assert_false(legacy_cursor_is_cut(c));
}

static void a_file_that_is_elsewhere_does_not_hide_the_others(void **state)
{
	(void)state;
	placed((const uint64_t[]){ 8, 12, 16 }, "abc");
	placed((const uint64_t[]){ 8, 13, 16 }, "ac");
	placed((const uint64_t[]){ 8, 8, 16 }, "ac");
	placed((const uint64_t[]){ 0, 12, 16 }, "bc");
	placed((const uint64_t[]){ 0, 4, 16 }, "c");
	placed((const uint64_t[]){ 8, 12, 17 }, "ab");
	placed((const uint64_t[]){ 8, 12, UINT64_MAX }, "ab");
	placed((const uint64_t[]){ 12, 16, 8 }, "ab");
}

/* As when an entry was taken out of the index, or a writer failed and went on:
 * nothing is wrong with the others.
 */
static void contents_of_no_entry_do_not_hide_the_others(void **state)
{
	static const struct {
		uint64_t off[3];
		const char *given, *message;
	} known[] = {
		{ { 8, 14, 18 },
		  "abc",
		  "2 bytes of content, from byte 12 on, belong to no entry" },
		{ { 10, 14, 18 },
		  "abc",
		  "2 bytes of content, from byte 8 on, belong to no entry" },
		{ { 8, 12, 18 },
		  "abc",
		  "2 bytes of content, from byte 16 on, belong to no entry" },
		{ { 8, 12, 16 },
		  "abc",
		  "2 bytes of content, from byte 20 on, belong to no entry" },
		{ { 9, 14, 18 },
		  "bc",
		  "entry 0 at byte 26: content is at byte 9, not at 8, where "
		  "the one before it ends" },
		{ { 8, 12, 17 },
		  "ab",
		  "entry 3 at byte 189: content is at byte 17, not at 16, "
		  "where the one before it ends" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		CLEANUP_BUF struct buf b = { 0 };
		struct verdict v;

		des2_begin(&b);
		buf_append_str(&b, "aaaabbbbcccc..");
		wr_u32(&b, 3);
		des2_inline(&b, "a", 0, known[i].off[0], 4, "");
		des2_big(&b, "", SOME_HASH, 1);
		des2_inline(&b, "b", 0, known[i].off[1], 4, "");
		des2_inline(&b, "c", 0, known[i].off[2], 4, "");
		b.p[22] = 4;
		des2_end(&b, 22);
		v = judged(&b);
		assert_string_equal(v.uids, known[i].given);
		assert_string_equal(v.message, known[i].message);
		assert_false(v.is_cut);
	}
}

static enum rc refuse(void *arg, uint64_t off, void *p, size_t len,
		      struct err *err)
{
	(void)arg;
	(void)off;
	(void)p;
	(void)len;
	return err_set(err, RC_TIMEOUT, "not today");
}

static void what_reading_says_is_passed_on(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	struct legacy_index ix;
	struct legacy_entry e;
	struct err err = { 0 };

	(void)state;
	read_file("des-v2", "malformed/good-reference.des", &b);
	assert_int_equal(locate(&b, &ix, &err), RC_OK);
	c = legacy_cursor_new(&ix, refuse, NULL);
	next_is(c, RC_TIMEOUT, &e);
	next_is(c, RC_NOENT, &e);
	assert_true(legacy_cursor_is_cut(c));
}

static void kinds_are_told_by_either_end(void **state)
{
	static const struct {
		const char *head, *tail;
		enum shard_kind kind;
	} want[] = {
		{ "DES3\r\n\x1a\n", "........", SHARD_KIND_V3 },
		{ "........", "3SEDdone", SHARD_KIND_V3 },
		{ "DES2\1...", "........", SHARD_KIND_DES2_V1 },
		{ "DES2\2...", "........", SHARD_KIND_DES2_V2 },
		{ "DES2\7...", "........", SHARD_KIND_DES2_V2 },
		{ "DES2", "", SHARD_KIND_DES2_V2 },
		{ "........", "..DESI........", SHARD_KIND_DES2_V2 },
		{ "DESHEAD1", "........", SHARD_KIND_DATAVISION },
		{ "DES4....", "........", SHARD_KIND_NONE },
		{ "DES", "DESI", SHARD_KIND_NONE },
		{ "", "", SHARD_KIND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(
			shard_kind_of(want[i].head, strlen(want[i].head),
				      want[i].tail, strlen(want[i].tail)),
			want[i].kind);
}

static void ends_must_be_whole(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct legacy_index ix;
	struct err err = { 0 };

	(void)state;
	read_file("des-v2", "malformed/good-reference.des", &b);
	assert_int_equal(legacy_index_locate(b.p, 15, b.p + b.len - 72, 72,
					     b.len, &ix, &err),
			 RC_USAGE);
	assert_int_equal(legacy_index_locate(b.p, 16, b.p + b.len - 71, 71,
					     b.len, &ix, &err),
			 RC_USAGE);
	assert_int_equal(
		legacy_index_locate(b.p, b.len, b.p, b.len, b.len, &ix, &err),
		RC_OK);
	assert_int_equal(
		legacy_index_locate("DES3\r\n\x1a\n", 8, "", 0, 8, &ix, &err),
		RC_UNSUPPORTED);
}

static const struct malformed {
	const char *path, *uids, *message;
	bool is_cut;
} des2_malformed[] = {
	{ "good-reference", "ab", "", false },
	{ "zero-length", "",
	  "0 bytes that neither begin nor end as a shard of any format does", true },
	{ "header-only", "",
	  "8 bytes, a shard of DES2 has at least 24", true },
	{ "no-footer", "",
	  "footer at byte 97 begins with 00070000, not with \"DESI\"", true },
	{ "truncated-1", "",
	  "footer at byte 108 begins with 7d444553, not with \"DESI\"", true },
	{ "bad-magic", "",
	  "header at byte 0 begins with 44455358, not with \"DES2\"", true },
	{ "version-3", "",
	  "version at byte 4 is 3, not 1 or 2", true },
	{ "reserved-set", "",
	  "header at byte 5 has 010000, not zeros", true },
	{ "bad-footer-magic", "",
	  "footer at byte 109 begins with 4445534a, not with \"DESI\"", true },
	{ "index-size-huge", "",
	  "size of the index at byte 113 is 9223372036854775808, not 4 to 101", true },
	{ "index-size-overlaps-header", "",
	  "size of the index at byte 113 is 105, not 4 to 101", true },
	{ "trailing-garbage", "",
	  "footer at byte 113 begins with 5d000000, not with \"DESI\"", true },
	{ "payload-bitflip", "ab", "", false },
	{ "entry-past-data", "",
	  "entry 0 at byte 16: content of 5000 bytes at byte 8 is not within bytes 8 to 12, its section", false },
	{ "unknown-codec", "",
	  "entry 0 at byte 16: codec at byte 36 is 9, not 0 to 2", false },
	{ "size-mismatch", "a",
	  "zstd frame states 300 bytes, not 299", false },
	{ "zstd-truncated", "a",
	  "zstd frame does not end within 17 bytes", false },
	{ "uid-not-utf8", "",
	  "entry 0 at byte 13: uid is no UTF-8 at byte 15: ff", false },
	{ "meta-not-object", "",
	  "entry 0 at byte 13: metadata are no JSON object at byte 54", false },
	{ "meta-truncated", "",
	  "entry 0 at byte 13: metadata of 4000 bytes at byte 54 are cut at byte 56", true },
	{ "duplicate-uid", "aa", "", false },
	{ "count-too-small", "a",
	  "index has 1 entries up to byte 61, but ends at byte 109", false },
	{ "count-too-big", "",
	  "index at byte 16 has 3 entries in 89 bytes, each needs 40 or more", true },
}, datavision_malformed[] = {
	{ "good-reference", "ab", "", false },
	{ "header-magic", "",
	  "header at byte 0 begins with 5858585858585858, not with \"DESHEAD1\"", true },
	{ "footer-magic", "",
	  "footer at byte 128 begins with 584553464f4f5431, not with \"DESFOOT1\"", true },
	{ "short", "",
	  "40 bytes, a container of Datavision has at least 88", true },
	{ "truncated", "",
	  "footer at byte 127 begins with 00444553464f4f54, not with \"DESFOOT1\"", true },
	{ "version", "",
	  "version at byte 136 is 2, not 1", true },
	{ "count-high", "",
	  "number of files at byte 192 is 3, the index of 78 bytes has not so many", true },
	{ "count-low", "ab",
	  "index has 2 entries, number of files at byte 192 is 1", false },
	{ "index-past-end", "",
	  "index of 1000000 bytes at byte 50, which should begin at 50 and end by 128", true },
	{ "payload-flip", "ab", "", false },
};

/* All that there are, each with its row. */
static void check_malformed(const char *set, const struct malformed *rows,
			    size_t n_rows)
{
	CLEANUP_JSON struct json_t *all = read_expected(set);
	size_t n = 0;
	struct json_t *list = array_of(all, "malformed", &n);

	assert_int_equal(n, n_rows);
	for (size_t i = 0; i < n; i++) {
		CLEANUP_BUF struct buf b = { 0 };
		char path[128];
		struct verdict v;

		snprintf(path, sizeof(path), "malformed/%s.des", rows[i].path);
		assert_string_equal(str_of(json_at(list, i), "path"), path);
		read_file(set, path, &b);
		v = judged(&b);
		assert_string_equal(v.uids, rows[i].uids);
		assert_string_equal(v.message, rows[i].message);
		assert_int_equal(v.is_cut, rows[i].is_cut);
	}
}

static void malformed_des2_is_damage_at_an_offset(void **state)
{
	(void)state;
	check_malformed("des-v2", des2_malformed, ARRAY_LEN(des2_malformed));
}

static void malformed_datavision_is_damage_at_an_offset(void **state)
{
	(void)state;
	check_malformed("datavision", datavision_malformed,
			ARRAY_LEN(datavision_malformed));
}

/* Places of all entries. */
struct places {
	size_t n;
	struct {
		uint64_t off, len;
		bool is_external;
	} at[64];
};

static bool walk(const struct buf *b, struct places *ret,
		 const struct places *want)
{
	CLEANUP_CURSOR struct legacy_cursor *c = NULL;
	struct legacy_index ix;
	struct legacy_entry e;
	struct err err = { 0 };
	bool is_clean = true;
	enum rc rc = locate(b, &ix, &err);

	if (rc)
		return false;
	c = legacy_cursor_new(&ix, read_at, (void *)(uintptr_t)b);
	while ((rc = legacy_cursor_next(c, &e, &err)) != RC_NOENT) {
		size_t i = (size_t)e.ordinal;

		is_clean = is_clean && !rc;
		if (rc)
			continue;
		assert_true(i < ARRAY_LEN(ret->at));
		if (ret) {
			ret->at[i].off = e.off;
			ret->at[i].len = e.stored_len;
			ret->at[i].is_external = e.is_external;
			ret->n = i + 1;
			continue;
		}
		assert_true(i < want->n);
		assert_int_equal(e.is_external, want->at[i].is_external);
		assert_int_equal(e.off, want->at[i].off);
		if (!e.is_external)
			assert_int_equal(e.stored_len, want->at[i].len);
	}
	return is_clean;
}

/* Whatever bit is wrong: no entry is given that lies elsewhere than it did, and
 * none is missing without a word.
 */
static void flip_all(const char *set, const char *path)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct places want = { 0 };
	struct places none = { 0 };

	read_file(set, path, &b);
	assert_true(walk(&b, &want, NULL));
	for (size_t i = 0; i < 8 * b.len; i++) {
		b.p[i / 8] ^= (uint8_t)(1u << i % 8);
		if (walk(&b, NULL, &want)) {
			none.n = 0;
			assert_true(walk(&b, &none, NULL));
			assert_int_equal(none.n, want.n);
		}
		b.p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	while (b.len-- > 0)
		assert_false(walk(&b, NULL, &want));
}

static void no_flipped_bit_moves_or_hides_a_file(void **state)
{
	(void)state;
	flip_all("des-v2", "malformed/good-reference.des");
	flip_all("des-v2", "legacy-v1/20230101_00_0000.des");
	flip_all("des-v2", "empty-shard/20250115_00_0000.des");
	flip_all("des-v2", "packed-bigfile/20250115_D_0000.des");
	flip_all("des-v2", "sidecar/20250115_00_0000.des");
	flip_all("datavision", "malformed/good-reference.des");
	flip_all("datavision", "empty.des");
	flip_all("datavision", "daily/2025-01-15/4.des");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_des2_is_read_as_by_the_original),
		cmocka_unit_test(all_of_datavision_is_read_as_by_the_original),
		cmocka_unit_test(sizes_in_metadata_are_compared),
		cmocka_unit_test(an_index_may_be_longer_than_memory_for_it),
		cmocka_unit_test(a_hash_is_no_path),
		cmocka_unit_test(unknown_flags_are_ignored),
		cmocka_unit_test(
			a_file_that_is_elsewhere_does_not_hide_the_others),
		cmocka_unit_test(contents_of_no_entry_do_not_hide_the_others),
		cmocka_unit_test(what_reading_says_is_passed_on),
		cmocka_unit_test(kinds_are_told_by_either_end),
		cmocka_unit_test(ends_must_be_whole),
		cmocka_unit_test(malformed_des2_is_damage_at_an_offset),
		cmocka_unit_test(malformed_datavision_is_damage_at_an_offset),
		cmocka_unit_test(no_flipped_bit_moves_or_hides_a_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
