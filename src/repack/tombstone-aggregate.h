/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-aggregate.h - the tombstones of an hour in one object more, so that
 * readers need one request for them.
 */
#ifndef DESFS_REPACK_TOMBSTONE_AGGREGATE_H
#define DESFS_REPACK_TOMBSTONE_AGGREGATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-format.h"

struct archive_list;
struct oplog;
struct store;

struct tombstone_aggregated {
	uint64_t hours;     /* that have two or more documents */
	uint64_t written;   /* of these; the others were right */
	uint64_t documents; /* in all of them */
};

/* Of all hours of a day (decimal YYYYMMDD), or of all days (0), in which the
 * log names two or more documents that are not done.  Reads the log.  What is
 * written counts for nothing but speed.
 */
enum rc tombstone_aggregate(struct store *st, struct oplog *log,
			    const uint8_t archive_id[SHARD_ID_LEN],
			    uint32_t day, struct tombstone_aggregated *ret,
			    struct err *err) MUST_CHECK;

/* Whether any is missing or cannot be right by its size, as was listed before
 * log was read; without a request.
 */
bool tombstone_aggregate_is_due(const struct oplog *log,
				const uint8_t archive_id[SHARD_ID_LEN],
				const struct archive_list *there) MUST_CHECK;

#endif
