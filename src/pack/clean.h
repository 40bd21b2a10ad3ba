/* SPDX-License-Identifier: Apache-2.0 */
/* clean.h - what runs that died have left in an archive.
 *
 * Leftovers are unfinished uploads, marks of dead runs, and the shards that
 * such a run published and no log record names.  They harm nobody but take
 * room.  A shard that no record and no dead run names is no leftover: its
 * record may be what was lost.
 */
#ifndef DESFS_PACK_CLEAN_H
#define DESFS_PACK_CLEAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct oplog;
struct store;

/* what: a key, or words that name the thing.  is_kept: a shard that nothing
 * names, which is never removed.
 */
typedef void clean_fn(void *arg, const char *what, uint64_t size, bool is_kept);

/* Tell each leftover and, when asked, remove it; tell what is kept.  Nothing a
 * run that is alive may still commit is told or removed: *ret_alive is the
 * number of such runs, and while it is not 0 shards are left alone.  The store
 * was opened for writing (store_create).  When it was asked to remove, returns
 * RC_OK with 0 runs and told of nothing that is kept, each shard there was is
 * named.  log is read; NULL: it is needed here only.
 */
enum rc clean_archive(struct store *st, struct oplog *log, bool remove,
		      clean_fn *fn, void *arg, unsigned int *ret_alive,
		      struct err *err) MUST_CHECK;

#endif
