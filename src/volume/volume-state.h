/* SPDX-License-Identifier: Apache-2.0 */
/* volume-state.h - what the files of a volume share among themselves.
 *
 * For volume*.c only.
 */
#ifndef DESFS_VOLUME_VOLUME_STATE_H
#define DESFS_VOLUME_VOLUME_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "volume/descriptor.h"
#include "volume/shard-cursor.h"
#include "volume/shard-set.h"
#include "volume/view.h"
#include "volume/volume.h"

struct catalog;
struct volume_ahead;
struct volume_old;
struct oplog;

struct volume {
	struct store *st;
	/* Of an older archive: the store it is in, of which st is made. */
	struct store *below;
	bool is_store_borrowed;
	struct catalog *catalog; /* NULL: none */
	char *index_cache_error; /* why there is none; NULL: nothing wrong */
	struct descriptor descriptor;
	struct shard_env env;
	struct shard_set *set;
	struct volume_old *old;
	enum volume_verify verify;
	bool has_without; /* see volume_options */
	int64_t without;
	uint64_t block_cache;       /* bytes */
	struct volume_ahead *ahead; /* NULL: the store is a remote one */

	pthread_mutex_t lock;
	pthread_cond_t refreshed;
	struct view *view;  /* guarded by lock */
	bool is_refreshing; /* likewise; true: log is the refresher's */
	struct oplog *log;
	bool is_stale;      /* the refresher's: log knows more than view */
	uint64_t looked_ns; /* likewise: when it began to read the log */
	/* Some view published lately hides something: else none is looked at
	 * for the sake of what is deleted.
	 */
	atomic_bool has_deleted;
	_Atomic uint64_t generation; /* view's */

	_Atomic uint64_t lookups, readdirs, reads, bytes_served;
};

/* Older archives, see volume_is_legacy: is there one in place of what was
 * looked for, make it what is to be looked at, and back.
 */
enum rc volume_legacy_exists(struct volume *v,
			     const struct volume_options *opts, bool *ret,
			     struct err *err) MUST_CHECK;
enum rc volume_legacy_begin(struct volume *v, const struct volume_options *opts,
			    struct err *err) MUST_CHECK;
void volume_legacy_end(struct volume *v);

/* The fetcher and the disk cache of a remote store; none else. */
enum rc volume_fetch_begin(struct volume *v, const struct volume_options *opts,
			   struct err *err) MUST_CHECK;
void volume_fetch_end(struct volume *v);
void volume_fetch_count(struct volume *v, struct volume_stats *ret);

/* The view now, to be given back with view_unref. */
struct view *volume_view(struct volume *v);

/* Doing something on the view as it is, and once more on a later one if a shard
 * turned out to be replaced and gone:
 *
 *	struct volume_try t = { .v = v };
 *
 *	while (volume_try_next(&t))
 *		t.rc = something(v, t.view, ..., err);
 *	return t.rc;
 */
struct volume_try {
	struct volume *v;
	struct view *view;
	unsigned int n;
	enum rc rc;
};
bool volume_try_next(struct volume_try *t);

void cleanup_view(struct view **view);
void cleanup_cursor(struct shard_cursor *c);
#define CLEANUP_VIEW CLEANUP(cleanup_view)
#define CLEANUP_CURSOR CLEANUP(cleanup_cursor)

static inline void volume_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Fill in the entry a cursor is at. */
void volume_entry_init(struct volume_entry *ret, const struct shard_cursor *c,
		       bool date);

/* Hold once more what the entry borrows, for a copy of it. */
void volume_entry_hold(struct volume_entry *ve);

/* Which version of a name is shown: the newest explicit one, unless that is no
 * directory and there is a newer implicit one.  A deleted directory counts as
 * an implicit one.
 */
struct volume_pick {
	struct volume_entry explicit_one, implicit_one; /* hold NULL: none */
};
/* Consider the entry a cursor is at. */
void volume_pick_offer(struct volume_pick *pick, const struct view *view,
		       const struct shard_cursor *c);
/* The one that is shown, borrowed; NULL: none. */
enum rc volume_pick_choose(struct volume *v, const struct view *view,
			   struct volume_pick *pick, struct volume_entry **ret,
			   struct err *err) MUST_CHECK;
void volume_pick_release(struct volume_pick *pick);
/* Of an explicit and an implicit version, either may be NULL. */
struct volume_entry *volume_pick_of(struct volume_entry *explicit_one,
				    struct volume_entry *implicit_one);

/* The entry a node stands for, also if it is deleted, or if it is no more but
 * can be read: a place in a directory.
 */
enum rc volume_get_raw(struct volume *v, struct volume_node node,
		       struct volume_entry *ret, struct err *err) MUST_CHECK;

/* The uid of an entry, in memory to be freed. */
char *volume_uid(struct span parent, struct span name, struct span *ret);

/* True for what can be a file's name. */
bool volume_name_ok(struct span name);

/* A name in the directory of uid dir: the tree view's, made at since or later.
 */
enum rc volume_tree_find(struct volume *v, const struct view *view,
			 struct span dir, struct span name, int64_t since,
			 struct volume_entry *ret, struct err *err) MUST_CHECK;

/* A name in the directory of uid dir in the date view of a day. */
enum rc volume_date_find(struct volume *v, const struct view *view,
			 const struct view_day *day, struct span dir,
			 struct span name, struct volume_entry *ret,
			 struct err *err) MUST_CHECK;

/* Load block i < n_blocks of a file into the block cache, unless it is there or
 * being loaded.  fn is called with true before that, and with false if nothing
 * is loaded after all.
 */
typedef void volume_load_fn(void *arg, bool is_loading);
enum rc volume_load_block(struct volume *v, const struct volume_entry *ve,
			  uint32_t i, volume_load_fn *fn, void *arg,
			  struct err *err) MUST_CHECK;

/* Each block of a regular file that is no hole; also of one that is deleted. */
typedef void volume_block_fn(void *arg, const struct shard_handle *h,
			     const struct block_ref *ref);
enum rc volume_each_block(struct volume *v, const struct volume_entry *ve,
			  volume_block_fn *fn, void *arg,
			  struct err *err) MUST_CHECK;

/* Where a listing goes. */
struct volume_listing {
	const struct volume_entry *dir;
	struct span uid;                  /* dir's */
	const struct volume_entry *after; /* shown last, or NULL */
	volume_dir_fn *fn;
	void *arg;
};
enum rc volume_tree_list(struct volume *v, const struct view *view,
			 const struct volume_listing *l,
			 struct err *err) MUST_CHECK;
enum rc volume_date_list(struct volume *v, const struct view *view,
			 const struct view_day *day,
			 const struct volume_listing *l,
			 struct err *err) MUST_CHECK;

/* The cookie of what follows an entry. */
uint64_t volume_cookie(struct volume_node node);

/* RC_NOENT with words that fit. */
enum rc volume_no_entry(struct span name, struct err *err);

#endif
