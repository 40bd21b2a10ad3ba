/* SPDX-License-Identifier: Apache-2.0 */
/* keep.h - names below which nothing was looked at, so that a mirroring run
 * must not take what it did not see for deleted.
 *
 * Any thread may add; when that is done, any thread may ask.  Memory is
 * bounded: when many were added, the directories of further ones are kept in
 * their place, and in the end all is, so that a run may only take less for
 * deleted.
 */
#ifndef DESFS_PACK_KEEP_H
#define DESFS_PACK_KEEP_H

#include <stdbool.h>

#include "base/compiler.h"
#include "shard/shard-entry.h"

struct keep;

struct keep *keep_new(void) MUST_CHECK;
void keep_free(struct keep *k);

#define KEEP_MEMORY (8u << 20) /* bytes, about */

void keep_add(struct keep *k, struct span uid);

/* Is uid, or a directory it is in, among those added? */
bool keep_covers(const struct keep *k, struct span uid);

#endif
