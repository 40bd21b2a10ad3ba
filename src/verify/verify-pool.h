/* SPDX-License-Identifier: Apache-2.0 */
/* verify-pool.h - the threads that decode and hash for all shards that are
 * being verified, and the memory they may take together.
 *
 * Safe from any thread, but for new and free.
 */
#ifndef DESFS_VERIFY_VERIFY_POOL_H
#define DESFS_VERIFY_VERIFY_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/workers.h"

struct verify_pool;

/* max: bytes of memory. */
enum rc verify_pool_new(unsigned int n_threads, size_t max,
			struct verify_pool **ret, struct err *err) MUST_CHECK;
void verify_pool_free(struct verify_pool *p); /* takes NULL */

struct workers *verify_pool_workers(struct verify_pool *p);

/* What one piece of work should take at most, so that all threads have some. */
size_t verify_pool_piece(const struct verify_pool *p);

/* Have n bytes; more than there are at all are given to who has waited until
 * nobody has any.  False: not now, and may_wait is false.
 */
bool verify_pool_take(struct verify_pool *p, size_t n, bool may_wait);
void verify_pool_give(struct verify_pool *p, size_t n);

#endif
