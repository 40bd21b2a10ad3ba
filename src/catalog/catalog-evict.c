/* SPDX-License-Identifier: Apache-2.0 */
/* catalog-evict.c - keeping the index cache within its bound. */
#include "config.h"

#include "base/clock.h"
#include "catalog/catalog-backend.h"

/* Of the bound, so much is made free at a time. */
#define SLACK_SHIFT 5

/* Pages given back after a call: some milliseconds. */
#define SHRINK_PAGES "512"

int64_t now_seconds(void)
{
	return clock_wall_ns() / (int64_t)CLOCK_NS_PER_SEC;
}

uint64_t bytes_used(struct call *call)
{
	uint64_t pages = call_number(call, ST_PAGE_COUNT);
	uint64_t free_pages = call_number(call, ST_FREE_PAGES);

	return free_pages < pages ? (pages - free_pages) * call->c->page_size
				  : 0;
}

/* False when there was nothing left to delete. */
static bool evict_one(struct call *call, enum statement id, int64_t keep)
{
	sqlite3_stmt *st = call_statement(call, id);
	bool is_row;

	if (!st)
		return false;
	if (id == ST_ARCHIVE_EVICT)
		sqlite3_bind_int64(st, 1, keep);
	is_row = call_step(call, st);
	if (is_row)
		call_run(call, st);
	return is_row && !call->rc;
}

void evict(struct call *call, int64_t keep_archive)
{
	uint64_t max = call->c->max_bytes;

	if (call->rc || bytes_used(call) <= max)
		return;
	max -= max >> SLACK_SHIFT;
	call->has_evicted = true;
	while (!call->rc && bytes_used(call) > max) {
		if (!evict_one(call, ST_SHARD_EVICT, 0) &&
		    !evict_one(call, ST_ARCHIVE_EVICT, keep_archive) &&
		    !evict_one(call, ST_ARCHIVE_EVICT, 0))
			return;
	}
}

void truncate_log(struct call *call)
{
	sqlite3_exec(call->conn->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL,
		     NULL, NULL);
	/* The pages in memory are not scrubbed, and may be logged again. */
	sqlite3_db_release_memory(call->conn->db);
}

void shrink(struct call *call, bool all)
{
	int rc;

	if (call->rc)
		return;
	if (!all && call_number(call, ST_PAGE_COUNT) * call->c->page_size <=
			    call->c->max_bytes)
		return;
	rc = sqlite3_exec(call->conn->db,
			  all ? "PRAGMA incremental_vacuum"
			      : "PRAGMA incremental_vacuum(" SHRINK_PAGES ")",
			  NULL, NULL, NULL);
	if (!rc && all)
		truncate_log(call);
	if (rc && !call->rc)
		call->rc = rc;
}
