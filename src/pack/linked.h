/* SPDX-License-Identifier: Apache-2.0 */
/* linked.h - files of several names whose bytes are in the part in the making.
 *
 * A file is in memory while its blocks are on their way into the shard, so as
 * many are as have room in a few blocks; then it is in a temporary file, at a
 * place that its number gives.  For one thread.
 */
#ifndef DESFS_PACK_LINKED_H
#define DESFS_PACK_LINKED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct content_parts;
struct item;
struct linked;

/* spool_dir: for temporary files; borrowed. */
struct linked *linked_new(const char *spool_dir) MUST_CHECK;
void linked_free(struct linked *l);

/* it->link, as it was read, has its bytes in c. */
enum rc linked_add(struct linked *l, const struct item *it,
		   struct content_parts *c, struct err *err) MUST_CHECK;

/* Where the bytes of it->link are, the caller's to unref.  NULL: it was not
 * added.  *ret_is_same: it is in the state in which it was read.
 */
enum rc linked_find(struct linked *l, const struct item *it,
		    struct content_parts **ret, bool *ret_is_same,
		    struct err *err) MUST_CHECK;

/* Forget all: another part begins. */
enum rc linked_clear(struct linked *l, struct err *err) MUST_CHECK;

/* Files in memory. */
size_t linked_n_kept(const struct linked *l);

#endif
