/* SPDX-License-Identifier: Apache-2.0 */
/* lost-log.h - whether an archive without a log ever had one.
 *
 * The first record of a new log would hide all shards that there are; so it
 * would where what was found again of a lost log names documents alone.  But a
 * first run that was killed has left shards without a log, too, and others may
 * be at work.  All this is asked where no record names a shard, and only there.
 */
#ifndef DESFS_PACK_LOST_LOG_H
#define DESFS_PACK_LOST_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct oplog;
struct shard_meta;
struct store;
struct store_run;

/* Whether log/ has a record or a checkpoint, whatever they say: one list.
 * RC_UNSUPPORTED: of a web server.
 */
enum rc lost_log_has_record(struct store *st, bool *ret,
			    struct err *err) MUST_CHECK;

/* Whether a run other than own (may be NULL) is alive that may have made shards
 * before there is a log.  Of a store opened for writing.
 */
bool lost_log_has_first_run(struct store *st,
			    const struct store_run *own) MUST_CHECK;

/* Whether the log, as it was read, names a shard that counts or did. */
bool lost_log_names_shards(const struct oplog *log) MUST_CHECK;

/* Of a store opened for writing whose log names no shard: RC_NOENT if it has
 * shards that no run which is dead or alive now was about to name, and that are
 * not among the known, which are in the order of their keys.  Looks at the
 * first thousand of each store: one list, as a rule.
 */
enum rc lost_log_check(struct store *st, const struct store_run *own,
		       const struct shard_meta *known, size_t n_known,
		       struct err *err) MUST_CHECK;

#endif
