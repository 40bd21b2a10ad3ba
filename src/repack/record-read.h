/* SPDX-License-Identifier: Apache-2.0 */
/* record-read.h - whether a record of the log is what was read before, asked by
 * its name.
 */
#ifndef DESFS_REPACK_RECORD_READ_H
#define DESFS_REPACK_RECORD_READ_H

#include <stdbool.h>

#include "base/err.h"
#include "volume/oplog-record.h"

struct store;

/* *ret: each place has it, with the same bytes; or none has it any more, as a
 * checkpoint stands for it.  False where some places have it and others not.
 */
enum rc record_is_there(struct store *st, const struct oplog_record *r,
			bool *ret, struct err *err) MUST_CHECK;

#endif
