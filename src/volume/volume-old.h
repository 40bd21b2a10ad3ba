/* SPDX-License-Identifier: Apache-2.0 */
/* volume-old.h - what became of the entries of shards that were replaced.
 *
 * For volume*.c only.  Nodes are given out for as long as a volume is open, the
 * shards they are in are not there for as long.  So while a shard that was
 * replaced can still be read, its entries are looked for in what took its
 * place.  A repack keeps their order, so runs of ordinals tell it, few unless
 * many small shards become one.
 */
#ifndef DESFS_VOLUME_VOLUME_OLD_H
#define DESFS_VOLUME_VOLUME_OLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "volume/volume-state.h"

struct volume_old;

struct volume_old *volume_old_new(void);
void volume_old_free(struct volume_old *old); /* takes NULL */

/* A shard was replaced.  By the refresher alone. */
void volume_old_add(struct volume_old *old, uint32_t shard);

/* The node that the entry of a node of a replaced shard has now, as far as was
 * learnt; false: nothing is known.  is_place: of an entry that is no more, that
 * of the one before.
 */
bool volume_old_find(struct volume_old *old, struct volume_node node,
		     bool is_place, struct volume_node *ret);

/* The entry of (uid, created_at) in the shards that count, for one got from a
 * shard that was replaced.  RC_DELETED: there is none any more.
 */
enum rc volume_current(struct volume *v, const struct view *view,
		       const struct volume_entry *ve, struct volume_entry *ret,
		       struct err *err) MUST_CHECK;

static inline bool volume_is_replaced(const struct volume *v, uint32_t shard)
{
	const struct shard_file *sf = shard_set_get(v->set, shard);

	return sf && atomic_load_explicit(&sf->life->is_replaced,
					  memory_order_acquire);
}

#endif
