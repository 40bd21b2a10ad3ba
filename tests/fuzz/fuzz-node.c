/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-node.c - the directory of pages: what is accepted is in order.
 *
 * Input: mode, a stored page, which is made a node when it is sealed.
 */
#include "config.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "fuzz.h"
#include "same.h"
#include "seal.h"
#include "shard/shard-page-build.h"
#include "shard/shard-page.h"

static void free_page(struct page **p)
{
	page_free(*p);
}

static bool same_child(const struct page_child *a, const struct page_child *b)
{
	return same_page_ref(&a->ref, &b->ref) && a->level == b->level &&
	       a->first_ordinal == b->first_ordinal &&
	       span_equal(a->parent, b->parent) && span_equal(a->name, b->name);
}

static void check_order(const struct page *p, uint32_t i,
			const struct page_child *c)
{
	struct page_child other;

	if (i) {
		page_child(p, i - 1, &other);
		SEAL_CHECK(other.first_ordinal < c->first_ordinal);
		SEAL_CHECK(entry_key_compare(other.parent, other.name,
					     c->parent, c->name) <= 0);
		/* Two children are never the same bytes. */
		SEAL_CHECK(other.ref.off + other.ref.stored_len <= c->ref.off);
	}
	SEAL_CHECK(page_child_for_ordinal(p, c->first_ordinal) == i);
	SEAL_CHECK(entry_uid_len(c->parent, c->name) <= UID_MAX_LEN);
}

static void check_found(const struct page *p, const struct page_child *c)
{
	uint32_t at = page_child_for_key(p, c->parent, c->name);
	struct page_child found;

	SEAL_CHECK(at < page_count(p));
	page_child(p, at, &found);
	SEAL_CHECK(!at || entry_key_compare(found.parent, found.name, c->parent,
					    c->name) < 0);
}

static void again(const struct page *p, const struct page_child *cs)
{
	const struct page_build pb = { .codec = CODEC_ZSTD, .level = 1 };
	CLEANUP_BUF struct buf out = { .max = 2 * PAGE_RAW_MAX };
	CLEANUP(free_page) struct page *copy = NULL;
	struct page_ref ref;
	struct page_child c;
	struct err err = { 0 };

	SEAL_CHECK(!page_build_node(&pb, cs, page_count(p), cs->level + 1u,
				    &out, &ref, &err));
	SEAL_CHECK(!page_decode(out.p, out.len, &ref, &copy, &err));
	SEAL_CHECK(page_count(copy) == page_count(p));
	for (uint32_t i = 0; i < page_count(p); i++) {
		page_child(copy, i, &c);
		SEAL_CHECK(same_child(&cs[i], &c));
	}
}

static void check_node(const struct page *p)
{
	CLEANUP_FREE struct page_child *cs = NULL;

	cs = xcalloc(page_count(p), sizeof(*cs));
	for (uint32_t i = 0; i < page_count(p); i++) {
		page_child(p, i, &cs[i]);
		SEAL_CHECK(cs[i].level && cs[i].level < PAGE_LEVELS_MAX);
		check_order(p, i, &cs[i]);
		check_found(p, &cs[i]);
	}
	again(p, cs);
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
	seal_page(stored, size - 1, data[0] & 1, PAGE_NODE, 2 + data[0] % 7,
		  &ref);
	if (page_decode(stored, size - 1, &ref, &p, &err))
		return 0;
	if (page_kind(p) == PAGE_NODE)
		check_node(p);
	return 0;
}
