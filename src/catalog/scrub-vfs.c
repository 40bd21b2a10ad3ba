/* SPDX-License-Identifier: Apache-2.0 */
/* scrub-vfs.c - SQLite's way to files, but that pages are written without what
 * is left of deleted rows in them.
 */
#include "config.h"

#include "catalog/scrub-vfs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "catalog/sqlite-library.h"

#define NAME "desfs-scrub"
/* The database's header, before the first page's own. */
#define FILE_HEADER 100u
/* Each page of back pointers, the first is page 2, has 5 bytes for each of
 * those that follow.
 */
#define MAP_EVERY (SCRUB_PAGE / 5 + 1)

static sqlite3_vfs vfs;
static const sqlite3_vfs *base;
static sqlite3_io_methods methods;
/* Of which methods is a copy; written once. */
static const sqlite3_io_methods *_Atomic real;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t u16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* Pages of rows and of indices, inner ones and leaves.  Those of long rows and
 * unused ones begin with the number of a page, which has a zero here in files
 * below 128 GiB.
 */
static bool has_rows(const uint8_t *header, uint64_t number)
{
	return (number < 2 || (number - 2) % MAP_EVERY) &&
	       (header[0] == 2 || header[0] == 5 || header[0] == 10 ||
		header[0] == 13);
}

bool scrub_page(uint8_t page[SCRUB_PAGE], uint64_t number)
{
	size_t at = number == 1 ? FILE_HEADER : 0, from, to;
	const uint8_t *h = page + at;

	if (!has_rows(h, number))
		return false;
	from = at + (h[0] < 10 ? 12 : 8) + 2 * u16(h + 3);
	to = u16(h + 5);
	if (to > SCRUB_PAGE || from >= to ||
	    (!page[from] &&
	     !memcmp(page + from, page + from + 1, to - from - 1)))
		return false;
	memset(page + from, 0, to - from);
	return true;
}

static int write_scrubbed(sqlite3_file *f, const void *p, int n,
			  sqlite3_int64 off)
{
	uint8_t page[SCRUB_PAGE];

	if (n == SCRUB_PAGE && off >= 0 && off % SCRUB_PAGE == 0) {
		memcpy(page, p, SCRUB_PAGE);
		if (scrub_page(page, (uint64_t)off / SCRUB_PAGE + 1))
			p = page;
	}
	return atomic_load(&real)->xWrite(f, p, n, off);
}

/* All files of a database have the same methods; of others nothing is known. */
static void take_over(sqlite3_file *f)
{
	pthread_mutex_lock(&lock);
	if (!atomic_load(&real)) {
		methods = *f->pMethods;
		methods.xWrite = write_scrubbed;
		atomic_store(&real, f->pMethods);
	}
	if (f->pMethods == atomic_load(&real))
		f->pMethods = &methods;
	pthread_mutex_unlock(&lock);
}

static int open_file(sqlite3_vfs *ours, const char *name, sqlite3_file *f,
		     int flags, int *ret_flags)
{
	int rc;

	(void)ours;
	rc = base->xOpen((sqlite3_vfs *)(uintptr_t)base, name, f, flags,
			 ret_flags);
	if (!rc && flags & SQLITE_OPEN_MAIN_DB && f->pMethods)
		take_over(f);
	return rc;
}

static void begin(void)
{
	base = sqlite3_vfs_find(NULL);
	if (!base || base->iVersion > 3)
		return;
	vfs = *base;
	vfs.pNext = NULL;
	vfs.zName = NAME;
	vfs.xOpen = open_file;
	if (sqlite3_vfs_register(&vfs, 0))
		vfs.zName = NULL;
}

const char *scrub_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, begin);
	return vfs.zName;
}
