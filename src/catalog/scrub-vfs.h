/* SPDX-License-Identifier: Apache-2.0 */
/* scrub-vfs.h - SQLite's way to files, but that pages are written without what
 * is left of deleted rows in them.
 *
 * secure_delete zeroes what a deleted row took.  When rows move to the page
 * beside, as pages are balanced, copies of them stay in the room that is then
 * free between a page's pointers and its rows; of the row that moved only the
 * one in its new place is zeroed later.
 */
#ifndef DESFS_CATALOG_SCRUB_VFS_H
#define DESFS_CATALOG_SCRUB_VFS_H

#include <stdbool.h>
#include <stdint.h>

/* The pages of databases opened by it, which have SCRUB_PAGE bytes and
 * incremental or full auto_vacuum; the write-ahead log is written as it is.
 */
#define SCRUB_PAGE 8192
#define SCRUB_PAGE_TEXT "8192"

/* The name for sqlite3_open_v2; NULL: SQLite's own has to do.  Any thread. */
const char *scrub_vfs(void);

/* Zero the room of a page that nothing uses; false: there is none, or it is
 * zero already.  number counts from 1.
 */
bool scrub_page(uint8_t page[SCRUB_PAGE], uint64_t number);

#endif
