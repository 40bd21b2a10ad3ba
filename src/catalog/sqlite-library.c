/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite-library.c - SQLite's table of functions, found by dlopen. */
#include "config.h"

#include "catalog/sqlite-library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#define PACKAGE_WITH_IT "(Debian: libsqlite3-0)"
#define VERSION_MIN 3034000
#define VERSION_MIN_TEXT "3.34"

SQLITE_EXTENSION_INIT1

/* Called as an extension is, which gets the table. */
static int take_table(sqlite3 *db, const char **error,
		      const sqlite3_api_routines *table)
{
	(void)db;
	(void)error;
	SQLITE_EXTENSION_INIT2(table);
	return SQLITE_OK;
}

typedef void extension_fn(void);
typedef int register_fn(extension_fn *fn);

static void *find(void *library, const char *name, struct err *err)
{
	void *p = dlsym(library, name);

	if (!p)
		err_set(err, RC_IO,
			"%s has no %s, which an index cache needs " PACKAGE_WITH_IT,
			LIBSQLITE_SONAME, name);
	return p;
}

/* Any database calls take_table, and none after it. */
static enum rc ask_for_table(void *library, struct err *err)
{
	void *open_db = find(library, "sqlite3_open", err);
	void *close_db = find(library, "sqlite3_close", err);
	void *add = find(library, "sqlite3_auto_extension", err);
	void *cancel = find(library, "sqlite3_cancel_auto_extension", err);
	sqlite3 *db = NULL;

	if (!open_db || !close_db || !add || !cancel)
		return err->rc;
	((register_fn *)add)((extension_fn *)take_table);
	((__typeof__(sqlite3_open))open_db)(":memory:", &db);
	((register_fn *)cancel)((extension_fn *)take_table);
	((__typeof__(sqlite3_close))close_db)(db);
	if (!sqlite3_api)
		return err_set(err, RC_NOMEM, "index cache: out of memory");
	if (sqlite3_libversion_number() < VERSION_MIN)
		return err_set(err, RC_IO,
			       "%s is SQLite %.20s, an index cache needs %s "
			       "or newer",
			       LIBSQLITE_SONAME, sqlite3_libversion(),
			       VERSION_MIN_TEXT);
	return RC_OK;
}

static struct err loaded; /* written once, by load */

static void load(void)
{
	void *library = dlopen(LIBSQLITE_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		err_set(&loaded, RC_IO,
			"an index cache needs SQLite " PACKAGE_WITH_IT ": %s",
			dlerror());
	else if (!ask_for_table(library, &loaded))
		loaded.rc = RC_OK;
}

enum rc sqlite_library_load(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (loaded.rc)
		return err_set(err, loaded.rc, "%s", loaded.msg);
	return RC_OK;
}
