/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-raw.h - what one shard of an older archive says of one uid, as it is
 * kept in a spool between reading the shard and making new ones.
 *
 * A record is its two lengths, a key and a value.  The order of keys is that of
 * paths, part by part, where what is below a path comes just before it; of one
 * path by day; of one day tombstones first, and then what counts first.
 */
#ifndef DESFS_LEGACY_LEGACY_RAW_H
#define DESFS_LEGACY_LEGACY_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/spool.h"
#include "shard/shard-entry.h"

enum legacy_raw_kind {
	LEGACY_RAW_FILE,
	LEGACY_RAW_DAMAGED,   /* a file nothing more is known of than a text */
	LEGACY_RAW_TOMBSTONE, /* hides all of the path and day */
	LEGACY_RAW_DIR,       /* only in what is made of the records */
};

/* A size from which on files are not what an index says without being looked
 * at: an entry of a few bytes must not make an index of many.
 */
#define LEGACY_ASK_FROM (UINT64_C(256) << 20)

/* Begins a value; text and metadata follow it.  Padding is zeros. */
struct legacy_raw {
	uint64_t size, off, stored_len;
	int64_t created_at;
	uint32_t object;
	uint32_t day;      /* as written, YYYYMMDD */
	uint32_t text_len; /* key of the object outside, or what is wrong */
	uint32_t meta_len;
	uint8_t kind, codec;
	bool is_external;
	bool has_hash;
	uint8_t unused[4];
	uint8_t sha256[ENTRY_HASH_LEN];
};

/* Where its key comes in the order. */
struct legacy_raw_place {
	struct span path;
	uint32_t day;
	bool is_tombstone;
	struct span object; /* the key of its object, which decides */
	uint64_t ordinal;   /* in the object: the last one counts */
};

/* Replace what is in out. */
void legacy_raw_key(const struct legacy_raw_place *p, struct buf *out);
void legacy_raw_value(const struct legacy_raw *r, const void *text,
		      const void *meta, struct buf *out);

/* How many bytes of a key say the path, and how many path and day. */
size_t legacy_raw_path_len(struct span key);
#define LEGACY_RAW_DAY_LEN 4
/* The path, in place of what is in out. */
void legacy_raw_path(struct span key, struct buf *out);

/* Take a value apart; borrowed from it. */
void legacy_raw_parse(struct span value, struct legacy_raw *ret,
		      struct span *ret_text, struct span *ret_meta);

enum rc legacy_raw_write(struct spool *sp, const struct buf *key,
			 const struct buf *value, struct err *err) MUST_CHECK;

/* Reads the records from at up to end, in pieces. */
struct legacy_raw_reader {
	const struct spool *sp;
	uint64_t at, end;
	struct buf piece; /* with a maximum; the caller's to release */
	size_t used;      /* of it */
};

/* The next record, borrowed until the one after it; RC_NOENT at the end. */
enum rc legacy_raw_next(struct legacy_raw_reader *r, struct span *ret_key,
			struct span *ret_value, struct err *err) MUST_CHECK;

#endif
