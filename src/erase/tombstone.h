/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone.h - one request to delete: an object tombstones/DAY/RANDOM.json.
 *
 * Format: desfs-archive(5), TOMBSTONES.  Bytes in, a struct out, and back.
 */
#ifndef DESFS_ERASE_TOMBSTONE_H
#define DESFS_ERASE_TOMBSTONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/timestamp.h"
#include "erase/erasure-words.h"
#include "shard/shard-format.h"

#define TOMBSTONE_MAX (16u << 20)         /* bytes of an object */
#define TOMBSTONE_ERASURES_MAX (1u << 17) /* in one object */
#define ERASURE_ID_LEN 16

/* Where they lie, and the size of such a key's text with its NUL. */
#define TOMBSTONE_PREFIX "tombstones/"
#define TOMBSTONE_KEY_TEXT                               \
	(sizeof(TOMBSTONE_PREFIX) + TIMESTAMP_DAY_TEXT + \
	 HEX_TEXT(ERASURE_ID_LEN) + sizeof(".json"))

/* Which versions go: the one of created_at, or all up to it and it, too. */
enum erasure_range { ERASURE_ONE, ERASURE_UNTIL };

/* One uid in it. */
struct erasure {
	uint8_t id[ERASURE_ID_LEN];
	char *uid;      /* NUL-terminated for convenience only */
	size_t uid_len; /* 1 to UID_MAX_LEN */
	enum erasure_range range;
	int64_t time; /* created_at or until, microseconds */
};

/* A zeroed one is valid and asks for nothing. */
struct tombstone {
	uint8_t archive_id[SHARD_ID_LEN];
	/* Random and nowhere else: the log keeps the document's SHA-256 for
	 * ever, which otherwise would confirm a uid that somebody guesses.
	 */
	uint8_t nonce[ERASURE_ID_LEN];
	int64_t time; /* when it was asked, microseconds */
	struct erasure_words words;
	struct erasure *erasures;
	size_t n, cap;
};

void tombstone_release(struct tombstone *t);

/* Append a copy of uid, in any order. */
void tombstone_add(struct tombstone *t, const uint8_t id[ERASURE_ID_LEN],
		   const void *uid, size_t uid_len, enum erasure_range range,
		   int64_t time);

/* Append the canonical form, erasures in the order of their ids.  RC_LIMIT: too
 * many or too long; RC_USAGE: it has what cannot be read again.
 */
enum rc tombstone_encode(const struct tombstone *t, struct buf *out,
			 struct err *err) MUST_CHECK;
/* RC_LIMIT and RC_CORRUPT say what was wanted, found, and in which erasure;
 * RC_UNSUPPORTED: made by a newer version.  None may be taken for "nothing is
 * deleted".
 */
enum rc tombstone_decode(const void *p, size_t len, struct tombstone *ret,
			 struct err *err) MUST_CHECK;

/* A fresh key for a document of that time. */
enum rc tombstone_key(int64_t time, char ret[TOMBSTONE_KEY_TEXT],
		      struct err *err) MUST_CHECK;
/* Whether key has the form of these. */
bool tombstone_key_is_valid(const char *key) MUST_CHECK;
/* RC_CORRUPT: the document does not belong there: its day is another. */
enum rc tombstone_check_key(const struct tombstone *t, const char *key,
			    struct err *err) MUST_CHECK;

/* "created_at 2026-11-21T10:15:30.123456Z" or "until ...": which versions, in
 * words; receipts are computed from it.
 */
#define ERASURE_VERSIONS_TEXT (TIMESTAMP_TEXT + 12)
void erasure_versions(enum erasure_range range, int64_t time,
		      char ret[ERASURE_VERSIONS_TEXT]);

#endif
