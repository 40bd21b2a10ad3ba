/* SPDX-License-Identifier: Apache-2.0 */
/* des2-there.h - what the shards of a day and slot have already.
 *
 * The shard with the lowest number counts, and in it the last entry of a uid,
 * unless its sidecar says that the uid is deleted.
 * Memory is bounded, however many entries there are.  For one thread.
 */
#ifndef DESFS_PACK_DES2_THERE_H
#define DESFS_PACK_DES2_THERE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "base/timestamp.h"
#include "codec/codec.h"
#include "pack/des2-rules.h"
#include "shard/shard-entry.h"

struct des2_there;
struct store;

/* What there is of a uid. */
struct des2_entry {
	char key[DES2_KEY_TEXT]; /* of its shard */
	bool is_deleted;         /* a sidecar says so; nothing else is set */
	bool is_damaged;
	bool is_external;
	enum codec_id codec;
	uint64_t off, stored_len, plain_len;
	uint8_t sha256[SHA256_LEN]; /* of external ones */
	/* As its metadata have it; "": not at all. */
	char created[TIMESTAMP_ZONED_TEXT], mtime[TIMESTAMP_NS_TEXT];
};

/* Read the indices of n shards, and their sidecars.  RC_CORRUPT,
 * RC_UNSUPPORTED: one of them cannot be read, so that nobody can tell what is
 * there.  RC_USAGE: it has a uid that n_bits bring elsewhere.
 */
enum rc des2_there_new(struct store *st, const struct des2_name *names,
		       size_t n, unsigned int n_bits, const char *spool_dir,
		       struct des2_there **ret, struct err *err) MUST_CHECK;
void des2_there_free(struct des2_there *t);

/* Uids are asked for in ascending order.  RC_NOENT: there is no such one.  t
 * may be NULL.
 */
enum rc des2_there_find(struct des2_there *t, struct span uid,
			struct des2_entry *ret, struct err *err) MUST_CHECK;

/* The SHA-256 of its content, which is read for it. */
enum rc des2_there_hash(struct store *st, const struct des2_entry *e,
			uint8_t ret[SHA256_LEN], struct err *err) MUST_CHECK;

#endif
