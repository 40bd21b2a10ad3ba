/* SPDX-License-Identifier: Apache-2.0 */
/* verify-report.h - what was found in one object, kept until it is its turn to
 * be told.
 *
 * For one thread at a time.  A zeroed report is empty but for its key.  What
 * does not fit into a little memory goes to a temporary file: a page of the
 * index may cost more names than there is memory for.
 */
#ifndef DESFS_VERIFY_VERIFY_REPORT_H
#define DESFS_VERIFY_VERIFY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/spool.h"
#include "base/stop.h"
#include "verify/verify.h"

struct verify_report {
	const char *key;   /* borrowed */
	const char *place; /* likewise: the store's name in zones; or NULL */
	struct spool kept; /* the findings; not before there is one */
	bool has_kept, has_failed;
	struct err err; /* of has_failed: some findings are only counted */
	/* Where may_stop is set a signal ends the work early: the object was
	 * not looked at whole, and is_stopped says so.
	 */
	bool may_stop, is_stopped;
	bool is_gone; /* a shard was not there at all */
	struct verify_totals totals;
};

void verify_damage(struct verify_report *r, uint64_t off, const char *fmt, ...)
	PRINTF(3, 4);
/* It may be whole. */
void verify_unread(struct verify_report *r, const char *fmt, ...) PRINTF(2, 3);
void verify_note(struct verify_report *r, const char *fmt, ...) PRINTF(2, 3);
/* One entry, or n of them that cannot be named one by one.  off: where the
 * damage is that costs them, or FINDING_NO_OFFSET.
 */
void verify_lost(struct verify_report *r, uint64_t off, struct span parent,
		 struct span name);
/* One of those that were counted together. */
void verify_lost_name(struct verify_report *r, struct span parent,
		      struct span name);
void verify_lost_many(struct verify_report *r, uint64_t off, uint64_t n,
		      const char *fmt, ...) PRINTF(4, 5);
/* One entry that can be read as long as the index is whole. */
void verify_weak(struct verify_report *r, uint64_t off, struct span parent,
		 struct span name);

static inline bool verify_is_stopped(struct verify_report *r)
{
	r->is_stopped |= r->may_stop && stop_requested();
	return r->is_stopped;
}

/* The text of the first finding, to be freed; NULL: there is none. */
char *verify_report_first(const struct verify_report *r) MUST_CHECK;

/* Tell all, add up, release. */
void verify_report_tell(struct verify_report *r,
			const struct verify_options *opts,
			struct verify_totals *totals);
/* Put what is in from, of the same object, behind what is in r; from is empty
 * then.
 */
void verify_report_move(struct verify_report *r, struct verify_report *from);
/* Release without a word. */
void verify_report_drop(struct verify_report *r);

#endif
