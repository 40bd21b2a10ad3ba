/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-store.h - an archive of an older program, shown as a store that holds
 * one of format 3.
 *
 * Its objects - descriptor, log, shards - are made of the indices of the older
 * shards, which are read once; contents are read from these when they are asked
 * for.  To list the log is to look whether something changed.
 */
#ifndef DESFS_LEGACY_LEGACY_STORE_H
#define DESFS_LEGACY_LEGACY_STORE_H

#include "base/err.h"
#include "base/span.h"
#include "legacy/legacy-options.h"
#include "store/store.h"

/* Is one there?  One request of what is remote.  Not where there is nothing, or
 * nothing can be listed; what keeps us from looking is an error.
 */
enum rc legacy_store_exists(struct store *st, bool *ret,
			    struct err *err) MUST_CHECK;

/* For who would write: RC_UNSUPPORTED if one is there, which has to be
 * converted first; RC_NOENT if none is, with the message that err has already;
 * else what keeps us from looking.
 */
enum rc legacy_store_refuse(struct store *st, struct err *err) MUST_CHECK;

/* st stays the caller's and must live longer. */
enum rc legacy_store_open(struct store *st, const struct legacy_options *o,
			  struct store **ret, struct err *err) MUST_CHECK;

/* Is it one of these? */
bool legacy_store_is(const struct store *st);

/* What could not be read, as of the last look: texts that begin with the key of
 * the object.  Returns how many there are, of which fn is told the first
 * LEGACY_DAMAGE_MAX.
 */
typedef void legacy_damage_fn(void *arg, const char *text);
uint64_t legacy_store_damage(struct store *st, legacy_damage_fn *fn, void *arg);

/* How many shards it has, whether or not they can be read. */
uint64_t legacy_store_shards(struct store *st);

/* Does a sidecar delete the uid, on whichever of the days that were read? */
enum rc legacy_store_is_deleted(struct store *st, struct span uid, bool *ret,
				struct err *err) MUST_CHECK;

/* What is known of n_bits, and by what, in a caller's LEGACY_BITS_TEXT bytes.
 */
void legacy_store_bits(struct store *st, char *ret);

#endif
