/* SPDX-License-Identifier: Apache-2.0 */
/* volume-list.h - the children of a directory from several shards, for both
 * views.
 */
#ifndef DESFS_VOLUME_VOLUME_LIST_H
#define DESFS_VOLUME_VOLUME_LIST_H

#include <stdbool.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct shard_cursor;
struct shard_file;
struct volume;
struct volume_listing;
struct volume_merge;

/* Add a shard's children of the directory, names not below from on. */
enum rc volume_list_add(struct volume_merge *m, struct volume *v,
			const struct volume_listing *l,
			const struct shard_file *sf, struct span from,
			struct err *err) MUST_CHECK;

/* The next child; NULL after the last. */
const struct shard_cursor *volume_list_top(const struct volume_merge *m,
					   const struct volume_listing *l);

/* True when the entry is in the slot its uid is routed to.  Only directories
 * are anywhere else.
 */
bool volume_list_is_native(const struct shard_cursor *c);

#endif
