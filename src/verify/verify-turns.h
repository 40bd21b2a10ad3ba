/* SPDX-License-Identifier: Apache-2.0 */
/* verify-turns.h - many shards verified at once, and told one after the other;
 * for verify.c.
 */
#ifndef DESFS_VERIFY_VERIFY_TURNS_H
#define DESFS_VERIFY_VERIFY_TURNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "verify/verify-shard.h"
#include "verify/verify.h"

struct verify_todo {
	const char *key;
	const struct shard_meta *expect; /* NULL: the log has it not */
	int64_t entered; /* when the archive got it, microseconds */
	/* In zones: which store, and its name; NULL: the one of all. */
	struct store *store;
	const char *place;
	bool is_copy; /* of the shard before, in another store */
};

/* Whether a shard that is not there need not be; told as such by then. */
typedef bool verify_replaced_fn(void *arg, const char *key);

/* Verify the shards by opts->jobs threads; what all have in common is in
 * common.  RC_STOPPED: a signal has come, and those that were not told yet are
 * not told.
 */
enum rc verify_turns(const struct verify_todo *todo, size_t n,
		     const struct verify_shard_job *common,
		     const struct verify_options *opts,
		     struct verify_totals *totals,
		     verify_replaced_fn *is_replaced, void *arg,
		     struct err *err) MUST_CHECK;

#endif
