/* SPDX-License-Identifier: Apache-2.0 */
/* verify-backend.h - one archive being verified; private to verify*.c. */
#ifndef DESFS_VERIFY_VERIFY_BACKEND_H
#define DESFS_VERIFY_VERIFY_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "verify/archive-list.h"
#include "verify/verify-turns.h"
#include "verify/verify.h"
#include "volume/descriptor.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

struct tombstone_set;

struct verify_run {
	const struct verify_options *opts;
	struct verify_totals *totals;
	const char *url;
	struct store *store;
	struct archive_list list;
	bool has_list; /* a web server has none: the log alone tells */
	struct oplog *log;
	struct oplog *later; /* read again, to see what has changed; or NULL */
	const struct oplog_state *state; /* NULL: the log cannot be read, or has
					  * no record */
	struct tombstone_set *overdue;   /* deleted, and should be gone; NULL */
	struct descriptor descriptor;
	bool has_descriptor;
	struct verify_todo *todo;
	size_t n_todo, cap_todo;
	char *unread_place; /* what was told last of one; NULL */
};

/* One finding about an object. */
void verify_run_damage(struct verify_run *r, const char *key, const char *fmt,
		       ...) PRINTF(3, 4);
void verify_run_note(struct verify_run *r, const char *key, const char *fmt,
		     ...) PRINTF(3, 4);

/* verify-log.c: read the log; whether its records are those that others name as
 * the ones before them; that documents of deletions are what they were.
 */
void verify_log(struct verify_run *r);
/* A document of deletions that the log names and that is not done, or one of
 * the list of what is not to come back; NULL: no such.
 */
const struct oplog_object *verify_log_object(const struct verify_run *r,
					     const char *key);
/* What the list has of the log and of deletions, and no record names. */
void verify_log_leftovers(struct verify_run *r);
/* Whether a shard that is not there has stopped to count meanwhile. */
bool verify_log_is_replaced(void *run, const char *key);
/* What is deleted and still there, after the shards were looked at. */
void verify_log_deleted(struct verify_run *r);

/* verify-match.c: what the log names against what there is; fills todo. */
void verify_match(struct verify_run *r);
/* One shard of that key.  RC_NOENT: there is none, and none is wanted. */
enum rc verify_match_key(struct verify_run *r, const char *key,
			 struct err *err) MUST_CHECK;
/* What does not count and may be cleaned up. */
void verify_match_rest(struct verify_run *r);
/* The shards that count, by key; free() it. */
const struct shard_meta **verify_named(const struct verify_run *r,
				       size_t *ret_n) MUST_CHECK;

/* verify-places.c: put each of todo there once for each store that has to have
 * it.
 */
void verify_places(struct verify_run *r);
/* One that cannot be opened: told once. */
void verify_place_unread(struct verify_run *r, const char *text);

/* verify-mirrors.c: what is no shard, in each store of zones. */
void verify_mirrors(struct verify_run *r);

/* verify-no-log.c: there are shards in todo, and no record. */
void verify_no_log(struct verify_run *r);

/* verify-old.c: a listed shard that was replaced, or that no valid record
 * names.
 */
void verify_old(struct verify_run *r, const struct oplog_old *old,
		uint64_t size);
/* Old shards that are not listed. */
void verify_old_gone(struct verify_run *r);

#endif
