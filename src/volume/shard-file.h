/* SPDX-License-Identifier: Apache-2.0 */
/* shard-file.h - reading one shard of the session, everything through the
 * caches.
 *
 * A shard is opened by its tail: one read brings the footer and, in most
 * shards, filter and upper index pages.  The footer is kept in the page cache
 * like all else, so a shard not used for long costs no memory but its name.
 * What is returned was checked against the hash of what refers to it, up to the
 * root the log states.  Any thread; no lock is held during I/O.
 */
#ifndef DESFS_VOLUME_SHARD_FILE_H
#define DESFS_VOLUME_SHARD_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cache/block-cache.h"
#include "shard/shard-entry.h"
#include "shard/shard-footer.h"
#include "shard/shard-page.h"
#include "store/store.h"
#include "volume/fetch.h"
#include "volume/oplog.h"

struct block_pool;
struct catalog;
struct disk_cache;
struct fetch;

/* What all shards of a volume share. */
struct shard_env {
	struct store *st;
	size_t tail_window;        /* bytes read to open a shard */
	struct block_cache *pages; /* tails, footers, index pages, filters */
	struct block_cache *blocks;
	struct block_pool *pool; /* memory of blocks, stored and decoded */
	uint8_t archive_id[SHARD_ID_LEN];
	bool check_hash;         /* of blocks, besides their CRC */
	uint32_t features;       /* incompatible ones that shards may have */
	struct catalog *catalog; /* NULL: no index cache */
	const char *location;    /* the store's, for the catalog */
	struct fetch *fetch;     /* NULL: the store is no remote one */
	struct disk_cache *disk; /* NULL: none */
	/* Called when a shard was missing at a time of clock_mono_ns: the log
	 * may know more by now.
	 */
	void (*look_again)(void *arg, uint64_t since_ns);
	void *look_again_arg;
	/* Tails read from the store, damaged objects. */
	_Atomic uint64_t n_opened, n_corrupt;
};

/* What of a shard changes. */
struct shard_life {
	_Atomic uint64_t view;      /* the last that had it: its generation */
	atomic_bool is_replaced;    /* no view has it any more */
	atomic_bool is_gone;        /* nor has the store, which is not asked */
	_Atomic uint64_t looked_ns; /* when it was missed */
};

/* A shard, immutable but for what epoch and life point to.  Epoch counts how
 * often what was known of the shard turned out wrong; but for 0 the index cache
 * is not believed, and tails of earlier epochs are not used any more.
 */
struct shard_file {
	_Atomic uint32_t *epoch;
	struct shard_life *life;
	uint32_t ordinal; /* in the session */
	struct shard_meta meta;
	/* Its first and last key. */
	struct span first_parent, first_name, last_parent, last_name;
};

/* What its tail tells. */
struct shard_tail {
	struct object_info info;
	struct shard_footer footer;
	uint32_t n_partitions, partition_size; /* of the filter */
	uint8_t *partition_hashes;             /* BLOCK_HASH_LEN bytes each */
	/* What each search needs, NULL where the tail read has not got it: the
	 * root page, unless it is a leaf, and a filter of one partition.
	 */
	struct page *root;
	uint8_t *filter;
};

/* A shard opened for a while. */
struct shard_handle {
	struct shard_env *env;
	const struct shard_file *sf;
	const struct shard_tail *tail;
	struct block_cache_item *hold; /* keeps tail */
	bool is_peek; /* pages that are not in memory are RC_NOENT */
};

/* True when the shard's key range includes the key. */
bool shard_file_may_have_key(const struct shard_file *sf, struct span parent,
			     struct span name);
/* True when it may include children of a directory, given by its uid. */
bool shard_file_may_have_children(const struct shard_file *sf, struct span dir);
/* True when the uid is routed to the shard's slot. */
bool shard_file_owns(const struct shard_file *sf, struct span uid);

enum rc shard_handle_open(struct shard_handle *ret, struct shard_env *env,
			  const struct shard_file *sf,
			  struct err *err) MUST_CHECK;
/* For pages in memory alone; false: the tail is not. */
bool shard_handle_peek(struct shard_handle *ret, struct shard_env *env,
		       const struct shard_file *sf);
/* A zeroed handle is fine. */
void shard_handle_release(struct shard_handle *h);

/* len stored bytes at off, borrowed from the tail read before or read now. */
struct shard_bytes {
	const uint8_t *p;
	struct block_cache_item *window; /* holds them, or: */
	struct buf owned;
	struct block_pool *pool; /* NULL, or owner of: */
	uint8_t *room;
	size_t cap;
	struct fetch_bytes fetched;
	bool is_kept;   /* from the index cache, */
	uint32_t epoch; /* then */
};
enum rc shard_handle_read(const struct shard_handle *h, uint64_t off,
			  size_t len, struct shard_bytes *ret,
			  struct err *err) MUST_CHECK;
/* The same for pages and blocks, which have neighbours: hint tells of them. */
enum rc shard_handle_read_near(const struct shard_handle *h, uint64_t off,
			       size_t len, const struct fetch_hint *hint,
			       struct shard_bytes *ret,
			       struct err *err) MUST_CHECK;
void shard_bytes_release(struct shard_bytes *b);
/* True when no read is needed for them (for now). */
bool shard_handle_has(const struct shard_handle *h, uint64_t off, size_t len);

/* A page of the kind: its item holds a struct page. */
enum rc shard_handle_page(const struct shard_handle *h,
			  const struct page_ref *ref, enum page_kind kind,
			  struct block_cache_item **ret,
			  struct err *err) MUST_CHECK;

/* False in *ret: the shard has no entry of the key with this filter_hash.
 * if_cheap: say true rather than read for the answer.
 */
enum rc shard_handle_may_contain(const struct shard_handle *h, uint64_t hash,
				 bool if_cheap, bool *ret,
				 struct err *err) MUST_CHECK;

/* The decoded data of a block that is no hole, or its beginning: its item holds
 * a struct shard_block.
 */
struct shard_block {
	uint32_t len;
	uint8_t *data;
	struct block_pool *pool; /* owns data, */
	size_t cap;              /* as many bytes */
};
enum rc shard_handle_block(const struct shard_handle *h,
			   const struct block_ref *ref,
			   const struct fetch_hint *hint,
			   struct block_cache_item **ret,
			   struct err *err) MUST_CHECK;
/* The same for one who needs the first want bytes and knows of nobody who will
 * need more soon: there may be no others.  All of a second one's who needs
 * more.
 */
enum rc shard_handle_prefix(const struct shard_handle *h,
			    const struct block_ref *ref, size_t want,
			    const struct fetch_hint *hint,
			    struct block_cache_item **ret,
			    struct err *err) MUST_CHECK;

/* True when it is in memory or about to be; nothing is read. */
bool shard_env_has_block(const struct shard_env *env, uint32_t shard,
			 const struct block_ref *ref);

/* Objects in the caches.  Each is found by its kind, its shard, and: of WINDOW
 * and TAIL the shard's epoch, of PARTITION its number, of PAGE, BLOCK and
 * PREFIX where it lies.
 */
enum shard_object {
	SHARD_WINDOW,
	SHARD_TAIL,
	SHARD_PAGE,
	SHARD_PARTITION,
	SHARD_BLOCK,
	SHARD_PREFIX,
};
static inline struct block_cache_key shard_cache_key(enum shard_object kind,
						     uint32_t shard, uint64_t b)
{
	return (struct block_cache_key){ (uint64_t)kind << 32 | shard, b };
}

/* Count a damaged object; returns rc. */
enum rc shard_env_note(struct shard_env *env, enum rc rc);

#endif
