/* SPDX-License-Identifier: Apache-2.0 */
/* ops.h - what may be done to an archive. */
#ifndef DESFS_TESTS_OPS_H
#define DESFS_TESTS_OPS_H

#include <stddef.h>

#include "base/err.h"
#include "store/store.h"
#include "world.h"

struct op_kind {
	const char *name;
	unsigned int weight; /* how often it is chosen */
	/* The store is the actor's.  What is intended is acknowledged by RC_OK.
	 */
	enum rc (*run)(struct world *w, struct store *st, const struct op *op,
		       struct err *err);
};

extern const struct op_kind op_kinds[];
extern const size_t n_op_kinds;

#endif
