/* SPDX-License-Identifier: Apache-2.0 */
/* remove-proof.h - whether the archive can give back what it says it has, by
 * reading it.
 *
 * The shards of a run are read whole, and its log record; of older ones the
 * files that are asked for.  All is read from the store, past any cache of
 * ours, and past the kernel's where the store can help it.
 */
#ifndef DESFS_PACK_REMOVE_PROOF_H
#define DESFS_PACK_REMOVE_PROOF_H

#include <stdbool.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct pack;
struct remove_proof;
struct shard_meta;

/* Read back the log record of p, which is committed, and the shards it names.
 * Damage in them is logged, counted and remembered.
 */
enum rc remove_proof_new(const struct pack *p, struct remove_proof **ret,
			 struct err *err) MUST_CHECK;
void remove_proof_free(struct remove_proof *proof);

/* Shards of the run that are damaged. */
size_t remove_proof_damaged(const struct remove_proof *proof);

/* Is it a shard of the run? */
bool remove_proof_is_own(const struct remove_proof *proof,
			 const struct shard_meta *m);

/* RC_OK when all bytes of the entry e, which is in shard m, were read and are
 * right.  For one thread.
 */
enum rc remove_proof_check(struct remove_proof *proof,
			   const struct shard_meta *m, const struct entry *e,
			   struct err *err) MUST_CHECK;

#endif
