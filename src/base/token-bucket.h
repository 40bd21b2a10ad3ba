/* SPDX-License-Identifier: Apache-2.0 */
/* token-bucket.h - so many tokens a second and no more; pure arithmetic, times
 * are told (ns that only grow).
 *
 * Who takes a token is told how long to wait until it is his: tokens are handed
 * out in advance, first come, first served, so nobody waits in a queue and no
 * lock is held by those who wait.  Not locked itself.
 *
 * The rule is the generic cell rate algorithm: ITU-T I.371, annex A.
 */
#ifndef DESFS_BASE_TOKEN_BUCKET_H
#define DESFS_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct token_bucket {
	uint64_t rate;      /* tokens a second; 0: no limit */
	uint64_t tolerance; /* ns of tokens that may be spent at once */
	uint64_t next;      /* when the next token is due */
};

/* rate tokens a second (0: no limit), at most burst at once (0: as 1).  It is
 * full at first.
 */
void token_bucket_init(struct token_bucket *t, uint64_t rate, uint64_t burst);

/* Take a token that is there within max_wait ns: true and how long to wait for
 * it.  false: it would take longer, and none was taken.
 */
bool token_bucket_take(struct token_bucket *t, uint64_t now, uint64_t max_wait,
		       uint64_t *ret_wait) MUST_CHECK;

/* Take n tokens, as soon as the first of them is there: ns to wait.  Who comes
 * next waits for the others.
 */
uint64_t token_bucket_take_many(struct token_bucket *t, uint64_t now,
				uint64_t n) MUST_CHECK;

#endif
