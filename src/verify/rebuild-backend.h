/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild-backend.h - a rebuild at work; for rebuild*.c. */
#ifndef DESFS_VERIFY_REBUILD_BACKEND_H
#define DESFS_VERIFY_REBUILD_BACKEND_H

#include "verify/archive-list.h"
#include "verify/rebuild-gone.h"
#include "verify/rebuild-log.h"
#include "verify/rebuild.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"

struct intact {
	struct shard_meta meta;
	uint8_t archive_id[SHARD_ID_LEN];
	bool is_known; /* the log as it is says something of it */
	bool is_out;   /* it is not to count */
	bool is_told;  /* a record of a repack has it */
};

struct rebuild {
	const struct rebuild_options *opts;
	struct rebuild_totals *totals;
	struct store *store;
	struct archive_list list;
	struct intact *shards;
	size_t n, cap;
	struct descriptor descriptor;
	bool has_descriptor;
	struct oplog *log;
	bool has_log;         /* it can be read, perhaps it is empty */
	struct log_rest rest; /* else what is left of it */
	struct rebuild_gone gone;
	bool has_lists; /* of names that are not to come back */
};

/* Of the log, or of what is left of it. */
const struct oplog_state *rebuild_state(const struct rebuild *r);
void rebuild_tell(struct rebuild *r, const char *key, const char *text);

/* Whether both are of one day and slot: a repack puts shards of these in the
 * place of others.
 */
bool rebuild_are_of_one_slot(const struct shard_meta *a,
			     const struct shard_meta *b);
/* Which of the shards are not to count, when they are in order: of those that
 * the log names and of those that it does not.
 */
enum rc rebuild_choose(struct rebuild *r, struct err *err) MUST_CHECK;

#endif
