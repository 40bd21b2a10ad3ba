/* SPDX-License-Identifier: Apache-2.0 */
/* op-erase.h - deletions are asked for. */
#ifndef DESFS_TESTS_OP_ERASE_H
#define DESFS_TESTS_OP_ERASE_H

#include "base/err.h"
#include "store/store.h"
#include "world.h"

enum rc op_erase(struct world *w, struct store *st, const struct op *op,
		 struct err *err);

#endif
