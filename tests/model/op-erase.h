/* SPDX-License-Identifier: Apache-2.0 */
/* op-erase.h - deletions are asked for, and taken back. */
#ifndef DESFS_TESTS_OP_ERASE_H
#define DESFS_TESTS_OP_ERASE_H

#include "base/err.h"
#include "store/store.h"
#include "world.h"

enum rc op_erase(struct world *w, struct store *st, const struct op *op,
		 struct err *err);
enum rc op_erase_dir(struct world *w, struct store *st, const struct op *op,
		     struct err *err);
enum rc op_withdraw(struct world *w, struct store *st, const struct op *op,
		    struct err *err);
/* Ask again for what was taken back, if nobody knows whether in time. */
enum rc op_erase_doubted(struct world *w, struct store *st, struct oplog *log,
			 struct err *err);
enum rc op_aggregate(struct world *w, struct store *st, const struct op *op,
		     struct err *err);

#endif
