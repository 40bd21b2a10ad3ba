/* SPDX-License-Identifier: Apache-2.0 */
/* op-log.c - the log as a writer reads it. */
#include "config.h"

#include "op-log.h"

void op_log_free_p(struct oplog **log)
{
	oplog_free(*log);
}

enum rc op_read_log(struct world *w, struct store *st, struct oplog **ret,
		    struct err *err)
{
	bool changed;

	*ret = oplog_new();
	oplog_expect(*ret, w->descriptor.archive_id);
	oplog_keep_receipts(*ret);
	oplog_want_all(*ret);
	return oplog_read(*ret, st, &changed, err);
}
