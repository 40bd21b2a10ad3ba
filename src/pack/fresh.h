/* SPDX-License-Identifier: Apache-2.0 */
/* fresh.h - files that changed so lately that they could change again unseen.
 *
 * Kernels stamp a change with the time of their last tick, so two changes
 * within one tick may leave the same size and times; what was read between
 * them would pass for the file.  Read later than the tick of its change time,
 * a file that changes after that gets another one.
 *
 * That is sound while the clock of the file system is ours and does not go
 * back.  A file from further in the future than we would wait is read at once:
 * a change would give it a time before the one it has.
 */
#ifndef DESFS_PACK_FRESH_H
#define DESFS_PACK_FRESH_H

#include <stdint.h>

#include "pack/item.h"

/* How long to wait at now (wall clock of the last tick) until the bytes of it
 * may be read; at most FRESH_MAX_NS.
 */
#define FRESH_MAX_NS INT64_C(4000000001)
uint64_t fresh_wait_ns(const struct item *it, int64_t now);

/* Wait, be a stop requested or not; nearly always there is nothing to. */
void fresh_settle(const struct item *it);

#endif
