/* SPDX-License-Identifier: Apache-2.0 */
/* volume-memory.c - what a volume can give without asking its store. */
#include "config.h"

#include "volume/volume-memory.h"

#include "cache/block-cache.h"
#include "shard/shard-block.h"
#include "store/store.h"
#include "volume/volume-state.h"

/* As in shard-file.c and shard-load.c. */
static struct block_cache_item *peek(struct block_cache *cache,
				     enum shard_object kind,
				     const struct shard_file *sf, uint64_t b)
{
	const struct block_cache_key key = { (uint64_t)kind << 32 | sf->ordinal,
					     b };

	return block_cache_peek(cache, key);
}

bool volume_is_remote(const struct volume *v)
{
	return store_is_remote(v->st);
}

static bool open_in_memory(struct volume *v, const struct shard_file *sf,
			   struct shard_handle *ret)
{
	struct block_cache_item *item =
		peek(v->env.pages, SHARD_TAIL, sf, atomic_load(sf->epoch));

	if (!item)
		return false;
	*ret = (struct shard_handle){ .env = &v->env,
				      .sf = sf,
				      .tail = block_cache_object(item),
				      .hold = item };
	return true;
}

/* The leaf with an ordinal, and that of its first entry; NULL: not there. */
static struct block_cache_item *find_leaf(const struct shard_handle *h,
					  uint64_t ordinal, uint64_t *ret_first)
{
	const struct shard_footer *f = &h->tail->footer;
	uint64_t off = f->root_page.off;
	unsigned int level = f->levels;

	*ret_first = 0;
	while (level) {
		struct block_cache_item *item =
			peek(h->env->pages, SHARD_PAGE, h->sf, off);
		const struct page *page =
			item ? block_cache_object(item) : NULL;
		struct page_child child;

		if (!item)
			return NULL;
		if (level == 1 && page_kind(page) == PAGE_LEAF)
			return item;
		if (level == 1 || page_kind(page) != PAGE_NODE) {
			block_cache_unref(item);
			return NULL;
		}
		page_child(page, page_child_for_ordinal(page, ordinal), &child);
		off = child.ref.off;
		*ret_first = child.first_ordinal;
		level--;
		block_cache_unref(item);
	}
	return NULL;
}

bool volume_get_in_memory(struct volume *v, struct volume_node node,
			  struct volume_entry *ret)
{
	const struct shard_file *sf = shard_set_get(v->set, node.shard);
	struct block_cache_item *leaf;
	struct shard_handle h;
	uint64_t first;

	if (!sf || !open_in_memory(v, sf, &h))
		return false;
	leaf = find_leaf(&h, node.ordinal, &first);
	shard_handle_release(&h);
	if (!leaf)
		return false;
	if (node.ordinal < first ||
	    node.ordinal - first >= page_count(block_cache_object(leaf))) {
		block_cache_unref(leaf);
		return false;
	}
	*ret = (struct volume_entry){ .node = node, .hold = leaf };
	page_entry(block_cache_object(leaf), (uint32_t)(node.ordinal - first),
		   &ret->e);
	return true;
}

bool volume_is_in_memory(struct volume *v, const struct volume_entry *ve)
{
	const struct shard_file *sf = shard_set_get(v->set, ve->node.shard);
	const struct content *c = &ve->e.content;
	struct block_cache_item *item;

	if (!sf || !c->blocks || c->n_blocks != 1)
		return false;
	if (block_is_hole(&c->blocks[0]))
		return true;
	item = peek(v->env.blocks, SHARD_WINDOW, sf, c->blocks[0].off);
	block_cache_unref(item);
	return item;
}
