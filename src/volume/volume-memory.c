/* SPDX-License-Identifier: Apache-2.0 */
/* volume-memory.c - what a volume can give without asking its store. */
#include "config.h"

#include "volume/volume-memory.h"

#include "cache/block-cache.h"
#include "shard/shard-block.h"
#include "store/store.h"
#include "volume/volume-state.h"

bool volume_is_remote(const struct volume *v)
{
	return store_is_remote(v->st);
}

static bool open_in_memory(struct volume *v, const struct shard_file *sf,
			   struct shard_handle *ret)
{
	struct block_cache_item *item = block_cache_peek(
		v->env.pages, shard_cache_key(SHARD_TAIL, sf->ordinal,
					      atomic_load(sf->epoch)));

	if (!item)
		return false;
	*ret = (struct shard_handle){ .env = &v->env,
				      .sf = sf,
				      .tail = block_cache_object(item),
				      .hold = item };
	return true;
}

static struct block_cache_item *peek_page(const struct shard_handle *h,
					  uint64_t off, enum page_kind kind)
{
	struct block_cache_item *item = block_cache_peek(
		h->env->pages,
		shard_cache_key(SHARD_PAGE, h->sf->ordinal, off));

	if (item && page_kind(block_cache_object(item)) == kind)
		return item;
	block_cache_unref(item);
	return NULL;
}

/* Where the child is that holds an ordinal, and that of its first entry. */
static void follow(const struct page *node, uint64_t ordinal, uint64_t *off,
		   uint64_t *first)
{
	struct page_child child;

	page_child(node, page_child_for_ordinal(node, ordinal), &child);
	*off = child.ref.off;
	*first = child.first_ordinal;
}

/* The leaf with an ordinal, and that of its first entry; NULL: not there. */
static struct block_cache_item *find_leaf(const struct shard_handle *h,
					  uint64_t ordinal, uint64_t *ret_first)
{
	const struct shard_tail *t = h->tail;
	uint64_t off = t->footer.root_page.off;
	unsigned int level = t->footer.levels;

	*ret_first = 0;
	if (!level)
		return NULL;
	if (t->root) {
		follow(t->root, ordinal, &off, ret_first);
		level--;
	}
	for (; level > 1; level--) {
		struct block_cache_item *item = peek_page(h, off, PAGE_NODE);

		if (!item)
			return NULL;
		follow(block_cache_object(item), ordinal, &off, ret_first);
		block_cache_unref(item);
	}
	return peek_page(h, off, PAGE_LEAF);
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
	/* One that is being loaded would be waited for. */
	item = block_cache_peek(
		v->env.blocks,
		shard_cache_key(SHARD_BLOCK, sf->ordinal, c->blocks[0].off));
	block_cache_unref(item);
	return item;
}
