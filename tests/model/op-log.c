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

enum rc op_read_log(struct world *w, struct store *st, struct oplog **ret,
		    struct err *err)
{
	bool changed;

	*ret = op_new_log(w);
	oplog_want_all(*ret);
	return oplog_read(*ret, st, &changed, err);
}
