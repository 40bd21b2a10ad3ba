/* SPDX-License-Identifier: Apache-2.0 */
/* sequence.h - operations one after the other, as numbers and as text. */
#ifndef DESFS_TESTS_SEQUENCE_H
#define DESFS_TESTS_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world.h"

#define SEQUENCE_MAX 256u

struct sequence {
	uint64_t seed; /* of the world */
	struct op ops[SEQUENCE_MAX];
	size_t n;
};

void sequence_random(struct sequence *s, uint64_t seed, size_t n_ops);

/* NULL: all is well.  Otherwise the kind of failure, and why. */
const char *sequence_run(const struct sequence *s, char *why, size_t size);

/* Leave out and simplify what it does not take for a failure of the kind. */
void sequence_shrink(struct sequence *s, const char *failure);

/* "SEED KIND/ACTOR/A/B/C/FAULT/AT ..." in hex digits; a '+' before one that
 * runs at the same time as the next.
 */
void sequence_print(const struct sequence *s);
bool sequence_parse(const char *text, struct sequence *ret);

#endif
