/* SPDX-License-Identifier: Apache-2.0 */
/* record-read.h - whether a record of the log is what was read before, asked by
 * its name.
 */
#ifndef DESFS_REPACK_RECORD_READ_H
#define DESFS_REPACK_RECORD_READ_H

#include <stdbool.h>

#include "base/err.h"
#include "volume/oplog-record.h"

struct oplog;
struct store;

/* *ret: each place has it, with the same bytes; or none has it any more, as a
 * checkpoint stands for it.  Where some places have it and others not, each
 * must have the checkpoint.
 */
enum rc record_is_there(const struct oplog *log, struct store *st,
			const struct oplog_record *r, bool *ret,
			struct err *err) MUST_CHECK;

#endif
