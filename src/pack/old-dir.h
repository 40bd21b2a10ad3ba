/* SPDX-License-Identifier: Apache-2.0 */
/* old-dir.h - the directory that keys are compared in, as the archive shows it
 * before the run.
 *
 * Keys come in order, so the next directory is often near the last one; then
 * the way to it is short.  An old_dir is one thread's; what it finds is shared,
 * within bounds, since a directory's names may lie in all slots.
 *
 * The floor of a directory is the time from which on what is in it counts, in
 * the archive as it is, or as soon as the directory is there again: the
 * opaque_since that it has, or that it will have to get.  A run that makes the
 * directory changes nothing of that, so it does not matter to those who pack
 * what is in it whether another one has done so already.
 */
#ifndef DESFS_PACK_OLD_DIR_H
#define DESFS_PACK_OLD_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-entry.h"

struct volume;

struct old_dirs;

/* Directories of a volume, as long as it is not refreshed; NULL: the archive
 * has nothing.  From any thread.
 */
struct old_dirs *old_dirs_new(struct volume *v) MUST_CHECK;
void old_dirs_free(struct old_dirs *all);

/* A directory on the way. */
struct old_level {
	size_t len; /* of its path */
	bool is_visible;
	int64_t floor; /* INT64_MIN: all counts; when visible, opaque_since */
};

struct old_dir {
	struct old_dirs *all;
	struct buf path;
	struct old_level *levels; /* the root first */
	size_t n, cap;
	int64_t floor; /* of the directory */
};

void old_dir_init(struct old_dir *d, struct old_dirs *all);
void old_dir_release(struct old_dir *d);

/* Make path the directory. */
enum rc old_dir_enter(struct old_dir *d, struct span path,
		      struct err *err) MUST_CHECK;

#endif
