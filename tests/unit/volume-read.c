/* SPDX-License-Identifier: Apache-2.0 */
/* volume-read.c - tests of reading files: pieces, holes, damage. */
#include "config.h"

#include "volume/volume.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/route.h"
#include "unit.h"

#define BLOCK ARCHIVE_BLOCK
#define N_FLIPS 400u
#define N_CUTS 60u

static const struct archive_entry files[] = {
	{ .uid = "d", .type = ENTRY_DIR },
	{ .uid = "d/empty", .type = ENTRY_REG },
	{ .uid = "d/holes",
	  .type = ENTRY_REG,
	  .size = 20 * BLOCK + 5,
	  .hole_from = 3 * BLOCK,
	  .hole_to = 17 * BLOCK },
	{ .uid = "d/large", .type = ENTRY_REG, .size = 1500 * BLOCK + 1 },
	{ .uid = "d/one", .type = ENTRY_REG, .size = BLOCK },
	{ .uid = "d/some", .type = ENTRY_REG, .size = 2 * BLOCK + 100 },
	{ .uid = "d/text1", .type = ENTRY_REG, .content = "the first text" },
	{ .uid = "d/text2", .type = ENTRY_REG, .content = "the second text" },
	{ .uid = "hole",
	  .type = ENTRY_REG,
	  .size = 4 * BLOCK,
	  .hole_from = 0,
	  .hole_to = 4 * BLOCK },
};

/* Those that fit into small shards. */
static const struct archive_entry small[] = {
	{ .uid = "d", .type = ENTRY_DIR },
	{ .uid = "d/one", .type = ENTRY_REG, .size = BLOCK },
	{ .uid = "d/some", .type = ENTRY_REG, .size = 2 * BLOCK + 100 },
	{ .uid = "d/text1", .type = ENTRY_REG, .content = "the first text" },
	{ .uid = "d/text2", .type = ENTRY_REG, .content = "the second text" },
	{ .uid = "top", .type = ENTRY_REG, .size = 300 },
};

static struct span str(const char *s)
{
	return span_of(s, strlen(s));
}

static uint8_t want_byte(const struct archive_entry *f, uint64_t i)
{
	if (f->content)
		return (uint8_t)f->content[i];
	return i >= f->hole_from && i < f->hole_to ? 0 : archive_pattern(i);
}

static uint64_t want_size(const struct archive_entry *f)
{
	return f->content ? strlen(f->content) : f->size;
}

/* What volume_read_pieces gives is the same. */
static void check_pieces(struct volume *v, const struct volume_entry *ve,
			 uint64_t off, size_t len, const uint8_t *want,
			 size_t want_len)
{
	struct volume_pieces p = { 0 };
	struct err err;

	assert_int_equal(volume_read_pieces(v, ve, off, len, &p, &err), RC_OK);
	assert_int_equal(p.len, want_len);
	for (size_t i = 0; i < p.n; i++) {
		assert_true(p.iov[i].iov_len > 0);
		assert_true(p.iov[i].iov_len <= want_len);
		assert_memory_equal(p.iov[i].iov_base, want, p.iov[i].iov_len);
		want += p.iov[i].iov_len;
		want_len -= p.iov[i].iov_len;
	}
	assert_int_equal(want_len, 0);
	volume_pieces_release(&p);
	assert_int_equal(p.n, 0);
}

/* Read a file by pieces; any byte that is not right fails the test. */
static enum rc read_file(struct volume *v, const struct archive_entry *f,
			 size_t step, struct err *err)
{
	CLEANUP_FREE uint8_t *buf = xcalloc(step, 1);
	struct volume_entry ve;
	uint64_t off = 0;
	size_t n = step;
	enum rc rc = volume_resolve(v, str(f->uid), &ve, err);

	if (rc)
		return rc;
	while (!rc && n == step) {
		rc = volume_read(v, &ve, off, buf, step, &n, err);
		for (size_t i = 0; !rc && i < n; i++) {
			if (buf[i] != want_byte(f, off + i))
				fail_msg("%s: wrong byte at %llu", f->uid,
					 (unsigned long long)(off + i));
		}
		if (!rc)
			check_pieces(v, &ve, off, step, buf, n);
		off += rc ? 0 : n;
	}
	volume_entry_release(&ve);
	if (!rc)
		assert_int_equal(off, want_size(f));
	return rc;
}

static struct volume *open_volume(const struct archive *a,
				  enum volume_verify verify)
{
	const struct volume_options opts = { .block_cache = 1u << 20,
					     .verify = verify };
	struct volume *v = NULL;
	struct err err;

	if (volume_open(&v, a->dir, &opts, &err))
		fail_msg("%s", err.msg);
	return v;
}

static void every_byte_comes_back_in_pieces_of_any_size(void **state)
{
	static const size_t steps[] = { 7, 4096, 5000, 1u << 20 };
	struct archive a;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, files, ARRAY_LEN(files));
	for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
		struct volume *v =
			open_volume(&a, s ? VERIFY_FILE : VERIFY_CRC);
		struct err err;

		for (size_t i = 1; i < ARRAY_LEN(files); i++) {
			if (steps[s] < 100 && files[i].size > 30 * BLOCK)
				continue;
			if (read_file(v, &files[i], steps[s], &err))
				fail_msg("%s", err.msg);
		}
		volume_close(v);
	}
	archive_end(&a);
}

static void pieces_stay_while_they_are_held(void **state)
{
	struct volume_pieces p = { 0 };
	struct volume_entry ve;
	struct archive a;
	struct volume *v;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, files, ARRAY_LEN(files));
	v = open_volume(&a, VERIFY_CRC);
	assert_int_equal(volume_resolve(v, str("d/some"), &ve, &err), RC_OK);
	assert_int_equal(
		volume_read_pieces(v, &ve, BLOCK - 1, BLOCK + 2, &p, &err),
		RC_OK);
	volume_entry_release(&ve);
	assert_int_equal(p.n, 3);
	assert_int_equal(read_file(v, &files[3], 1u << 16, &err), RC_OK);
	for (size_t i = 0, at = BLOCK - 1; i < p.n; i++) {
		const uint8_t *bytes = p.iov[i].iov_base;

		for (size_t k = 0; k < p.iov[i].iov_len; k++, at++)
			assert_int_equal(bytes[k], archive_pattern(at));
	}
	volume_pieces_release(&p);
	volume_close(v);
	archive_end(&a);
}

static void reads_beyond_the_end_are_short(void **state)
{
	struct volume_entry ve;
	struct archive a;
	struct volume *v;
	struct err err;
	char buf[64];
	size_t n = 9;

	(void)state;
	archive_begin(&a, ROUTE_UID);
	archive_add(&a, 0, 0, files, ARRAY_LEN(files));
	v = open_volume(&a, VERIFY_CRC);
	assert_int_equal(volume_resolve(v, str("d/text1"), &ve, &err), RC_OK);
	assert_int_equal(volume_read(v, &ve, 4, buf, 64, &n, &err), RC_OK);
	assert_int_equal(n, 10);
	assert_memory_equal(buf, "first text", 10);
	assert_int_equal(volume_read(v, &ve, 14, buf, 64, &n, &err), RC_OK);
	assert_int_equal(n, 0);
	assert_int_equal(volume_read(v, &ve, UINT64_MAX, buf, 64, &n, &err),
			 RC_OK);
	assert_int_equal(n, 0);
	volume_entry_release(&ve);
	assert_int_equal(volume_resolve(v, str("d"), &ve, &err), RC_OK);
	assert_int_equal(volume_read(v, &ve, 0, buf, 64, &n, &err), RC_USAGE);
	volume_entry_release(&ve);
	volume_close(v);
	archive_end(&a);
}

static uint64_t seek(struct volume *v, const char *path, uint64_t off,
		     bool want_data)
{
	struct volume_entry ve;
	struct err err;
	uint64_t at = 0;
	enum rc rc;

	assert_int_equal(volume_resolve(v, str(path), &ve, &err), RC_OK);
	rc = volume_seek(v, &ve, off, want_data, &at, &err);
	assert_true(rc == RC_OK || rc == RC_LIMIT);
	volume_entry_release(&ve);
	return rc ? UINT64_MAX : at;
}

static void seeking_finds_data_and_holes(void **state)
{
	struct archive a;
	struct volume *v;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, files, ARRAY_LEN(files));
	v = open_volume(&a, VERIFY_CRC);
	assert_int_equal(seek(v, "d/holes", 0, true), 0);
	assert_int_equal(seek(v, "d/holes", 5, true), 5);
	assert_int_equal(seek(v, "d/holes", 0, false), 3 * BLOCK);
	assert_int_equal(seek(v, "d/holes", 4 * BLOCK + 1, false),
			 4 * BLOCK + 1);
	assert_int_equal(seek(v, "d/holes", 4 * BLOCK, true), 17 * BLOCK);
	assert_int_equal(seek(v, "d/holes", 17 * BLOCK, false), 20 * BLOCK + 5);
	assert_true(seek(v, "d/holes", 20 * BLOCK + 5, false) == UINT64_MAX);
	assert_true(seek(v, "d/holes", 20 * BLOCK + 5, true) == UINT64_MAX);
	assert_true(seek(v, "hole", 0, true) == UINT64_MAX);
	assert_int_equal(seek(v, "hole", 5, false), 5);
	assert_int_equal(seek(v, "d/text1", 3, true), 3);
	assert_int_equal(seek(v, "d/text1", 3, false), 14);
	assert_true(seek(v, "d/empty", 0, true) == UINT64_MAX);
	volume_close(v);
	archive_end(&a);
}

static void blocks_are_kept_within_the_bound(void **state)
{
	struct volume_stats st;
	struct archive a;
	struct volume *v;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, files, ARRAY_LEN(files));
	v = open_volume(&a, VERIFY_BLOCK);
	assert_int_equal(read_file(v, &files[3], 3 * BLOCK, &err), RC_OK);
	volume_stats(v, &st);
	assert_int_equal(st.block_misses, 1501);
	assert_true(st.block_cache_bytes <= 1u << 20);
	assert_true(st.block_cache_bytes > 1u << 19);
	/* Twice: read_file compares two ways. */
	assert_int_equal(st.bytes_served, 2 * files[3].size);
	assert_int_equal(st.corrupt, 0);
	volume_close(v);
	archive_end(&a);
}

static void a_missing_shard_is_damage(void **state)
{
	CLEANUP_FREE char *path = NULL;
	struct volume_entry ve;
	struct volume_stats st;
	struct archive a;
	struct volume *v;
	struct err err;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, files + ARRAY_LEN(files) - 1, 1);
	path = archive_shard_path(&a, 0);
	assert_int_equal(unlink(path), 0);
	v = open_volume(&a, VERIFY_CRC);
	assert_int_equal(volume_resolve(v, str("hole"), &ve, &err), RC_CORRUPT);
	assert_non_null(strstr(err.msg, strrchr(path, '/')));
	assert_int_equal(volume_root(v, &ve, &err), RC_CORRUPT);
	volume_stats(v, &st);
	assert_true(st.corrupt);
	volume_close(v);
	archive_end(&a);
}

/* Read all small files of a damaged archive; true when an error told of it. */
static bool tells_damage(const struct archive *a, enum volume_verify verify)
{
	struct volume *v = open_volume(a, verify);
	bool told = false;

	for (size_t i = 1; i < ARRAY_LEN(small); i++) {
		const struct archive_entry *f = &small[i];
		struct err err;
		enum rc rc = read_file(v, f, 1u << 16, &err);

		if (!rc)
			continue;
		if (rc != RC_CORRUPT || !strstr(err.msg, ".des"))
			fail_msg("%s: %d %s", f->uid, (int)rc, err.msg);
		told = true;
	}
	volume_close(v);
	return told;
}

static void write_at(const char *path, off_t off, uint8_t xor)
{
	CLEANUP_FD int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, off), 1);
	byte ^= xor;
	assert_int_equal(pwrite(fd, &byte, 1, off), 1);
}

static void no_flipped_bit_gives_wrong_bytes(void **state)
{
	CLEANUP_FREE char *path = NULL;
	struct archive a;
	struct stat st;
	unsigned int n_told = 0;
	uint32_t x = 12345;

	(void)state;
	archive_begin(&a, ROUTE_PARENT);
	archive_add(&a, 0, 0, small, ARRAY_LEN(small));
	for (unsigned int i = 0; i < N_FLIPS; i++) {
		path = archive_shard_path(&a, i % 2);
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(stat(path, &st), 0);
		x = x * 1664525 + 1013904223;
		write_at(path, (off_t)(x >> 4) % st.st_size,
			 (uint8_t)(1u << (i % 8)));
		n_told += tells_damage(&a, i % 3);
		write_at(path, (off_t)(x >> 4) % st.st_size,
			 (uint8_t)(1u << (i % 8)));
		free(STEAL_PTR(path));
	}
	assert_false(tells_damage(&a, VERIFY_FILE));
	/* Only the header and block records are not read. */
	assert_true(n_told > N_FLIPS * 3 / 4);
	archive_end(&a);
}

static void no_cut_gives_wrong_bytes(void **state)
{
	struct archive a;

	(void)state;
	for (unsigned int i = 0; i < N_CUTS; i++) {
		CLEANUP_FREE char *path = NULL;
		struct stat st;

		archive_begin(&a, ROUTE_PARENT);
		archive_add(&a, 0, 0, small, ARRAY_LEN(small));
		path = archive_shard_path(&a, i % 2);
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(truncate(path, st.st_size * i / N_CUTS), 0);
		assert_true(tells_damage(&a, VERIFY_CRC));
		archive_end(&a);
	}
}

static void a_damaged_shard_costs_its_own_files_only(void **state)
{
	CLEANUP_FREE char *path = NULL;
	struct archive a;
	struct volume *v;
	struct err err;
	unsigned int n_good = 0;

	(void)state;
	archive_begin(&a, ROUTE_UID);
	archive_add(&a, 0, 0, small, ARRAY_LEN(small));
	path = archive_shard_path(&a, 0);
	assert_int_equal(unlink(path), 0);
	v = open_volume(&a, VERIFY_CRC);
	for (size_t i = 1; i < 5; i++) {
		struct volume_entry ve, dir = { .e = { .type = ENTRY_DIR } };

		dir.e.name = str("d");
		if (volume_lookup(v, &dir, str(small[i].uid + 2), &ve, &err))
			continue;
		n_good++;
		volume_entry_release(&ve);
	}
	assert_in_range(n_good, 1, 4);
	volume_close(v);
	archive_end(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_comes_back_in_pieces_of_any_size),
		cmocka_unit_test(pieces_stay_while_they_are_held),
		cmocka_unit_test(reads_beyond_the_end_are_short),
		cmocka_unit_test(seeking_finds_data_and_holes),
		cmocka_unit_test(blocks_are_kept_within_the_bound),
		cmocka_unit_test(a_missing_shard_is_damage),
		cmocka_unit_test(no_flipped_bit_gives_wrong_bytes),
		cmocka_unit_test(no_cut_gives_wrong_bytes),
		cmocka_unit_test(a_damaged_shard_costs_its_own_files_only),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
