/* SPDX-License-Identifier: Apache-2.0 */
/* fs-notice.h - telling the kernel which names and inodes are not as it knows
 * them; for fs-refresh.c.
 *
 * There is no table of what it knows; but node numbers are arithmetic, so the
 * nodes of a changed name's directory can be computed: those of all its
 * versions, in the tree view and, once days were looked at, in that of the
 * change's day.
 *
 * From one thread that holds no lock and answers no requests, while others do:
 * a notice for an entry waits for the lookups in its directory, one for an
 * inode for the READs of its pages.
 */
#ifndef DESFS_FS_FS_NOTICE_H
#define DESFS_FS_FS_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "volume/volume.h"

struct fs;

/* One directory of changed names, and the nodes it is or was known by. */
struct notice_dir {
	struct buf uid;
	uint32_t day; /* of its nodes in the date view; 0: in none */
	bool is_set;
	uint64_t *nodes;
	size_t n, cap;
};

struct notices {
	struct fs *fs;
	struct notice_dir dir;
	struct buf above; /* uid of the directory all above which were told */
	uint64_t n;       /* sent */
	struct err err;   /* what went wrong first; RC_OK: nothing */
};

void notices_begin(struct notices *ns, struct fs *fs);
/* Tells the rest; returns err's rc. */
enum rc notices_end(struct notices *ns);

/* All days. */
void notices_days(struct notices *ns);
/* The name of an entry that came, and that alone; false: no use to go on. */
bool notices_entry(struct notices *ns, const struct volume_entry *ve);
/* Of a uid all versions have another state: names, inodes and contents; and the
 * directories above may have come or gone.  False: no use to go on.
 */
bool notices_uid(struct notices *ns, struct span uid);

/* n nodes from one on stand for nothing any more. */
void notices_lost(struct notices *ns, struct volume_node node, uint64_t n);

#endif
