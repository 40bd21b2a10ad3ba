/* SPDX-License-Identifier: Apache-2.0 */
/* old-dir.h - the directory that keys are compared in, as the archive shows it
 * before the run.
 *
 * Keys come in order, so the next directory is often the same or below the last
 * one; then the way to it is short.  For one thread.
 */
#ifndef DESFS_PACK_OLD_DIR_H
#define DESFS_PACK_OLD_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "volume/volume.h"

struct old_dir {
	struct volume *volume; /* NULL: the archive has nothing */
	struct buf path;
	bool is_known;          /* the rest is that of path */
	bool is_visible;        /* it is there, and a directory */
	int64_t opaque;         /* children are hidden below this time */
	struct volume_entry ve; /* when it is visible */
};

void old_dir_init(struct old_dir *d, struct volume *v);
void old_dir_release(struct old_dir *d);

/* Make path the directory. */
enum rc old_dir_enter(struct old_dir *d, struct span path,
		      struct err *err) MUST_CHECK;

#endif
