/* SPDX-License-Identifier: Apache-2.0 */
/* store-write.h - making and removing objects; for tools, never for the daemon.
 *
 * An object appears whole or not at all, is never overwritten, and is on stable
 * storage when the call that publishes it returns.
 *
 * In zone://FILE every store has what belongs there: a shard is made in all
 * stores of its zone, all else in all stores, in the order of the file.  A call
 * has failed unless it was done in all of them; the message names the store,
 * and the same call again does what is missing.  Lists of a store opened for
 * writing are of all its places, and each of them must answer.  The first thing
 * a run does is to give each place the log records that only others have, as a
 * run may have died between two PUTs.
 */
#ifndef DESFS_STORE_STORE_WRITE_H
#define DESFS_STORE_STORE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* Make the place itself where it is missing (its parent must exist), then open
 * it for reading and writing.
 */
enum rc store_create(struct store **ret, const char *url,
		     const struct store_settings *set,
		     struct err *err) MUST_CHECK;

/* RC_USAGE for places that can only be read; asks nobody. */
enum rc store_check_writable(const char *url, struct err *err) MUST_CHECK;

/* A small object in one go.  *ret_existed: there was one of that key with the
 * same bytes, which is as good; with other bytes it is RC_EXISTS.
 */
enum rc store_put(struct store *st, const char *key, const void *p, size_t len,
		  bool *ret_existed, struct err *err) MUST_CHECK;

/* A small object in the place of any other of that key.  Readers see the one or
 * the other.  Only for what is a convenience and never the truth:
 * log/index.json, the hourly aggregates below tombstones/, and how many stores
 * zones have.  Of two writers
 * at once either may win.  Where a bucket keeps versions, those before go as
 * well, but for log/index.json, which has no names; what is locked stays until
 * store_purge.
 */
enum rc store_replace(struct store *st, const char *key, const void *p,
		      size_t len, struct err *err) MUST_CHECK;

/* A large object piece by piece; the key is chosen at the end. */
struct store_upload;
enum rc store_upload_new(struct store *st, struct store_upload **ret,
			 struct err *err) MUST_CHECK;
/* Before its first byte: it will be a shard of that slot.  So the stores of
 * other zones are not sent what does not belong there.
 */
void store_upload_set_slot(struct store_upload *up, uint32_t slot);
enum rc store_upload_write(struct store_upload *up, const void *p, size_t len,
			   struct err *err) MUST_CHECK;
/* What was written so far, where store_upload_can_read says so; from any
 * thread, while one writes on.
 */
bool store_upload_can_read(const struct store_upload *up);
enum rc store_upload_read(struct store_upload *up, uint64_t off, void *buf,
			  size_t len, struct err *err) MUST_CHECK;
/* Publish under key.  An object of that key that has the same size is taken for
 * the same (keys carry a hash of the content) and *ret_existed is set.
 */
enum rc store_upload_commit(struct store_upload *up, const char *key,
			    bool *ret_existed, struct err *err) MUST_CHECK;
/* Bytes of memory that so many uploads to such a place may hold together, for
 * announcements; 0 for a place that cannot be written to.
 */
uint64_t store_upload_memory(const char *url, const struct store_settings *set,
			     unsigned int n_uploads);

/* Frees; what was not committed is removed. */
void store_upload_free(struct store_upload *up);

/* Make an object durable that another run may have published just now, and has
 * not come that far.  RC_NOENT: there is none.
 */
enum rc store_sync(struct store *st, const char *key,
		   struct err *err) MUST_CHECK;

/* Remove one object; RC_NOENT when there is none. */
enum rc store_remove(struct store *st, const char *key,
		     struct err *err) MUST_CHECK;

/* Remove all there is of an object for good, noncurrent versions and delete
 * markers too, and see that nothing is left; all may be gone already.  Of more
 * than one place (a zone) the worst is told.
 */
enum store_gone {
	STORE_REMOVED,          /* or there was none */
	STORE_VERSIONS_REMOVED, /* and the place kept versions of it */
	/* A lock or legal hold keeps some of it.  The rest is gone, and plain
	 * readers and lists do not find it.
	 */
	STORE_KEPT,
};
#define STORE_UNTIL_UNKNOWN INT64_MIN
/* *ret_until: of what is kept, us since 1970.  RC_ACCESS when removing is
 * refused for another reason, or what there is cannot be listed.
 */
enum rc store_purge(struct store *st, const char *key, enum store_gone *ret,
		    int64_t *ret_until, struct err *err) MUST_CHECK;

/* Call fn for each place that an object of that key belongs in, as a store of
 * its own, which may be written to if st may: a shard's are the stores of its
 * zone, all else is everywhere.  zone is the name of the store in the zone
 * file, so that no two places have the same; what is no zone://FILE is itself
 * the one place, with zone NULL.  Anything but RC_OK ends it with that result;
 * a place that cannot be opened is an error.
 */
typedef enum rc store_place_fn(void *arg, const char *zone, struct store *place,
			       struct err *err);
enum rc store_each_place(struct store *st, const char *key, store_place_fn *fn,
			 void *arg, struct err *err) MUST_CHECK;

/* There in each store of zones, from the first run on: who has one of them alone
 * knows that bytes may be in others, and who has some, of how many; see
 * zones-mark.h.
 */
#define STORE_ZONES_KEY "reap/zones"

/* Let go of what the kernel keeps of an object in memory, so that reading it
 * next tells of the disk, where that is ours to ask.
 */
void store_forget(struct store *st, const char *key);

/* A writing run marks itself as alive until store_run_end or its death, so that
 * clean-up leaves alone what it may still commit.  One at a time in a store,
 * begun before its uploads and ended after them; an upload outside of any has
 * one for itself.
 */
struct store_run;
enum store_run_kind {
	STORE_RUN_OTHER, /* of a mark that does not say: anything */
	STORE_RUN_PACK,  /* adds shards */
	STORE_RUN_REPACK,
	STORE_RUN_REAP,
	STORE_RUN_REBUILD,
	STORE_RUN_TOMBSTONE, /* adds deletions, and no shards */
};
#define STORE_RUN_KINDS 6
/* For "pack", "repack", ...; STORE_RUN_OTHER: "". */
const char *store_run_kind_text(enum store_run_kind kind);
/* Of len bytes; STORE_RUN_OTHER: it is none of these. */
enum store_run_kind store_run_kind_parse(const char *s, size_t len);
enum rc store_run_begin(struct store *st, enum store_run_kind kind,
			struct store_run **ret, struct err *err) MUST_CHECK;
/* is_committed: what the run published is named by a log record.  Otherwise its
 * mark stays behind with the keys it published, so that they can be told from
 * objects whose record was lost.
 */
void store_run_end(struct store_run *run, bool is_committed);

/* Number of other runs alive now, not counting own (may be NULL). */
enum rc store_runs_alive(struct store *st, const struct store_run *own,
			 unsigned int *ret, struct err *err) MUST_CHECK;

/* Sets of kinds: what may write a record that puts shards in the place of
 * others, or names old ones anew; and what may bring files, too.  Both have
 * STORE_RUN_OTHER.
 */
#define STORE_RUNS_REPLACING                              \
	(1u << STORE_RUN_OTHER | 1u << STORE_RUN_REPACK | \
	 1u << STORE_RUN_REAP | 1u << STORE_RUN_REBUILD)
#define STORE_RUNS_BRINGING (STORE_RUNS_REPLACING | 1u << STORE_RUN_PACK)

/* When the oldest of those of some kinds began, us since 1970 by the place's
 * clock, or a bit later; INT64_MAX: there is none, INT64_MIN: of one it cannot
 * be told.
 */
enum rc store_runs_oldest(struct store *st, unsigned int kinds,
			  const struct store_run *own, int64_t *ret_us,
			  struct err *err) MUST_CHECK;

/* Let no run begin until store_idle_end, where that can be had: in directories,
 * not in buckets.  Runs that have begun go on.  Not for long, as who begins
 * waits for a minute at most.  *ret may be NULL, which store_idle_end takes.
 */
struct store_idle;
enum rc store_idle_begin(struct store *st, struct store_idle **ret,
			 struct err *err) MUST_CHECK;
void store_idle_end(struct store_idle *idle);

/* The keys that runs which are dead now have published, told one by one; some
 * may be told twice, or be named by a later run's record.  A key whose run was
 * lost to a power failure may be missing.  Each run is told itself before its
 * keys, with key NULL.  Where lists lag none are told, since a record that
 * names one need not be listed yet.
 */
typedef enum rc store_claim_fn(void *arg, const char *run, const char *key,
			       struct err *err);
enum rc store_claims(struct store *st, store_claim_fn *fn, void *arg,
		     struct err *err) MUST_CHECK;

/* Unfinished uploads and marks of dead runs: told one by one, but for marks
 * that claim keys and may not go.  goes NULL: all may.
 */
typedef void store_leftover_fn(void *arg, const char *what, uint64_t size);
typedef bool store_goes_fn(void *arg, const char *run);
enum rc store_leftovers(struct store *st, bool remove, store_goes_fn *goes,
			store_leftover_fn *fn, void *arg,
			struct err *err) MUST_CHECK;

/* What may hold bytes and is of no run that writers know, as other tools' or
 * older programs' unfinished uploads to the place, whatever their key, and
 * unknown files below STORE_TMP: told one by one, with its age by the place's
 * clock, us; and, if that is at least min_age, removed when remove is set.
 * What is of runs, alive or dead, is left to them and to store_leftovers.
 */
typedef void store_stray_fn(void *arg, const char *what, uint64_t size,
			    int64_t age, bool is_removed);
enum rc store_strays(struct store *st, bool remove, int64_t min_age,
		     store_stray_fn *fn, void *arg, struct err *err) MUST_CHECK;

/* Whether anything may be below STORE_TMP, or any upload is unfinished: no run
 * is alive, and store_claims, store_leftovers and store_strays would tell
 * nothing, unless it is so.
 */
enum rc store_has_tmp(struct store *st, bool *ret, struct err *err) MUST_CHECK;

/* One thing that was tried. */
struct store_step {
	const char *name;  /* "write", "copy", ... */
	const char *text;  /* what was found; of a failure: more, or NULL */
	bool is_note;      /* no failure, but worth to be known */
	struct err *err;   /* what went wrong, to be changed freely; or NULL */
	const char *right; /* what an account needs for it; or NULL */
};
typedef void store_step_fn(void *arg, const struct store_step *step);

/* Prove that objects can be made, read and removed, and whatever else writing
 * there takes, with small ones below STORE_TMP that nobody else names.  None of
 * them stays, unless removing fails.
 */
void store_try_write(struct store *st, store_step_fn *fn, void *arg);

/* What to say of GETs of a range. */
#define STORE_RANGE_WORKS "a part of an object can be read (206)"
#define STORE_RANGE_NEEDED \
	"the server, and any proxy before it, must answer a Range with 206"

#endif
