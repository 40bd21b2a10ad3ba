/* SPDX-License-Identifier: Apache-2.0 */
/* op-pack.h - a run that packs a few files. */
#ifndef DESFS_TESTS_OP_PACK_H
#define DESFS_TESTS_OP_PACK_H

#include "base/err.h"
#include "store/store.h"
#include "world.h"

enum rc op_pack(struct world *w, struct store *st, const struct op *op,
		struct err *err);

#endif
