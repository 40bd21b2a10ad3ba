/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-add-backend.h - what the files of tombstone-add share among
 * themselves; private to this room.
 */
#ifndef DESFS_REPACK_TOMBSTONE_ADD_BACKEND_H
#define DESFS_REPACK_TOMBSTONE_ADD_BACKEND_H

#include "base/buf.h"
#include "base/spool.h"
#include "erase/tombstone.h"
#include "repack/find-version.h"
#include "repack/tombstone-add.h"

struct sorter;
struct tombstone_copies;

/* What is asked of one name; values of the sorter. */
struct want {
	int64_t from, to; /* with has_time */
	bool has_time;
	bool is_below;     /* of a directory: there is no need to have it */
	bool is_recursive; /* with all below it */
};

/* What waits until all are found, before its uid. */
struct waiting {
	int64_t time;
	uint32_t uid_len;
	uint32_t range; /* enum erasure_range */
};

/* One version of the name that is looked at. */
struct version {
	int64_t created_at;
	bool is_deleted, is_dir;
	bool is_taken;
};

struct tombstone_add {
	struct store *st;
	struct oplog *log;
	const struct tombstone_add_options *opts;
	uint8_t archive_id[SHARD_ID_LEN];
	struct find *find;
	struct sorter *names;
	struct spool waiting;
	struct tombstone_copies *copies; /* NULL: not looked for */
	struct tombstone_added counts;
	enum rc failure; /* of the first name that failed */

	struct buf uid; /* of the name that is looked at */
	struct want *wants;
	size_t n_wants, cap_wants;
	bool is_damaged; /* not all of its versions may be known */
	struct version *versions;
	size_t n_versions, cap_versions;
};

/* Tell the caller. */
void tombstone_add_note(struct tombstone_add *a, enum tombstone_note_kind kind,
			struct span uid, int64_t time, bool is_all);

/* What is damaged may have a name: who forces a deletion does not mind. */
static inline enum rc tombstone_add_pass(const struct tombstone_add *a,
					 enum rc rc)
{
	return rc == RC_CORRUPT && a->opts->force ? RC_OK : rc;
}

/* Is it of the time that is wanted? */
static inline bool want_has(const struct want *w, int64_t time)
{
	return time >= w->from && time <= w->to;
}

/* Find out what is to be done for all that is wanted of a->uid, and forget it:
 * it waits then, or was told to be impossible.
 */
enum rc tombstone_add_resolve(struct tombstone_add *a,
			      struct err *err) MUST_CHECK;

#endif
