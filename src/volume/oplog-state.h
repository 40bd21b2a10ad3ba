/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-state.h - what the records of a log mean together; a pure function of
 * the set of them.
 *
 * The order in which they were met does not matter.  In the order of (time,
 * name) a repack record is valid if nothing it replaces was replaced by a valid
 * one before it, else nothing of it counts.  A key that was replaced never
 * counts again, whoever names it.  A state is immutable and borrows the
 * records.
 */
#ifndef DESFS_VOLUME_OPLOG_STATE_H
#define DESFS_VOLUME_OPLOG_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "volume/oplog-record.h"

struct oplog_state;

/* Records have names, each another. */
struct oplog_state *oplog_state_new(const struct oplog_record *const *records,
				    size_t n) MUST_CHECK;
void oplog_state_free(struct oplog_state *s); /* takes NULL */

/* RC_CORRUPT: two records say of one key what cannot be true of both. */
enum rc oplog_state_check(const struct oplog_state *s,
			  struct err *err) MUST_CHECK;

/* --- shards --------------------------------------------------------------- */

/* Those that count, by key. */
size_t oplog_state_n_counting(const struct oplog_state *s);
const struct shard_meta *oplog_state_counting(const struct oplog_state *s,
					      size_t i);
/* NULL: there is none of this key that counts. */
const struct shard_meta *oplog_state_find(const struct oplog_state *s,
					  const char *key);

/* Whether any record says anything of the shard. */
bool oplog_state_knows(const struct oplog_state *s, const char *key) MUST_CHECK;

/* The valid repack record that took its place; NULL: none did. */
const struct oplog_record *oplog_state_replaced_by(const struct oplog_state *s,
						   const char *key);
/* Whether a repack record is valid, by its name; false: there is none. */
bool oplog_state_is_valid(const struct oplog_state *s, const char *name);

/* A shard that was replaced, or garbage: a shard of a repack record that is not
 * valid, and of no record that counts.
 */
struct oplog_old {
	const char *key;
	const uint8_t *root;
	const struct shard_meta *meta; /* NULL: no record adds it so far */
	/* The one that replaced it, or that is not valid: time and grace. */
	const struct oplog_record *record;
	bool is_garbage;
	bool is_purged; /* everywhere: a checkpoint says so */
};
/* By key. */
size_t oplog_state_n_old(const struct oplog_state *s);
const struct oplog_old *oplog_state_old(const struct oplog_state *s, size_t i);

/* What is told of the bytes of a shard in a zone (NULL: no zones): that they
 * are gone, else the latest word; NULL: nothing.
 */
const struct oplog_purged *oplog_state_purged(const struct oplog_state *s,
					      const char *key,
					      const char *zone);
/* All of these, by key and zone. */
size_t oplog_state_n_purged(const struct oplog_state *s);
const struct oplog_purged *oplog_state_purged_at(const struct oplog_state *s,
						 size_t i);

/* --- deletions ------------------------------------------------------------ */

/* A document that asks for deletions. */
struct oplog_tombstone {
	const struct oplog_object *object;
	const struct oplog_record *record; /* the first that names it */
	const struct oplog_record *done;   /* says it is done; NULL: live */
};
/* All of them, done ones too, by key. */
size_t oplog_state_n_tombstones(const struct oplog_state *s);
const struct oplog_tombstone *oplog_state_tombstone(const struct oplog_state *s,
						    size_t i);
/* NULL: no record names it. */
const struct oplog_tombstone *oplog_state_find_tombstone(
	const struct oplog_state *s, const char *key);

size_t oplog_state_n_withdrawn(const struct oplog_state *s);
bool oplog_state_is_withdrawn(const struct oplog_state *s,
			      const uint8_t id[ERASURE_ID_LEN]);

/* Documents of what is not to be archived again, by key. */
size_t oplog_state_n_suppressed(const struct oplog_state *s);
const struct oplog_object *oplog_state_suppressed(const struct oplog_state *s,
						  size_t i);

/* One for each erasure that has any, by id: the first final one, else the
 * latest.
 */
size_t oplog_state_n_receipts(const struct oplog_state *s);
const struct receipt *oplog_state_receipt(const struct oplog_state *s,
					  size_t i);
const struct receipt *oplog_state_find_receipt(
	const struct oplog_state *s, const uint8_t id[ERASURE_ID_LEN]);

#endif
