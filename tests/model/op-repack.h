/* SPDX-License-Identifier: Apache-2.0 */
/* op-repack.h - shards are written anew, and old ones removed. */
#ifndef DESFS_TESTS_OP_REPACK_H
#define DESFS_TESTS_OP_REPACK_H

#include "base/err.h"
#include "store/store.h"
#include "world.h"

enum rc op_repack(struct world *w, struct store *st, const struct op *op,
		  struct err *err);
enum rc op_merge(struct world *w, struct store *st, const struct op *op,
		 struct err *err);
enum rc op_split(struct world *w, struct store *st, const struct op *op,
		 struct err *err);
enum rc op_recompress(struct world *w, struct store *st, const struct op *op,
		      struct err *err);
enum rc op_purge(struct world *w, struct store *st, const struct op *op,
		 struct err *err);
enum rc op_finish(struct world *w, struct store *st, const struct op *op,
		  struct err *err);
/* Without a grace period; nothing is purged. */
enum rc op_drop_corrupt(struct world *w, struct store *st, struct err *err);
struct oplog;
struct reap_totals;
/* What is replaced by it has a grace period of so many seconds. */
enum rc op_reap_round(struct world *w, struct store *st, struct oplog *log,
		      int64_t grace, struct reap_totals *ret, struct err *err);
enum rc op_reap(struct world *w, struct store *st, const struct op *op,
		struct err *err);

#endif
