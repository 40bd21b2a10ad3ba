/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-write.c - writing a record of the log. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/store-write.h"
#include "volume/oplog-backend.h"

#define RECORD_KEY_TEXT 96

static void set_prev(const struct oplog *log, struct oplog_record *r)
{
	struct oplog_prev prev;

	free(r->prev.name);
	oplog_newest(log, &prev);
	r->prev = prev;
	if (prev.name)
		r->prev.name = xstrdup(prev.name);
}

static void set_time(const struct oplog *log, struct oplog_record *r)
{
	int64_t newest;

	r->time = clock_wall_ns() / 1000;
	if (!log->n_records)
		return;
	newest = log->records[log->n_records - 1]->time;
	if (r->time <= newest)
		r->time = newest + 1;
}

enum rc oplog_write(struct oplog *log, struct store *st, struct oplog_record *r,
		    const uint8_t archive_id[SHARD_ID_LEN], struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_RECORD_MAX };
	char key[RECORD_KEY_TEXT];
	bool existed = false;

	set_prev(log, r);
	set_time(log, r);
	oplog_record_encode(r, archive_id, &text);
	if (!buf_ok(&text))
		return err_set(err, RC_LIMIT,
			       "log record of more than %u bytes",
			       OPLOG_RECORD_MAX);
	if (oplog_record_key(r->time, key, sizeof(key), err) ||
	    store_put(st, key, text.p, text.len, &existed, err))
		return err->rc;
	free(r->name);
	r->name = xstrdup(key + strlen(OPLOG_PREFIX));
	sha256_of(text.p, text.len, r->sha256);
	return RC_OK;
}
