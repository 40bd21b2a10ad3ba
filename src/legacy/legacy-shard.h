/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-shard.h - shards of format 3 that are made of entries of older ones:
 * an index in a spool, and blocks that are made when they are read.
 *
 * A set of them is filled by one thread, in the order of day and slot:
 *
 *	s = legacy_shards_new(dir);
 *	legacy_shards_begin(s, &which)            for each shard
 *		legacy_shards_place(s, len, ...)      in the order of contents
 *		legacy_shards_add(s, &entry, &place)  in the order of the index
 *	legacy_shards_end(s)
 *
 * and then read by any.  Blocks have no hash of their bytes, which nobody knows
 * before they are read, but one of where they come from; so what is read from
 * another object, or of another state of it, is another block, and the shard
 * another one.
 */
#ifndef DESFS_LEGACY_LEGACY_SHARD_H
#define DESFS_LEGACY_LEGACY_SHARD_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/spool.h"
#include "legacy/legacy-deleted.h"
#include "legacy/legacy-objects.h"
#include "legacy/legacy-place.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

#define LEGACY_N_BITS 4 /* of what is made: 16 slots a day */
#define LEGACY_SHARD_KEY 64

/* Bytes of zeros behind the blocks: who opens a shard reads its end, and what
 * is there must cost nothing and not fail.
 */
#define LEGACY_SHARD_PAD (256u << 10)

/* Bytes of a made shard that are in a spool. */
struct legacy_part {
	uint64_t off, len; /* in the shard */
	uint64_t at;       /* in the spool */
};

struct legacy_shard {
	char key[LEGACY_SHARD_KEY];
	uint64_t size;
	uint8_t root[SHARD_ROOT_LEN];
	uint32_t day, slot, part, revision;
	struct legacy_part parts[4]; /* header, filter, index, the rest */
	uint64_t data_off, data_end; /* blocks; zeros follow up to: */
	uint64_t pad_end;
	uint64_t starts; /* number of its first one in the spool of starts */
	uint64_t n_starts;
	uint64_t n_entries, n_files, plain_bytes;
	int64_t created_min, created_max;
	uint64_t first, last; /* uids: where in the spool of texts, */
	uint32_t first_len, last_len;
};

struct shard_build;

struct legacy_shards {
	atomic_uint refs;
	struct spool bytes;  /* parts */
	struct spool places; /* struct legacy_place, one after another */
	struct spool starts; /* of each shard, ascending: struct legacy_start */
	struct spool texts;
	struct legacy_shard *shards; /* by day and slot */
	size_t n, cap;
	struct legacy_deleted deleted; /* what they lack for that */
	/* The one that is made. */
	struct shard_build *build;
	struct spool index;
	uint64_t n_places, n_starts;
};

/* Where the blocks of a place begin. */
struct legacy_start {
	uint64_t start;
	uint64_t place; /* its number in the spool of places */
};

struct legacy_shards *legacy_shards_new(const char *dir) MUST_CHECK;
struct legacy_shards *legacy_shards_ref(struct legacy_shards *s);
void legacy_shards_unref(struct legacy_shards *s); /* takes NULL */

/* Of which only day, slot, part and revision are looked at. */
enum rc legacy_shards_begin(struct legacy_shards *s,
			    const uint8_t archive_id[SHARD_ID_LEN],
			    const struct legacy_shard *which,
			    struct err *err) MUST_CHECK;

/* Room for a content of so many bytes; where it begins.  The nth content that
 * is added, from 0 on, is the one that gets this room.
 */
enum rc legacy_shards_place(struct legacy_shards *s, uint64_t size,
			    uint32_t nth, uint64_t *ret_start,
			    struct err *err) MUST_CHECK;

/* e without content; place NULL: it has none.  Of place text, text_len and
 * block_size are set here; origin says of which object and state of it.
 */
enum rc legacy_shards_add(struct legacy_shards *s, struct entry *e,
			  struct legacy_place *place, struct span text,
			  struct span origin, struct err *err) MUST_CHECK;
enum rc legacy_shards_end(struct legacy_shards *s, struct err *err) MUST_CHECK;

/* NULL: none of that key. */
const struct legacy_shard *legacy_shards_find(const struct legacy_shards *s,
					      const char *key);

/* Exactly len bytes of a shard at off, which it has. */
struct legacy_contents;
enum rc legacy_shards_read(struct legacy_shards *s,
			   const struct legacy_shard *shard,
			   struct legacy_contents *contents, uint64_t off,
			   void *buf, size_t len, bool is_ahead,
			   struct err *err) MUST_CHECK;

#endif
