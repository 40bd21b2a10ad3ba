/* SPDX-License-Identifier: Apache-2.0 */
/* receipt.h - what proves that a deletion was done, without saying of what.
 *
 * The log keeps it for ever.  Who has the uid and the salt can compute the
 * subject; without the salt nobody can tell whose receipt it is.  Format:
 * desfs-archive(5), RECEIPTS.
 */
#ifndef DESFS_ERASE_RECEIPT_H
#define DESFS_ERASE_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "erase/erasure-words.h"
#include "erase/tombstone.h"
#include "shard/shard-format.h"

#define RECEIPT_MAX (4u << 20)   /* bytes of one */
#define RECEIPT_ITEMS_MAX 10000u /* in each of its arrays */
#define RECEIPT_SALT_LEN 32
#define RECEIPT_SUBJECT_LEN 32

struct receipt_root {
	uint8_t b[SHARD_ROOT_LEN];
};

/* A revision that others took the place of, when the record was written. */
struct receipt_replaced {
	struct receipt_root from;
	struct receipt_root *to; /* may be none: nothing was left in it */
	size_t n_to;
	int64_t time;
};

/* How old bytes went. */
enum receipt_how {
	RECEIPT_REMOVED,         /* the object, from a store without versions */
	RECEIPT_VERSION_REMOVED, /* all versions of it */
	RECEIPT_PENDING,         /* the store keeps it */
};

#define RECEIPT_UNKNOWN INT64_MIN /* until nobody knows when */

/* A revision in one zone. */
struct receipt_purged {
	struct receipt_root root;
	char *zone; /* NULL: the archive has no zones */
	enum receipt_how how;
	int64_t time;  /* when that was done, or found */
	int64_t until; /* of what is pending */
};

struct receipt_common;

/* A zeroed one is valid. */
struct receipt {
	uint8_t id[ERASURE_ID_LEN]; /* the erasure's */
	uint8_t subject[RECEIPT_SUBJECT_LEN];
	struct erasure_words words;
	int64_t asked, hidden;
	struct receipt_replaced *replaced;
	struct receipt_purged *purged;
	uint32_t n_replaced, n_purged;
	/* What words and arrays are borrowed from; NULL: nothing. */
	struct receipt_common *common;
};

void receipt_release(struct receipt *r);

/* Words and arrays that several have, see receipt-share.h. */
struct receipt_common {
	size_t refs;
	struct receipt what;
};
/* Of r, which is the first to have it; the caller has it, too. */
struct receipt_common *receipt_common_new(struct receipt *r) MUST_CHECK;
void receipt_common_unref(struct receipt_common *c); /* takes NULL */
/* r says the same; its own copy goes. */
void receipt_join(struct receipt *r, struct receipt_common *c);

/* HMAC-SHA256 under the salt, of the uid, a zero byte, and what
 * erasure_versions says.
 */
void receipt_subject(const uint8_t salt[RECEIPT_SALT_LEN], const void *uid,
		     size_t uid_len, enum erasure_range range, int64_t time,
		     uint8_t ret[RECEIPT_SUBJECT_LEN]);
/* Whether it is the receipt of these versions of that uid. */
bool receipt_is_of(const struct receipt *r,
		   const uint8_t salt[RECEIPT_SALT_LEN], const void *uid,
		   size_t uid_len, enum erasure_range range,
		   int64_t time) MUST_CHECK;
/* Nothing is pending. */
bool receipt_is_final(const struct receipt *r) MUST_CHECK;

/* Copies, in any order; until is for what is pending. */
void receipt_add_replaced(struct receipt *r, const struct receipt_root *from,
			  const struct receipt_root *to, size_t n_to,
			  int64_t time);
void receipt_add_purged(struct receipt *r, const struct receipt_root *root,
			const char *zone, enum receipt_how how, int64_t time,
			int64_t until);

struct json_t;
/* The canonical form, an element of a record's receipts; its arrays are put in
 * order.  RC_LIMIT: too many; RC_USAGE: it has what cannot be read again.
 */
enum rc receipt_to_json(struct receipt *r, struct json_t **ret,
			struct err *err) MUST_CHECK;
enum rc receipt_from_json(const struct json_t *j, struct receipt *ret,
			  struct err *err) MUST_CHECK;
/* The same as text, without a newline. */
enum rc receipt_encode(struct receipt *r, struct buf *out,
		       struct err *err) MUST_CHECK;
enum rc receipt_decode(const void *p, size_t len, struct receipt *ret,
		       struct err *err) MUST_CHECK;

/* The word for an enum receipt_how, and back; false for words not known. */
const char *receipt_how_text(enum receipt_how how);
bool receipt_how_parse(const char *text, enum receipt_how *ret) MUST_CHECK;

#endif
