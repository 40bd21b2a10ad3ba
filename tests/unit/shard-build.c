/* SPDX-License-Identifier: Apache-2.0 */
/* shard-build.c - what the builder writes, the decoders give back. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/buf.h"
#include "base/sha256.h"
#include "shard/shard-block.h"
#include "shard/shard-build.h"
#include "shard/shard-filter.h"
#include "shard/shard-page.h"
#include "shard/shard-record.h"

#define MANY 20000u
#define BLOCKS_OF_LARGE 3000u

/* A shard in memory: the sink of the builder. */
struct image {
	struct buf data, index;
};

static enum rc take_data(void *arg, const void *p, size_t len, struct err *err)
{
	struct image *im = arg;

	(void)err;
	buf_append(&im->data, p, len);
	return RC_OK;
}

static enum rc take_index(void *arg, const void *p, size_t len, struct err *err)
{
	struct image *im = arg;

	(void)err;
	buf_append(&im->index, p, len);
	return RC_OK;
}

static enum rc flush_index(void *arg, struct err *err)
{
	struct image *im = arg;

	return take_data(im, im->index.p, im->index.len, err);
}

static struct shard_build *begin(struct image *im)
{
	struct shard_build_options opts = {
		.header = { .day = 20261121,
			    .n_bits = 4,
			    .route = 1,
			    .block_size = BLOCK_SIZE_DEFAULT },
		.codec = CODEC_ZSTD,
		.level = 3,
	};
	struct shard_sink sink = { take_data, take_index, flush_index,
				   take_data, im };
	struct shard_build *b = NULL;
	struct err err = { 0 };

	buf_init(&im->data, 1u << 30);
	buf_init(&im->index, 1u << 30);
	assert_int_equal(shard_build_new(&opts, &sink, &b, &err), RC_OK);
	return b;
}

static struct shard_footer finish(struct shard_build *b, struct image *im)
{
	struct shard_footer made, read;
	struct err err = { 0 };
	uint64_t size = 0;

	assert_int_equal(shard_build_finish(b, &made, &size, &err), RC_OK);
	assert_true(buf_ok(&im->data));
	assert_int_equal(size, im->data.len);
	assert_int_equal(
		shard_footer_decode(im->data.p + size - SHARD_FOOTER_SIZE,
				    SHARD_FOOTER_SIZE, size, &read, &err),
		RC_OK);
	assert_memory_equal(made.root, read.root, SHARD_ROOT_LEN);
	return read;
}

static void end(struct shard_build *b, struct image *im)
{
	shard_build_free(b);
	buf_release(&im->data);
	buf_release(&im->index);
}

static struct page *load(const struct image *im, const struct shard_footer *f,
			 const struct page_ref *ref)
{
	struct page *p = NULL;
	struct err err = { 0 };

	if (page_decode(im->data.p + f->index_off + ref->off, ref->stored_len,
			ref, &p, &err))
		fail_msg("%s", err.msg);
	return p;
}

/* The page and index of the first entry not below the key. */
static struct page *seek(const struct image *im, const struct shard_footer *f,
			 struct span parent, struct span name, uint32_t *ret_i)
{
	struct page *p = load(im, f, &f->root_page);
	struct page_child c = { 0 };

	while (page_kind(p) == PAGE_NODE) {
		uint32_t i = page_child_for_key(p, parent, name);

		page_child(p, i, &c);
		if (i + 1 < page_count(p)) {
			struct page_child next;

			page_child(p, i + 1, &next);
			if (!entry_key_compare(next.parent, next.name, parent,
					       name))
				c = next;
		}
		page_free(p);
		p = load(im, f, &c.ref);
	}
	*ret_i = page_lower_bound(p, parent, name);
	return p;
}

static struct span str(const char *s)
{
	return span_of(s, strlen(s));
}

static void every_entry_is_found_by_its_key(void **state)
{
	struct image im;
	struct shard_build *b = begin(&im);
	struct block_ref ref = { 0 };
	struct shard_footer f;
	struct buf stored;
	struct err err = { 0 };
	char name[32];

	(void)state;
	buf_init(&stored, 1u << 20);
	for (uint32_t i = 0; i < MANY; i++) {
		struct entry e = { .parent = str("dir"),
				   .type = ENTRY_REG,
				   .created_at = 1000000 + i % 3,
				   .mode = 0644,
				   .uid = 1000,
				   .gid = i % 7,
				   .mtime_s = -5 + (int64_t)i,
				   .mtime_ns = i,
				   .nlink = 1,
				   .has_hash = true,
				   .size = 7 };

		if (i % 100 == 0) {
			uint8_t data[700];

			memset(data, (int)i, sizeof(data));
			buf_clear(&stored);
			assert_int_equal(block_encode(data, sizeof(data), NULL,
						      0, 0, CODEC_ZSTD, 3,
						      &stored, &ref, &err),
					 RC_OK);
			assert_int_equal(shard_build_block(b, stored.p,
							   stored.len, &ref,
							   &err),
					 RC_OK);
		}
		snprintf(name, sizeof(name), "file-%08u", i);
		e.name = str(name);
		e.content.n_blocks = 1;
		e.content.blocks = &ref;
		e.content.tail_off = i % 100 * 7;
		memset(e.sha256, (int)i, sizeof(e.sha256));
		assert_int_equal(shard_build_entry(b, &e, &err), RC_OK);
	}
	f = finish(b, &im);
	assert_int_equal(f.n_entries, MANY);
	assert_int_equal(f.plain_bytes, MANY * 7u);
	assert_int_equal(f.dead_bytes, 0);
	assert_true(f.levels > 1);
	for (uint32_t i = 0; i < MANY; i += 37) {
		struct entry e;
		uint32_t at;
		struct page *p;

		snprintf(name, sizeof(name), "file-%08u", i);
		p = seek(&im, &f, str("dir"), str(name), &at);
		assert_true(at < page_count(p));
		page_entry(p, at, &e);
		assert_true(span_equal(e.name, str(name)));
		assert_int_equal(e.mtime_s, -5 + (int64_t)i);
		assert_int_equal(e.mtime_ns, i);
		assert_int_equal(e.gid, i % 7);
		assert_int_equal(e.content.tail_off, i % 100 * 7);
		assert_int_equal(e.content.blocks->data_len, 700);
		assert_int_equal(e.sha256[5], (uint8_t)i);
		page_free(p);
	}
	buf_release(&stored);
	end(b, &im);
}

static void the_filter_knows_every_uid_and_few_others(void **state)
{
	struct image im;
	struct shard_build *b = begin(&im);
	struct shard_footer f;
	struct err err = { 0 };
	uint32_t n, size, wrong = 0;
	char name[32];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct entry e = { .type = ENTRY_FIFO, .nlink = 1 };

		snprintf(name, sizeof(name), "f%08u", i);
		e.name = str(name);
		assert_int_equal(shard_build_entry(b, &e, &err), RC_OK);
	}
	f = finish(b, &im);
	n = (uint32_t)(f.filter_dir.len / BLOCK_HASH_LEN);
	size = (uint32_t)(f.filter.len / n);
	assert_true(f.filter.len * 8 <= (uint64_t)MANY * FILTER_BITS_PER_ENTRY);
	for (uint32_t i = 0; i < 2 * MANY; i++) {
		uint64_t h;
		bool maybe;

		snprintf(name, sizeof(name), "f%08u", i);
		h = filter_hash(span_of("", 0), str(name));
		maybe = filter_may_contain(
			im.data.p + f.filter.off +
				(size_t)filter_partition(h, n) * size,
			size, h);
		if (i < MANY)
			assert_true(maybe);
		else
			wrong += maybe;
	}
	/* Expected 0.8 %; more than 3 % would be a fault of the hashing. */
	assert_true(wrong < MANY * 3 / 100);
	end(b, &im);
}

static void a_large_file_has_block_list_pages(void **state)
{
	struct image im;
	struct shard_build *b = begin(&im);
	struct block_ref *refs = calloc(BLOCKS_OF_LARGE, sizeof(*refs));
	struct entry e = { .type = ENTRY_REG, .nlink = 1 }, got;
	struct shard_footer f;
	struct buf stored;
	struct err err = { 0 };
	struct page *leaf;

	(void)state;
	buf_init(&stored, 1u << 20);
	for (uint32_t i = 0; i < BLOCKS_OF_LARGE; i++) {
		uint8_t data[BLOCK_SIZE_MIN];

		memset(data, (int)i, sizeof(data));
		if (i % 3 == 0) {
			refs[i].data_len = sizeof(data);
			continue;
		}
		buf_clear(&stored);
		assert_int_equal(block_encode(data, sizeof(data), NULL, 0, 0,
					      CODEC_LZ4, 0, &stored, &refs[i],
					      &err),
				 RC_OK);
		assert_int_equal(shard_build_block(b, stored.p, stored.len,
						   &refs[i], &err),
				 RC_OK);
	}
	e.name = str("large");
	e.size = (BLOCKS_OF_LARGE - 1) * (uint64_t)BLOCK_SIZE_MIN + 17;
	e.content.n_blocks = BLOCKS_OF_LARGE;
	e.content.block_size = BLOCK_SIZE_MIN;
	e.content.blocks = refs;
	assert_int_equal(shard_build_entry(b, &e, &err), RC_OK);
	f = finish(b, &im);
	leaf = load(&im, &f, &f.root_page);
	page_entry(leaf, 0, &got);
	assert_int_equal(got.content.n_blocks, BLOCKS_OF_LARGE);
	assert_null(got.content.blocks);
	assert_int_equal(got.content.per_extent, EXTENT_BLOCKS);
	for (uint32_t i = 0; i < got.content.n_extents; i++) {
		struct page *x = load(&im, &f, &got.content.extents[i]);

		assert_int_equal(page_kind(x), PAGE_EXTENT);
		for (uint32_t k = 0; k < page_count(x); k++) {
			const struct block_ref *r =
				&refs[i * EXTENT_BLOCKS + k];

			assert_int_equal(page_blocks(x)[k].off, r->off);
			assert_int_equal(page_blocks(x)[k].stored_len,
					 r->stored_len);
			assert_memory_equal(page_blocks(x)[k].hash, r->hash,
					    BLOCK_HASH_LEN);
		}
		page_free(x);
	}
	page_free(leaf);
	free(refs);
	buf_release(&stored);
	end(b, &im);
}

static void rare_fields_come_back(void **state)
{
	struct image im;
	struct shard_build *b = begin(&im);
	struct entry got, es[] = {
		{ .type = ENTRY_DIR, .implicit = true },
		{ .name = str("a"),
		  .type = ENTRY_DIR,
		  .has_opaque = true,
		  .opaque_since = -77,
		  .nlink = 4,
		  .mode = 01755 },
		{ .name = str("b"),
		  .type = ENTRY_SYMLINK,
		  .size = 3,
		  .target = str("../"),
		  .nlink = 1 },
		{ .name = str("c"),
		  .type = ENTRY_CHR,
		  .rdev_major = 5,
		  .rdev_minor = 4096,
		  .nlink = 1 },
		{ .name = str("d"),
		  .type = ENTRY_REG,
		  .nlink = 3,
		  .link_group = { [15] = 1 },
		  .created_at = 9 },
		{ .name = str("d"),
		  .type = ENTRY_WHITEOUT,
		  .created_at = 8,
		  .nlink = 1 },
		{ .parent = str("a"),
		  .name = str("x"),
		  .type = ENTRY_REG,
		  .meta = str("{\"k\":1}"),
		  .nlink = 1 },
	};
	struct shard_footer f;
	struct buf xattrs;
	struct err err = { 0 };
	struct page *p;

	(void)state;
	buf_init(&xattrs, 1000);
	xattr_append(&xattrs, str("user.a"), str("1"));
	xattr_append(&xattrs, str("user.b"), str(""));
	es[6].xattrs = span_of(xattrs.p, xattrs.len);
	for (size_t i = 0; i < ARRAY_LEN(es); i++)
		if (shard_build_entry(b, &es[i], &err))
			fail_msg("%s", err.msg);
	f = finish(b, &im);
	assert_int_equal(f.header.compat, SHARD_COMPAT_XATTRS);
	p = load(&im, &f, &f.root_page);
	assert_int_equal(page_count(p), ARRAY_LEN(es));
	for (uint32_t i = 0; i < ARRAY_LEN(es); i++) {
		page_entry(p, i, &got);
		assert_int_equal(entry_compare(&got, &es[i]), 0);
		assert_int_equal(got.type, es[i].type);
		assert_int_equal(got.implicit, es[i].implicit);
		assert_int_equal(got.opaque_since, es[i].opaque_since);
		assert_int_equal(got.nlink, es[i].nlink);
		assert_int_equal(got.rdev_minor, es[i].rdev_minor);
		assert_true(span_equal(got.target, es[i].target));
		assert_memory_equal(got.link_group, es[i].link_group,
				    LINK_GROUP_LEN);
		assert_true(span_equal(got.meta, es[i].meta));
		assert_true(span_equal(got.xattrs, es[i].xattrs));
	}
	page_free(p);
	buf_release(&xattrs);
	end(b, &im);
}

static void entries_out_of_order_are_refused(void **state)
{
	struct image im;
	struct shard_build *b = begin(&im);
	struct entry e = { .name = str("b"), .type = ENTRY_FIFO, .nlink = 1 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(shard_build_entry(b, &e, &err), RC_OK);
	assert_int_equal(shard_build_entry(b, &e, &err), RC_USAGE);
	e.name = str("a");
	assert_int_equal(shard_build_entry(b, &e, &err), RC_USAGE);
	end(b, &im);
}

static void files_of_blocks_below_the_least_size_are_refused(void **state)
{
	const struct block_ref refs[] = {
		{ .stored_len = 100, .data_len = BLOCK_SIZE_MIN - 1 },
		{ .stored_len = 100, .data_len = BLOCK_SIZE_MIN - 1 },
	};
	const struct entry e = {
		.name = str("file"),
		.type = ENTRY_REG,
		.nlink = 1,
		.size = BLOCK_SIZE_MIN,
		.content = { .n_blocks = 2,
			     .block_size = BLOCK_SIZE_MIN - 1,
			     .blocks = refs },
	};
	struct image im;
	struct shard_build *b = begin(&im);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(shard_build_entry(b, &e, &err), RC_LIMIT);
	end(b, &im);
}

static void content_that_does_not_make_up_the_size_is_refused(void **state)
{
	const struct block_ref refs[] = {
		{ .stored_len = 100, .data_len = 4096 },
		{ .stored_len = 100, .data_len = 4096 },
	};
	const struct entry wrong[] = {
		{ .size = 1 },
		{ .size = 4097, .content = { .n_blocks = 1 } },
		{ .size = 97, .content = { .n_blocks = 1, .tail_off = 4000 } },
		{ .size = 4096,
		  .content = { .n_blocks = 2, .block_size = 4096 } },
		{ .size = 8193,
		  .content = { .n_blocks = 2, .block_size = 4096 } },
		{ .size = 2500,
		  .content = { .n_blocks = 2, .block_size = 2000 } },
	};
	struct image im;
	struct shard_build *b = begin(&im);
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct entry e = wrong[i];

		e.type = ENTRY_REG;
		e.nlink = 1;
		e.name = str("file");
		e.content.blocks = e.content.n_blocks ? refs : NULL;
		assert_int_equal(shard_build_entry(b, &e, &err), RC_LIMIT);
	}
	end(b, &im);
}

static void a_record_of_a_size_without_content_is_refused(void **state)
{
	struct record in = { .entry = { .name = str("file"),
					.size = 5,
					.type = ENTRY_REG,
					.nlink = 1 } };
	struct record_reader *rr = NULL;
	struct record got;
	struct buf out;
	struct err err = { 0 };

	(void)state;
	buf_init(&out, 1000);
	record_encode(&in, NULL, &out);
	assert_int_equal(record_reader_new(out.p, out.len, 1, &rr, &err),
			 RC_OK);
	assert_int_equal(record_next(rr, &got, &err), RC_CORRUPT);
	record_reader_free(rr);
	buf_release(&out);
}

static void an_empty_shard_has_no_pages(void **state)
{
	struct image im;
	struct shard_build *b = begin(&im);
	struct shard_footer f = finish(b, &im);

	(void)state;
	assert_int_equal(f.levels, 0);
	assert_int_equal(f.n_entries, 0);
	end(b, &im);
}

/* Nor is it taken for a newer version, but for that of the version itself. */
static enum rc flipped(size_t bit)
{
	return bit / 16 == 4 ? RC_UNSUPPORTED : RC_CORRUPT;
}

static void each_flipped_bit_of_the_footer_is_seen(void **state)
{
	struct image im;
	struct shard_build *b = begin(&im);
	struct shard_footer f = finish(b, &im);
	uint8_t bytes[SHARD_FOOTER_SIZE];
	struct err err = { 0 };

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		memcpy(bytes, im.data.p + im.data.len - sizeof(bytes),
		       sizeof(bytes));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(shard_footer_decode(bytes, sizeof(bytes),
						     im.data.len, &f, &err),
				 flipped(bit));
	}
	for (size_t bit = 0; bit < 8 * SHARD_HEADER_SIZE; bit++) {
		struct shard_header h;

		memcpy(bytes, im.data.p, SHARD_HEADER_SIZE);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
			shard_header_decode(bytes, SHARD_HEADER_SIZE, &h, &err),
			flipped(bit));
	}
	end(b, &im);
}

static void a_record_with_a_link_group_of_zeros_is_refused(void **state)
{
	struct record in = {
		.entry = { .name = str("file"), .type = ENTRY_FIFO, .nlink = 1 }
	};
	struct record_reader *rr = NULL;
	struct record got;
	struct err err = { 0 };
	struct buf out;
	uint8_t *end;

	(void)state;
	memset(in.entry.link_group, 7, LINK_GROUP_LEN);
	buf_init(&out, 1000);
	record_encode(&in, NULL, &out);
	assert_int_equal(record_reader_new(out.p, out.len, 1, &rr, &err),
			 RC_OK);
	assert_int_equal(record_next(rr, &got, &err), RC_OK);
	record_reader_free(rr);
	end = out.p + out.len - 1; /* where the content is */
	assert_int_equal(end[-1], 7);
	memset(end - LINK_GROUP_LEN, 0, LINK_GROUP_LEN);
	assert_int_equal(record_reader_new(out.p, out.len, 1, &rr, &err),
			 RC_OK);
	assert_int_equal(record_next(rr, &got, &err), RC_CORRUPT);
	record_reader_free(rr);
	buf_release(&out);
}

static void records_come_back_from_a_block(void **state)
{
	uint8_t hashes[2 * BLOCK_HASH_LEN];
	struct record in[] = {
		{ .entry = { .parent = str("d/e"),
			     .name = str("one"),
			     .type = ENTRY_REG,
			     .mode = 0600,
			     .size = 5,
			     .nlink = 1,
			     .created_at = -3,
			     .content = { .tail_off = 9, .n_blocks = 1 } },
		  .where = RECORD_HERE },
		{ .entry = { .parent = str("d/e"),
			     .name = str("other"),
			     .type = ENTRY_REG,
			     .size = 5000,
			     .nlink = 1,
			     .content = { .n_blocks = 2, .block_size = 4096 } },
		  .where = RECORD_HASHES,
		  .hashes = hashes },
		{ .entry = { .parent = str("d/e"),
			     .name = str("p"),
			     .type = ENTRY_SYMLINK,
			     .size = 1,
			     .target = str("x"),
			     .nlink = 1 } },
	};
	struct record_reader *rr = NULL;
	struct buf out;
	struct record got;
	struct err err = { 0 };

	(void)state;
	memset(hashes, 7, sizeof(hashes));
	buf_init(&out, 1u << 16);
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		record_encode(&in[i], i ? &in[i - 1].entry : NULL, &out);
	assert_true(buf_ok(&out));
	assert_int_equal(
		record_reader_new(out.p, out.len, ARRAY_LEN(in), &rr, &err),
		RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		if (record_next(rr, &got, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(
			entry_key_compare(got.entry.parent, got.entry.name,
					  in[i].entry.parent, in[i].entry.name),
			0);
		assert_int_equal(got.where, in[i].where);
		assert_int_equal(got.entry.size, in[i].entry.size);
		assert_int_equal(got.entry.content.n_blocks,
				 in[i].entry.content.n_blocks);
		assert_true(span_equal(got.entry.target, in[i].entry.target));
	}
	assert_int_equal(record_next(rr, &got, &err), RC_NOENT);
	record_reader_free(rr);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_is_found_by_its_key),
		cmocka_unit_test(the_filter_knows_every_uid_and_few_others),
		cmocka_unit_test(a_large_file_has_block_list_pages),
		cmocka_unit_test(rare_fields_come_back),
		cmocka_unit_test(entries_out_of_order_are_refused),
		cmocka_unit_test(
			files_of_blocks_below_the_least_size_are_refused),
		cmocka_unit_test(
			content_that_does_not_make_up_the_size_is_refused),
		cmocka_unit_test(a_record_of_a_size_without_content_is_refused),
		cmocka_unit_test(an_empty_shard_has_no_pages),
		cmocka_unit_test(each_flipped_bit_of_the_footer_is_seen),
		cmocka_unit_test(
			a_record_with_a_link_group_of_zeros_is_refused),
		cmocka_unit_test(records_come_back_from_a_block),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
