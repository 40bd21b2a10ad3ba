/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-state.h - how far a deletion is; a pure function of what is known.
 *
 * A state is computed and kept nowhere: from the log and the objects anybody
 * gets the same one.  The facts have to be of one moment.
 */
#ifndef DESFS_ERASE_ERASURE_STATE_H
#define DESFS_ERASE_ERASURE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they come. */
enum erasure_state {
	ERASURE_ASKED,    /* no record of the log has it yet: readers show it */
	ERASURE_HIDDEN,   /* the log has it; a revision that counts holds it */
	ERASURE_REPACKED, /* none does; the new ones are not all verified */
	ERASURE_VERIFIED, /* the old bytes can go, now or after grace */
	ERASURE_HELD,    /* all that is left is under a hold, or it itself is */
	ERASURE_PENDING, /* all that is left the store does not let go yet */
	ERASURE_PURGED,  /* nothing is left */
	ERASURE_DONE,    /* and the receipt says so */
};

/* For "asked", "hidden", ... */
const char *erasure_state_text(enum erasure_state state);

#define ERASURE_NEVER INT64_MIN /* of times: not so far, or not known */

/* What holds the versions, an object with revisions, in one zone. */
struct erasure_zone {
	bool is_gone;     /* the old bytes, in every version of the object */
	bool is_verified; /* the revisions in its place were read here whole */
	bool is_held;     /* a hold covers it */
	/* The store keeps it, until pending_until or nobody knows when. */
	bool is_pending;
	int64_t pending_until;
};

/* A revision that holds the versions or held them; or something else that
 * does: an upload that was not finished, a dictionary.
 */
struct erasure_holder {
	bool is_replaced; /* a record that counts puts others in its place */
	const struct erasure_zone *zones;
	size_t n_zones;
};

#define ERASURE_DEADLINE (INT64_C(48) * 3600 * 1000000) /* from asked on */
#define ERASURE_MARGIN (INT64_C(12) * 3600 * 1000000)   /* a good one */

/* Times in microseconds. */
struct erasure_facts {
	int64_t asked;    /* the time of the tombstone */
	int64_t hidden;   /* of the log's record that names it */
	int64_t received; /* of the receipt that says all is gone */
	bool is_held;     /* a hold keeps it from being left out anywhere */
	const struct erasure_holder *holders;
	size_t n_holders;
	int64_t now;
	int64_t margin; /* in danger so long before the deadline */
};

struct erasure_status {
	enum erasure_state state;
	int64_t age; /* since asked, up to the receipt; not below 0 */
	int64_t deadline;
	/* Of ERASURE_PENDING: when the last of it can go. */
	int64_t pending_until;
	/* The deadline is near, over, or known to be missed: what is pending
	 * ends after it.  Also if asked lies in the future by more than
	 * CLOCK_SKEW_US, as nobody knows then how old it is.  Never if held or
	 * done: a hold is an order.
	 */
	bool is_in_danger;
};

struct erasure_status erasure_status_of(const struct erasure_facts *f);

#endif
