/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-bits.h - n_bits of a DES2 archive, from the names of its shards.
 *
 * The original records n_bits nowhere, but it writes a slot with n_bits / 4
 * digits, rounded down, and more where they do not suffice.  So each name is
 * possible with some n_bits only.
 *
 *	legacy_bits_init(&b);
 *	legacy_bits_name(&b, &name, key)   for each shard or sidecar
 *	rc = legacy_bits_get(&b, wanted, &n_bits, err);
 *
 * It owns nothing and is for one thread at a time.
 */
#ifndef DESFS_LEGACY_LEGACY_BITS_H
#define DESFS_LEGACY_LEGACY_BITS_H

#include <stdint.h>

#include "base/err.h"
#include "legacy/legacy-name.h"
#include "shard/route.h"

/* Of an archive where nothing says otherwise: the original's default. */
#define LEGACY_BITS_DEFAULT 8

#define LEGACY_BITS_MIN ROUTE_BITS_MIN
#define LEGACY_BITS_MAX ROUTE_BITS_MAX

#define LEGACY_BITS_KEY 64 /* the longest name of a shard, with its NUL */

struct legacy_bits {
	uint32_t possible; /* bit n: no name says that n_bits is not n */
	uint64_t n_names;  /* shards and sidecars that were told */
	uint64_t n_others; /* containers, which do without n_bits */
	/* The first name that says that n_bits is not n; or empty. */
	char excluded_by[LEGACY_BITS_MAX + 1][LEGACY_BITS_KEY];
};

void legacy_bits_init(struct legacy_bits *b);

/* A name of any kind; those of DES2 shards and sidecars tell something. */
void legacy_bits_name(struct legacy_bits *b, const struct legacy_name *name,
		      struct span key);

/* The smallest n_bits that explains all names; or wanted if that is not 0 and
 * the names allow it.  RC_USAGE: wanted is not 4 to 16, or contradicts a name,
 * which the message has; RC_CORRUPT: no n_bits explains all names.
 */
enum rc legacy_bits_get(const struct legacy_bits *b, unsigned int wanted,
			unsigned int *ret, struct err *err) MUST_CHECK;

/* True when no other n_bits is possible. */
bool legacy_bits_is_sure(const struct legacy_bits *b) MUST_CHECK;

/* "n_bits is 10: ..." - what was inferred from what; after legacy_bits_get. */
#define LEGACY_BITS_TEXT 256
void legacy_bits_text(const struct legacy_bits *b, char out[LEGACY_BITS_TEXT]);

#endif
