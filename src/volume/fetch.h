/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - stored blocks of remote shards, read in ranges of several.
 *
 * A block that is wanted is read together with its neighbours as far as
 * readahead.h finds good, and what is read so is kept for a while, bounded in
 * bytes.  Whoever wants a block of a range under way waits for that range, so a
 * byte is asked for once however many readers there are.  Ranges beyond what is
 * wanted now are read by threads of the fetcher's own; a reader who needs one
 * that none of them has begun reads it himself.
 *
 * A range that fails fails nobody but the reader whose block it is: the others
 * read their own blocks alone and get their own errors; so does he where other
 * objects may be what failed, and for a while all of that range do.  What is
 * returned was checked by nobody yet.  Any thread; no lock is held during reads
 * and callbacks.
 */
#ifndef DESFS_VOLUME_FETCH_H
#define DESFS_VOLUME_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"
#include "volume/readahead.h"

struct fetch;
struct segment;
struct shard_file;

/* A part of a shard: its data, its index. */
struct fetch_source {
	uint64_t id;                    /* of it */
	const struct shard_file *shard; /* for read; lives as long */
	struct object_info info;
	struct byte_range data;
	bool is_made; /* of several objects, each of which fails by itself */
};

/* Read len bytes at off into buf.  is_ahead: nobody waits yet. */
typedef enum rc fetch_read_fn(void *arg, const struct fetch_source *src,
			      uint64_t off, void *buf, size_t len,
			      bool is_ahead, struct err *err);

struct fetch_options {
	fetch_read_fn *read;
	void *arg;
	uint64_t max_bytes;   /* kept and on their way; 0: 64 MiB */
	unsigned int n_ahead; /* ranges read ahead at a time; 0: none */
};

struct fetch *fetch_new(const struct fetch_options *o);
/* Waits for reads under way.  Nobody may use it any more; takes NULL. */
void fetch_free(struct fetch *f);

/* What is around a block; asked for only when it matters. */
struct fetch_hint {
	void (*near)(void *arg, struct readahead_near *ret);
	void *arg;
};

/* The stored bytes of a block, borrowed or owned. */
struct fetch_bytes {
	struct fetch *fetch;
	const uint8_t *p;
	uint8_t *owned;
	struct segment *segment;
};

/* hint may be NULL: a block by itself. */
enum rc fetch_block(struct fetch *f, const struct fetch_source *src,
		    struct byte_range block, const struct fetch_hint *hint,
		    struct fetch_bytes *ret, struct err *err) MUST_CHECK;

/* The bytes of the block were wrong, so it is read again without the fetcher:
 * give up the range it came in.
 */
void fetch_forget(struct fetch *f, const struct fetch_source *src,
		  struct byte_range block);
/* Zeroed bytes are fine. */
void fetch_bytes_release(struct fetch_bytes *b);

struct fetch_stats {
	uint64_t blocks;      /* asked for */
	uint64_t ranges;      /* read because a block was wanted */
	uint64_t ahead;       /* read before that */
	uint64_t alone;       /* blocks read by themselves after that */
	uint64_t bytes, used; /* read in ranges; of them wanted so far */
	uint64_t kept;        /* bytes in memory now */
};
void fetch_stats(struct fetch *f, struct fetch_stats *ret);

#endif
