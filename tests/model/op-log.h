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
/* A new one, read wholly; also on failure to be freed. */
enum rc op_read_log(struct world *w, struct store *st, struct oplog **ret,
		    struct err *err);

#endif
