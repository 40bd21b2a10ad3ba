/* SPDX-License-Identifier: Apache-2.0 */
/* top-view.h - counters as a table to read. */
#ifndef DESFS_CMD_TOP_VIEW_H
#define DESFS_CMD_TOP_VIEW_H

#include <stdbool.h>

#include "base/buf.h"
#include "cmd/top-look.h"

struct top_view {
	const char *mountpoint;
	const struct look *now;
	const struct look *before; /* NULL: no rates */
	uint64_t in_kernel;        /* requests without an answer */
	bool knows_kernel;
	bool is_short; /* without what is 0 */
	unsigned int columns;
};

void top_view(const struct top_view *v, struct buf *out);

/* The first seconds a daemon does not answer there is no line, then this. */
void top_view_waiting(const struct top_view *v, uint64_t ns, struct buf *out);

#endif
