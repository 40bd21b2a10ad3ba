/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-words.h - what the records of a log say beside shards: of purges,
 * tombstones, receipts; for oplog-state.c.
 */
#ifndef DESFS_VOLUME_OPLOG_WORDS_H
#define DESFS_VOLUME_OPLOG_WORDS_H

#include <stddef.h>

#include "volume/oplog-record.h"
#include "volume/oplog-state.h"

/* Each array in order, each key or id once; borrows the records. */
struct oplog_words {
	const struct oplog_purged **purged;
	size_t n_purged;
	struct oplog_tombstone *tombstones;
	size_t n_tombstones;
	const struct erasure_id **withdrawn;
	size_t n_withdrawn;
	const struct oplog_object **suppressed;
	size_t n_suppressed;
	const struct receipt **receipts;
	size_t n_receipts;
	const char *conflict; /* a document's key; NULL: none */
};

/* Records in the order of their names. */
void oplog_words_init(struct oplog_words *w,
		      const struct oplog_record *const *records, size_t n);
void oplog_words_release(struct oplog_words *w);
const struct oplog_words *oplog_state_words(const struct oplog_state *s);

#endif
