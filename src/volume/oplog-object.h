/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-object.h - the objects that records of the log name with their hashes:
 * documents of tombstones, lists of erased names.
 */
#ifndef DESFS_VOLUME_OPLOG_OBJECT_H
#define DESFS_VOLUME_OPLOG_OBJECT_H

#include "base/err.h"
#include "volume/oplog-record.h"

struct buf;
struct store;

/* All of it, at most max bytes, appended to ret.  RC_CORRUPT: it is gone, or
 * other bytes than the log knows.  Safe from any thread.
 */
enum rc oplog_object_read(struct store *st, const struct oplog_object *o,
			  size_t max, struct buf *ret,
			  struct err *err) MUST_CHECK;

#endif
