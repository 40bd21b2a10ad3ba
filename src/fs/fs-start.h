/* SPDX-License-Identifier: Apache-2.0 */
/* fs-start.h - an archive opened for mounting. */
#ifndef DESFS_FS_FS_START_H
#define DESFS_FS_FS_START_H

#include "fs/fs.h"

/* Open the archive and look at its root; release it in any case. */
enum rc fs_start(struct fs *fs, const struct fs_options *o,
		 struct err *err) MUST_CHECK;
void fs_release(struct fs *fs);

#endif
