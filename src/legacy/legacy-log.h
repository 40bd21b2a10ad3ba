/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-log.h - the documents of format 3 that say which made shards count:
 * a descriptor and records of the log, see desfs-archive(5).
 */
#ifndef DESFS_LEGACY_LEGACY_LOG_H
#define DESFS_LEGACY_LEGACY_LOG_H

#include "base/buf.h"
#include "base/err.h"
#include "legacy/legacy-shard.h"

#define LEGACY_DESCRIPTOR "desfs.json"
#define LEGACY_LOG "log/"

/* The descriptor of an archive whose first day is given, and its id: the same
 * at each mount, so that files keep their inode numbers, for as long as nothing
 * older is added.
 */
void legacy_log_descriptor(uint32_t first_day, struct buf *out,
			   uint8_t ret_id[SHARD_ID_LEN]);

struct legacy_record {
	char *key;
	struct buf text;
};

void legacy_record_release(struct legacy_record *r);

/* A record of a time that has the shards of now, but not those of before (NULL:
 * none), in place of what only before has.  *ret_any: there is a difference.
 */
enum rc legacy_log_record(const struct legacy_shards *now,
			  const struct legacy_shards *before, int64_t time,
			  const uint8_t archive_id[SHARD_ID_LEN],
			  struct legacy_record *ret, bool *ret_any,
			  struct err *err) MUST_CHECK;

#endif
