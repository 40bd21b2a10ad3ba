/* SPDX-License-Identifier: Apache-2.0 */
/* dirs.h - the attributes of all directories met, to be had by number.
 *
 * A shard needs an entry of each ancestor of what is in it; an item carries the
 * number of its directory, and from there the way leads up to the root.
 * Any thread may add; when that is done, any thread may read.
 */
#ifndef DESFS_PACK_DIRS_H
#define DESFS_PACK_DIRS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/item.h"

struct dirs;

struct dirs *dirs_new(const char *spool_dir) MUST_CHECK;
void dirs_free(struct dirs *d);

/* it->dir is the directory it is in, ITEM_NO_DIR for the root.  Extended
 * attributes are left out.
 */
enum rc dirs_add(struct dirs *d, const struct item *it, uint64_t *ret,
		 struct err *err) MUST_CHECK;

enum rc dirs_get(const struct dirs *d, uint64_t number, struct item *ret,
		 struct err *err) MUST_CHECK;

#endif
