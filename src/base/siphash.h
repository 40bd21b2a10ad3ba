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

struct siphash_key {
	uint64_t k[2];
};

uint64_t siphash(const struct siphash_key *key, const void *p, size_t len);

#endif
