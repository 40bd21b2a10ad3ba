/* SPDX-License-Identifier: Apache-2.0 */
/* build-file.h - a file's bytes into the blocks of a lane. */
#ifndef DESFS_PACK_BUILD_FILE_H
#define DESFS_PACK_BUILD_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/content.h"
#include "pack/item.h"

struct ahead;
struct file_reader;
struct lane;
struct pack;
struct stage;
struct tree;

/* ahead is told how long reads take; NULL with a feed, whose files are opened
 * by it and not by tree, or are in the stage, which may be NULL.
 */
struct file_reader *file_reader_new(struct pack *p, struct tree *tree,
				    struct ahead *ahead,
				    struct stage *stage) MUST_CHECK;
void file_reader_free(struct file_reader *f);

/* Read the regular file it, which is not empty.  Its bytes are in the open
 * block from *ret_off on, or where *ret says, which is the caller's to unref;
 * is_shared: that is wanted in any case.  Left out: the file could not be read
 * whole, which was reported, and nothing of it is left but blocks nobody refers
 * to.  Errors are those of the shard, whatever their code.
 */
enum rc file_reader_add(struct file_reader *f, struct lane *lane,
			const struct item *it, bool is_shared,
			struct content_parts **ret, uint32_t *ret_off,
			bool *ret_is_left_out, struct err *err) MUST_CHECK;

/* Report that the file changed since the walk saw it. */
void file_reader_changed(struct file_reader *f, const struct item *it);

#endif
