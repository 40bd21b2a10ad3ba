/* SPDX-License-Identifier: Apache-2.0 */
/* tidy.h - remove objects of deletions that nobody asks for any more: documents
 * that are done, aggregates with such, salts of what was taken back.
 *
 * The list tells what there is, and the log what of it may go.
 */
#ifndef DESFS_REPACK_TIDY_H
#define DESFS_REPACK_TIDY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-format.h"

struct archive_list;
struct oplog;
struct store;

struct tidied {
	uint64_t documents, aggregates, salts; /* removed */
	uint64_t failed;
	char text[ERR_MSG_MAX]; /* of the last that failed; or "" */
};

/* log was read. */
enum rc tidy_tombstones(struct store *st, const struct oplog *log,
			const uint8_t archive_id[SHARD_ID_LEN],
			struct tidied *ret, struct err *err) MUST_CHECK;

/* Whether any of what was listed before log was read may have to go, without a
 * request: an aggregate may, when a document of its hour is done.
 */
bool tidy_is_due(const struct oplog *log,
		 const struct archive_list *there) MUST_CHECK;

#endif
