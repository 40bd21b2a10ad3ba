/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - what was learnt of remote archives, kept in SQLite between
 * mounts.
 *
 * The index cache: descriptors, log records, and byte ranges of shards outside
 * their data (tails, index pages, filters).  It is never the truth: what comes
 * out is checked by its user just as if it came from the store, and whoever
 * finds it wrong drops it.  Losing it costs requests.
 *
 * One file, shared by any number of processes and threads.  A file that is
 * damaged or of another version is put aside and begun anew.  Calls that read
 * answer "not there", and calls that write do nothing, when the database cannot
 * be used; catalog_stats counts that.
 */
#ifndef DESFS_CATALOG_CATALOG_H
#define DESFS_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct catalog;

#define CATALOG_SIZE_DEFAULT (UINT64_C(1) << 30)

/* $XDG_CACHE_HOME/desfs/index.sqlite, ~/.cache/...; for root without a home
 * /var/cache/desfs/index.sqlite; free() it.
 */
char *catalog_default_path(void) MUST_CHECK;

/* Make directory (mode 0700) and file (0600) where they are missing. RC_ACCESS:
 * they belong to, or may be written by, others.  max_bytes of 0:
 * CATALOG_SIZE_DEFAULT.  Not to be taken along through fork.
 */
enum rc catalog_open(struct catalog **ret, const char *path, uint64_t max_bytes,
		     struct err *err) MUST_CHECK;
void catalog_close(struct catalog *c); /* takes NULL */

/* "SQLite 3.40.1", which runs, in room of the calling thread's. */
const char *catalog_library(void);

/* What is longer is not kept. */
#define CATALOG_DOCUMENT_MAX (256u << 20)
#define CATALOG_RANGE_MAX (64u << 20)

/* --- an archive, by the URL it is reached at ------------------------------ */

/* Documents of an archive: desfs.json and the log records, by key.  location
 * names the place: the store's URL and endpoint.  true: appended to ret.
 */
bool catalog_get_document(struct catalog *c, const char *location,
			  const char *key, struct buf *ret);
void catalog_put_document(struct catalog *c, const char *location,
			  const char *key, const void *p, size_t len);
/* Several at once: all of them (true) or none. */
struct catalog_document {
	const char *key;
	const void *p;
	size_t len;
};
bool catalog_put_documents(struct catalog *c, const char *location,
			   const struct catalog_document *docs, size_t n);

/* Forget documents, so that their bytes are nowhere in the file any more, and
 * not in its log unless somebody was reading that.  false: it could not be done.
 */
bool catalog_drop_documents(struct catalog *c, const char *location,
			    const char *const *keys, size_t n);

/* All documents whose key begins with prefix, in order of their keys; fn
 * returns false to end, and must not call the catalog.
 */
typedef bool catalog_document_fn(void *arg, const char *key, const void *p,
				 size_t len);
void catalog_each_document(struct catalog *c, const char *location,
			   const char *prefix, catalog_document_fn *fn,
			   void *arg);

/* Forget the archive at a place: it is another one now. */
void catalog_drop(struct catalog *c, const char *location);

/* --- byte ranges of shards, by the shard's root hash ---------------------- */

#define CATALOG_ROOT_LEN 32

/* true: len bytes at off of the shard appended to ret; a range is found as it
 * was put, or within one that was.
 */
bool catalog_get_range(struct catalog *c, const uint8_t root[CATALOG_ROOT_LEN],
		       uint64_t off, size_t len, struct buf *ret);
/* location says whose it is, for "status" and "clear"; tag is the object's, see
 * struct object_info.
 */
void catalog_put_range(struct catalog *c, const char *location,
		       const uint8_t root[CATALOG_ROOT_LEN], const char *tag,
		       uint64_t off, const void *p, size_t len);
/* The range that ends at end, the shard's size, and the tag it had at that
 * location; "" when it was put for another.
 */
bool catalog_get_tail(struct catalog *c, const char *location,
		      const uint8_t root[CATALOG_ROOT_LEN], uint64_t end,
		      uint64_t *ret_off, struct buf *ret, char *ret_tag,
		      size_t tag_size);
/* What was kept of the shard turned out wrong. */
void catalog_drop_shard(struct catalog *c,
			const uint8_t root[CATALOG_ROOT_LEN]);
/* Forget all of a place for whose root fn is true, so that nothing of it is left
 * in the file or its log; fn must not call the catalog.
 */
typedef bool catalog_root_fn(void *arg, const uint8_t root[CATALOG_ROOT_LEN]);
void catalog_erase_shards(struct catalog *c, const char *location,
			  catalog_root_fn *fn, void *arg);

/* --- for desfs cache ------------------------------------------------------ */

struct catalog_stats {
	/* Since it was opened: */
	uint64_t hits, misses, puts;
	uint64_t errors;   /* the database could not be used */
	uint64_t rebuilds; /* it was put aside */
	/* What it holds; bytes as the file has them, max_bytes their bound. */
	uint64_t n_archives, n_documents, n_shards, n_ranges;
	uint64_t bytes, max_bytes;
};
void catalog_stats(struct catalog *c, struct catalog_stats *ret);

typedef bool catalog_archive_fn(void *arg, const char *location,
				uint64_t n_shards, uint64_t bytes,
				int64_t last_used);
enum rc catalog_each_archive(struct catalog *c, catalog_archive_fn *fn,
			     void *arg, struct err *err) MUST_CHECK;
/* SQLite's own check and every stored hash; what is damaged is removed. */
enum rc catalog_verify(struct catalog *c, uint64_t *ret_checked,
		       uint64_t *ret_damaged, struct err *err) MUST_CHECK;
enum rc catalog_clear(struct catalog *c, struct err *err) MUST_CHECK;

#endif
