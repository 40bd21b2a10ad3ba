/* SPDX-License-Identifier: Apache-2.0 */
/* catalog-backend.h - what the files of this room share; private to it.
 *
 * Two connections, so that who reads does not wait for who writes.  A call:
 *
 *	struct call call;
 *
 *	if (!call_begin(&call, c, &c->read))
 *		return false;
 *	... call_statement, call_step ...
 *	call_end(&call);
 *
 * What goes wrong in between stays in call.rc; call_end counts it, and has a
 * damaged file put aside.
 */
#ifndef DESFS_CATALOG_CATALOG_BACKEND_H
#define DESFS_CATALOG_CATALOG_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "catalog/catalog.h"
#include "catalog/sqlite-library.h"

#define CATALOG_SUM_LEN 16
#define CATALOG_LOCATION_MAX 4096

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_PAGE_COUNT,
	ST_FREE_PAGES,
	ST_ARCHIVE_PUT,
	ST_ARCHIVE_TOUCH,
	ST_ARCHIVE_DROP,
	ST_ARCHIVE_EVICT,
	ST_ARCHIVE_LIST,
	ST_DOCUMENT_GET,
	ST_DOCUMENT_EACH,
	ST_DOCUMENT_PUT,
	ST_DOCUMENT_NEXT,
	ST_DOCUMENT_DELETE,
	ST_DOCUMENT_DROP,
	ST_SHARD_PUT,
	ST_SHARD_TOUCH,
	ST_SHARD_DROP,
	ST_SHARD_ROOTS,
	ST_SHARD_EVICT,
	ST_RANGE_GET,
	ST_RANGE_TAIL,
	ST_RANGE_PUT,
	ST_RANGE_NEXT,
	ST_RANGE_DELETE,
	ST_COUNTS,
	N_STATEMENTS
};

struct conn {
	pthread_mutex_t lock;
	sqlite3 *db; /* NULL: cannot be used any more */
	sqlite3_stmt *statements[N_STATEMENTS]; /* NULL: not prepared yet */
};

struct catalog {
	char *path;
	uint64_t max_bytes;
	/* Lock order: read.lock, then write.lock. */
	struct conn read, write;
	/* For who has either lock; changed by who has both. */
	unsigned int generation; /* of files opened */
	dev_t dev;               /* of the one open */
	ino_t ino;
	uint64_t page_size;
	_Atomic uint64_t hits, misses, puts, errors, rebuilds;
};

/* --- catalog.c ------------------------------------------------------------ */

struct call {
	struct catalog *c;
	struct conn *conn;
	unsigned int generation;
	bool has_evicted;
	int rc; /* SQLITE_OK, or the first that was none */
};

/* false: there is no database. */
bool call_begin(struct call *call, struct catalog *c, struct conn *conn);
void call_end(struct call *call);
/* A call that may change several rows, all or none. */
bool call_begin_write(struct call *call, struct catalog *c);
void call_end_write(struct call *call);

/* Reset, without parameters, to be stepped; NULL when call.rc is set. */
sqlite3_stmt *call_statement(struct call *call, enum statement id);
/* True for a row; else it has ended and is reset, or call.rc is set. */
bool call_step(struct call *call, sqlite3_stmt *st);
/* Step a statement to its end. */
void call_run(struct call *call, sqlite3_stmt *st);
/* A number: the first column of the only row. */
uint64_t call_number(struct call *call, enum statement id);
/* The message of call.rc, after call_end. */
enum rc call_error(const struct call *call, struct err *err);

/* --- catalog-place.c: the file system's side ------------------------------ */

/* Make the directory, refuse what others may write. */
enum rc place_prepare(const char *path, struct err *err) MUST_CHECK;
/* The descriptor that holds the lock for opening and closing; close it to
 * unlock.  RC_TIMEOUT: others hold it.
 */
enum rc place_lock(const char *path, int *ret, struct err *err) MUST_CHECK;
/* An empty file if there is none.  Only with the lock. */
enum rc place_create(const char *path, struct err *err) MUST_CHECK;
/* Rename the file to path.damaged.  Only with the lock. */
enum rc place_put_aside(const char *path, struct err *err) MUST_CHECK;
/* Whether files shared by memory, as SQLite's WAL, work there. */
bool place_is_local(const char *path);

/* --- catalog-schema.c ----------------------------------------------------- */

extern const char *const statement_texts[N_STATEMENTS];

/* Bring an empty file or one of an older version up to this one. SQLITE_NOTADB:
 * it is of a newer one, or damaged; SQLITE_AUTH: it is another program's.
 */
int schema_prepare(sqlite3 *db);

/* --- catalog-evict.c ------------------------------------------------------ */

/* Delete what was not used longest until the bound is kept, all but the
 * documents of an archive if possible.  Within a transaction.
 */
void evict(struct call *call, int64_t keep_archive);
/* Give back some pages to the file system.  Outside a transaction. */
void shrink(struct call *call, bool all);
/* Empty the write-ahead log, so that nothing deleted is left there.  Outside a
 * transaction.
 */
void truncate_log(struct call *call);

/* Bytes of the file in use. */
uint64_t bytes_used(struct call *call);

/* Seconds since 1970. */
int64_t now_seconds(void);

#endif
