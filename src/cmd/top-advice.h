/* SPDX-License-Identifier: Apache-2.0 */
/* top-advice.h - what sticks out in the counters of a mount, in words. */
#ifndef DESFS_CMD_TOP_ADVICE_H
#define DESFS_CMD_TOP_ADVICE_H

#include "base/buf.h"
#include "cmd/top-look.h"

/* Append a line for each thing that makes the mount slow or wrong, the most
 * serious first; nothing when all is well.  before NULL: since the start.
 */
void top_advice(const struct look *now, const struct look *before,
		struct buf *ret);

#endif
