/* SPDX-License-Identifier: Apache-2.0 */
/* fresh.h - files that changed so lately that they could change again unseen.
 *
 * Kernels stamp a change with the time of their last tick, so two changes
 * within one tick may leave the same size and times; what was read between
 * them would pass for the file.  Read later than the tick of its change time,
 * a file that changes after that gets another one.
 *
 * And the stamp is set where a write(2) begins, which may take long.  File
 * systems write to a file, and look for its holes, under one lock: so looking
 * for one waits for a write that had begun.
 *
 * That is sound while the clock of the file system is ours and does not go
 * back, except for what programs write through mappings, whose time is set now
 * and then.  A file from further in the future than we would wait is read at
 * once: a change would give it a time before the one it has.
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

/* Wait until what is read from fd, the file it, can be told from what is
 * written later.  Nearly always there is nothing to wait for.  Reading begins
 * at the start of the file.
 */
void fresh_settle(int fd, const struct item *it);

#endif
