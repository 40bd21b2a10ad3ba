/* SPDX-License-Identifier: Apache-2.0 */
/* volume-memory.c - what a volume can give without asking its store. */
#include "config.h"

#include "volume/volume-memory.h"

#include "cache/block-cache.h"
#include "shard/shard-block.h"
#include "volume/volume-hide.h"
#include "volume/volume-old.h"
#include "volume/volume-state.h"

bool volume_get_in_memory(struct volume *v, struct volume_node node,
			  struct volume_entry *ret)
{
	const struct shard_file *sf = shard_set_get(v->set, node.shard);
	CLEANUP_CURSOR struct shard_cursor c = { .at_end = true };
	struct err err;

	if (!sf || volume_is_replaced(v, node.shard) ||
	    !shard_handle_peek(&c.h, &v->env, sf) ||
	    shard_cursor_goto(&c, node.ordinal, &err) || c.at_end)
		return false;
	if (volume_check_live(v, &c.e, &err))
		return false;
	volume_entry_init(ret, &c, node.date);
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
