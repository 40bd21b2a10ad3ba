/* SPDX-License-Identifier: Apache-2.0 */
/* restore-backend.h - what the files of restore share; for restore*.c only. */
#ifndef DESFS_RESTORE_RESTORE_BACKEND_H
#define DESFS_RESTORE_RESTORE_BACKEND_H

#include <limits.h>

#include "base/buf.h"
#include "restore/restore.h"

#define RESTORE_PIECE (1u << 20)

/* A directory whose attributes are still to be set; spans are owned. */
struct restore_dir {
	struct entry e;
	struct span path;
};

struct restore_link;

struct restore {
	struct restore_options opts;
	int top;
	int dir; /* where the last entry went */
	char *dir_path;
	size_t dir_len;
	uint64_t n_temporary;
	uint8_t *piece; /* RESTORE_PIECE bytes */
	struct restore_dir *dirs;
	size_t n_dirs, cap_dirs;
	struct restore_link *links;
	struct restore_totals totals;
};

/* Owner, extended attributes, mode and time of what fd is open on, or with
 * fd -1 of name in dir, which is not followed.
 */
enum rc restore_attributes(struct restore *r, const struct entry *e, int dir,
			   const char *name, int fd, struct err *err);

/* The content of a regular file into fd, checked. */
enum rc restore_content(struct restore *r, const struct entry *e,
			const struct restore_source *src, int fd,
			struct err *err);

/* True when e was made as another name of a file written before. */
bool restore_as_link(struct restore *r, const struct entry *e, int dir,
		     const char *name);
/* Remember that e was written. */
void restore_note_link(struct restore *r, const struct entry *e);
void restore_free_links(struct restore *r);

#endif
