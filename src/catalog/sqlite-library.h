/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite-library.h - SQLite, loaded when the first index cache is opened.
 *
 * Local archives have none and do without.  The functions are those of SQLite's
 * own table for its extensions, by their usual names: <sqlite3ext.h> makes
 * sqlite3_step and all others what the table has.  Nothing is called before
 * sqlite_library_load has succeeded once.
 */
#ifndef DESFS_CATALOG_SQLITE_LIBRARY_H
#define DESFS_CATALOG_SQLITE_LIBRARY_H

#include <sqlite3ext.h>

#include "base/compiler.h"
#include "base/err.h"

SQLITE_EXTENSION_INIT3

/* Once however often it is called; any thread.  RC_IO says what is missing, and
 * fails ever after.
 */
enum rc sqlite_library_load(struct err *err) MUST_CHECK;

#endif
