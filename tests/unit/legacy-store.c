/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-store.c - tests of older archives as a volume shows them: what the
 * original programs made, what is damaged, and what changes meanwhile.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/wr.h"
#include "codec/frame.h"
#include "legacy/legacy-path.h"
#include "legacy/legacy-store.h"
#include "shard/shard-footer.h"
#include "shard/shard-format.h"
#include "store/store-backend.h"
#include "store/store.h"
#include "unit.h"
#include "volume/oplog.h"
#include "volume/volume.h"

#define FILE_MAX (64u << 20)

/* A directory of its own for each test. */
struct place {
	char dir[64];
	char fixtures[2048];
};

static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	const char *srcdir = getenv("SRCDIR");

	snprintf(p->dir, sizeof(p->dir), "/tmp/legacy-store.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->fixtures, sizeof(p->fixtures), "%s/tests/fixtures/legacy",
		 srcdir ? srcdir : ".");
	*state = p;
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

static int tear_down(void **state)
{
	struct place *p = *state;
	int rc = nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(p);
	return rc;
}

/* --- files ---------------------------------------------------------------- */

static void read_file(const char *path, struct buf *b)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	buf_init(b, FILE_MAX);
	do {
		uint8_t *p = buf_reserve(b, 65536);

		assert_non_null(p);
		n = io_read(fd, p, 65536);
		assert_true(n >= 0);
		b->len += (size_t)n;
	} while (n);
}

static void write_file(const struct place *p, const char *name,
		       const void *bytes, size_t len)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", p->dir, name);
	CLEANUP_FREE char *tmp = xasprintf("%s.new", path);
	char *slash = strrchr(path, '/');
	CLEANUP_FD int fd = -1;

	*slash = '\0';
	assert_true(!mkdir(path, 0755) || errno == EEXIST);
	*slash = '/';
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, bytes, len), 0);
	assert_int_equal(rename(tmp, path), 0);
}

static void copy(const struct place *p, const char *from, const char *to)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", p->fixtures, from);
	CLEANUP_BUF struct buf b = { 0 };

	read_file(path, &b);
	write_file(p, to, b.p, b.len);
}

static void remove_file(const struct place *p, const char *name)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", p->dir, name);

	assert_int_equal(unlink(path), 0);
}

/* --- shards --------------------------------------------------------------- */

/* A shard of DES2 version 2 that is filled file by file. */
struct maker {
	struct buf data, index;
	uint32_t n;
};

static void make_begin(struct maker *m)
{
	*m = (struct maker){ .data = { .max = FILE_MAX },
			     .index = { .max = FILE_MAX } };
	buf_append(&m->data, "DES2\x02\0\0\0", 8);
}

static void make_stored(struct maker *m, const char *uid, enum codec_id codec,
			const void *bytes, size_t len, uint64_t plain)
{
	wr_u16(&m->index, (uint16_t)strlen(uid));
	buf_append_str(&m->index, uid);
	wr_u8(&m->index, 0);
	wr_u64(&m->index, m->data.len);
	wr_u64(&m->index, len);
	wr_u8(&m->index, (uint8_t)codec);
	wr_u64(&m->index, len);
	wr_u64(&m->index, plain);
	wr_u32(&m->index, 0);
	buf_append(&m->data, bytes, len);
	m->n++;
}

static void make_file(struct maker *m, const char *uid, const char *content)
{
	size_t len = strlen(content);

	make_stored(m, uid, CODEC_NONE, content, len, len);
}

static void make_big_file(struct maker *m, const char *uid, const char *hash,
			  uint64_t size)
{
	wr_u16(&m->index, (uint16_t)strlen(uid));
	buf_append_str(&m->index, uid);
	wr_u8(&m->index, 1);
	wr_u16(&m->index, (uint16_t)strlen(hash));
	buf_append_str(&m->index, hash);
	wr_u64(&m->index, size);
	wr_u32(&m->index, 0);
	m->n++;
}

static void make_end(const struct place *p, struct maker *m, const char *name)
{
	struct buf *b = &m->data;

	wr_u32(b, m->n);
	buf_append(b, m->index.p, m->index.len);
	buf_append_str(b, "DESI");
	wr_u64(b, 4 + m->index.len);
	assert_true(buf_ok(b) && buf_ok(&m->index));
	write_file(p, name, b->p, b->len);
	buf_release(&m->data);
	buf_release(&m->index);
}

/* A container of Datavision with nothing but an external file. */
static void make_container(const struct place *p, const char *name,
			   const char *uid, uint64_t size)
{
	uint64_t index_off = 16 + 2;
	uint64_t index_len = 38 + strlen(uid);
	const uint64_t footer[] = { 16, 0, 16, 2, index_off, index_len, 1 };
	CLEANUP_BUF struct buf b = { .max = 4096 };

	buf_append(&b, "DESHEAD1\x01\0\0\0\0\0\0\0{}", 18);
	wr_u16(&b, (uint16_t)strlen(uid));
	buf_append_str(&b, uid);
	wr_u64(&b, 0);
	wr_u64(&b, size);
	wr_u64(&b, 16);
	wr_u64(&b, 2);
	wr_u32(&b, 1);
	buf_append(&b, "DESFOOT1\x01\0\0\0\0\0\0\0", 16);
	for (size_t i = 0; i < ARRAY_LEN(footer); i++)
		wr_u64(&b, footer[i]);
	assert_true(buf_ok(&b));
	write_file(p, name, b.p, b.len);
}

/* A shard of one file. */
static void make_one(const struct place *p, const char *name, const char *uid,
		     const char *content)
{
	struct maker m;

	make_begin(&m);
	make_file(&m, uid, content);
	make_end(p, &m, name);
}

/* --- volumes -------------------------------------------------------------- */

static struct volume *open_at(const char *dir,
			      const struct volume_options *opts)
{
	struct volume *v = NULL;
	struct err err = { 0 };

	if (volume_open(&v, dir, opts, &err))
		fail_msg("%s: %s", dir, err.msg);
	assert_true(volume_is_legacy(v));
	return v;
}

static enum rc resolve(struct volume *v, const char *path,
		       struct volume_entry *ve, struct err *err)
{
	return volume_resolve(v, span_of(path, strlen(path)), ve, err);
}

/* All of a file in pieces of an odd size, or why not. */
static enum rc read_all(struct volume *v, const char *path, struct buf *ret,
			struct err *err)
{
	struct volume_entry ve;
	enum rc rc = resolve(v, path, &ve, err);

	if (rc)
		return rc;
	buf_init(ret, FILE_MAX);
	for (uint64_t off = 0; off < ve.e.size && !rc;) {
		uint8_t *p = buf_reserve(ret, 700001);
		size_t n = 0;

		rc = volume_read(v, &ve, off, p, 700001, &n, err);
		ret->len += n;
		off += n;
	}
	volume_entry_release(&ve);
	return rc;
}

static bool count_name(void *arg, struct span name,
		       const struct volume_entry *ve, uint64_t next)
{
	size_t *n = arg;

	(void)name;
	(void)ve;
	(void)next;
	++*n;
	return true;
}

/* How many names a directory has. */
static size_t n_names(struct volume *v, const char *path)
{
	struct volume_entry dir;
	struct err err = { 0 };
	size_t n = 0;

	assert_int_equal(resolve(v, path, &dir, &err), RC_OK);
	assert_int_equal(volume_readdir(v, &dir, 0, count_name, &n, &err),
			 RC_OK);
	volume_entry_release(&dir);
	return n;
}

static void has(struct volume *v, const char *path, const char *content)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = { 0 };

	if (read_all(v, path, &b, &err))
		fail_msg("%s: %s", path, err.msg);
	assert_int_equal(b.len, strlen(content));
	assert_memory_equal(b.p, content, b.len);
}

static void fails(struct volume *v, const char *path, enum rc want,
		  const char *text)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = { 0 };

	assert_int_equal(read_all(v, path, &b, &err), want);
	if (text && !strstr(err.msg, text))
		fail_msg("%s: %s: not %s", path, err.msg, text);
}

static void refresh(struct volume *v, bool want)
{
	bool changed = false;
	struct err err = { 0 };

	if (volume_refresh(v, &changed, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(changed, want);
}

struct damage {
	unsigned int n;
	char first[512];
};

static void note_damage(void *arg, const char *text)
{
	struct damage *d = arg;

	if (!d->n++)
		snprintf(d->first, sizeof(d->first), "%s", text);
}

/* --- what the original made ----------------------------------------------- */

static const char *str_of(const struct json_t *j, const char *name)
{
	const char *s = NULL;
	struct err err;

	if (json_get_str(j, name, FILE_MAX, &s, &err))
		fail_msg("%s", err.msg);
	return s;
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

static struct json_t *expected_of(const struct place *p, const char *set)
{
	CLEANUP_FREE char *path =
		xasprintf("%s/%s/expected.json", p->fixtures, set);
	CLEANUP_BUF struct buf b = { 0 };
	struct json_t *j = NULL;
	struct err err;

	read_file(path, &b);
	if (json_parse(b.p, b.len, FILE_MAX, &j, &err))
		fail_msg("%s", err.msg);
	return j;
}

/* The file of a uid has that hash. */
static void check_file(struct volume *v, const char *uid, const char *sha256)
{
	CLEANUP_BUF struct buf path = { .max = LEGACY_PATH_MAX };
	CLEANUP_BUF struct buf b = { 0 };
	char hex[HEX_TEXT(SHA256_LEN)];
	uint8_t hash[SHA256_LEN];
	struct err err = { 0 };

	assert_int_equal(legacy_path_of(span_of(uid, strlen(uid)),
					LEGACY_PATH_PLAIN, &path, &err),
			 RC_OK);
	if (read_all(v, buf_str(&path), &b, &err))
		fail_msg("%s: %s", uid, err.msg);
	sha256_of(b.p, b.len, hash);
	hex_encode(hash, sizeof(hash), hex);
	assert_string_equal(hex, sha256);
}

static bool is_tombstoned(const struct json_t *set, const char *uid)
{
	size_t n = 0;
	struct json_t *a;

	if (!json_has(set, "tombstones"))
		return false;
	a = array_of(set, "tombstones", &n);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(str_of(json_at(a, i), "uid"), uid))
			return true;
	}
	return false;
}

static void each_des2_file_has_its_bytes(void **state)
{
	const struct place *p = *state;
	CLEANUP_JSON struct json_t *j = expected_of(p, "des-v2");
	size_t n_sets = 0, n_files = 0, n_gone = 0;
	struct json_t *sets = array_of(j, "sets", &n_sets);

	for (size_t i = 0; i < n_sets; i++) {
		const struct json_t *set = json_at(sets, i);
		CLEANUP_FREE char *dir = xasprintf("%s/des-v2/%s", p->fixtures,
						   str_of(set, "name"));
		size_t n = 0;
		struct json_t *files = array_of(set, "files", &n);
		struct volume *v = open_at(dir, NULL);

		assert_int_equal(volume_legacy_damage(v, note_damage, NULL), 0);
		for (size_t k = 0; k < n; k++) {
			const struct json_t *f = json_at(files, k);
			const char *uid = str_of(f, "uid");

			if (is_tombstoned(set, uid)) {
				fails(v, uid, RC_NOENT, NULL);
				n_gone++;
			} else {
				check_file(v, uid, str_of(f, "sha256"));
			}
			n_files++;
		}
		volume_close(v);
	}
	assert_int_equal(n_sets, 12);
	assert_int_equal(n_gone, 2);
	assert_true(n_files > 200);
}

static void each_datavision_file_has_its_bytes(void **state)
{
	const struct place *p = *state;
	CLEANUP_JSON struct json_t *j = expected_of(p, "datavision");
	size_t n_shards = 0, n_files = 0;
	struct json_t *shards = array_of(j, "containers", &n_shards);

	for (size_t i = 0; i < n_shards; i++) {
		const struct json_t *c = json_at(shards, i);
		CLEANUP_FREE char *from =
			xasprintf("datavision/%s", str_of(c, "path"));
		size_t n = 0;
		struct json_t *files = array_of(c, "entries", &n);
		struct volume *v;

		copy(p, from, "2025-01-15/7.des");
		copy(p, "datavision/ext/2025-01-15/_bigFiles/big-1.bin",
		     "2025-01-15/_bigFiles/big-1.bin");
		copy(p, "datavision/ext/2025-01-15/_bigFiles/big-2.bin",
		     "2025-01-15/_bigFiles/big-2.bin");
		v = open_at(p->dir, NULL);
		assert_int_equal(volume_legacy_damage(v, note_damage, NULL), 0);
		for (size_t k = 0; k < n; k++)
			check_file(v, str_of(json_at(files, k), "name"),
				   str_of(json_at(files, k), "sha256"));
		n_files += n;
		volume_close(v);
	}
	assert_true(n_shards > 10 && n_files > 30);
}

/* --- damage --------------------------------------------------------------- */

/* Of a file that the original could read with other bytes nothing is said: it
 * has no checksums.  What is read where the original did is the same.
 */
static void check_malformed(const struct place *p, const struct json_t *m,
			    const char *shard, const char *names)
{
	CLEANUP_FREE char *from = xasprintf("%s/%s", names, str_of(m, "path"));
	struct json_t *python = NULL, *reads = NULL;
	struct damage d = { .n = 0 };
	struct volume *v;
	struct err err = { 0 };

	copy(p, from, shard);
	v = open_at(p->dir, NULL);
	/* The other shard does not suffer. */
	has(v, "good", "it is good");
	volume_legacy_damage(v, note_damage, &d);
	if (d.n && strncmp(d.first, shard, strlen(shard)) != 0)
		fail_msg("%s: %s", from, d.first);
	assert_int_equal(json_get_obj(m, "python", &python, &err), RC_OK);
	if (!d.n && !json_get_obj(python, "reads", &reads, &err)) {
		struct json_t *a = NULL;

		if (!json_get_obj(reads, "a", &a, &err) &&
		    json_has(a, "sha256")) {
			CLEANUP_BUF struct buf b = { 0 };
			enum rc rc = read_all(v, "a", &b, &err);

			if (!rc)
				check_file(v, "a", str_of(a, "sha256"));
			else
				assert_int_equal(rc, RC_CORRUPT);
			if (rc && strncmp(err.msg, shard, strlen(shard)) != 0)
				fail_msg("%s: %s", from, err.msg);
		}
	}
	volume_close(v);
}

static void of_malformed_shards_the_object_is_named(void **state)
{
	static const char *const sets[][2] = {
		{ "des-v2", "20250115_00_0000.des" },
		{ "datavision", "2025-01-15/7.des" },
	};
	const struct place *p = *state;

	make_one(p, "20250116_01_0000.des", "good", "it is good");
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		CLEANUP_JSON struct json_t *j = expected_of(p, sets[i][0]);
		size_t n = 0;
		struct json_t *all = array_of(j, "malformed", &n);

		for (size_t k = 0; k < n; k++)
			check_malformed(p, json_at(all, k), sets[i][1],
					sets[i][0]);
		assert_true(n >= 10);
		remove_file(p, sets[i][1]);
	}
}

static void nothing_is_read_where_a_sidecar_is_damaged(void **state)
{
	const struct place *p = *state;
	struct damage d = { .n = 0 };
	struct volume *v;

	make_one(p, "20250116_01_0000.des", "good", "it is good");
	make_one(p, "20250116_02_0000.des", "doubtful", "deleted?");
	write_file(p, "20250116_02_0000.meta", "{\"tombst", 8);
	v = open_at(p->dir, NULL);
	has(v, "good", "it is good");
	fails(v, "doubtful", RC_CORRUPT, "20250116_02_0000.meta");
	assert_int_equal(volume_legacy_damage(v, note_damage, &d), 1);
	assert_non_null(strstr(d.first, "20250116_02_0000.meta"));
	volume_close(v);
}

#define TOMBSTONES(uid)                                    \
	"{\"version\": 1, \"index\": {}, \"tombstones\": " \
	"{\"" uid "\": {\"uid\": \"" uid "\"}}}"

static void write_text(const struct place *p, const char *name,
		       const char *text)
{
	write_file(p, name, text, strlen(text));
}

static void what_is_deleted_stays_so_without_the_shard(void **state)
{
	const struct place *p = *state;
	CLEANUP_FREE char *was = xasprintf("%s/20250115_01_0000.des", p->dir);
	struct damage d = { .n = 0 };
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "gone", "deleted");
	make_one(p, "20250115_01_0001.des", "gone", "deleted, too");
	make_one(p, "20250115_02_0000.des", "other", "o");
	write_text(p, "20250115_01_0000.meta", TOMBSTONES("gone"));
	v = open_at(p->dir, NULL);
	fails(v, "gone", RC_NOENT, NULL);
	has(v, "other", "o");
	/* Damaged, cut to nothing, no regular file, not there. */
	write_text(p, "20250115_01_0000.des", "DES2 it is not");
	refresh(v, false);
	fails(v, "gone", RC_NOENT, NULL);
	volume_legacy_damage(v, note_damage, &d);
	assert_non_null(strstr(d.first, "20250115_01_0000.des"));
	write_text(p, "20250115_01_0000.des", "");
	refresh(v, false);
	fails(v, "gone", RC_NOENT, NULL);
	assert_int_equal(unlink(was), 0);
	assert_int_equal(mkfifo(was, 0644), 0);
	refresh(v, false);
	refresh(v, false);
	fails(v, "gone", RC_NOENT, NULL);
	assert_int_equal(unlink(was), 0);
	refresh(v, false);
	fails(v, "gone", RC_NOENT, NULL);
	assert_int_equal(volume_legacy_damage(v, note_damage, &d), 0);
	assert_int_equal(volume_legacy_shards(v), 2);
	volume_close(v);
	v = open_at(p->dir, NULL);
	fails(v, "gone", RC_NOENT, NULL);
	make_one(p, "20250115_01_0000.des", "new", "n");
	refresh(v, true);
	has(v, "new", "n");
	fails(v, "gone", RC_NOENT, NULL);
	/* Without the sidecar it is there. */
	remove_file(p, "20250115_01_0000.des");
	remove_file(p, "20250115_01_0000.meta");
	refresh(v, true);
	has(v, "gone", "deleted, too");
	volume_close(v);
}

/* It must not end a refresh, neither the first nor those after it. */
static void what_is_no_regular_file_is_damage_at_every_refresh(void **state)
{
	const struct place *p = *state;
	CLEANUP_FREE char *fifo = xasprintf("%s/20250115_01_0000.des", p->dir);
	struct damage d = { .n = 0 };
	struct volume *v;

	assert_int_equal(mkfifo(fifo, 0644), 0);
	v = open_at(p->dir, NULL);
	refresh(v, false);
	assert_int_equal(volume_legacy_damage(v, note_damage, &d), 1);
	make_one(p, "20250115_02_0000.des", "one", "1");
	refresh(v, true);
	refresh(v, false);
	has(v, "one", "1");
	assert_int_equal(volume_legacy_damage(v, note_damage, &d), 1);
	assert_non_null(strstr(d.first, "20250115_01_0000.des"));
	make_one(p, "20250115_01_0000.des", "two", "2");
	refresh(v, true);
	has(v, "two", "2");
	assert_int_equal(volume_legacy_damage(v, note_damage, &d), 0);
	volume_close(v);
}

static void sizes_that_are_only_claimed_cost_nothing(void **state)
{
	static const char hash[] = "00112233445566778899aabbccddeeff"
				   "00112233445566778899aabbccddeeff";
	const struct place *p = *state;
	struct volume *v;
	struct maker m;

	make_one(p, "20250115_01_0000.des", "good", "it is good");
	make_begin(&m);
	make_big_file(&m, "doubtful", hash, UINT64_C(1) << 50);
	make_file(&m, "small", "deleted?");
	make_end(p, &m, "20250116_02_0000.des");
	write_file(p, "20250116_02_0000.meta", "{\"tombst", 8);
	make_begin(&m);
	make_big_file(&m, "huge", hash, UINT64_C(1) << 50);
	make_end(p, &m, "20250117_02_0000.des");
	v = open_at(p->dir, NULL);
	has(v, "good", "it is good");
	fails(v, "doubtful", RC_CORRUPT, "20250116_02_0000.meta");
	fails(v, "small", RC_CORRUPT, "20250116_02_0000.meta");
	fails(v, "huge", RC_CORRUPT, "20250117_02_0000.des: ");
	volume_close(v);
}

/* A shard whose one entry has a frame of so many bytes that nobody wrote. */
static void make_sparse(const struct place *p, const char *name, uint64_t len,
			uint64_t plain)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", p->dir, name);
	CLEANUP_FD int fd = -1;
	CLEANUP_BUF struct buf b = { .max = 4096 };

	make_one(p, name, "x", "");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	wr_u32(&b, 1);
	wr_u16(&b, 4);
	buf_append_str(&b, "long");
	wr_u8(&b, 0);
	wr_u64(&b, 8);
	wr_u64(&b, len);
	wr_u8(&b, CODEC_ZSTD);
	wr_u64(&b, len);
	wr_u64(&b, plain);
	wr_u32(&b, 0);
	buf_append_str(&b, "DESI");
	wr_u64(&b, b.len - 4);
	assert_int_equal(ftruncate(fd, 8), 0);
	assert_int_equal(io_pwrite(fd, b.p, b.len, 8 + len), 0);
}

static void frames_that_nobody_can_have_made_are_damage(void **state)
{
	const struct place *p = *state;
	uint64_t len = (UINT64_C(4) << 30) + 1;
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "good", "it is good");
	make_sparse(p, "20250116_02_0000.des", len, len * 65536);
	v = open_at(p->dir, NULL);
	has(v, "good", "it is good");
	fails(v, "long", RC_CORRUPT, "20250116_02_0000.des: says that");
	volume_close(v);
}

static enum rc zeros(void *arg, void *p, size_t max, size_t *ret,
		     struct err *err)
{
	(void)arg;
	(void)err;
	memset(p, 0, max);
	*ret = max;
	return RC_OK;
}

static enum rc append(void *arg, const void *p, size_t len, struct err *err)
{
	(void)err;
	buf_append(arg, p, len);
	return RC_OK;
}

static void compressed_files_are_as_long_as_the_index_says(void **state)
{
	static const enum codec_id codecs[] = { CODEC_ZSTD, CODEC_LZ4 };
	const struct place *p = *state;
	uint64_t plain = UINT64_C(40) << 20, stored = 0;

	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		CLEANUP_BUF struct buf frame = { .max = FILE_MAX };
		CLEANUP_BUF struct buf b = { 0 };
		const struct frame_io io = { zeros, append, &frame };
		struct volume *v;
		struct maker m;
		struct err err = { 0 };

		assert_int_equal(
			frame_encode(codecs[i], 1, &io, plain, &stored, &err),
			RC_OK);
		make_begin(&m);
		make_stored(&m, "small bomb", codecs[i], frame.p, frame.len,
			    10);
		make_stored(&m, "bomb", codecs[i], frame.p, frame.len,
			    plain - 1);
		make_stored(&m, "right", codecs[i], frame.p, frame.len, plain);
		make_end(p, &m, "20250115_00_0000.des");
		v = open_at(p->dir, NULL);
		fails(v, "small bomb", RC_CORRUPT, "20250115_00_0000.des: ");
		fails(v, "bomb", RC_CORRUPT, "20250115_00_0000.des: ");
		assert_int_equal(read_all(v, "right", &b, &err), RC_OK);
		assert_int_equal(b.len, plain);
		for (size_t k = 0; k < b.len; k++)
			if (b.p[k])
				fail_msg("byte %zu", k);
		volume_close(v);
	}
}

/* What is looked at for its size alone is not known to be what a hash says. */
static void a_look_without_a_hash_proves_none(void **state)
{
	static const char hash[] = "00112233445566778899aabbccddeeff"
				   "00112233445566778899aabbccddeeff";
	const struct place *p = *state;
	struct volume_options small = { .block_cache = 1 << 20 };
	size_t len = 3u << 20;
	CLEANUP_FREE uint8_t *bytes = xcalloc(len, 1);
	CLEANUP_FREE char *key = xasprintf("_bigFiles/%s", hash);
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = { 0 };
	struct volume *v;
	struct maker m;

	write_file(p, key, bytes, len);
	make_container(p, "20250115_01_0000.des", hash, len);
	make_begin(&m);
	make_big_file(&m, "big", hash, len);
	make_end(p, &m, "20250116_01_0000.des");
	v = open_at(p->dir, &small);
	assert_int_equal(read_all(v, hash, &b, &err), RC_OK);
	assert_int_equal(b.len, len);
	fails(v, "big", RC_CORRUPT, "the shard says");
	volume_close(v);
}

static void a_file_without_a_hash_goes_on_as_it_began(void **state)
{
	const struct place *p = *state;
	struct volume_options small = { .block_cache = 1 << 20 };
	size_t len = 6u << 20;
	CLEANUP_FREE uint8_t *bytes = xcalloc(len, 1);
	CLEANUP_BUF struct buf b = { 0 };
	struct volume_entry ve;
	struct err err = { 0 };
	struct volume *v;
	uint8_t part[16];
	size_t n = 0;

	memset(bytes, 'a', len);
	write_file(p, "_bigFiles/ext", bytes, len);
	make_container(p, "20250115_01_0000.des", "ext", len);
	v = open_at(p->dir, &small);
	assert_int_equal(resolve(v, "ext", &ve, &err), RC_OK);
	assert_int_equal(volume_read(v, &ve, 0, part, 16, &n, &err), RC_OK);
	assert_int_equal(part[0], 'a');
	memset(bytes, 'b', len);
	write_file(p, "_bigFiles/ext", bytes, len);
	/* Nothing has read that far before. */
	assert_int_equal(volume_read(v, &ve, len - 16, part, 16, &n, &err),
			 RC_CHANGED);
	volume_entry_release(&ve);
	fails(v, "ext", RC_CHANGED, "_bigFiles/ext");
	refresh(v, true);
	assert_int_equal(read_all(v, "ext", &b, &err), RC_OK);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.p, bytes, len);
	refresh(v, false);
	volume_close(v);
}

static void make_link(const struct place *p, const char *to, const char *name)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", p->dir, name);

	assert_int_equal(symlink(to, path), 0);
}

/* Where nobody would look without a reason: see legacy_size_check. */
static void what_cannot_be_reached_is_damage_of_its_file(void **state)
{
	static const char *const hashes[] = {
		"00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddee00",
		"00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddee01",
	};
	const struct place *p = *state;
	struct damage d = { .n = 0 };
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "good", "it is good");
	make_link(p, "20250115_01_0000.des", "20250116_01_0000.des");
	write_file(p, "_bigFiles/x", "x", 1);
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		CLEANUP_FREE char *key = xasprintf("_bigFiles/%s", hashes[i]);
		char name[32];
		struct maker m;

		if (!i)
			make_link(p, "x", key);
		make_begin(&m);
		make_big_file(&m, i ? "absent" : "link", hashes[i],
			      UINT64_C(1) << 30);
		snprintf(name, sizeof(name), "2025011%zu_01_0000.des", 7 + i);
		make_end(p, &m, name);
	}
	v = open_at(p->dir, NULL);
	has(v, "good", "it is good");
	fails(v, "link", RC_CORRUPT, "not a regular file");
	fails(v, "absent", RC_CORRUPT, "not there");
	assert_int_equal(volume_legacy_damage(v, note_damage, &d), 1);
	assert_non_null(strstr(d.first, "20250116_01_0000.des: not a regular"));
	volume_close(v);
}

static void a_folder_that_is_a_link_is_damage_of_its_files(void **state)
{
	static const char hash[] = "00112233445566778899aabbccddeeff"
				   "00112233445566778899aabbccddeeff";
	const struct place *p = *state;
	struct volume *v;
	struct maker m;

	make_one(p, "20250115_01_0000.des", "good", "it is good");
	make_link(p, "/tmp", "_bigFiles");
	make_begin(&m);
	make_big_file(&m, "big", hash, UINT64_C(1) << 30);
	make_end(p, &m, "20250116_01_0000.des");
	v = open_at(p->dir, NULL);
	has(v, "good", "it is good");
	fails(v, "big", RC_CORRUPT, "_bigFiles/");
	volume_close(v);
}

/* --- which one counts ----------------------------------------------------- */

static void the_lowest_number_and_the_last_entry_count(void **state)
{
	const struct place *p = *state;
	struct volume *v;
	struct maker m;

	make_begin(&m);
	make_file(&m, "twice", "the first");
	make_file(&m, "twice", "the last");
	make_end(p, &m, "20250115_01_0001.des");
	make_one(p, "20250115_01_0002.des", "twice", "too late");
	v = open_at(p->dir, NULL);
	has(v, "twice", "the last");
	make_one(p, "20250115_01_0000.des", "twice", "before all");
	refresh(v, true);
	has(v, "twice", "before all");
	volume_close(v);
}

static void days_are_versions(void **state)
{
	const struct volume_options one = { .legacy.day = 20250115 };
	const struct place *p = *state;
	struct volume_entry root, ve;
	struct volume *v;
	struct err err = { 0 };

	make_one(p, "20250115_01_0000.des", "a/b", "old");
	make_one(p, "20250116_01_0000.des", "a/b", "newer");
	v = open_at(p->dir, NULL);
	has(v, "a/b", "newer");
	assert_int_equal(volume_date_root(v, 20250115, &root, &err), RC_OK);
	assert_int_equal(volume_lookup(v, &root, span_of("a", 1), &ve, &err),
			 RC_OK);
	volume_entry_release(&ve);
	volume_entry_release(&root);
	volume_close(v);
	v = open_at(p->dir, &one);
	has(v, "a/b", "old");
	volume_close(v);
}

static void shards_of_a_day_are_found_however_it_is_written(void **state)
{
	const struct volume_options old = { .legacy.day = 330102 };
	const struct volume_options new = { .legacy.day = 20250115 };
	const struct place *p = *state;
	struct damage d = { .n = 0 };
	struct volume *v;

	make_one(p, "330102_01_0000.des", "a", "without zeros");
	make_one(p, "00330102_02_0000.des", "b", "with zeros");
	make_one(p, "20250115_01_0000.des", "c", "beside a file");
	write_text(p, "2025-01-15", "no directory of containers");
	v = open_at(p->dir, &old);
	has(v, "a", "without zeros");
	has(v, "b", "with zeros");
	fails(v, "c", RC_NOENT, NULL);
	volume_close(v);
	v = open_at(p->dir, &new);
	has(v, "c", "beside a file");
	fails(v, "a", RC_NOENT, NULL);
	assert_int_equal(volume_legacy_damage(v, note_damage, &d), 1);
	assert_non_null(strstr(d.first, "2025-01-15"));
	volume_close(v);
}

static void a_file_that_is_a_directory_too_is_marked(void **state)
{
	const struct place *p = *state;
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "a", "file");
	make_one(p, "20250115_02_0000.des", "a-b", "beside");
	make_one(p, "20250116_01_0000.des", "a", "newer file");
	v = open_at(p->dir, NULL);
	has(v, "a", "newer file");
	make_one(p, "20250117_02_0000.des", "a/b/c", "below");
	refresh(v, true);
	has(v, "a%file", "newer file");
	has(v, "a/b/c", "below");
	has(v, "a-b", "beside");
	volume_close(v);
}

static void uids_that_are_no_paths_are_escaped(void **state)
{
	const struct place *p = *state;
	struct volume *v;
	struct maker m;

	make_begin(&m);
	make_file(&m, "", "nothing");
	make_file(&m, "..", "up");
	make_file(&m, "/etc/passwd", "absolute");
	make_file(&m, "x//y", "double");
	make_end(p, &m, "20250115_01_0000.des");
	v = open_at(p->dir, NULL);
	has(v, "%empty", "nothing");
	has(v, "%2E%2E", "up");
	has(v, "%2Fetc/passwd", "absolute");
	has(v, "x/%2Fy", "double");
	volume_close(v);
}

static void directories_list_what_is_in_them(void **state)
{
	const struct place *p = *state;
	struct volume *v;
	struct maker m;

	make_begin(&m);
	for (int i = 0; i < 40; i++) {
		for (int k = 0; k < 3; k++) {
			char uid[32];

			snprintf(uid, sizeof(uid), "top/%d/sub%d/f", i, k);
			make_file(&m, uid, uid);
		}
	}
	make_end(p, &m, "20250115_01_0000.des");
	v = open_at(p->dir, NULL);
	assert_int_equal(n_names(v, ""), 1);
	assert_int_equal(n_names(v, "top"), 40);
	for (int i = 0; i < 40; i++) {
		char path[32];

		snprintf(path, sizeof(path), "top/%d", i);
		assert_int_equal(n_names(v, path), 3);
		snprintf(path, sizeof(path), "top/%d/sub2", i);
		assert_int_equal(n_names(v, path), 1);
	}
	volume_close(v);
}

static void directories_do_not_fill_a_disk(void **state)
{
	const struct place *p = *state;
	struct damage d = { .n = 0 };
	CLEANUP_FREE char *uid = xcalloc(1, 65536);
	struct volume *v;
	struct maker m;

	make_begin(&m);
	for (int i = 0; i < 30; i++) {
		size_t len = 0;

		/* Each in 250 directories that no other is in. */
		for (int k = 0; k < 250; k++)
			len += (size_t)snprintf(uid + len, 65536 - len,
						"%02d-%0200d/", i, k);
		uid[len] = 'f';
		uid[len + 1] = '\0';
		make_file(&m, uid, "deep");
	}
	make_file(&m, "x/y/z", "not deep");
	make_end(p, &m, "20250115_01_0000.des");
	v = open_at(p->dir, NULL);
	has(v, "x/y/z", "not deep");
	assert_true(n_names(v, "") < 20);
	assert_true(volume_legacy_damage(v, note_damage, &d) > 10);
	assert_non_null(strstr(d.first, "20250115_01_0000.des: "));
	assert_non_null(strstr(d.first, "is left out"));
	volume_close(v);
}

/* So many in one slot that its shard is made in parts. */
static void a_directory_may_be_in_several_parts(void **state)
{
	const struct place *p = *state;
	struct volume *v;
	struct maker m;
	char uid[32];

	make_begin(&m);
	for (int i = 0; i < 210000; i++) {
		/* Of one slot, some before the others. */
		snprintf(uid, sizeof(uid), i % 70 ? "a/%06d" : "a/%06d/x", i);
		make_file(&m, uid, "");
	}
	make_file(&m, "a/last", "the last");
	make_end(p, &m, "20250115_01_0000.des");
	v = open_at(p->dir, NULL);
	assert_int_equal(n_names(v, "a"), 210001);
	for (int i = 0; i < 210000; i += 7000) {
		snprintf(uid, sizeof(uid), "a/%06d", i);
		assert_int_equal(n_names(v, uid), 1);
	}
	has(v, "a/last", "the last");
	volume_close(v);
}

/* --- changes -------------------------------------------------------------- */

static void what_changes_is_seen_by_a_refresh(void **state)
{
	static const char gone[] =
		"{\"version\": 1, \"index\": {}, \"tombstones\": "
		"{\"two\": {\"uid\": \"two\"}}}";
	const struct place *p = *state;
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "one", "1");
	v = open_at(p->dir, NULL);
	refresh(v, false);
	has(v, "one", "1");
	make_one(p, "20250115_02_0000.des", "two", "2");
	refresh(v, true);
	has(v, "two", "2");
	/* Of the same size. */
	make_one(p, "20250115_01_0000.des", "one", "3");
	refresh(v, true);
	has(v, "one", "3");
	has(v, "two", "2");
	write_file(p, "20250115_02_0000.meta", gone, strlen(gone));
	refresh(v, true);
	fails(v, "two", RC_NOENT, NULL);
	/* What comes back is there again, as it was. */
	remove_file(p, "20250115_02_0000.meta");
	refresh(v, true);
	has(v, "two", "2");
	remove_file(p, "20250115_02_0000.des");
	refresh(v, true);
	fails(v, "two", RC_NOENT, NULL);
	has(v, "one", "3");
	refresh(v, false);
	remove_file(p, "20250115_01_0000.des");
	refresh(v, true);
	fails(v, "one", RC_NOENT, NULL);
	make_one(p, "20250115_01_0000.des", "one", "4");
	refresh(v, true);
	has(v, "one", "4");
	volume_close(v);
}

static void what_was_moved_away_is_not_read(void **state)
{
	const struct place *p = *state;
	CLEANUP_FREE char *was = xasprintf("%s/20250115_01_0000.des", p->dir);
	CLEANUP_FREE char *aside = xasprintf("%s/aside", p->dir);
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "one", "1");
	v = open_at(p->dir, NULL);
	has(v, "one", "1");
	assert_int_equal(rename(was, aside), 0);
	make_one(p, "20250115_01_0000.des", "one", "2");
	refresh(v, true);
	has(v, "one", "2");
	volume_close(v);
}

/* Bytes of the largest file without a name that is open. */
static uint64_t largest_spool(void)
{
	uint64_t max = 0;

	for (int fd = 0; fd < 256; fd++) {
		struct stat st;

		if (!fstat(fd, &st) && S_ISREG(st.st_mode) && !st.st_nlink &&
		    (uint64_t)st.st_size > max)
			max = (uint64_t)st.st_size;
	}
	return max;
}

static void what_was_read_once_does_not_fill_a_disk(void **state)
{
	const struct place *p = *state;
	uint64_t first = 0;
	struct volume *v = NULL;

	make_one(p, "20250116_01_0000.des", "other", "o");
	for (int i = 0; i < 12; i++) {
		struct maker m;

		make_begin(&m);
		for (int k = 0; k < 8000; k++) {
			char uid[32];

			snprintf(uid, sizeof(uid), "%d/%d", i, k);
			make_file(&m, uid, uid);
		}
		make_end(p, &m, "20250115_01_0000.des");
		if (v)
			refresh(v, true);
		else
			v = open_at(p->dir, NULL);
		if (i == 1)
			first = largest_spool();
		has(v, "other", "o");
	}
	has(v, "11/7999", "11/7999");
	assert_true(first > 0);
	assert_true(largest_spool() < 3 * first);
	volume_close(v);
}

static void a_new_sidecar_counts_though_the_old_one_is_kept(void **state)
{
	const struct place *p = *state;
	CLEANUP_FREE char *was = xasprintf("%s/20250115_01_0000.meta", p->dir);
	CLEANUP_FREE char *aside = xasprintf("%s/aside", p->dir);
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "one", "1");
	write_text(p, "20250115_01_0000.meta", TOMBSTONES("a"));
	v = open_at(p->dir, NULL);
	has(v, "one", "1");
	assert_int_equal(rename(was, aside), 0);
	write_text(p, "20250115_01_0000.meta", TOMBSTONES("one"));
	refresh(v, true);
	fails(v, "one", RC_NOENT, NULL);
	volume_close(v);
}

/* A directory that is taken for a remote store, some of which is not there when
 * it is read, though it is listed.
 */
static struct store_backend remote;
static const struct store_backend *below;
static const char *not_there = "";

static enum rc remote_read_tail(struct store *st, const char *key, size_t max,
				struct buf *ret, struct object_info *ret_info,
				struct err *err)
{
	if (!strcmp(key, not_there))
		return err_set(err, RC_NOENT, "%s: not found", key);
	return below->read_tail(st, key, max, ret, ret_info, err);
}

static struct store *open_other(const struct place *p,
				struct store_backend *other)
{
	struct store *st = NULL;
	struct err err = { 0 };

	assert_int_equal(store_open(&st, p->dir, NULL, &err), RC_OK);
	below = st->ops;
	*other = *below;
	st->ops = other;
	return st;
}

static struct store *open_remote(const struct place *p)
{
	struct store *st = open_other(p, &remote);

	remote.is_remote = true;
	remote.read_tail = remote_read_tail;
	return st;
}

static void of_remote_sidecars_each_change_is_seen(void **state)
{
	const struct place *p = *state;
	struct volume_options o = { .store = open_remote(p) };
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "one", "1");
	make_one(p, "20250115_02_0000.des", "two", "2");
	write_text(p, "20250115_02_0000.meta", TOMBSTONES("one"));
	/* Once the bucket says that it is not there. */
	not_there = "20250115_02_0000.meta";
	v = open_at(p->dir, &o);
	has(v, "one", "1");
	not_there = "";
	refresh(v, true);
	fails(v, "one", RC_NOENT, NULL);
	refresh(v, false);
	has(v, "two", "2");
	/* Of the same size. */
	write_text(p, "20250115_02_0000.meta", TOMBSTONES("two"));
	refresh(v, true);
	fails(v, "two", RC_NOENT, NULL);
	has(v, "one", "1");
	volume_close(v);
	store_close(o.store);
}

static void a_shard_that_comes_back_counts_again(void **state)
{
	const struct place *p = *state;
	struct volume *v;

	copy(p, "des-v2/codec-none/20250115_00_0000.des",
	     "20250115_00_0000.des");
	make_one(p, "20250116_01_0000.des", "other", "o");
	v = open_at(p->dir, NULL);
	for (int i = 0; i < 3; i++) {
		CLEANUP_FREE char *was =
			xasprintf("%s/20250115_00_0000.des", p->dir);
		CLEANUP_FREE char *aside = xasprintf("%s/aside", p->dir);

		/* The very same file, with all that tells of its state. */
		assert_int_equal(rename(was, aside), 0);
		refresh(v, true);
		fails(v, "42", RC_NOENT, NULL);
		assert_int_equal(rename(aside, was), 0);
		refresh(v, true);
		has(v, "other", "o");
		check_file(v, "42",
			   "109a6d6687b14fbae09a0838d3fe416134ac9305854f21d9333"
			   "f4ffbcaee3cac");
	}
	volume_close(v);
}

static void big_files_are_hashed_before_a_byte_is_given_out(void **state)
{
	const struct place *p = *state;
	size_t len = (3u << 20) + 17;
	CLEANUP_FREE uint8_t *bytes = xcalloc(len, 1);
	CLEANUP_FREE char *key = NULL;
	CLEANUP_BUF struct buf b = { 0 };
	char hex[HEX_TEXT(SHA256_LEN)];
	uint8_t hash[SHA256_LEN];
	struct volume_options small = { .block_cache = 1 << 20 };
	struct err err = { 0 };
	struct volume *v;
	struct maker m;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 >> 3);
	sha256_of(bytes, len, hash);
	hex_encode(hash, sizeof(hash), hex);
	key = xasprintf("_bigFiles/%s", hex);
	write_file(p, key, bytes, len);
	make_begin(&m);
	make_big_file(&m, "big", hex, len);
	make_end(p, &m, "20250115_01_0000.des");
	v = open_at(p->dir, &small);
	assert_int_equal(read_all(v, "big", &b, &err), RC_OK);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.p, bytes, len);
	/* Changed in place, then replaced, then right again. */
	bytes[len - 1] ^= 1;
	write_file(p, key, bytes, len);
	volume_close(v);
	v = open_at(p->dir, &small);
	fails(v, "big", RC_CORRUPT, key);
	bytes[len - 1] ^= 1;
	write_file(p, key, bytes, len);
	buf_release(&b);
	assert_int_equal(read_all(v, "big", &b, &err), RC_OK);
	bytes[0] ^= 1;
	write_file(p, key, bytes, len);
	fails(v, "big", RC_CORRUPT, key);
	write_file(p, key, bytes, len - 1);
	fails(v, "big", RC_CORRUPT, "the shard says");
	remove_file(p, key);
	fails(v, "big", RC_CORRUPT, "not there");
	volume_close(v);
}

/* A big file of len bytes, and its name. */
static void make_bytes(const struct place *p, size_t len,
		       char hex[HEX_TEXT(SHA256_LEN)])
{
	CLEANUP_FREE uint8_t *bytes = xcalloc(len, 1);
	CLEANUP_FREE char *key = NULL;
	uint8_t hash[SHA256_LEN];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 5 >> 2);
	sha256_of(bytes, len, hash);
	hex_encode(hash, sizeof(hash), hex);
	key = xasprintf("_bigFiles/%s", hex);
	write_file(p, key, bytes, len);
}

static void each_entry_of_a_big_file_is_checked(void **state)
{
	const struct place *p = *state;
	struct volume_options small = { .block_cache = 1 << 20 };
	CLEANUP_BUF struct buf b = { 0 };
	char hex[HEX_TEXT(SHA256_LEN)];
	struct err err = { 0 };
	struct volume *v;
	struct maker m;

	make_bytes(p, 3u << 20, hex);
	make_begin(&m);
	make_big_file(&m, "whole", hex, 3u << 20);
	make_big_file(&m, "half", hex, (3u << 20) / 2);
	make_end(p, &m, "20250115_01_0000.des");
	v = open_at(p->dir, &small);
	assert_int_equal(read_all(v, "whole", &b, &err), RC_OK);
	assert_int_equal(b.len, 3u << 20);
	fails(v, "half", RC_CORRUPT, "the shard says");
	volume_close(v);
}

/* --- opening -------------------------------------------------------------- */

static void nothing_is_taken_for_an_older_archive(void **state)
{
	const struct volume_options off = { .legacy.is_off = true };
	const struct place *p = *state;
	struct volume *v = NULL;
	struct store *st = NULL;
	struct err err = { 0 };

	write_file(p, "2025-photos/1.des", "x", 1);
	write_file(p, "zzz", "x", 1);
	assert_int_equal(volume_open(&v, p->dir, NULL, &err), RC_NOENT);
	make_one(p, "20250115_01_0000.des", "one", "1");
	assert_int_equal(volume_open(&v, p->dir, &off, &err), RC_NOENT);
	assert_int_equal(store_open(&st, p->dir, NULL, &err), RC_OK);
	err.rc = RC_NOENT;
	assert_int_equal(legacy_store_refuse(st, &err), RC_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "convert it first"));
	store_close(st);
}

/* A directory with another that may not be read. */
static struct store_backend barred;
static const char *bar = "lost+found/";

static enum rc barred_list(struct store *st, const char *prefix,
			   const char *start_after, store_list_fn *fn,
			   void *arg, struct err *err)
{
	enum rc rc = below->list(st, prefix, start_after, fn, arg, err);

	if (!rc && !strncmp(bar, prefix, strlen(prefix)))
		rc = err_set(err, RC_ACCESS, "%s: Permission denied", bar);
	return rc;
}

static void directories_beside_it_need_not_be_readable(void **state)
{
	const struct place *p = *state;
	struct volume_options o = { .store = open_other(p, &barred) };
	struct volume *v = NULL;
	struct err err = { 0 };

	barred.list = barred_list;
	assert_int_equal(volume_open(&v, p->dir, &o, &err), RC_NOENT);
	make_one(p, "20250115_01_0000.des", "one", "1");
	v = open_at(p->dir, &o);
	has(v, "one", "1");
	make_one(p, "20250115_02_0000.des", "two", "2");
	refresh(v, true);
	has(v, "two", "2");
	volume_close(v);
	store_close(o.store);
}

static void what_keeps_from_looking_is_told(void **state)
{
	const struct place *p = *state;
	struct volume_options o = { .store = open_other(p, &barred) };
	struct volume *v = NULL;
	struct err err = { 0 };

	barred.list = barred_list;
	bar = "20250114_01/";
	assert_int_equal(volume_open(&v, p->dir, &o, &err), RC_ACCESS);
	assert_non_null(strstr(err.msg, bar));
	bar = "lost+found/";
	store_close(o.store);
}

static void what_is_made_is_refused_elsewhere(void **state)
{
	const struct place *p = *state;
	CLEANUP_BUF struct buf b = { .max = SHARD_FOOTER_SIZE };
	const struct shard_meta *m;
	struct object_info info;
	struct shard_footer f;
	struct err err = { 0 };
	struct volume *v;

	make_one(p, "20250115_01_0000.des", "one", "1");
	v = open_at(p->dir, NULL);
	m = oplog_shard(volume_log(v), 0);
	assert_int_equal(store_read_tail(volume_store(v), m->key,
					 SHARD_FOOTER_SIZE, &b, &info, &err),
			 RC_OK);
	assert_int_equal(shard_footer_decode(b.p, b.len, info.size, &f, &err),
			 RC_UNSUPPORTED);
	assert_int_equal(shard_footer_decode_of(b.p, b.len, info.size,
						SHARD_INCOMPAT_UNHASHED, &f,
						&err),
			 RC_OK);
	volume_close(v);
}

static void n_bits_that_names_contradict_is_refused(void **state)
{
	struct volume_options o = { .legacy.n_bits = 4 };
	const struct place *p = *state;
	char text[VOLUME_BITS_TEXT];
	struct volume *v = NULL;
	struct err err = { 0 };

	make_one(p, "20250115_0A_0000.des", "one", "1");
	assert_int_equal(volume_open(&v, p->dir, &o, &err), RC_USAGE);
	o.legacy.n_bits = 8;
	v = open_at(p->dir, &o);
	volume_legacy_bits(v, text);
	assert_non_null(strstr(text, "n_bits is 8"));
	volume_close(v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_des2_file_has_its_bytes),
		TEST(each_datavision_file_has_its_bytes),
		TEST(of_malformed_shards_the_object_is_named),
		TEST(nothing_is_read_where_a_sidecar_is_damaged),
		TEST(what_is_deleted_stays_so_without_the_shard),
		TEST(what_is_no_regular_file_is_damage_at_every_refresh),
		TEST(sizes_that_are_only_claimed_cost_nothing),
		TEST(frames_that_nobody_can_have_made_are_damage),
		TEST(compressed_files_are_as_long_as_the_index_says),
		TEST(a_look_without_a_hash_proves_none),
		TEST(a_file_without_a_hash_goes_on_as_it_began),
		TEST(what_cannot_be_reached_is_damage_of_its_file),
		TEST(a_folder_that_is_a_link_is_damage_of_its_files),
		TEST(the_lowest_number_and_the_last_entry_count),
		TEST(days_are_versions),
		TEST(shards_of_a_day_are_found_however_it_is_written),
		TEST(a_file_that_is_a_directory_too_is_marked),
		TEST(uids_that_are_no_paths_are_escaped),
		TEST(directories_list_what_is_in_them),
		TEST(directories_do_not_fill_a_disk),
		TEST(a_directory_may_be_in_several_parts),
		TEST(what_changes_is_seen_by_a_refresh),
		TEST(what_was_moved_away_is_not_read),
		TEST(what_was_read_once_does_not_fill_a_disk),
		TEST(a_new_sidecar_counts_though_the_old_one_is_kept),
		TEST(of_remote_sidecars_each_change_is_seen),
		TEST(a_shard_that_comes_back_counts_again),
		TEST(big_files_are_hashed_before_a_byte_is_given_out),
		TEST(each_entry_of_a_big_file_is_checked),
		TEST(nothing_is_taken_for_an_older_archive),
		TEST(directories_beside_it_need_not_be_readable),
		TEST(what_keeps_from_looking_is_told),
		TEST(what_is_made_is_refused_elsewhere),
		TEST(n_bits_that_names_contradict_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
