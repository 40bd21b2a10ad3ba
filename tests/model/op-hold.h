/* SPDX-License-Identifier: Apache-2.0 */
/* op-hold.h - holds are put and taken away; what is under one stays.
 *
 * A hold is in force when lists must show it.  What it covers and was in shards
 * of the log then must be in the store when it goes.
 */
#ifndef DESFS_TESTS_OP_HOLD_H
#define DESFS_TESTS_OP_HOLD_H

#include "base/err.h"
#include "store/store.h"
#include "world.h"

enum rc op_hold(struct world *w, struct store *st, const struct op *op,
		struct err *err);

/* After each step: those that have come into force. */
void holds_begin(struct world *w);
/* See that all is there that must be, and take all holds away. */
void holds_end(struct world *w);

#endif
