/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - opens files of the sources by their paths, however long they are.
 *
 * Each name is opened below the directory it is in, without following symbolic
 * links, so that no path reaches the kernel and nothing outside a source is
 * read.  Directories stay open for the next file.  For one thread.
 */
#ifndef DESFS_PACK_TREE_H
#define DESFS_PACK_TREE_H

#include "base/err.h"
#include "pack/item.h"
#include "pack/source.h"

struct own;
struct tree;

struct tree *tree_new(const struct sources *s) MUST_CHECK;
void tree_free(struct tree *t);

/* Open the regular file it for reading, when its change time is past, see
 * fresh.h; so nothing of it may be read before.  RC_CHANGED: it is gone.  What
 * was opened may be anything that has the name now, though nothing that waits;
 * so nothing read from it counts before tree_check.
 */
enum rc tree_open(struct tree *t, const struct item *it, int *ret_fd,
		  struct err *err) MUST_CHECK;

/* The directory that it, of any type, is in, to be used as O_PATH allows until
 * the next call, and its name there.
 */
#define TREE_NAME_BYTES 256
enum rc tree_place(struct tree *t, const struct item *it, int *ret_dir,
		   char ret_name[TREE_NAME_BYTES], struct err *err) MUST_CHECK;

/* RC_CHANGED when the names no longer lead to the directory that tree_place
 * gave last, which stays open: it was moved, or another one is there.
 */
enum rc tree_check_place(struct tree *t, struct err *err) MUST_CHECK;

/* Never go into the archive: RC_USAGE.  own is borrowed. */
void tree_refuse(struct tree *t, const struct own *own);

/* The same before its change time is past: nothing may be read from it, but the
 * kernel may be told that somebody will.
 */
enum rc tree_open_early(struct tree *t, const struct item *it, int *ret_fd,
			struct err *err) MUST_CHECK;

/* RC_CHANGED when the open file is not what the walk saw. */
enum rc tree_check(int fd, const struct item *it, struct err *err) MUST_CHECK;

#endif
