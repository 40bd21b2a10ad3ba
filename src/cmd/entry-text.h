/* SPDX-License-Identifier: Apache-2.0 */
/* entry-text.h - an entry as people and programs read it. */
#ifndef DESFS_CMD_ENTRY_TEXT_H
#define DESFS_CMD_ENTRY_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "shard/shard-entry.h"

/* "-rwsr-xr-t", with NUL. */
#define ENTRY_MODE_TEXT 11

void entry_mode_text(const struct entry *e, char ret[ENTRY_MODE_TEXT]);

/* The columns of ls -l, with a blank after them. */
void entry_long_text(const struct entry *e, struct buf *out);

/* A path or link target; escaped for terminals. */
void entry_path_text(struct span path, bool escape, struct buf *out);

/* The members of a JSON row that ls and stat share. */
void entry_json(struct span path, const struct entry *e, struct buf *out);

#endif
