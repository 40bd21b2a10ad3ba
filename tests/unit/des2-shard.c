/* SPDX-License-Identifier: Apache-2.0 */
/* des2-shard.c - tests the builder of DES2 shards, against bytes and against
 * the reader.
 */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "pack/des2-shard.h"
#include "shard/legacy-cursor.h"

/* Where a shard goes: all of it but the index, and that kept aside. */
struct memory {
	struct buf all, index;
};

static struct err err;
static unsigned int n_data;

static enum rc take_data(void *arg, const void *p, size_t len, struct err *e)
{
	struct memory *m = arg;

	(void)e;
	buf_append(&m->all, p, len);
	return RC_OK;
}

static enum rc take_index(void *arg, const void *p, size_t len, struct err *e)
{
	struct memory *m = arg;

	(void)e;
	buf_append(&m->index, p, len);
	return RC_OK;
}

static enum rc flush_index(void *arg, struct err *e)
{
	struct memory *m = arg;

	return take_data(m, m->index.p, m->index.len, e);
}

static void memory_init(struct memory *m, struct shard_sink *sink)
{
	buf_init(&m->all, 1u << 20);
	buf_init(&m->index, 1u << 20);
	*sink = (struct shard_sink){ .data = take_data,
				     .index = take_index,
				     .flush_index = flush_index,
				     .tail = take_data,
				     .arg = m };
}

static void memory_release(struct memory *m)
{
	buf_release(&m->all);
	buf_release(&m->index);
}

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

/* The example of des2(5). */
static void a_shard_has_the_bytes_of_the_description(void **state)
{
	static const uint8_t want[] =
		"DES2\2\0\0\0AAAABBBB\2\0\0\0"
		"\1\0a\0\10\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0"
		"\4\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0"
		"\1\0b\0\14\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0"
		"\4\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\7\0\0\0{\"k\":1}"
		"DESI\135\0\0\0\0\0\0";
	struct memory m;
	struct shard_sink sink;
	struct des2_shard s;
	uint64_t size = 0;

	(void)state;
	memory_init(&m, &sink);
	assert_int_equal(des2_shard_begin(&s, &sink, &err), 0);
	assert_int_equal(des2_shard_data(&s, "AAAA", 4, &err), 0);
	assert_int_equal(
		des2_shard_file(&s, text("a"), CODEC_NONE, 4, text(""), &err),
		0);
	assert_int_equal(des2_shard_data(&s, "BB", 2, &err), 0);
	assert_int_equal(des2_shard_data(&s, "BB", 2, &err), 0);
	assert_int_equal(des2_shard_file(&s, text("b"), CODEC_NONE, 4,
					 text("{\"k\":1}"), &err),
			 0);
	assert_int_equal(des2_shard_end(&s, &size, &err), 0);
	assert_int_equal(size, sizeof(want));
	assert_int_equal(m.all.len, sizeof(want));
	assert_memory_equal(m.all.p, want, sizeof(want));
	assert_memory_equal(s.footer, want + sizeof(want) - 12, 12);
	des2_shard_release(&s);
	memory_release(&m);
}

static enum rc read_memory(void *arg, uint64_t off, void *p, size_t len,
			   struct err *e)
{
	const struct memory *m = arg;

	if (off > m->all.len || len > m->all.len - off)
		return err_set(e, RC_IO, "beyond the end");
	memcpy(p, m->all.p + off, len);
	return RC_OK;
}

static struct legacy_cursor *cursor_of(struct memory *m)
{
	size_t n = m->all.len, head = n < 16 ? n : 16, tail = n < 72 ? n : 72;
	struct legacy_index index;

	assert_int_equal(legacy_index_locate(m->all.p, head,
					     m->all.p + n - tail, tail, n,
					     &index, &err),
			 0);
	assert_int_equal(index.kind, SHARD_KIND_DES2_V2);
	return legacy_cursor_new(&index, read_memory, m);
}

static void the_reader_finds_all_kinds_of_entries(void **state)
{
	static const uint8_t sha256[SHA256_LEN] = { 0xab, 1 };
	char hash[HEX_TEXT(SHA256_LEN)];
	struct memory m;
	struct shard_sink sink;
	struct des2_shard s;
	struct legacy_cursor *c;
	struct legacy_entry e;
	uint64_t size;

	(void)state;
	memory_init(&m, &sink);
	assert_int_equal(des2_shard_begin(&s, &sink, &err), 0);
	assert_int_equal(
		des2_shard_file(&s, text(""), CODEC_NONE, 0, text(""), &err),
		0);
	assert_int_equal(des2_shard_big(&s, text("big"), sha256, 1u << 30,
					text("{}"), &err),
			 0);
	assert_int_equal(des2_shard_data(&s, "frame", 5, &err), 0);
	assert_int_equal(
		des2_shard_file(&s, text("z"), CODEC_ZSTD, 99, text(""), &err),
		0);
	assert_int_equal(des2_shard_end(&s, &size, &err), 0);
	des2_shard_release(&s);

	c = cursor_of(&m);
	assert_int_equal(legacy_cursor_next(c, &e, &err), 0);
	assert_true(!e.uid.len && !e.is_external && !e.plain_len);
	assert_int_equal(legacy_cursor_next(c, &e, &err), 0);
	hex_encode(sha256, sizeof(sha256), hash);
	assert_true(e.is_external && e.plain_len == 1u << 30);
	assert_true(span_equal(e.hash, text(hash)));
	assert_true(span_equal(e.meta, text("{}")));
	assert_int_equal(legacy_cursor_next(c, &e, &err), 0);
	assert_true(e.off == 8 && e.stored_len == 5 && e.plain_len == 99);
	assert_int_equal(e.codec, CODEC_ZSTD);
	assert_int_equal(legacy_cursor_next(c, &e, &err), RC_NOENT);
	assert_false(legacy_cursor_is_cut(c));
	legacy_cursor_free(c);
	memory_release(&m);
}

static void a_uid_has_at_most_65535_bytes(void **state)
{
	static char uid[DES2_UID_MAX + 1];
	struct memory m;
	struct shard_sink sink;
	struct des2_shard s;
	uint64_t size;

	(void)state;
	memset(uid, 'u', sizeof(uid));
	memory_init(&m, &sink);
	assert_int_equal(des2_shard_begin(&s, &sink, &err), 0);
	assert_int_equal(des2_shard_file(&s, span_of(uid, sizeof(uid)),
					 CODEC_NONE, 0, text(""), &err),
			 RC_LIMIT);
	assert_int_equal(des2_shard_file(&s, span_of(uid, sizeof(uid) - 1),
					 CODEC_NONE, 0, text(""), &err),
			 0);
	assert_int_equal(des2_shard_end(&s, &size, &err), 0);
	des2_shard_release(&s);
	memory_release(&m);
}

static enum rc no_space(void *arg, const void *p, size_t len, struct err *e)
{
	struct memory *m = arg;

	if (m->all.len + len > 30)
		return err_set(e, RC_NOSPACE, "full");
	return take_data(m, p, len, e);
}

static void what_goes_wrong_below_is_told(void **state)
{
	static uint8_t much[1u << 20];
	struct memory m;
	struct shard_sink sink;
	struct des2_shard s;
	uint64_t size;

	(void)state;
	memory_init(&m, &sink);
	sink.data = no_space;
	sink.tail = no_space;
	assert_int_equal(des2_shard_begin(&s, &sink, &err), 0);
	assert_int_equal(des2_shard_data(&s, "0123456789", 10, &err), 0);
	assert_int_equal(des2_shard_data(&s, much, sizeof(much), &err),
			 RC_NOSPACE);
	des2_shard_release(&s);
	memory_release(&m);

	memory_init(&m, &sink);
	sink.data = no_space;
	sink.tail = no_space;
	assert_int_equal(des2_shard_begin(&s, &sink, &err), 0);
	assert_int_equal(des2_shard_data(&s, "0123456789", 10, &err), 0);
	assert_int_equal(
		des2_shard_file(&s, text("a"), CODEC_NONE, 10, text(""), &err),
		0);
	assert_int_equal(des2_shard_end(&s, &size, &err), RC_NOSPACE);
	des2_shard_release(&s);
	memory_release(&m);
}

static enum rc count_data(void *arg, const void *p, size_t len, struct err *e)
{
	n_data++;
	return take_data(arg, p, len, e);
}

static void small_files_are_written_together(void **state)
{
	static uint8_t large[200000];
	struct memory m;
	struct shard_sink sink;
	struct des2_shard s;
	uint64_t size = 0;

	(void)state;
	memory_init(&m, &sink);
	sink.data = count_data;
	assert_int_equal(des2_shard_begin(&s, &sink, &err), 0);
	for (unsigned int i = 0; i < 3000; i++) {
		large[0] = (uint8_t)i;
		assert_int_equal(des2_shard_data(&s, large, 100, &err), 0);
		assert_int_equal(des2_shard_file(&s, text("a"), CODEC_NONE, 100,
						 text(""), &err),
				 0);
	}
	assert_int_equal(des2_shard_data(&s, large, sizeof(large), &err), 0);
	assert_int_equal(des2_shard_file(&s, text("b"), CODEC_NONE,
					 sizeof(large), text(""), &err),
			 0);
	assert_int_equal(des2_shard_end(&s, &size, &err), 0);
	assert_int_equal(n_data, 4);
	assert_int_equal(size, m.all.len);
	for (unsigned int i = 0; i < 3000; i++)
		assert_int_equal(m.all.p[8 + i * 100], (uint8_t)i);
	assert_memory_equal(m.all.p + 8 + 300000, large, sizeof(large));
	des2_shard_release(&s);
	memory_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shard_has_the_bytes_of_the_description),
		cmocka_unit_test(the_reader_finds_all_kinds_of_entries),
		cmocka_unit_test(a_uid_has_at_most_65535_bytes),
		cmocka_unit_test(what_goes_wrong_below_is_told),
		cmocka_unit_test(small_files_are_written_together),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
