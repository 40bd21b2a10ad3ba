/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-results.h - what became of the records of a manifest, in temporary
 * files, since there may be millions.
 *
 * Results come in any order, from any thread.  When the last has come, one
 * thread reads.  A failure to keep one is remembered and told then.
 */
#ifndef DESFS_EXCHANGE_MANIFEST_RESULTS_H
#define DESFS_EXCHANGE_MANIFEST_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "pack/feed.h"

struct manifest_results;

struct manifest_result {
	bool is_known; /* a result has come */
	enum feed_status status;
	/* NULL: none; borrowed until the next call */
	const char *why, *shard;
	bool has_sha256;
	uint8_t sha256[SHA256_LEN];
};

/* dir is where temporary files go; borrowed. */
enum rc manifest_results_new(const char *dir, struct manifest_results **ret,
			     struct err *err) MUST_CHECK;
void manifest_results_free(struct manifest_results *r);

void manifest_results_set(struct manifest_results *r,
			  const struct feed_result *result);

/* Of the record of that number. */
enum rc manifest_results_get(struct manifest_results *r, uint64_t number,
			     struct manifest_result *ret,
			     struct err *err) MUST_CHECK;

#endif
