/* SPDX-License-Identifier: Apache-2.0 */
/* beneath.h - directories below one that was opened, whatever their names say
 * and whatever symbolic links lie about.
 *
 * Paths are the uids of entries: hostile until shown otherwise.  Each part must
 * be a name that a file can have; ".." is none.  The kernel resolves beneath
 * the top and follows no symbolic link; where it cannot, each part is opened by
 * itself.  Paths may be longer than PATH_MAX.
 */
#ifndef DESFS_RESTORE_BENEATH_H
#define DESFS_RESTORE_BENEATH_H

#include <stdbool.h>

#include "base/err.h"
#include "shard/shard-entry.h"

/* RC_ACCESS says why a path is refused.  The empty path is the top. */
enum rc beneath_check(struct span path, struct err *err) MUST_CHECK;

/* Open the directory at a checked path below top.  With create, missing ones
 * are made.  *ret is the caller's to close.
 */
enum rc beneath_open_dir(int top, struct span path, bool create, int *ret,
			 struct err *err) MUST_CHECK;

#endif
