/* SPDX-License-Identifier: Apache-2.0 */
/* make-seeds.c - first inputs of the targets of shards and deletions, from the
 * real encoders.
 *
 *	make-seeds tests/fuzz/corpus
 *
 * writes corpus/NAME/seed-WHAT.  The files are kept in the tree; run it again
 * when the format changes.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/wr.h"
#include "erase/receipt.h"
#include "erase/suppression.h"
#include "erase/tombstone.h"
#include "seal.h"
#include "shard/shard-block.h"
#include "shard/shard-build.h"
#include "shard/shard-page-build.h"
#include "shard/shard-record.h"

#define N_MANY 40u

static const char *corpus;

/* All but the records begin with the mode. */
static void save(const char *target, const char *what, bool has_mode,
		 const void *p, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/seed-%s", corpus, target, what);
	f = fopen(path, "wb");
	if (!f || (has_mode && fputc(1, f) == EOF) ||
	    fwrite(p, 1, len, f) != len || fclose(f)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void must(enum rc rc, const struct err *err)
{
	if (!rc)
		return;
	fprintf(stderr, "make-seeds: %s\n", err->msg);
	exit(1);
}

static struct span str(const char *s)
{
	return span_of(s, strlen(s));
}

static struct block_ref ref_at(uint32_t i)
{
	struct block_ref ref = { .off = SHARD_HEADER_SIZE + 4000u * i,
				 .stored_len = 4000,
				 .data_len = 4096,
				 .codec = CODEC_ZSTD };

	memset(ref.hash, (int)i, sizeof(ref.hash));
	if (i % 5 == 4)
		ref = (struct block_ref){ .data_len = 4096 };
	return ref;
}

static void save_leaf(const char *what, enum codec_id codec,
		      const struct entry *es, uint32_t n)
{
	const struct page_build pb = { .codec = codec, .level = 3 };
	CLEANUP_BUF struct buf out = { .max = 1u << 20 };
	struct page_ref ref;
	struct err err = { 0 };

	must(page_build_leaf(&pb, es, n, &out, &ref, &err), &err);
	save("page", what, true, out.p, out.len);
}

static void save_rare(void)
{
	CLEANUP_BUF struct buf xattrs = { .max = 1000 };
	struct entry es[] = {
		{ .type = ENTRY_DIR, .implicit = true },
		{ .name = str("/x"), .type = ENTRY_FIFO, .nlink = 1 },
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
		  .link_group = "sixteen bytes it",
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
		{ .parent = str("a"),
		  .name = str("y"),
		  .type = ENTRY_BLK,
		  .nlink = 1,
		  .mtime_s = -1,
		  .mtime_ns = 999999999 },
	};

	xattr_append(&xattrs, str("user.a"), str("1"));
	xattr_append(&xattrs, str("user.b"), str(""));
	es[7].xattrs = es[8].xattrs = span_of(xattrs.p, xattrs.len);
	save_leaf("rare", CODEC_NONE, es, ARRAY_LEN(es));
	save_leaf("rare-zstd", CODEC_ZSTD, es, ARRAY_LEN(es));
	save_leaf("rare-lz4", CODEC_LZ4, es, ARRAY_LEN(es));
}

static void save_contents(void)
{
	struct page_ref extents[2] = { { .off = 10, .stored_len = 3000 },
				       { .off = 3010, .stored_len = 200 } };
	struct block_ref refs[6];
	struct entry es[] = {
		{ .name = str("file-1"),
		  .content = { .n_blocks = 1 },
		  .size = 100 },
		{ .name = str("file-2"),
		  .size = 200,
		  .content = { .n_blocks = 1, .tail_off = 100 } },
		{ .name = str("file-3"),
		  .size = 5 * 4096 + 1,
		  .content = { .n_blocks = 6, .block_size = 4096 } },
		{ .name = str("file-4"),
		  .size = 70 * 4096,
		  .content = { .n_blocks = 70,
			       .block_size = 4096,
			       .n_extents = 2,
			       .per_extent = 64 } },
	};

	for (uint32_t i = 0; i < ARRAY_LEN(refs); i++)
		refs[i] = ref_at(i);
	for (uint32_t i = 0; i < ARRAY_LEN(es); i++) {
		es[i].type = ENTRY_REG;
		es[i].nlink = 1;
		es[i].has_hash = true;
		es[i].content.blocks = refs;
		memset(es[i].sha256, (int)i, ENTRY_HASH_LEN);
	}
	es[3].content.blocks = NULL;
	es[3].content.extents = extents;
	save_leaf("contents", CODEC_NONE, es, ARRAY_LEN(es));
}

static void save_extent(void)
{
	const struct page_build pb = { .codec = CODEC_NONE };
	CLEANUP_BUF struct buf out = { .max = 1u << 20 };
	struct block_ref refs[20];
	struct page_ref ref;
	struct err err = { 0 };

	for (uint32_t i = 0; i < ARRAY_LEN(refs); i++)
		refs[i] = ref_at(i);
	must(page_build_extent(&pb, refs, ARRAY_LEN(refs), &out, &ref, &err),
	     &err);
	save("page", "block-list", true, out.p, out.len);
}

static void save_node(void)
{
	const struct page_build pb = { .codec = CODEC_NONE };
	CLEANUP_BUF struct buf out = { .max = 1u << 20 };
	struct page_child cs[] = {
		{ .ref = { .off = 0, .stored_len = 500 } },
		{ .name = str("b") },
		{ .name = str("b") },
		{ .parent = str("dir"), .name = str("file-0001") },
		{ .parent = str("dir"), .name = str("file-0101") },
		{ .parent = str("dir/below"), .name = str("") },
	};
	struct page_ref ref;
	struct err err = { 0 };

	for (uint32_t i = 0; i < ARRAY_LEN(cs); i++) {
		cs[i].first_ordinal = 100u * i;
		cs[i].ref.off = 600u * i;
		cs[i].ref.stored_len = 500;
		memset(cs[i].ref.hash, (int)i, BLOCK_HASH_LEN);
	}
	must(page_build_node(&pb, cs, ARRAY_LEN(cs), 2, &out, &ref, &err),
	     &err);
	save("node", "keys", true, out.p, out.len);
}

static void make_records(struct buf *out)
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
			     .nlink = 2,
			     .link_group = "sixteen bytes it",
			     .content = { .n_blocks = 2, .block_size = 4096 } },
		  .where = RECORD_HASHES,
		  .hashes = hashes },
		{ .entry = { .parent = str("d/e"),
			     .name = str("p"),
			     .type = ENTRY_SYMLINK,
			     .size = 1,
			     .target = str("x"),
			     .nlink = 1 } },
		{ .entry = { .parent = str("d/e"),
			     .name = str("q"),
			     .type = ENTRY_BLK,
			     .rdev_major = 8,
			     .nlink = 1,
			     .meta = str("m") } },
		{ .entry = { .type = ENTRY_DIR, .has_opaque = true } },
	};

	memset(hashes, 7, sizeof(hashes));
	wr_u16(out, ARRAY_LEN(in));
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		record_encode(&in[i], i ? &in[i - 1].entry : NULL, out);
}

static void save_blocks(void)
{
	static const enum codec_id codecs[] = { CODEC_NONE, CODEC_ZSTD,
						CODEC_LZ4 };
	CLEANUP_BUF struct buf records = { .max = 1u << 16 };
	uint8_t data[300];

	make_records(&records);
	save("record", "all", false, records.p, records.len);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i % 7);
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		CLEANUP_BUF struct buf out = { .max = 1u << 16 };
		struct block_ref ref;
		struct err err = { 0 };

		must(block_encode(data, sizeof(data), records.p + 2,
				  records.len - 2, records.p[0], codecs[i], 3,
				  &out, &ref, &err),
		     &err);
		save("block", codec_by_id(codecs[i])->name, true, out.p,
		     out.len);
	}
}

/* The sink of the builder: data, then index, then the rest. */
struct image {
	struct buf all, index;
};

static enum rc take_all(void *arg, const void *p, size_t len, struct err *err)
{
	(void)err;
	buf_append(&((struct image *)arg)->all, p, len);
	return RC_OK;
}

static enum rc take_index(void *arg, const void *p, size_t len, struct err *err)
{
	(void)err;
	buf_append(&((struct image *)arg)->index, p, len);
	return RC_OK;
}

static enum rc flush_index(void *arg, struct err *err)
{
	struct image *im = arg;

	return take_all(arg, im->index.p, im->index.len, err);
}

static void save_ends(const char *what, uint32_t n_entries)
{
	struct shard_build_options opts = {
		.header = { .day = 20261121,
			    .n_bits = 4,
			    .route = 1,
			    .block_size = BLOCK_SIZE_DEFAULT,
			    .writer = "desfs" },
		.page_raw = 512,
	};
	struct image im = { .all.max = 1u << 20, .index.max = 1u << 20 };
	struct shard_sink sink = { take_all, take_index, flush_index, take_all,
				   &im };
	CLEANUP_BUF struct buf out = { .max = 4096 };
	struct shard_build *b = NULL;
	struct shard_footer f;
	struct err err = { 0 };
	uint64_t size = 0;

	must(shard_build_new(&opts, &sink, &b, &err), &err);
	for (uint32_t i = 0; i < n_entries; i++) {
		char name[16];
		struct entry e = { .type = ENTRY_FIFO,
				   .nlink = 1,
				   .created_at = i };

		snprintf(name, sizeof(name), "f%04u", i);
		e.name = str(name);
		must(shard_build_entry(b, &e, &err), &err);
	}
	must(shard_build_finish(b, &f, &size, &err), &err);
	save("header", what, true, im.all.p, SHARD_HEADER_SIZE);
	wr_u64(&out, size);
	buf_append(&out, im.all.p + size - SHARD_FOOTER_SIZE,
		   SHARD_FOOTER_SIZE);
	buf_append(&out, im.all.p + f.info.off, f.info.len);
	save("footer", what, true, out.p, out.len);
	shard_build_free(b);
	buf_release(&im.all);
	buf_release(&im.index);
}

static void save_tombstone(void)
{
	struct tombstone t = { .time = 1795256130123456,
			       .words = { .reason = ERASURE_USER,
					  .by = (char[]){ "op" },
					  .ticket = (char[]){ "T-1" } } };
	CLEANUP_BUF struct buf out = { .max = 4096 };
	struct err err = { 0 };

	for (uint8_t i = 0; i < 4; i++) {
		uint8_t id[ERASURE_ID_LEN] = { i };

		tombstone_add(&t, id, "a\xff/b", 4,
			      i % 2 ? ERASURE_ONE : ERASURE_UNTIL, t.time - i);
	}
	must(tombstone_encode(&t, &out, &err), &err);
	save("tombstone", "all", false, out.p, out.len);
	t.words = (struct erasure_words){ 0 };
	tombstone_release(&t);
}

static void save_suppression(void)
{
	static const uint8_t secret[SUPPRESSION_SECRET_LEN];
	CLEANUP_BUF struct buf out = { .max = 4096 };
	struct suppression s = { .time = 1795256130123456 };
	struct err err = { 0 };

	suppression_key_id(secret, s.key_id);
	for (char c = 'a'; c < 'f'; c++) {
		struct suppression_hash hash;

		suppression_hash(secret, &c, 1, &hash);
		suppression_add(&s, &hash);
	}
	suppression_sort(&s);
	must(suppression_encode(&s, &out, &err), &err);
	save("suppression", "all", false, out.p, out.len);
	suppression_release(&s);
}

static void save_receipt(void)
{
	static const uint8_t salt[RECEIPT_SALT_LEN];
	const struct receipt_root roots[] = { { { 1 } }, { { 2 } } };
	CLEANUP_BUF struct buf out = { .max = 4096 };
	struct receipt r = { .asked = 1795256130123456,
			     .hidden = 1795256130123457 };
	struct err err = { 0 };

	receipt_subject(salt, "x", 1, ERASURE_ONE, r.asked, r.subject);
	receipt_add_replaced(&r, &roots[0], roots, 2, r.asked);
	receipt_add_replaced(&r, &roots[1], roots, 0, r.asked);
	receipt_add_purged(&r, &roots[0], "a", RECEIPT_REMOVED, r.asked, 0);
	receipt_add_purged(&r, &roots[0], "b", RECEIPT_PENDING, r.asked,
			   r.hidden);
	receipt_add_purged(&r, &roots[1], NULL, RECEIPT_VERSION_REMOVED,
			   r.asked, 0);
	must(receipt_encode(&r, &out, &err), &err);
	save("receipt", "all", false, out.p, out.len);
	receipt_release(&r);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: make-seeds CORPUS\n", stderr);
		return 2;
	}
	corpus = argv[1];
	save_rare();
	save_contents();
	save_extent();
	save_node();
	save_blocks();
	save_ends("many", N_MANY);
	save_ends("empty", 0);
	save_tombstone();
	save_suppression();
	save_receipt();
	return 0;
}
