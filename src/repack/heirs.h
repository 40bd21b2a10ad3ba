/* SPDX-License-Identifier: Apache-2.0 */
/* heirs.h - the shards that count in the place of an old revision, and whether
 * they were read whole in every zone.
 *
 * For one thread, but for the reading.
 */
#ifndef DESFS_REPACK_HEIRS_H
#define DESFS_REPACK_HEIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "volume/oplog-state.h"

struct store;

/* Borrowed metas; free(all). */
struct heirs {
	const struct shard_meta **all;
	size_t n, cap;
	/* What the records say that made them out of it. */
	uint64_t n_lost;            /* entries left out as damaged, at most */
	bool is_damaged, is_merged; /* one left some out; took several */
	bool is_emptied;            /* of one nothing was left to be made */
};

/* Those of a key that was replaced: what took its place, or the place of that,
 * and so on.  There may be none.
 */
void heirs_of(const struct oplog_state *state, const char *key,
	      struct heirs *ret);

/* Those of all that a record was to replace, whether it does or not; if some of
 * that was garbage, of what that was made of.
 */
void heirs_of_replaced(const struct oplog_state *state,
		       const struct oplog_record *r, struct heirs *ret);

/* What was read already. */
struct verified;
struct verified *verified_new(struct store *st, const uint8_t *archive_id);
void verified_free(struct verified *v);

/* To be read by verified_read. */
void verified_want(struct verified *v, const struct shard_meta *meta);
/* Read all that is wanted, each file compared with its SHA-256, in every place
 * it belongs in, with so many threads.
 */
enum rc verified_read(struct verified *v, unsigned int jobs,
		      struct err *err) MUST_CHECK;
/* Whether it was, and nothing was wrong; ret_text: else what, borrowed. */
bool verified_is_whole(const struct verified *v, const struct shard_meta *meta,
		       const char **ret_text);

#endif
