/* SPDX-License-Identifier: Apache-2.0 */
/* own.h - what in the sources is the archive's own, by whatever path it is met.
 *
 * Directories of an archive on a local disk are known by device and inode, as
 * they were at own_new.  Where a file system shows them under other numbers
 * (overlays, a second mount), or there is a copy, the archive's id tells: in
 * the descriptor, in shards and in log records.  Immutable, for any thread.
 */
#ifndef DESFS_PACK_OWN_H
#define DESFS_PACK_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct own;
struct pack;

/* Without p->has_descriptor there is no id to go by.  Takes NULL everywhere
 * below: then nothing is.
 */
struct own *own_new(const struct pack *p);
void own_free(struct own *o);

/* Is the directory the archive, or one of its own? */
bool own_is_dir(const struct own *o, const struct stat *st);

/* Would own_holds look for a descriptor? */
bool own_has_id(const struct own *o);
/* Has the directory, open as dir (O_PATH will do), the archive's descriptor?
 * What else has its name is bounded, and no reason to fail.
 */
bool own_holds(const struct own *o, int dir);
/* The same of the directory name in dir; false for what is none. */
bool own_holds_below(const struct own *o, int dir, const char *name);

/* Do the first bytes of a file look like a shard, a log record or the
 * descriptor of the archive?
 */
bool own_has_bytes(const struct own *o, const void *p, size_t len);

#endif
