/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - where a file lives, by arithmetic: uid and time to a shard key.
 *
 * All functions are pure and may be called from any thread.  A uid is any
 * bytes; format 2 demands UTF-8 and, like the original, has no route but uid.
 */
#ifndef DESFS_SHARD_ROUTE_H
#define DESFS_SHARD_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct timestamp;

#define ROUTE_BITS_MIN 4
#define ROUTE_BITS_MAX 16

/* What is hashed: the uid, or the name of the directory it is in. */
enum route_kind { ROUTE_UID, ROUTE_PARENT };

enum route_format { ROUTE_V3 = 3, ROUTE_V2 = 2 };

struct route {
	char day[16];  /* YYYYMMDD */
	uint32_t slot; /* 0 to 2^n_bits - 1 */
	char hex[8];   /* the slot in upper-case digits */
	char key[64];  /* v3: YYYYMMDD/YYYYMMDD_HEX, how names of shards begin;
			  v2: YYYYMMDD/HEX.des */
};

/* Length of the directory part of a uid, without its '/'; 0 at the top. */
size_t route_parent_len(const char *uid, size_t len);

/* The slot of a uid in format 3.  n_bits is 4 to 16. */
uint32_t route_slot(enum route_kind kind, unsigned int n_bits, const char *uid,
		    size_t len);

/* Digits of a slot in format 3: n_bits / 4, rounded up. */
static inline unsigned int route_hex_width(unsigned int n_bits)
{
	return (n_bits + 3) / 4;
}

/* Day, slot and key of (uid, created_at).  n_bits out of range, a time that is
 * not valid, and what format 2 cannot route are RC_USAGE.
 *
 * Format 2 is bit-exact with the original: the day is the date as written, not
 * in UTC; years below 1000 have no leading zeros; digits of any script count as
 * a number; hex has n_bits / 4 digits, rounded down, or more where they do not
 * suffice.
 */
enum rc locate_shard(enum route_format format, enum route_kind kind,
		     unsigned int n_bits, const char *uid, size_t len,
		     const struct timestamp *created_at, struct route *ret,
		     struct err *err) MUST_CHECK;

#endif
