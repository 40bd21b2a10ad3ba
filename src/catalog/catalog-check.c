/* SPDX-License-Identifier: Apache-2.0 */
/* catalog-check.c - the index cache's numbers, for people and their tools. */
#include "config.h"

#include <string.h>

#include "base/sha256.h"
#include "catalog/catalog-backend.h"

void catalog_stats(struct catalog *c, struct catalog_stats *ret)
{
	struct call call;
	sqlite3_stmt *st;

	*ret = (struct catalog_stats){
		.hits = atomic_load(&c->hits),
		.misses = atomic_load(&c->misses),
		.puts = atomic_load(&c->puts),
		.errors = atomic_load(&c->errors),
		.rebuilds = atomic_load(&c->rebuilds),
		.max_bytes = c->max_bytes,
	};
	if (!call_begin(&call, c, &c->read))
		return;
	ret->bytes = bytes_used(&call);
	st = call_statement(&call, ST_COUNTS);
	if (st && call_step(&call, st)) {
		ret->n_archives = (uint64_t)sqlite3_column_int64(st, 0);
		ret->n_documents = (uint64_t)sqlite3_column_int64(st, 1);
		ret->n_shards = (uint64_t)sqlite3_column_int64(st, 2);
		ret->n_ranges = (uint64_t)sqlite3_column_int64(st, 3);
	}
	call_end(&call);
}

static enum rc no_database(const struct catalog *c, struct err *err)
{
	return err_set(err, RC_IO, "index cache: %s: cannot be used", c->path);
}

enum rc catalog_each_archive(struct catalog *c, catalog_archive_fn *fn,
			     void *arg, struct err *err)
{
	struct call call;
	sqlite3_stmt *st;

	if (!call_begin(&call, c, &c->read))
		return no_database(c, err);
	st = call_statement(&call, ST_ARCHIVE_LIST);
	while (st && call_step(&call, st)) {
		const char *location = (const char *)sqlite3_column_text(st, 0);

		if (!fn(arg, location ? location : "",
			(uint64_t)sqlite3_column_int64(st, 2),
			(uint64_t)sqlite3_column_int64(st, 3),
			sqlite3_column_int64(st, 1)))
			break;
	}
	call_end(&call);
	return call_error(&call, err);
}

/* --- checking ------------------------------------------------------------- */

static bool is_sound(sqlite3_stmt *st)
{
	const void *sum = sqlite3_column_blob(st, 0);
	int sum_len = sqlite3_column_bytes(st, 0);
	const void *p = sqlite3_column_blob(st, 1);
	int len = sqlite3_column_bytes(st, 1);
	uint8_t hash[SHA256_LEN];

	sha256_of(p ? p : "", (size_t)len, hash);
	return sum && sum_len == CATALOG_SUM_LEN &&
	       !memcmp(sum, hash, CATALOG_SUM_LEN);
}

/* Row by row, each in a call of its own, so that others get their turn. */
static enum rc check_rows(struct catalog *c, enum statement next,
			  enum statement delete, uint64_t *checked,
			  uint64_t *damaged, struct err *err)
{
	int64_t id = INT64_MIN;

	for (bool is_row = true; is_row;) {
		struct call call;
		sqlite3_stmt *st;

		if (!call_begin(&call, c, &c->write))
			return no_database(c, err);
		st = call_statement(&call, next);
		if (st)
			sqlite3_bind_int64(st, 1, id);
		is_row = st && call_step(&call, st);
		if (is_row) {
			bool sound = is_sound(st);

			id = sqlite3_column_int64(st, 2);
			sqlite3_reset(st);
			(*checked)++;
			*damaged += !sound;
			st = sound ? NULL : call_statement(&call, delete);
			if (st) {
				sqlite3_bind_int64(st, 1, id);
				call_run(&call, st);
			}
		}
		call_end(&call);
		if (call.rc)
			return call_error(&call, err);
	}
	return RC_OK;
}

static int integrity(void *arg, int n, char **values, char **names)
{
	bool *is_ok = arg;

	(void)names;
	*is_ok = n == 1 && values[0] && !strcmp(values[0], "ok");
	return 0;
}

/* False: damaged, and put aside by the end of the call. */
static enum rc check_database(struct catalog *c, bool *ret_ok, struct err *err)
{
	struct call call;
	bool is_ok = false;

	if (!call_begin(&call, c, &c->write))
		return no_database(c, err);
	call.rc = sqlite3_exec(call.conn->db, "PRAGMA integrity_check(1)",
			       integrity, &is_ok, NULL);
	if (!call.rc && !is_ok)
		call.rc = SQLITE_CORRUPT;
	call_end(&call);
	*ret_ok = !call.rc;
	if ((call.rc & 0xff) == SQLITE_CORRUPT ||
	    (call.rc & 0xff) == SQLITE_NOTADB)
		return RC_OK;
	return call_error(&call, err);
}

enum rc catalog_verify(struct catalog *c, uint64_t *ret_checked,
		       uint64_t *ret_damaged, struct err *err)
{
	uint64_t checked = 0, damaged = 0;
	bool is_ok = false;

	if (check_database(c, &is_ok, err))
		return err->rc;
	damaged = !is_ok;
	if (check_rows(c, ST_DOCUMENT_NEXT, ST_DOCUMENT_DELETE, &checked,
		       &damaged, err) ||
	    check_rows(c, ST_RANGE_NEXT, ST_RANGE_DELETE, &checked, &damaged,
		       err))
		return err->rc;
	*ret_checked = checked;
	*ret_damaged = damaged;
	return RC_OK;
}

enum rc catalog_clear(struct catalog *c, struct err *err)
{
	struct call call;

	if (!call_begin(&call, c, &c->write))
		return no_database(c, err);
	call.rc = sqlite3_exec(call.conn->db,
			       "BEGIN IMMEDIATE;"
			       "DELETE FROM ranges; DELETE FROM documents;"
			       "DELETE FROM shards; DELETE FROM archives;"
			       "COMMIT",
			       NULL, NULL, NULL);
	if (call.rc && !sqlite3_get_autocommit(call.conn->db))
		sqlite3_exec(call.conn->db, "ROLLBACK", NULL, NULL, NULL);
	shrink(&call, true);
	call_end(&call);
	return call_error(&call, err);
}
