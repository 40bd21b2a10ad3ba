/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-store-backend.h - what the files of legacy-store share. */
#ifndef DESFS_LEGACY_LEGACY_STORE_BACKEND_H
#define DESFS_LEGACY_LEGACY_STORE_BACKEND_H

#include <pthread.h>

#include "base/spool.h"
#include "legacy/legacy-content.h"
#include "legacy/legacy-log.h"
#include "legacy/legacy-shard.h"
#include "legacy/legacy-sources.h"
#include "legacy/legacy-store.h"

/* Shards that were replaced are kept for readers that are under way. */
#define LEGACY_OLD 2u

/* All shards made of a day and slot so far were replaced so often. */
struct legacy_again {
	uint32_t day, slot, revision;
};

struct legacy_store {
	struct store *below;
	struct legacy_options o;
	struct legacy_objects *objects;
	struct legacy_contents *contents;
	uint8_t archive_id[SHARD_ID_LEN];
	struct buf descriptor;

	/* Of who looks for changes: one at a time, see is_looking. */
	struct legacy_sources sources;
	struct spool spools[LEGACY_THREADS];
	struct legacy_damage left_out;
	int64_t last_time; /* of a record */
	bool is_fresh;     /* nobody has listed what the last look found */
	bool is_pending;   /* what changed is not made into shards yet */
	char **replaced;   /* keys that must not come again, ascending */
	size_t n_replaced, cap_replaced;
	struct legacy_again *again; /* of shards that would have such a key */
	size_t n_again, cap_again;

	pthread_mutex_t lock; /* guards what follows; not held during I/O */
	pthread_cond_t looked;
	bool is_looking;
	struct legacy_shards *shards;          /* those that count */
	struct legacy_shards *old[LEGACY_OLD]; /* before; the newest first */
	struct legacy_record *records;         /* in the order of keys */
	size_t n_records, cap_records;
	char **damage; /* texts */
	size_t n_damage;
	uint64_t n_damage_all;
	struct legacy_bits bits;
	uint64_t n_sources;
};

/* Look for changes, and make new shards and a record if there are some.
 * if_listed: not if nobody has listed yet what the last look found.
 */
enum rc legacy_store_look(struct legacy_store *s, bool if_listed,
			  struct err *err) MUST_CHECK;

#endif
