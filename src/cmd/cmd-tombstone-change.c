/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-tombstone-change.c - desfs tombstone remove and aggregate: what becomes
 * of documents that are there.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/timestamp.h"
#include "cmd/json-row.h"
#include "cmd/tombstone.h"
#include "repack/tombstone-aggregate.h"
#include "repack/tombstone-remove.h"
#include "shard/shard-entry.h"
#include "store/store-write.h"

/* --- aggregate ------------------------------------------------------------ */

static enum rc parse_day(const char *text, uint32_t *ret, struct err *err)
{
	char day[TIMESTAMP_DAY_TEXT];
	struct timestamp ts;

	if (timestamp_parse(text, &ts, err))
		return err_prefix(err, "--day");
	timestamp_day(ts.us, day);
	*ret = (uint32_t)strtoul(day, NULL, 10);
	return RC_OK;
}

enum rc tombstone_cmd_aggregate(const struct tombstone_options *o,
				struct open_log *l, char **args,
				struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	struct tombstone_aggregated a = { 0 };
	uint32_t day = 0;

	(void)args;
	if (o->day && parse_day(o->day, &day, err))
		return err->rc;
	if (tombstone_aggregate(l->st, l->log, l->descriptor.archive_id, day,
				&a, err))
		return err->rc;
	if (!o->json) {
		printf("%" PRIu64 " tombstones in %" PRIu64
		       " aggregates, %" PRIu64 " written\n",
		       a.documents, a.hours, a.written);
		return RC_OK;
	}
	json_row_begin_kind(&b, "total");
	json_row_u64(&b, "aggregates", a.hours);
	json_row_u64(&b, "written", a.written);
	json_row_u64(&b, "tombstones", a.documents);
	json_row_end(&b, stdout);
	return RC_OK;
}

/* --- remove ----------------------------------------------------------------
 */

static void tell_removed(void *arg, struct span uid)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	const struct tombstone_options *o = arg;

	if (o->json) {
		json_row_begin_kind(&b, o->dry_run ? "would-withdraw"
						   : "withdrawn");
		json_row_bytes(&b, "path", uid.p, uid.len);
		json_row_end(&b, stdout);
	} else if (o->verbose) {
		buf_append_str(&b,
			       o->dry_run ? "would take back " : "taken back ");
		name_escape(&b, uid.p, uid.len);
		buf_append_str(&b, "\n");
		fputs(buf_str(&b), stdout);
	}
}

/* A repack that had read the log before would leave the files out after it. */
static enum rc check_alive(const struct tombstone_options *o,
			   struct open_log *l, struct err *err)
{
	unsigned int n = 0;

	if (o->force || o->dry_run)
		return RC_OK;
	if (store_runs_alive(l->st, NULL, &n, err))
		return err->rc;
	if (!n)
		return RC_OK;
	return err_set(err, RC_EXISTS,
		       "%u runs are writing into the archive, and one that "
		       "repacks could leave out what is taken back; wait for "
		       "them, or use --force if they only pack",
		       n);
}

enum rc tombstone_cmd_remove(const struct tombstone_options *o,
			     struct open_log *l, char **args, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	struct tombstone_removed removed = { 0 };
	size_t n = 0;

	while (args[n])
		n++;
	if (check_alive(o, l, err))
		return err->rc;
	if (tombstone_remove(l->st, l->log, l->descriptor.archive_id,
			     (const char *const *)args, n, o->dry_run,
			     tell_removed, (void *)(uintptr_t)o, &removed, err))
		return err->rc;
	if (!o->json) {
		printf("%s %" PRIu64 " names, %" PRIu64 " were before\n",
		       o->dry_run ? "would take back" : "taken back",
		       removed.names, removed.already);
		return RC_OK;
	}
	json_row_begin_kind(&b, "total");
	json_row_bool(&b, "dry_run", o->dry_run);
	json_row_u64(&b, "withdrawn", removed.names);
	json_row_u64(&b, "already_withdrawn", removed.already);
	json_row_end(&b, stdout);
	return RC_OK;
}
