/* SPDX-License-Identifier: Apache-2.0 */
/* verify-keys.h - the keys that any of several stores has below a prefix, in
 * order, and which of them has it.
 *
 * Of each store a page of keys is held at a time, so that memory does not grow
 * with how many there are.  For one thread.
 *
 *	k = verify_keys_new(places, n, "salts/");
 *	while (verify_keys_next(k))
 *		... verify_keys_key(k), verify_keys_sizes(k)[i]
 *	verify_keys_free(k);
 */
#ifndef DESFS_VERIFY_VERIFY_KEYS_H
#define DESFS_VERIFY_VERIFY_KEYS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "store/store.h"

/* One of the stores of zones. */
struct verify_place {
	const char *name;    /* in the zone file; borrowed */
	struct store *st;    /* likewise */
	atomic_bool is_away; /* it does not answer: it is left alone */
	struct err why;      /* of a list; the message is empty for none */
};

#define VERIFY_KEYS_MISSING UINT64_MAX
/* Of a web server, which cannot list, and of what is away. */
#define VERIFY_KEYS_UNKNOWN (UINT64_MAX - 1)

struct verify_keys;

/* A place that fails is away from then on, with why.  places and prefix are
 * borrowed until verify_keys_free.
 */
struct verify_keys *verify_keys_new(struct verify_place *places, size_t n,
				    const char *prefix) MUST_CHECK;
/* Of a page of so many keys, for tests. */
struct verify_keys *verify_keys_new_paged(struct verify_place *places, size_t n,
					  const char *prefix,
					  size_t page) MUST_CHECK;
void verify_keys_free(struct verify_keys *k); /* takes NULL */

/* False: there is no further one. */
bool verify_keys_next(struct verify_keys *k) MUST_CHECK;
/* Borrowed until the next verify_keys_next. */
const char *verify_keys_key(const struct verify_keys *k);
/* Its bytes in each place, or one of the above. */
const uint64_t *verify_keys_sizes(const struct verify_keys *k);

#endif
