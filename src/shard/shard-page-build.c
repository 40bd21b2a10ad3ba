/* SPDX-License-Identifier: Apache-2.0 */
/* shard-page-build.c - index pages, structs to bytes. */
#include "config.h"

#include "shard/shard-page-build.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/wr.h"
#include "shard/shard-columns.h"
#include "shard/shard-format.h"

#define PAGE_CRC_OFF (PAGE_HEADER_SIZE - 4)

/* Header, payload compressed when that makes it smaller, checksum, reference. */
static enum rc finish_page(const struct page_build *pb, const struct buf *raw,
			   enum page_kind kind, unsigned int level, uint32_t n,
			   struct buf *out, struct page_ref *ret,
			   struct err *err)
{
	size_t start = out->len, len, packed = 0;
	uint8_t hash[ENTRY_HASH_LEN];
	uint8_t codec = CODEC_NONE;
	uint8_t *to;
	uint32_t crc;
	enum rc rc;

	if (!buf_ok(raw) || raw->len > PAGE_RAW_MAX)
		return err_set(err, RC_LIMIT, "index page over %u bytes",
			       PAGE_RAW_MAX);
	to = buf_reserve(out, PAGE_HEADER_SIZE + raw->len);
	if (!to)
		return err_set(err, RC_NOMEM, "no memory for an index page");
	if (pb->codec != CODEC_NONE && raw->len > 1) {
		rc = codec_by_id(pb->codec)->encode(raw->p, raw->len, pb->level,
						    to + PAGE_HEADER_SIZE,
						    raw->len - 1, &packed, err);
		if (rc)
			return rc;
	}
	if (packed)
		codec = (uint8_t)pb->codec;
	else
		memcpy(to + PAGE_HEADER_SIZE, raw->p, raw->len);
	wr_u32(out, PAGE_MAGIC);
	wr_u8(out, (uint8_t)kind);
	wr_u8(out, codec);
	wr_u8(out, (uint8_t)level);
	wr_u8(out, 0);
	wr_u32(out, n);
	wr_u32(out, (uint32_t)raw->len);
	wr_u32(out, (uint32_t)(packed ? packed : raw->len));
	wr_u32(out, 0); /* the checksum, set when the rest is known */
	out->len += packed ? packed : raw->len;
	len = out->len - start;
	crc = crc32c(out->p + start, PAGE_CRC_OFF);
	crc = crc32c_more(crc, out->p + start + PAGE_HEADER_SIZE,
			  len - PAGE_HEADER_SIZE);
	wr_patch_le(out, start + PAGE_CRC_OFF, crc, 4);
	sha256_of(out->p + start, len, hash);
	*ret = (struct page_ref){ .off = pb->off,
				  .stored_len = (uint32_t)len };
	memcpy(ret->hash, hash, BLOCK_HASH_LEN);
	return RC_OK;
}

static void write_page_refs(const struct page_ref *refs, size_t n,
			    struct buf *out)
{
	uint64_t end = 0;

	for (size_t i = 0; i < n; i++) {
		wr_zigzag(out, (int64_t)(refs[i].off - end));
		wr_varint(out, refs[i].stored_len);
		end = refs[i].off + refs[i].stored_len;
	}
	for (size_t i = 0; i < n; i++)
		buf_append(out, refs[i].hash, BLOCK_HASH_LEN);
}

/* The blocks a page's entries refer to, each once, in the order of first use. */
struct block_table {
	struct block_ref *refs;
	size_t n, cap;
};

static bool same_block(const struct block_ref *a, const struct block_ref *b)
{
	if (a->stored_len != b->stored_len || a->data_len != b->data_len)
		return false;
	return !a->stored_len ||
	       (a->off == b->off && a->codec == b->codec &&
		!memcmp(a->hash, b->hash, BLOCK_HASH_LEN));
}

/* Index at which refs[0 ... n-1] stand one after the other; they are appended
 * when they do not yet.  The search looks back a bounded way: a double costs
 * bytes, not correctness.
 */
static size_t table_place(struct block_table *t, const struct block_ref *refs,
			  size_t n)
{
	size_t first = t->n > 64 ? t->n - 64 : 0;
	size_t at;

	for (size_t i = t->n; i-- > first;) {
		size_t k = 0;

		while (k < n && i + k < t->n &&
		       same_block(&t->refs[i + k], &refs[k]))
			k++;
		if (k == n)
			return i;
	}
	at = t->n;
	t->refs = mem_grow(t->refs, &t->cap, t->n + n, sizeof(*t->refs));
	memcpy(t->refs + t->n, refs, n * sizeof(*refs));
	t->n += n;
	return at;
}

/* Parents: each distinct one with the number of entries below it. */
static void write_parents(const struct entry *es, uint32_t n, struct buf *out)
{
	struct span last = { 0 };
	uint32_t n_parents = 0;

	for (uint32_t i = 0; i < n; i++)
		n_parents += !i || !span_equal(es[i].parent, es[i - 1].parent);
	wr_varint(out, n_parents);
	for (uint32_t i = 0; i < n;) {
		size_t shared = common_prefix(last, es[i].parent);
		uint32_t end = i + 1;

		while (end < n && span_equal(es[end].parent, es[i].parent))
			end++;
		wr_varint(out, end - i);
		wr_varint(out, shared);
		string_encode(span_after(es[i].parent, shared), out);
		last = es[i].parent;
		i = end;
	}
}

static size_t name_shared(const struct entry *es, uint32_t i)
{
	if (!i || !span_equal(es[i].parent, es[i - 1].parent))
		return 0;
	return common_prefix(es[i - 1].name, es[i].name);
}

static void write_names(const struct entry *es, uint32_t n, struct buf *out)
{
	for (uint32_t i = 0; i < n; i++)
		wr_varint(out, name_shared(es, i));
	for (uint32_t i = 0; i < n; i++)
		wr_varint(out, es[i].name.len - name_shared(es, i));
	for (uint32_t i = 0; i < n; i++) {
		struct span rest = span_after(es[i].name, name_shared(es, i));

		buf_append(out, rest.p, rest.len);
	}
}

static void write_attributes(const struct entry *es, uint32_t n,
			     struct buf *out)
{
	int64_t last = 0;

	for (uint32_t i = 0; i < n; i++)
		wr_varint(out, entry_flags(&es[i]));
	for (uint32_t i = 0; i < n; i++) {
		wr_zigzag(out, (int64_t)((uint64_t)es[i].created_at -
					 (uint64_t)last));
		last = es[i].created_at;
	}
	for (uint32_t i = 0; i < n; i++)
		wr_varint(out, es[i].mode);
	for (uint32_t i = 0; i < n; i++)
		wr_varint(out, es[i].uid);
	for (uint32_t i = 0; i < n; i++)
		wr_varint(out, es[i].gid);
	last = 0;
	for (uint32_t i = 0; i < n; i++) {
		wr_zigzag(out,
			  (int64_t)((uint64_t)es[i].mtime_s - (uint64_t)last));
		last = es[i].mtime_s;
	}
	for (uint32_t i = 0; i < n; i++)
		wr_u32(out, es[i].mtime_ns);
	for (uint32_t i = 0; i < n; i++)
		wr_varint(out, es[i].size);
}

/* Columns of the entries that have content; inline ones refer to the table. */
static void write_contents(const struct entry *es, uint32_t n,
			   struct block_table *table, struct buf *out)
{
	size_t last = 0;

	for (uint32_t i = 0; i < n; i++)
		if (es[i].type == ENTRY_REG)
			wr_varint(out, es[i].content.n_blocks);
	for (uint32_t i = 0; i < n; i++)
		if (es[i].content.n_blocks > 1)
			wr_varint(out, es[i].content.block_size);
	for (uint32_t i = 0; i < n; i++)
		if (es[i].content.n_blocks)
			wr_varint(out, es[i].content.tail_off);
	for (uint32_t i = 0; i < n; i++) {
		const struct content *c = &es[i].content;
		size_t at;

		if (!c->n_blocks || c->n_blocks > SHARD_INLINE_BLOCKS)
			continue;
		at = table_place(table, c->blocks, c->n_blocks);
		wr_zigzag(out, (int64_t)at - (int64_t)last);
		last = at + c->n_blocks - 1;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct content *c = &es[i].content;

		if (c->n_blocks <= SHARD_INLINE_BLOCKS)
			continue;
		wr_varint(out, c->per_extent);
		write_page_refs(c->extents, c->n_extents, out);
	}
	for (uint32_t i = 0; i < n; i++)
		if (es[i].has_hash)
			buf_append(out, es[i].sha256, ENTRY_HASH_LEN);
}

/* Lists of attributes repeat (default ACLs), so each stands once. */
static void write_xattrs(const struct entry *es, uint32_t n, struct buf *out)
{
	CLEANUP_FREE const struct entry **seen = xcalloc(n, sizeof(*seen));
	CLEANUP_BUF struct buf index = { .max = PAGE_RAW_MAX };
	CLEANUP_BUF struct buf lists = { .max = PAGE_RAW_MAX };
	size_t n_seen = 0;

	for (uint32_t i = 0; i < n; i++) {
		size_t k = 0;

		if (!es[i].xattrs.len)
			continue;
		while (k < n_seen && !span_equal(seen[k]->xattrs, es[i].xattrs))
			k++;
		if (k == n_seen) {
			seen[n_seen++] = &es[i];
			string_encode(es[i].xattrs, &lists);
		}
		wr_varint(&index, k);
	}
	wr_varint(out, n_seen);
	buf_append(out, lists.p, lists.len);
	buf_append(out, index.p, index.len);
	if (!buf_ok(&lists) || !buf_ok(&index))
		out->failed = true;
}

static void write_rare(const struct entry *es, uint32_t n, struct buf *out)
{
	for (uint32_t i = 0; i < n; i++)
		if (es[i].has_opaque)
			wr_zigzag(out, es[i].opaque_since);
	for (uint32_t i = 0; i < n; i++)
		buf_append(out, es[i].target.p, es[i].target.len);
	for (uint32_t i = 0; i < n; i++) {
		if (es[i].type != ENTRY_CHR && es[i].type != ENTRY_BLK)
			continue;
		wr_varint(out, es[i].rdev_major);
		wr_varint(out, es[i].rdev_minor);
	}
	for (uint32_t i = 0; i < n; i++)
		if (link_group_is_set(es[i].link_group))
			buf_append(out, es[i].link_group, LINK_GROUP_LEN);
	for (uint32_t i = 0; i < n; i++)
		if (es[i].nlink != nlink_default(es[i].type))
			wr_varint(out, es[i].nlink);
	for (uint32_t i = 0; i < n; i++)
		if (es[i].meta.len)
			string_encode(es[i].meta, out);
	write_xattrs(es, n, out);
}

enum rc page_build_leaf(const struct page_build *pb, const struct entry *entries,
			uint32_t n, struct buf *out, struct page_ref *ret,
			struct err *err)
{
	CLEANUP_BUF struct buf raw = { .max = PAGE_RAW_MAX };
	CLEANUP_BUF struct buf contents = { .max = PAGE_RAW_MAX };
	struct block_table table = { 0 };

	write_contents(entries, n, &table, &contents);
	wr_varint(&raw, table.n);
	block_table_encode(table.refs, table.n, &raw);
	free(table.refs);
	if (table.n > PAGE_BLOCKS_MAX)
		return err_set(err, RC_LIMIT, "index page of %zu blocks",
			       table.n);
	write_parents(entries, n, &raw);
	write_names(entries, n, &raw);
	write_attributes(entries, n, &raw);
	buf_append(&raw, contents.p, contents.len);
	if (!buf_ok(&contents))
		raw.failed = true;
	write_rare(entries, n, &raw);
	return finish_page(pb, &raw, PAGE_LEAF, 1, n, out, ret, err);
}

enum rc page_build_node(const struct page_build *pb,
			const struct page_child *children, uint32_t n,
			unsigned int level, struct buf *out,
			struct page_ref *ret, struct err *err)
{
	CLEANUP_BUF struct buf raw = { .max = PAGE_RAW_MAX };
	CLEANUP_FREE struct page_ref *refs = xcalloc(n, sizeof(*refs));
	struct page_child last = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		wr_varint(&raw, children[i].first_ordinal - last.first_ordinal);
		refs[i] = children[i].ref;
		last = children[i];
	}
	write_page_refs(refs, n, &raw);
	last = (struct page_child){ 0 };
	for (uint32_t i = 0; i < n; i++) {
		const struct page_child *c = &children[i];
		bool same = span_equal(c->parent, last.parent);
		size_t p = common_prefix(last.parent, c->parent);
		size_t m = same ? common_prefix(last.name, c->name) : 0;

		wr_varint(&raw, p);
		string_encode(span_after(c->parent, p), &raw);
		wr_varint(&raw, m);
		string_encode(span_after(c->name, m), &raw);
		last = *c;
	}
	return finish_page(pb, &raw, PAGE_NODE, level, n, out, ret, err);
}

enum rc page_build_extent(const struct page_build *pb,
			  const struct block_ref *refs, uint32_t n,
			  struct buf *out, struct page_ref *ret,
			  struct err *err)
{
	CLEANUP_BUF struct buf raw = { .max = PAGE_RAW_MAX };

	block_table_encode(refs, n, &raw);
	return finish_page(pb, &raw, PAGE_EXTENT, 0, n, out, ret, err);
}
