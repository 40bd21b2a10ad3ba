/* SPDX-License-Identifier: Apache-2.0 */
/* purge-out.h - what became of one old shard, as people and programs read it.
 */
#ifndef DESFS_CMD_PURGE_OUT_H
#define DESFS_CMD_PURGE_OUT_H

#include <stdbool.h>

struct purge_event;

/* A line or a JSON row on stdout; what failed also on stderr.  In a dry run
 * nothing was removed yet.
 */
void purge_out(const struct purge_event *e, bool json, bool dry_run);

#endif
