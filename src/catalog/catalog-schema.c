/* SPDX-License-Identifier: Apache-2.0 */
/* catalog-schema.c - tables in numbered steps, and the statements on them. */
#include "config.h"

#include <string.h>

#include "base/compiler.h"
#include "catalog/catalog-backend.h"

#define APPLICATION_ID 0x64657369 /* "desi" */

/* Step i leads from version i to i + 1; they are only appended.  sum is the
 * first half of the SHA-256 of body.
 */
static const char *const steps[] = {
	"CREATE TABLE archives("
	" id INTEGER PRIMARY KEY,"
	" location TEXT NOT NULL UNIQUE,"
	" last_used INTEGER NOT NULL);"
	"CREATE TABLE documents("
	" id INTEGER PRIMARY KEY,"
	" archive INTEGER NOT NULL REFERENCES archives ON DELETE CASCADE,"
	" key TEXT NOT NULL,"
	" sum BLOB NOT NULL,"
	" body BLOB NOT NULL,"
	" UNIQUE(archive, key));"
	"CREATE TABLE shards("
	" id INTEGER PRIMARY KEY,"
	" root BLOB NOT NULL UNIQUE,"
	" archive INTEGER NOT NULL REFERENCES archives ON DELETE CASCADE,"
	" tag TEXT NOT NULL,"
	" last_used INTEGER NOT NULL);"
	"CREATE INDEX shards_archive ON shards(archive);"
	"CREATE INDEX shards_last_used ON shards(last_used);"
	"CREATE TABLE ranges("
	" id INTEGER PRIMARY KEY,"
	" shard INTEGER NOT NULL REFERENCES shards ON DELETE CASCADE,"
	" off INTEGER NOT NULL,"
	" len INTEGER NOT NULL,"
	" sum BLOB NOT NULL,"
	" body BLOB NOT NULL,"
	" UNIQUE(shard, off, len));",
};

#define NEAREST                                                \
	"SELECT r.id, r.off, r.len, s.id AS shard, s.tag,"     \
	" s.last_used, s.archive FROM shards AS s"             \
	" JOIN ranges AS r ON r.shard = s.id WHERE s.root = ?" \
	" AND r.off <= ? ORDER BY r.off DESC, r.len DESC LIMIT 8"

const char *const statement_texts[N_STATEMENTS] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_PAGE_COUNT] = "PRAGMA page_count",
	[ST_FREE_PAGES] = "PRAGMA freelist_count",
	[ST_ARCHIVE_PUT] =
		"INSERT INTO archives(location, last_used) VALUES(?1, ?2)"
		" ON CONFLICT(location) DO UPDATE SET last_used = ?2"
		" RETURNING id",
	[ST_ARCHIVE_TOUCH] = "UPDATE archives SET last_used = ? WHERE id = ?",
	[ST_ARCHIVE_DROP] = "DELETE FROM archives WHERE location = ?",
	[ST_ARCHIVE_EVICT] =
		"DELETE FROM archives WHERE id = (SELECT id FROM archives"
		" WHERE id != ? ORDER BY last_used, id LIMIT 1) RETURNING id",
	[ST_ARCHIVE_LIST] =
		"SELECT a.location, a.last_used,"
		" (SELECT count(*) FROM shards AS s WHERE s.archive = a.id),"
		" (SELECT ifnull(sum(r.len), 0) FROM shards AS s"
		"  JOIN ranges AS r ON r.shard = s.id WHERE s.archive = a.id) +"
		" (SELECT ifnull(sum(length(d.body)), 0) FROM documents AS d"
		"  WHERE d.archive = a.id)"
		" FROM archives AS a ORDER BY a.location",
	[ST_DOCUMENT_GET] =
		"SELECT d.sum, d.body, a.id, a.last_used FROM archives AS a"
		" JOIN documents AS d ON d.archive = a.id"
		" WHERE a.location = ? AND d.key = ?",
	[ST_DOCUMENT_EACH] =
		"SELECT d.sum, d.body, a.id, a.last_used, d.key"
		" FROM archives AS a JOIN documents AS d ON d.archive = a.id"
		" WHERE a.location = ? AND d.key >= ? ORDER BY d.key",
	[ST_DOCUMENT_PUT] =
		"INSERT OR REPLACE INTO documents(archive, key, sum, body)"
		" VALUES(?, ?, ?, ?)",
	[ST_DOCUMENT_NEXT] = "SELECT sum, body, id FROM documents WHERE id > ?"
			     " ORDER BY id LIMIT 1",
	[ST_DOCUMENT_DROP] = "DELETE FROM documents WHERE key = ? AND archive ="
			     " (SELECT id FROM archives WHERE location = ?)",
	[ST_DOCUMENT_DELETE] = "DELETE FROM documents WHERE id = ?",
	[ST_SHARD_PUT] =
		"INSERT INTO shards(root, archive, tag, last_used)"
		" VALUES(?, ?, ?, ?) ON CONFLICT(root) DO UPDATE SET"
		" last_used = excluded.last_used,"
		" tag = iif(archive = excluded.archive, excluded.tag, tag)"
		" RETURNING id",
	[ST_SHARD_TOUCH] = "UPDATE shards SET last_used = ? WHERE id = ?",
	[ST_SHARD_DROP] = "DELETE FROM shards WHERE root = ?",
	[ST_SHARD_ROOTS] = "SELECT s.root FROM archives AS a"
			   " JOIN shards AS s ON s.archive = a.id"
			   " WHERE a.location = ?",
	[ST_SHARD_EVICT] =
		"DELETE FROM shards WHERE id = (SELECT id FROM shards"
		" ORDER BY last_used, id LIMIT 1) RETURNING id",
	[ST_RANGE_GET] = "SELECT b.sum, b.body, n.shard, n.last_used, n.off"
			 " FROM (" NEAREST ") AS n"
			 " JOIN ranges AS b ON b.id = n.id"
			 " WHERE n.off + n.len >= ? LIMIT 1",
	[ST_RANGE_TAIL] = "SELECT b.sum, b.body, n.shard, n.last_used, n.off,"
			  " n.tag, a.location"
			  " FROM (" NEAREST ") AS n"
			  " JOIN ranges AS b ON b.id = n.id"
			  " JOIN archives AS a ON a.id = n.archive"
			  " WHERE n.off + n.len = ? LIMIT 1",
	[ST_RANGE_PUT] =
		"INSERT OR REPLACE INTO ranges(shard, off, len, sum, body)"
		" VALUES(?, ?, ?, ?, ?)",
	[ST_RANGE_NEXT] = "SELECT sum, body, id FROM ranges WHERE id > ?"
			  " ORDER BY id LIMIT 1",
	[ST_RANGE_DELETE] = "DELETE FROM ranges WHERE id = ?",
	[ST_COUNTS] = "SELECT (SELECT count(*) FROM archives),"
		      " (SELECT count(*) FROM documents),"
		      " (SELECT count(*) FROM shards),"
		      " (SELECT count(*) FROM ranges)",
};

static int ask(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc)
		return rc;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	rc = sqlite3_finalize(st);
	return rc;
}

/* What there is is ours, or nobody's. */
static int check_owner(sqlite3 *db, int64_t *ret_version)
{
	int64_t id = 0, n_tables = 0, n_ours = 0;
	int rc;

	rc = ask(db, "PRAGMA application_id", &id);
	if (!rc)
		rc = ask(db, "PRAGMA user_version", ret_version);
	if (!rc)
		rc = ask(db, "SELECT count(*) FROM sqlite_schema", &n_tables);
	if (!rc)
		rc = ask(db,
			 "SELECT count(*) FROM sqlite_schema"
			 " WHERE name IN ('archives', 'ranges')",
			 &n_ours);
	if (rc)
		return rc;
	if (id == APPLICATION_ID || (!n_tables && !id && !*ret_version))
		return SQLITE_OK;
	return n_tables && n_ours != 2 ? SQLITE_AUTH : SQLITE_NOTADB;
}

static int run_steps(sqlite3 *db, int64_t version)
{
	int rc = SQLITE_OK;

	for (size_t i = (size_t)version; !rc && i < ARRAY_LEN(steps); i++)
		rc = sqlite3_exec(db, steps[i], NULL, NULL, NULL);
	if (!rc) {
		char *sql =
			sqlite3_mprintf("PRAGMA application_id = %d;"
					"PRAGMA user_version = %d",
					APPLICATION_ID, (int)ARRAY_LEN(steps));

		rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL)
			 : SQLITE_NOMEM;
		sqlite3_free(sql);
	}
	return rc;
}

int schema_prepare(sqlite3 *db)
{
	int64_t version = 0;
	int rc = check_owner(db, &version);

	if (rc)
		return rc;
	if (version < 0 || version > (int64_t)ARRAY_LEN(steps))
		return SQLITE_NOTADB;
	if (version == (int64_t)ARRAY_LEN(steps))
		return SQLITE_OK;
	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (!rc)
		rc = run_steps(db, version);
	/* Tables are there that this version has not. */
	if ((rc & 0xff) == SQLITE_ERROR)
		rc = SQLITE_NOTADB;
	if (!rc)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
