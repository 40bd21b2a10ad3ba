/* SPDX-License-Identifier: Apache-2.0 */
/* verify-choose.h - which shards of an archive a run looks at; for verify.c. */
#ifndef DESFS_VERIFY_VERIFY_CHOOSE_H
#define DESFS_VERIFY_VERIFY_CHOOSE_H

#include <stddef.h>
#include <stdint.h>

#include "verify/verify-turns.h"

/* Keep of the shards those that the archive has since then. */
size_t verify_choose_since(struct verify_todo *todo, size_t n, int64_t since);

/* Keep so many per cent of them, in the order they are in; at least one of any.
 * Whether a shard is taken depends on its key, the seed, and what there is to
 * choose from.
 */
size_t verify_choose_sample(struct verify_todo *todo, size_t n, double percent,
			    uint64_t seed);

/* Keep those that opts->is_done says nothing of. */
size_t verify_choose_open(struct verify_todo *todo, size_t n,
			  const struct verify_options *opts);

#endif
