/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.h - so many files and bytes of the sources a second and no more.
 *
 * Whoever reads says before what he is about to read, and waits until that is
 * due.  A stop, gentle or not, lifts the limits, since what is at hand is to
 * end soon; so does throttle_lift.  Safe from any thread.
 */
#ifndef DESFS_RUN_THROTTLE_H
#define DESFS_RUN_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A second; 0: no limit. */
struct throttle_rates {
	uint64_t files, bytes;
};

/* "500files/s" sets the one, "20M/s" the other. */
enum rc throttle_parse(const char *text, struct throttle_rates *ret,
		       struct err *err) MUST_CHECK;

struct throttle;

enum rc throttle_new(struct throttle_rates rates, struct throttle **ret,
		     struct err *err) MUST_CHECK;
void throttle_free(struct throttle *t);

/* The files and bytes are about to be read: ns until they are due.  For tests,
 * and for throttle_wait.
 */
uint64_t throttle_due(struct throttle *t, uint64_t now, uint64_t files,
		      uint64_t bytes) MUST_CHECK;

/* The same, waiting for it.  Takes NULL. */
void throttle_wait(struct throttle *t, uint64_t files, uint64_t bytes);

/* No limits from here on; wakes all who wait. */
void throttle_lift(struct throttle *t);

#endif
