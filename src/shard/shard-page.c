/* SPDX-License-Identifier: Apache-2.0 */
/* shard-page.c - index pages decoded: checks, nodes, block lists.
 *
 * Leaves, which have most of the columns, are in shard-leaf.c.
 */
#include "config.h"

#include "shard/shard-page.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/sha256.h"
#include "codec/codec.h"
#include "shard/shard-columns.h"
#include "shard/shard-format.h"
#include "shard/shard-leaf-backend.h"

#define PAGE_CRC_OFF (PAGE_HEADER_SIZE - 4)

struct page_head {
	uint8_t kind, codec, level;
	uint32_t count, raw_len;
};

struct page {
	enum page_kind kind;
	uint32_t count;
	size_t memory;
	struct leaf *leaf;	     /* PAGE_LEAF */
	struct page_child *children; /* PAGE_NODE */
	char *keys;		     /* their first keys */
	struct block_ref *blocks;    /* PAGE_EXTENT */
};

static enum rc read_head(const uint8_t *stored, size_t len,
			 struct page_head *ret, struct err *err)
{
	struct rd r = { .p = stored, .left = len };
	uint32_t magic = rd_u32(&r), payload, crc, want;
	bool is_sound;
	uint8_t zero;

	ret->kind = rd_u8(&r);
	ret->codec = rd_u8(&r);
	ret->level = rd_u8(&r);
	zero = rd_u8(&r);
	ret->count = rd_u32(&r);
	ret->raw_len = rd_u32(&r);
	payload = rd_u32(&r);
	want = rd_u32(&r);
	if (!rd_ok(&r) || magic != PAGE_MAGIC)
		return err_set(err, RC_CORRUPT, "no index page begins here");
	crc = crc32c(stored, PAGE_CRC_OFF);
	crc = crc32c_more(crc, stored + PAGE_HEADER_SIZE,
			  len - PAGE_HEADER_SIZE);
	if (crc != want)
		return err_set(err, RC_CORRUPT, "index page checksum mismatch");
	/* It is compressed only when that makes it smaller. */
	is_sound = ret->codec == CODEC_NONE ? payload == ret->raw_len :
					      payload < ret->raw_len;
	if (zero || payload != len - PAGE_HEADER_SIZE || !is_sound ||
	    ret->raw_len > PAGE_RAW_MAX ||
	    !ret->count || ret->count > PAGE_ENTRIES_MAX ||
	    ret->level > PAGE_LEVELS_MAX || !codec_by_id(ret->codec))
		return err_set(err, RC_CORRUPT, "index page out of bounds");
	return RC_OK;
}

static void read_page_refs_hashes(struct rd *r, struct page_ref *refs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = rd_take(r, BLOCK_HASH_LEN);

		if (p)
			memcpy(refs[i].hash, p, BLOCK_HASH_LEN);
	}
}

void page_refs_decode(struct rd *r, struct page_ref *refs, size_t n)
{
	uint64_t end = 0;

	/* Pages are referred to in the order they were made, so no page twice. */
	for (size_t i = 0; i < n; i++) {
		refs[i].off = end + (uint64_t)rd_zigzag(r);
		refs[i].stored_len = (uint32_t)rd_varint_max(
			r, PAGE_HEADER_SIZE + PAGE_RAW_MAX);
		if (refs[i].off > INT64_MAX || refs[i].off < end ||
		    refs[i].stored_len < PAGE_HEADER_SIZE)
			rd_fail(r);
		end = refs[i].off + refs[i].stored_len;
	}
	read_page_refs_hashes(r, refs, n);
}

bool front_decode(struct rd *r, struct span last, struct arena *arena,
		  struct span *ret)
{
	size_t shared = rd_varint_max(r, last.len);
	struct span suffix = string_decode(r, UID_MAX_LEN);
	size_t len = shared + suffix.len;
	char *to = arena_take(arena, len);

	if (!rd_ok(r) || len > UID_MAX_LEN || !to) {
		rd_fail(r);
		return false;
	}
	if (shared)
		memcpy(to, last.p, shared);
	if (suffix.len)
		memcpy(to + shared, suffix.p, suffix.len);
	*ret = span_of(to, len);
	return true;
}

/* Bytes of a node's keys when they are expanded. */
static size_t keys_size(struct rd r, uint32_t count)
{
	size_t size = 0;

	for (uint32_t i = 0; i < 2 * count; i++) {
		size += rd_varint_max(&r, UID_MAX_LEN);
		size += string_decode(&r, UID_MAX_LEN).len;
	}
	return size;
}

/* They are bounded by what a page may hold raw. */
static enum rc read_keys(struct page *p, struct rd *r, struct err *err)
{
	struct arena arena = { .cap = keys_size(*r, p->count) };
	struct page_child last = { 0 };

	if (arena.cap > PAGE_RAW_MAX)
		return err_set(err, RC_CORRUPT,
			       "index page: keys of %zu bytes", arena.cap);
	p->keys = mem_array(arena.cap, 1);
	arena.p = p->keys;
	if (!p->keys)
		return err_set(err, RC_NOMEM, "no memory for an index page");
	for (uint32_t i = 0; i < p->count; i++) {
		struct page_child *c = &p->children[i];

		if (!front_decode(r, last.parent, &arena, &c->parent))
			break;
		if (!span_equal(c->parent, last.parent))
			last.name = span_of(NULL, 0);
		if (!front_decode(r, last.name, &arena, &c->name))
			break;
		if (!entry_key_is_sound(c->parent, c->name))
			rd_fail(r);
		if (i && entry_key_compare(last.parent, last.name, c->parent,
					   c->name) > 0)
			rd_fail(r);
		if (i && c->first_ordinal <= last.first_ordinal)
			rd_fail(r);
		last = *c;
	}
	if (!rd_ok(r) || r->left)
		return err_set(err, RC_CORRUPT, "index page: ill-formed keys");
	p->memory += arena.cap;
	return RC_OK;
}

static enum rc decode_node(struct page *p, const struct page_head *head,
			   struct rd *r, struct err *err)
{
	CLEANUP_FREE struct page_ref *refs = NULL;
	uint64_t ordinal = 0;

	refs = mem_array(p->count, sizeof(*refs));
	p->children = mem_array(p->count, sizeof(*p->children));
	if (!refs || !p->children)
		return err_set(err, RC_NOMEM, "no memory for an index page");
	if (head->level < 2)
		return err_set(err, RC_CORRUPT, "index page: node at level %u",
			       head->level);
	memset(p->children, 0, p->count * sizeof(*p->children));
	memset(refs, 0, p->count * sizeof(*refs));
	for (uint32_t i = 0; i < p->count; i++) {
		ordinal += rd_varint_max(r, UINT32_MAX);
		p->children[i].first_ordinal = ordinal;
	}
	page_refs_decode(r, refs, p->count);
	for (uint32_t i = 0; i < p->count; i++) {
		p->children[i].ref = refs[i];
		p->children[i].level = (uint8_t)(head->level - 1);
	}
	p->memory += p->count * sizeof(*p->children);
	return read_keys(p, r, err);
}

static enum rc decode_extent(struct page *p, struct rd *r, struct err *err)
{
	p->blocks = mem_array(p->count, sizeof(*p->blocks));
	if (!p->blocks)
		return err_set(err, RC_NOMEM, "no memory for an index page");
	block_table_decode(r, p->blocks, p->count);
	if (!rd_ok(r) || r->left)
		return err_set(err, RC_CORRUPT, "block list page: ill-formed");
	p->memory += p->count * sizeof(*p->blocks);
	return RC_OK;
}

static enum rc decode_payload(struct page *p, const struct page_head *head,
			      const uint8_t *raw, struct err *err)
{
	struct rd r = { .p = raw, .left = head->raw_len };
	enum rc rc;

	switch (head->kind) {
	case PAGE_LEAF:
		if (head->level != 1)
			break;
		rc = leaf_decode(raw, head->raw_len, head->count, &p->leaf,
				 err);
		if (!rc)
			p->memory += leaf_memory(p->leaf);
		return rc;
	case PAGE_NODE:
		return decode_node(p, head, &r, err);
	case PAGE_EXTENT:
		if (head->level)
			break;
		return decode_extent(p, &r, err);
	}
	return err_set(err, RC_CORRUPT, "index page of kind %u at level %u",
		       head->kind, head->level);
}

static void free_page(struct page **p)
{
	page_free(*p);
}

enum rc page_decode(const uint8_t *stored, size_t len,
		    const struct page_ref *ref, struct page **ret,
		    struct err *err)
{
	CLEANUP(free_page) struct page *p = NULL;
	CLEANUP_FREE uint8_t *raw = NULL;
	uint8_t hash[ENTRY_HASH_LEN];
	struct page_head head;
	enum rc rc;

	if (len != ref->stored_len || len < PAGE_HEADER_SIZE)
		return err_set(err, RC_CORRUPT, "index page of %zu bytes, not %u",
			       len, ref->stored_len);
	sha256_of(stored, len, hash);
	if (memcmp(hash, ref->hash, BLOCK_HASH_LEN))
		return err_set(err, RC_CORRUPT, "index page hash mismatch");
	rc = read_head(stored, len, &head, err);
	if (rc)
		return rc;
	raw = mem_array(head.raw_len, 1);
	if (!raw)
		return err_set(err, RC_NOMEM, "no memory for an index page");
	rc = codec_by_id(head.codec)->decode(stored + PAGE_HEADER_SIZE,
					     len - PAGE_HEADER_SIZE, raw,
					     head.raw_len, err);
	if (rc)
		return err_prefix(err, "index page");
	p = xcalloc(1, sizeof(*p));
	p->kind = (enum page_kind)head.kind;
	p->count = head.count;
	p->memory = sizeof(*p);
	rc = decode_payload(p, &head, raw, err);
	if (rc)
		return rc;
	*ret = STEAL_PTR(p);
	return RC_OK;
}

void page_free(struct page *p)
{
	if (!p)
		return;
	leaf_free(p->leaf);
	free(p->children);
	free(p->keys);
	free(p->blocks);
	free(p);
}

enum page_kind page_kind(const struct page *p)
{
	return p->kind;
}

size_t page_memory(const struct page *p)
{
	return p->memory;
}

uint32_t page_count(const struct page *p)
{
	return p->count;
}

void page_entry(const struct page *p, uint32_t i, struct entry *ret)
{
	leaf_entry(p->leaf, i, ret);
}

uint32_t page_lower_bound(const struct page *p, struct span parent,
			  struct span name)
{
	return leaf_lower_bound(p->leaf, parent, name);
}

void page_child(const struct page *p, uint32_t i, struct page_child *ret)
{
	*ret = p->children[i];
}

uint32_t page_child_for_key(const struct page *p, struct span parent,
			    struct span name)
{
	uint32_t low = 0, high = p->count;

	/* The last child whose first key is below the key: versions of one key
	 * may begin on the page before the one that begins with it.
	 */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct page_child *c = &p->children[mid];

		if (entry_key_compare(c->parent, c->name, parent, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : 0;
}

uint32_t page_child_for_ordinal(const struct page *p, uint64_t ordinal)
{
	uint32_t low = 0, high = p->count;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (p->children[mid].first_ordinal <= ordinal)
			low = mid;
		else
			high = mid;
	}
	return low;
}

const struct block_ref *page_blocks(const struct page *p)
{
	return p->blocks;
}
