/* SPDX-License-Identifier: Apache-2.0 */
/* op-log.c - the log as a writer reads it. */
#include "config.h"

#include "op-log.h"

void op_log_free_p(struct oplog **log)
{
	oplog_free(*log);
}

struct oplog *op_new_log(const struct world *w)
{
	struct oplog *log = oplog_new();

	oplog_expect(log, w->descriptor.archive_id);
	oplog_keep_receipts(log);
	return log;
}

struct oplog *op_take_log(struct world *w, const struct op *op)
{
	struct oplog *log = w->logs[op->actor];

	w->logs[op->actor] = NULL;
	if (log && op->c % 4)
		return log;
	oplog_free(log);
	return op_new_log(w);
}

enum rc op_return_log(struct world *w, const struct op *op, struct oplog *log,
		      enum rc rc)
{
	if (rc)
		oplog_free(log);
	else
		w->logs[op->actor] = log;
	return rc;
}
