/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-outside.h - files that are objects of their own beside a shard.
 *
 * Each is looked at before a byte of it is given out: that it is there and has
 * the size the index says, and where its SHA-256 is known, that this is right;
 * again if its tag changes, and for each entry that says something else of it.
 * Any thread; who wants what is being looked at waits.
 *
 * Where no hash is known, an object that changes is another content, which must
 * not continue the one before: reading is RC_CHANGED, and what is made from
 * then on is of the next turn.
 */
#ifndef DESFS_LEGACY_LEGACY_OUTSIDE_H
#define DESFS_LEGACY_LEGACY_OUTSIDE_H

#include "base/err.h"
#include "legacy/legacy-place.h"
#include "store/store.h"

struct legacy_outside;
struct legacy_outside *legacy_outside_new(struct store *st) MUST_CHECK;
void legacy_outside_free(struct legacy_outside *o);

/* As legacy_contents_read. */
enum rc legacy_outside_read(struct legacy_outside *o,
			    const struct legacy_place *p, const char *key,
			    uint64_t off, void *buf, size_t len, bool is_ahead,
			    struct err *err) MUST_CHECK;

/* Of a place without a hash: which turn it is now, for its off. */
uint64_t legacy_outside_turn(struct legacy_outside *o,
			     const struct legacy_place *p,
			     const char *key) MUST_CHECK;
/* Did a turn begin since this was asked before? */
bool legacy_outside_has_changed(struct legacy_outside *o) MUST_CHECK;

/* Is there an object of this key with so many bytes?  RC_CORRUPT: no. */
enum rc legacy_outside_check(struct store *st, const char *key, uint64_t size,
			     struct object_info *ret,
			     struct err *err) MUST_CHECK;

#endif
