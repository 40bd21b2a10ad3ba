/* SPDX-License-Identifier: Apache-2.0 */
/* purge.h - remove old revisions and garbage where nothing speaks against it.
 *
 * What is removed was replaced, says a record that was read by its name in
 * every zone; all that counts in its place was read whole there and has what
 * the old one has, but for what is deleted or said to be lost; the grace
 * period is over, no hold covers it, and nobody is at work who began before
 * that record.  What of it was asked to be deleted has a receipt before, and
 * a record says afterwards where it is gone or what keeps it.
 */
#ifndef DESFS_REPACK_PURGE_H
#define DESFS_REPACK_PURGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "repack/purge-rule.h"
#include "shard/shard-format.h"
#include "volume/oplog.h"

struct store;
struct store_run;

/* One old revision, and what became of it. */
struct purge_event {
	const char *key;
	enum purge_verdict verdict; /* PURGE_YES: the rest is about one zone */
	const char *zone;           /* NULL: no zones */
	enum receipt_how how;
	/* When it can go: of PURGE_GRACE, and of what is pending;
	 * RECEIPT_UNKNOWN.
	 */
	int64_t until;
	const char *text; /* of what failed, or the hold's key; or NULL */
	bool is_failed;   /* it was to go and could not be removed */
};
typedef void purge_fn(void *arg, const struct purge_event *event);

struct purge_options {
	struct store *store; /* for writing */
	const uint8_t *archive_id;
	const struct store_run *run; /* the caller's, or NULL */
	unsigned int jobs;           /* 0: one */
	bool dry_run;                /* tell, and change nothing */
	purge_fn *fn;                /* on the calling thread; may be NULL */
	void *arg;
};

struct purge_totals {
	uint64_t purged;  /* revisions, everywhere */
	uint64_t bytes;   /* of these */
	uint64_t again;   /* of these: had been removed before, and come back */
	uint64_t waiting; /* for the grace period, or another run */
	uint64_t held, pending, failed;
	int64_t next; /* the first end of a grace period; INT64_MAX: none */
};

/* One round over all that is old; reads log before and after.  RC_PARTIAL: some
 * could not be removed or verified, which events tell of.
 */
enum rc purge_old(struct oplog *log, const struct purge_options *opts,
		  struct purge_totals *ret, struct err *err) MUST_CHECK;

/* Whether the grace period of any is over, without a request.  Where it is not,
 * events and totals tell of those that wait, as purge_old would.
 */
enum rc purge_look(const struct oplog *log, const struct purge_options *opts,
		   struct purge_totals *ret, bool *ret_is_due,
		   struct err *err) MUST_CHECK;

#endif
