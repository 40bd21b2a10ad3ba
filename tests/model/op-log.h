/* SPDX-License-Identifier: Apache-2.0 */
/* op-log.h - the log as a writer reads it. */
#ifndef DESFS_TESTS_OP_LOG_H
#define DESFS_TESTS_OP_LOG_H

#include "base/cleanup.h"
#include "base/err.h"
#include "store/store.h"
#include "volume/oplog.h"
#include "world.h"

void op_log_free_p(struct oplog **log);
#define CLEANUP_LOG CLEANUP(op_log_free_p)

/* A new one, to be read. */
struct oplog *op_new_log(const struct world *w);

/* The same for an operation: of its actor, who may have kept what was read
 * before.  To be given back, with the operation's result.
 */
struct oplog *op_take_log(struct world *w, const struct op *op);
enum rc op_return_log(struct world *w, const struct op *op, struct oplog *log,
		      enum rc rc);

#endif
