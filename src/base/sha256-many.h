/* SPDX-License-Identifier: Apache-2.0 */
/* sha256-many.h - SHA-256 of many messages at once.
 *
 *	struct sha256_message m[] = { { .p = a, .len = n }, ... };
 *
 *	sha256_many(m, ARRAY_LEN(m));
 *
 * By libipsec-mb, where desfs is built with it, up to sixteen go side by side,
 * two to four times as quick as one after the other; else, and if that library
 * fails, this is sha256_of for each.  It pays from about eight messages of like
 * lengths on; those above 65,472 bytes go alone.  The first call of a thread
 * takes a millisecond more.  It cannot fail.  Any thread may call it; an array
 * is for one at a time.
 */
#ifndef DESFS_BASE_SHA256_MANY_H
#define DESFS_BASE_SHA256_MANY_H

#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

struct sha256_message {
	const void *p;
	size_t len;
	uint8_t hash[SHA256_LEN]; /* set */
};

void sha256_many(struct sha256_message *m, size_t n);

/* "libipsec-mb 1.3.0": what does it, at run time, or "none", for --version; in
 * room of the calling thread's.
 */
const char *sha256_many_library(void);

#endif
