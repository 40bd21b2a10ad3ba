/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.h - SipHash-2-4: a hash for tables whose keys others choose.
 *
 * Who does not know the secret cannot make many keys meet in one place.
 * Aumasson, Bernstein, "SipHash: a fast short-input PRF" (2012).
 */
#ifndef DESFS_BASE_SIPHASH_H
#define DESFS_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LEN 16u

struct siphash {
	uint64_t a, b, c, d;
	uint64_t word; /* the bytes since the last whole word */
	size_t len;
};

void siphash_init(struct siphash *s, const uint8_t key[SIPHASH_KEY_LEN]);
void siphash_update(struct siphash *s, const void *p, size_t len);
uint64_t siphash_final(struct siphash *s); /* of all that was added */

#endif
