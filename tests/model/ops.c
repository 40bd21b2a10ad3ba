/* SPDX-License-Identifier: Apache-2.0 */
/* ops.c - what may be done to an archive. */
#include "config.h"

#include "ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "op-erase.h"
#include "op-hold.h"
#include "op-pack.h"
#include "op-repack.h"
#include "pack/clean.h"

/* Time goes by, for everybody. */
static enum rc run_clock(struct world *w, struct store *st, const struct op *op,
			 struct err *err)
{
	static const int64_t seconds[] = { 1,    50,    400,   1000,
					   4000, 43000, 87000, 180000 };

	(void)st;
	(void)err;
	memory_advance(w->memory,
		       seconds[op->a % (sizeof(seconds) / sizeof(*seconds))] *
			       1000000);
	return RC_OK;
}

static void told(void *arg, const char *what, uint64_t size, bool is_kept)
{
	(void)arg;
	(void)what;
	(void)size;
	(void)is_kept;
}

/* desfs-pack --clean */
static enum rc run_clean(struct world *w, struct store *st, const struct op *op,
			 struct err *err)
{
	unsigned int n_alive;

	(void)w;
	(void)op;
	/* It refuses what it cannot tell from a log that is lost. */
	if (clean_archive(st, NULL, true, told, NULL, &n_alive, err) == RC_IO)
		return err->rc;
	return RC_OK;
}

const struct op_kind op_kinds[] = {
	{ "pack", 30, op_pack },
	{ "clock", 10, run_clock },
	{ "clean", 2, run_clean },
	{ "erase", 15, op_erase },
	/* Not by chance: when the deleted directory is repacked away, what a
	 * packer has put below it meanwhile is no longer in the tree:
	 * 1d0b14e4db018fed pack/1/0/0/0/0/0 pack/0/ab9251cf/9366fe92/0/0/0
	 * pack/0/0/0/91606e5/0/0 erase-dir/1/0/0/0/0/0
	 */
	{ "erase-dir", 0, op_erase_dir },
	{ "withdraw", 4, op_withdraw },
	{ "aggregate", 3, op_aggregate },
	{ "repack", 10, op_repack },
	{ "merge", 4, op_merge },
	{ "split", 2, op_split },
	{ "recompress", 2, op_recompress },
	{ "purge", 4, op_purge },
	{ "finish", 4, op_finish },
	{ "reap", 8, op_reap },
	{ "hold", 3, op_hold },
};
const size_t n_op_kinds = sizeof(op_kinds) / sizeof(*op_kinds);
