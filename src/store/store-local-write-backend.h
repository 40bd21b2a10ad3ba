/* SPDX-License-Identifier: Apache-2.0 */
/* store-local-write-backend.h - runs of writers of a directory store.
 *
 * STORE_TMP/RUN is the mark of a run, where RUN is "run-" and 16 hex digits;
 * its writer holds it under flock(2) for as long as it lives.  The first line
 * of the mark is '/' and the kind of the run, which no key looks like; then
 * comes a line for each key, written before that is published, and made
 * durable before if that is a shard.  STORE_TMP/RUN-X are that run's unfinished
 * uploads, X being 16 hex digits.
 *
 * STORE_TMP itself is locked by who cleans up, from the look at what is alive
 * to the removal, and shared for a moment by who has just made a mark; so what
 * cleans up sees the mark, or is done.
 */
#ifndef DESFS_STORE_STORE_LOCAL_WRITE_BACKEND_H
#define DESFS_STORE_STORE_LOCAL_WRITE_BACKEND_H

#include "store/store-local-backend.h"

#define RUN_TEXT 21    /* with its NUL */
#define UPLOAD_TEXT 38 /* likewise */

struct store_run_local {
	struct store_run base;
	int tmpfd;  /* the directory STORE_TMP */
	int markfd; /* the mark, locked */
	_Atomic bool has_claims;
	char name[RUN_TEXT];
};

/* STORE_TMP; -1 and errno. */
int store_local_open_tmp(const struct local_store *ls) MUST_CHECK;
/* How is LOCK_EX for a mark's owner, LOCK_SH for who asks whether it has one.
 * 1: locked and still there; 0: somebody else was quicker; -1 and errno.
 */
int store_local_lock_mark(int fd, int how) MUST_CHECK;

/* A run for one upload, which is not the store's. */
enum rc store_local_run_new(struct store *st, enum store_run_kind kind,
			    struct store_run **ret, struct err *err) MUST_CHECK;
enum rc store_local_run_begin(struct store *st, enum store_run_kind kind,
			      struct store_run **ret,
			      struct err *err) MUST_CHECK;
void store_local_run_end(struct store_run *run, bool is_committed);
/* Write down that the run is about to publish key. */
enum rc store_local_run_claim(struct store_run *run, const char *key,
			      struct err *err) MUST_CHECK;

/* store-local-write-leftover.c */
enum rc store_local_claims(struct store *st, store_claim_fn *fn, void *arg,
			   struct err *err) MUST_CHECK;
enum rc store_local_runs_alive(struct store *st, const struct store_run *own,
			       unsigned int *ret, struct err *err) MUST_CHECK;
enum rc store_local_runs_oldest(struct store *st, unsigned int kinds,
				const struct store_run *own, int64_t *ret_us,
				struct err *err) MUST_CHECK;
enum rc store_local_strays(struct store *st, bool remove, int64_t min_age,
			   store_stray_fn *fn, void *arg,
			   struct err *err) MUST_CHECK;
enum rc store_local_idle_begin(struct store *st, struct store_idle **ret,
			       struct err *err) MUST_CHECK;
void store_local_idle_end(struct store_idle *idle);
enum rc store_local_has_tmp(struct store *st, bool *ret,
			    struct err *err) MUST_CHECK;
enum rc store_local_leftovers(struct store *st, bool remove,
			      store_goes_fn *goes, store_leftover_fn *fn,
			      void *arg, struct err *err) MUST_CHECK;

#endif
