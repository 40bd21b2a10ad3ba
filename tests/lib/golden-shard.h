/* SPDX-License-Identifier: Apache-2.0 */
/* golden-shard.h - makes the shards of tests/golden in memory.
 *
 * Whatever cannot be made aborts: only tests and make-golden-shards use this.
 */
#ifndef DESFS_TESTS_GOLDEN_SHARD_H
#define DESFS_TESTS_GOLDEN_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/codec.h"

struct golden {
	const char *name; /* good-v3-small.des */
	const char *rc;   /* what reading all of it ends in: "OK", "CORRUPT" */
	const char *what; /* one line for the table */
	void (*make)(const struct golden *g, struct buf *out);
	enum codec_id codec; /* of the good ones */
};

extern const struct golden golden_good[];
extern const size_t golden_n_good;

/* Damaged ones, each made from a good one. */
extern const struct golden golden_bad[];
extern const size_t golden_n_bad;

/* The bytes of one of the good ones; out is initialised and empty. */
void golden_make_good(const char *name, struct buf *out);

/* Abort, saying which line, unless it is true. */
#define GOLDEN_MUST(true_)                                       \
	do {                                                     \
		if (!(true_))                                    \
			golden_fail(__FILE__, __LINE__, #true_); \
	} while (0)
_Noreturn void golden_fail(const char *file, int line, const char *what);

#endif
