/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-page.c - leaves and block lists of the index: what is accepted is sound.
 *
 * Input: mode, a stored page.
 */
#include "config.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "fuzz.h"
#include "same.h"
#include "seal.h"
#include "shard/shard-columns.h"
#include "shard/shard-filter.h"
#include "shard/shard-page-build.h"
#include "shard/shard-page.h"
#include "shard/shard-record.h"

/* What a page may grow to in memory. */
#define MEMORY_MAX (64u << 20)

static void free_page(struct page **p)
{
	page_free(*p);
}

static void walk_xattrs(const struct entry *e)
{
	struct span name, value, last = { 0 };
	size_t pos = 0, n = 0;

	while (xattr_next(e->xattrs, &pos, &name, &value)) {
		SEAL_CHECK(name.len && pos <= e->xattrs.len);
		SEAL_CHECK(!n++ || span_compare(last, name) < 0);
		last = name;
	}
	SEAL_CHECK(pos == e->xattrs.len);
}

/* Its uid splits again at the same place, and is found in a filter. */
static void check_uid(const struct entry *e)
{
	size_t len = entry_uid_len(e->parent, e->name);
	CLEANUP_FREE char *uid = mem_array(len, 1);
	uint8_t bits[16] = { 0 };
	uint64_t hash = filter_hash(e->parent, e->name);
	struct span parent, name;

	SEAL_CHECK(len <= UID_MAX_LEN && uid &&
		   entry_uid(e->parent, e->name, uid) == len);
	entry_split_uid(span_of(uid, len), &parent, &name);
	SEAL_CHECK(span_equal(parent, e->parent) && span_equal(name, e->name));
	SEAL_CHECK(filter_hash(span_of(NULL, 0), span_of(uid, len)) == hash);
	filter_add(bits, sizeof(bits), hash);
	SEAL_CHECK(filter_may_contain(bits, sizeof(bits), hash));
}

static void check_logical(const struct entry *e)
{
	CLEANUP_BUF struct buf row = { .max = 4u << 20 };

	record_encode_logical(e, &row);
	SEAL_CHECK(buf_ok(&row));
}

static void check_found(const struct page *p, uint32_t i, const struct entry *e)
{
	uint32_t at = page_lower_bound(p, e->parent, e->name);
	struct entry found;

	SEAL_CHECK(at <= i);
	page_entry(p, at, &found);
	SEAL_CHECK(!entry_key_compare(found.parent, found.name, e->parent,
				      e->name));
}

static void check_leaf(const struct page *p)
{
	struct entry last, e;

	for (uint32_t i = 0; i < page_count(p); i++) {
		page_entry(p, i, &e);
		SEAL_CHECK(entry_is_sound(&e));
		SEAL_CHECK(!i || entry_compare(&last, &e) < 0);
		check_found(p, i, &e);
		check_uid(&e);
		check_logical(&e);
		walk_xattrs(&e);
		last = e;
	}
}

static struct page *load(const struct buf *stored, const struct page_ref *ref)
{
	struct page *p = NULL;
	struct err err = { 0 };

	SEAL_CHECK(!page_decode(stored->p, stored->len, ref, &p, &err));
	return p;
}

/* The entries written again are the same entries. */
static void leaf_again(const struct page *p)
{
	const struct page_build pb = { .codec = CODEC_NONE };
	CLEANUP_BUF struct buf out = { .max = 2 * PAGE_RAW_MAX };
	CLEANUP(free_page) struct page *again = NULL;
	CLEANUP_FREE struct entry *es = NULL;
	struct page_ref ref;
	struct entry e;
	struct err err = { 0 };

	es = xcalloc(page_count(p), sizeof(*es));
	for (uint32_t i = 0; i < page_count(p); i++)
		page_entry(p, i, &es[i]);
	if (page_build_leaf(&pb, es, page_count(p), &out, &ref, &err)) {
		SEAL_CHECK(err.rc == RC_LIMIT);
		return;
	}
	again = load(&out, &ref);
	SEAL_CHECK(page_count(again) == page_count(p));
	for (uint32_t i = 0; i < page_count(p); i++) {
		page_entry(again, i, &e);
		SEAL_CHECK(same_entry(&es[i], &e));
	}
}

static void extent_again(const struct page *p)
{
	const struct page_build pb = { .codec = CODEC_LZ4 };
	CLEANUP_BUF struct buf out = { .max = 2 * PAGE_RAW_MAX };
	CLEANUP(free_page) struct page *again = NULL;
	struct page_ref ref;
	struct err err = { 0 };

	SEAL_CHECK(!page_build_extent(&pb, page_blocks(p), page_count(p), &out,
				      &ref, &err));
	again = load(&out, &ref);
	SEAL_CHECK(page_count(again) == page_count(p));
	for (uint32_t i = 0; i < page_count(p); i++)
		SEAL_CHECK(same_block_ref(&page_blocks(p)[i],
					  &page_blocks(again)[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_page) struct page *p = NULL;
	CLEANUP_FREE uint8_t *stored = NULL;
	struct page_ref ref;
	struct err err = { 0 };

	if (!size)
		return 0;
	stored = seal_copy(data + 1, size - 1);
	seal_page(stored, size - 1, data[0] & 1, 0, 0, &ref);
	if (page_decode(stored, size - 1, &ref, &p, &err))
		return 0;
	SEAL_CHECK(page_count(p) && page_memory(p) < MEMORY_MAX);
	switch (page_kind(p)) {
	case PAGE_LEAF:
		check_leaf(p);
		leaf_again(p);
		break;
	case PAGE_EXTENT: extent_again(p); break;
	case PAGE_NODE: break;
	}
	return 0;
}
