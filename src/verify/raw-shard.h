/* SPDX-License-Identifier: Apache-2.0 */
/* raw-shard.h - a shard's parts read straight from the store, without caches,
 * for those who look for damage.
 *
 * Messages say what is wrong with the part, not which shard it is in.  A
 * struct raw_shard is for one thread.
 */
#ifndef DESFS_VERIFY_RAW_SHARD_H
#define DESFS_VERIFY_RAW_SHARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-block.h"
#include "shard/shard-footer.h"
#include "shard/shard-page.h"
#include "store/store.h"
#include "volume/oplog.h"

struct raw_ahead;
struct throttle;

/* The first read that failed though the shard may be whole: no answer, no
 * permission, no memory.  Zeroed at first; err may be looked at when nobody
 * reads any more.
 */
struct raw_trouble {
	atomic_bool has;
	struct err err;
};

struct raw_shard {
	struct store *store; /* borrowed, like key and ahead */
	const char *key;
	struct raw_ahead *ahead;   /* may be set once open */
	struct throttle *throttle; /* of all reads from then on; may be NULL */
	struct raw_trouble *trouble; /* to be noted there; may be NULL */
	/* Somebody else hashes the blocks; here their checksum is enough. */
	bool is_hashed;
	struct object_info info;
	struct shard_footer footer;
};

/* Size and footer.  RC_CORRUPT: the footer is damaged, and ret->info is set all
 * the same; what could not be read is RC_IO.
 */
enum rc raw_shard_open(struct raw_shard *ret, struct store *st, const char *key,
		       struct err *err) MUST_CHECK;

/* Bytes as the store has them, without ahead, throttle and trouble.  RC_IO:
 * also of a server that answers other than it was asked, which is no damage.
 */
enum rc raw_shard_get(const struct raw_shard *s, uint64_t off, void *buf,
		      size_t len, struct err *err) MUST_CHECK;

/* For those who use that: it has failed. */
void raw_shard_failed(const struct raw_shard *s, const struct err *err);

enum rc raw_shard_read(const struct raw_shard *s, uint64_t off, void *buf,
		       size_t len, struct err *err) MUST_CHECK;

/* The header, checked against the footer. */
enum rc raw_shard_header(const struct raw_shard *s, struct shard_header *ret,
			 struct err *err) MUST_CHECK;

/* A section appended to ret and checked against its hash; more than max bytes
 * is RC_CORRUPT.
 */
enum rc raw_shard_section(const struct raw_shard *s,
			  const struct shard_section *section, uint64_t max,
			  struct buf *ret, struct err *err) MUST_CHECK;

enum rc raw_shard_page(const struct raw_shard *s, const struct page_ref *ref,
		       struct page **ret, struct err *err) MUST_CHECK;

/* A block's stored bytes, checked against CRC and hash (see is_hashed), into
 * out.
 */
enum rc raw_shard_block(const struct raw_shard *s, const struct block_ref *ref,
			struct buf *out, struct block_header *ret,
			struct err *err) MUST_CHECK;

/* All block references of a file; *ret_owned is to be freed, *ret may be
 * borrowed from e.
 */
enum rc raw_shard_refs(const struct raw_shard *s, const struct entry *e,
		       const struct block_ref **ret,
		       struct block_ref **ret_owned,
		       struct err *err) MUST_CHECK;

/* What the log should say of the shard, from footer and info section.  Release
 * with shard_meta_release.
 */
enum rc raw_shard_meta(const struct raw_shard *s, struct shard_meta *ret,
		       struct err *err) MUST_CHECK;

#endif
