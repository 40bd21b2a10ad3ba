/* SPDX-License-Identifier: Apache-2.0 */
/* verify-copies.h - the copies that several stores have of one small object,
 * read and hashed.
 */
#ifndef DESFS_VERIFY_VERIFY_COPIES_H
#define DESFS_VERIFY_VERIFY_COPIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "base/workers.h"
#include "verify/verify-keys.h"

enum verify_copy_state {
	COPY_SKIPPED, /* of a place that is away */
	COPY_THERE,
	COPY_MISSING,
	COPY_UNREAD, /* err tells why */
};

struct verify_copy {
	enum verify_copy_state state;
	uint64_t size;
	uint8_t sha256[SHA256_LEN];
	struct err err;
};

/* One object, for one thread at a time. */
struct verify_copies {
	struct job job;
	char *key;
	struct verify_place *places; /* borrowed */
	size_t n;
	struct verify_copy *of; /* by place */
};

/* sizes: as of verify_keys_sizes, or NULL; a copy that is missing there is not
 * looked for.
 */
void verify_copies_init(struct verify_copies *c, const char *key,
			const uint64_t *sizes, struct verify_place *places,
			size_t n);
void verify_copies_release(struct verify_copies *c);

/* Fill in all copies; arg is the struct.  For a job.  A remote place that does
 * not answer is away from then on.
 */
void verify_copies_read(void *arg);

/* Whether the copies that are there are the same. */
bool verify_copies_agree(const struct verify_copies *c) MUST_CHECK;
bool verify_copy_is_like(const struct verify_copy *a,
			 const struct verify_copy *b) MUST_CHECK;

#endif
