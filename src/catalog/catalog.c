/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c - the index cache's connections: opened, recovered, closed.
 *
 * Opening, putting aside and closing happen under a lock of their own beside
 * the file, so that nobody meets half of a change of files.
 */
#include "config.h"

#include "catalog/catalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "catalog/catalog-backend.h"
#include "catalog/scrub-vfs.h"

#define READ_WAIT_MS 2000
#define WRITE_WAIT_MS 500
#define LENGTH_MAX ((int)CATALOG_DOCUMENT_MAX + (1 << 20))

/* A disk that damages every file is left alone after so many. */
#define REBUILDS_MAX 8u

static bool is_damage(int rc)
{
	rc &= 0xff;
	return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
}

static enum rc sqlite_error(int code, const char *path, const char *text,
			    struct err *err)
{
	enum rc rc = RC_IO;

	if (is_damage(code))
		rc = RC_CORRUPT;
	else if ((code & 0xff) == SQLITE_FULL)
		rc = RC_NOSPACE;
	else if ((code & 0xff) == SQLITE_BUSY)
		rc = RC_TIMEOUT;
	else if ((code & 0xff) == SQLITE_NOMEM)
		rc = RC_NOMEM;
	else if ((code & 0xff) == SQLITE_AUTH)
		return err_set(err, RC_EXISTS,
			       "index cache: %s is the database of another "
			       "program",
			       path);
	return err_set(err, rc, "index cache: %s: %s", path, text);
}

/* --- connections ---------------------------------------------------------- */

static void conn_close(struct conn *conn)
{
	for (size_t i = 0; i < N_STATEMENTS; i++) {
		sqlite3_finalize(conn->statements[i]);
		conn->statements[i] = NULL;
	}
	sqlite3_close(conn->db);
	conn->db = NULL;
}

static int conn_configure(sqlite3 *db, const char *path)
{
	const char *journal = place_is_local(path)
				      ? "PRAGMA journal_mode = WAL"
				      : "PRAGMA journal_mode = TRUNCATE";
	int rc;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	rc = sqlite3_exec(db,
			  "PRAGMA page_size = " SCRUB_PAGE_TEXT ";"
			  "PRAGMA auto_vacuum = INCREMENTAL;"
			  "PRAGMA foreign_keys = ON;"
			  "PRAGMA cell_size_check = ON;"
			  "PRAGMA secure_delete = ON;"
			  "PRAGMA journal_size_limit = 16777216;"
			  "PRAGMA synchronous = NORMAL",
			  NULL, NULL, NULL);
	return rc ? rc : sqlite3_exec(db, journal, NULL, NULL, NULL);
}

static int conn_open(struct conn *conn, const char *path, int wait_ms)
{
	int rc = sqlite3_open_v2(path, &conn->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				 scrub_vfs());

	if (rc)
		return rc;
	sqlite3_busy_timeout(conn->db, wait_ms);
	rc = conn_configure(conn->db, path);
	return rc ? rc : schema_prepare(conn->db);
}

static int both_open(struct catalog *c)
{
	struct stat st;
	int rc;

	rc = conn_open(&c->write, c->path, WRITE_WAIT_MS);
	if (!rc)
		rc = conn_open(&c->read, c->path, READ_WAIT_MS);
	if (!rc)
		rc = sqlite3_exec(c->read.db, "PRAGMA query_only = ON", NULL,
				  NULL, NULL);
	if (rc)
		return rc;
	if (stat(c->path, &st))
		return SQLITE_IOERR;
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	c->page_size = SCRUB_PAGE;
	c->generation++;
	return SQLITE_OK;
}

static void both_close(struct catalog *c)
{
	conn_close(&c->read);
	conn_close(&c->write);
}

/* Open the file, or another in its place; the lock is held. */
static enum rc open_locked(struct catalog *c, struct err *err)
{
	for (unsigned int tries = 0;; tries++) {
		int rc;

		if (place_create(c->path, err))
			return err->rc;
		rc = both_open(c);
		if (!rc)
			return RC_OK;
		sqlite_error(rc, c->path,
			     c->write.db ? sqlite3_errmsg(c->write.db)
					 : sqlite3_errstr(rc),
			     err);
		both_close(c);
		if (!is_damage(rc) || tries)
			return err->rc;
		atomic_fetch_add(&c->rebuilds, 1);
		if (place_put_aside(c->path, err))
			return err->rc;
	}
}

enum rc catalog_open(struct catalog **ret, const char *path, uint64_t max_bytes,
		     struct err *err)
{
	struct catalog *c;
	CLEANUP_FD int lock = -1;

	if (sqlite_library_load(err) || place_prepare(path, err) ||
	    place_lock(path, &lock, err))
		return err->rc;
	c = xcalloc(1, sizeof(*c));
	c->path = xstrdup(path);
	c->max_bytes = max_bytes ? max_bytes : CATALOG_SIZE_DEFAULT;
	pthread_mutex_init(&c->read.lock, NULL);
	pthread_mutex_init(&c->write.lock, NULL);
	if (open_locked(c, err)) {
		catalog_close(c);
		return err->rc;
	}
	*ret = c;
	return RC_OK;
}

void catalog_close(struct catalog *c)
{
	CLEANUP_FD int lock = -1;
	struct err ignored;

	if (!c)
		return;
	/* The last to close removes the write-ahead log by its name. */
	if (c->read.db && place_lock(c->path, &lock, &ignored))
		lock = -1;
	both_close(c);
	pthread_mutex_destroy(&c->read.lock);
	pthread_mutex_destroy(&c->write.lock);
	free(c->path);
	free(c);
}

/* --- recovery ------------------------------------------------------------- */

/* True when the file at the path is the one that was open. */
static bool is_same_file(const struct catalog *c)
{
	struct stat st;

	return !lstat(c->path, &st) && st.st_dev == c->dev &&
	       st.st_ino == c->ino;
}

/* Put the file of that generation aside, unless somebody did already. */
static void rebuild(struct catalog *c, unsigned int generation)
{
	CLEANUP_FD int lock = -1;
	struct err err;

	pthread_mutex_lock(&c->read.lock);
	pthread_mutex_lock(&c->write.lock);
	if (c->generation == generation) {
		bool is_locked = !place_lock(c->path, &lock, &err);

		both_close(c);
		if (is_locked &&
		    atomic_fetch_add(&c->rebuilds, 1) < REBUILDS_MAX &&
		    (!is_same_file(c) || !place_put_aside(c->path, &err)) &&
		    open_locked(c, &err))
			atomic_fetch_add(&c->errors, 1);
	}
	pthread_mutex_unlock(&c->write.lock);
	pthread_mutex_unlock(&c->read.lock);
}

/* --- calls ---------------------------------------------------------------- */

bool call_begin(struct call *call, struct catalog *c, struct conn *conn)
{
	pthread_mutex_lock(&conn->lock);
	if (!conn->db) {
		pthread_mutex_unlock(&conn->lock);
		atomic_fetch_add(&c->errors, 1);
		return false;
	}
	*call = (struct call){ .c = c,
			       .conn = conn,
			       .generation = c->generation };
	return true;
}

/* A statement left in the middle would hold what it reads. */
static void reset_all(struct conn *conn)
{
	for (size_t i = 0; i < N_STATEMENTS; i++) {
		if (conn->statements[i] &&
		    sqlite3_stmt_busy(conn->statements[i]))
			sqlite3_reset(conn->statements[i]);
	}
}

void call_end(struct call *call)
{
	reset_all(call->conn);
	pthread_mutex_unlock(&call->conn->lock);
	if (!call->rc)
		return;
	atomic_fetch_add(&call->c->errors, 1);
	if (is_damage(call->rc))
		rebuild(call->c, call->generation);
}

bool call_begin_write(struct call *call, struct catalog *c)
{
	sqlite3_stmt *st;

	if (!call_begin(call, c, &c->write))
		return false;
	st = call_statement(call, ST_BEGIN);
	if (st)
		call_run(call, st);
	if (!call->rc)
		return true;
	call_end(call);
	return false;
}

void call_end_write(struct call *call)
{
	int rc = call->rc;
	sqlite3_stmt *st;

	reset_all(call->conn);
	if (!rc) {
		st = call_statement(call, ST_COMMIT);
		if (st)
			call_run(call, st);
		rc = call->rc;
	}
	if (rc && !sqlite3_get_autocommit(call->conn->db)) {
		call->rc = SQLITE_OK;
		st = call_statement(call, ST_ROLLBACK);
		if (st)
			call_run(call, st);
		call->rc = rc;
	}
	shrink(call, false);
	/* When it is deleted there will be no row that tells of it. */
	if (call->has_evicted && !call->rc)
		truncate_log(call);
	call_end(call);
}

sqlite3_stmt *call_statement(struct call *call, enum statement id)
{
	sqlite3_stmt **st = &call->conn->statements[id];

	if (call->rc)
		return NULL;
	if (!*st) {
		call->rc = sqlite3_prepare_v3(
			call->conn->db, statement_texts[id], -1,
			SQLITE_PREPARE_PERSISTENT, st, NULL);
		/* Every statement fits the tables we made. */
		if ((call->rc & 0xff) == SQLITE_ERROR)
			call->rc = SQLITE_NOTADB;
		if (call->rc)
			return NULL;
	}
	sqlite3_reset(*st);
	sqlite3_clear_bindings(*st);
	return *st;
}

bool call_step(struct call *call, sqlite3_stmt *st)
{
	int rc;

	if (call->rc)
		return false;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return true;
	sqlite3_reset(st);
	if (rc != SQLITE_DONE)
		call->rc = rc;
	return false;
}

void call_run(struct call *call, sqlite3_stmt *st)
{
	while (call_step(call, st))
		continue;
}

uint64_t call_number(struct call *call, enum statement id)
{
	sqlite3_stmt *st = call_statement(call, id);
	uint64_t n = 0;

	if (st && call_step(call, st)) {
		n = (uint64_t)sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	}
	return n;
}

enum rc call_error(const struct call *call, struct err *err)
{
	if (!call->rc)
		return RC_OK;
	return sqlite_error(call->rc, call->c->path, sqlite3_errstr(call->rc),
			    err);
}

const char *catalog_library(void)
{
	static _Thread_local char text[240];
	struct err err;

	if (sqlite_library_load(&err))
		snprintf(text, sizeof(text), "no SQLite (%.200s)", err.msg);
	else
		snprintf(text, sizeof(text), "SQLite %.20s",
			 sqlite3_libversion());
	return text;
}
