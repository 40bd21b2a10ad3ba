/* SPDX-License-Identifier: Apache-2.0 */
/* commit.h - a run's first and last word to the archive.
 *
 * commit_open finds out what is there, commit_begin makes the archive if there
 * is none, commit_end writes the log record that makes the run's shards count.
 */
#ifndef DESFS_PACK_COMMIT_H
#define DESFS_PACK_COMMIT_H

#include <stdbool.h>

#include "base/err.h"

struct pack;
struct shard_meta;

/* Open the store (make it, unless the run is dry) and read descriptor and log.
 * RC_USAGE when the options contradict them.  Sets the run's stamps.
 */
enum rc commit_open(struct pack *p, struct err *err) MUST_CHECK;

/* Write the descriptor when there is none. */
enum rc commit_begin(struct pack *p, struct err *err) MUST_CHECK;

/* Look at each of p->shards in the store, several at a time.  is_gone, if not
 * NULL, has as many: true for those that fn gave RC_CHANGED for, which is no
 * failure then.
 */
typedef enum rc commit_look_fn(struct pack *p, struct shard_meta *m,
			       struct err *err);
enum rc commit_each(struct pack *p, commit_look_fn *fn, bool *is_gone,
		    struct err *err) MUST_CHECK;

/* A log record of p->shards, which were looked at.  They are looked at once
 * more when it is there: RC_CHANGED when some are gone, and the record is taken
 * back.
 */
enum rc commit_record(struct pack *p, struct err *err) MUST_CHECK;

/* Write the log record, if anything was packed. */
enum rc commit_end(struct pack *p, struct err *err) MUST_CHECK;

#endif
