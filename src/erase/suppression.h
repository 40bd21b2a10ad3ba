/* SPDX-License-Identifier: Apache-2.0 */
/* suppression.h - the list of what was deleted and is not to be archived again.
 *
 * It has no names: each uid is there as an HMAC under a key that is kept
 * outside of the archive, and without it nobody can try a uid.  Its objects
 * tombstones/suppressed-TIME-RANDOM.json are written once and add up.  Format:
 * desfs-archive(5), SUPPRESSION.
 *
 *	for each object: suppression_decode, suppression_append, ..._release
 *	suppression_sort(&all);
 *	suppression_hash(key, uid, uid_len, hash);
 *	suppression_has(&all, hash)
 */
#ifndef DESFS_ERASE_SUPPRESSION_H
#define DESFS_ERASE_SUPPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/stamped.h"
#include "shard/shard-format.h"

#define SUPPRESSION_MAX (16u << 20)     /* bytes of an object */
#define SUPPRESSION_UIDS_MAX (1u << 18) /* in one object */
#define SUPPRESSION_SECRET_LEN 32
#define SUPPRESSION_KEY_ID_LEN 8
#define SUPPRESSION_HASH_LEN 16

#define SUPPRESSION_PREFIX "tombstones/suppressed-"
#define SUPPRESSION_KEY_TEXT \
	(sizeof(SUPPRESSION_PREFIX) + STAMPED_TEXT + sizeof(".json"))

struct suppression_hash {
	uint8_t b[SUPPRESSION_HASH_LEN];
};

/* One object, or several together: 16 bytes a uid.  A zeroed one is valid and
 * empty; the first that is appended says of which archive and key it is.
 */
struct suppression {
	uint8_t archive_id[SHARD_ID_LEN];
	uint8_t key_id[SUPPRESSION_KEY_ID_LEN];
	int64_t time; /* when it was written; the latest */
	struct suppression_hash *hashes;
	size_t n, cap;
};

void suppression_release(struct suppression *s);

/* What stands for the key and tells nothing of it. */
void suppression_key_id(const uint8_t secret[SUPPRESSION_SECRET_LEN],
			uint8_t ret[SUPPRESSION_KEY_ID_LEN]);
void suppression_hash(const uint8_t secret[SUPPRESSION_SECRET_LEN],
		      const void *uid, size_t uid_len,
		      struct suppression_hash *ret);

/* Then it has to be sorted. */
void suppression_add(struct suppression *s,
		     const struct suppression_hash *hash);
/* RC_CORRUPT: more belongs to another archive or another key. */
enum rc suppression_append(struct suppression *s,
			   const struct suppression *more,
			   struct err *err) MUST_CHECK;
/* In order, and each but once. */
void suppression_sort(struct suppression *s);
/* Of one that is sorted. */
bool suppression_has(const struct suppression *s,
		     const struct suppression_hash *hash);

/* Append the canonical form of one that is sorted.  RC_LIMIT: too many. */
enum rc suppression_encode(const struct suppression *s, struct buf *out,
			   struct err *err) MUST_CHECK;
/* What is read is sorted. */
enum rc suppression_decode(const void *p, size_t len, struct suppression *ret,
			   struct err *err) MUST_CHECK;

/* A fresh key for an object written now. */
enum rc suppression_key(int64_t time, char ret[SUPPRESSION_KEY_TEXT],
			struct err *err) MUST_CHECK;
/* Whether key has the form of these. */
bool suppression_key_is_valid(const char *key) MUST_CHECK;

#endif
