/* SPDX-License-Identifier: Apache-2.0 */
/* engine-stream.h - the entries of several shards as one sequence in the order
 * of the index, each key once.
 *
 *	stream_open(&st, sources, n, drop_corrupt);
 *	while (!(rc = stream_next(&st, &item, err)))
 *		... item.e ...
 *	stream_close(&st);   (RC_NOENT: all were seen)
 */
#ifndef DESFS_REPACK_ENGINE_STREAM_H
#define DESFS_REPACK_ENGINE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "verify/index-walk.h"
#include "verify/raw-shard.h"
#include "verify/uid-set.h"

/* A shard that is read, and what is known to be damaged in it. */
struct source {
	struct raw_shard s;
	const struct shard_meta *meta; /* what the log says */
	struct uid_set bad_blocks;     /* by offset */
	bool has_bad_pages;
	/* What bad pages had and was found elsewhere, in order; with all
	 * references in content.blocks.
	 */
	struct entry *found;
	size_t n_found, cap_found;
	struct arena found_bytes;
};

/* The index of a shard, or what was found of it elsewhere. */
struct stream_input {
	struct source *src;
	bool is_found;
	struct index_walk walk;
	struct index_leaf leaf;
	size_t i;
	bool at_end;
	struct entry e;
};

struct stream {
	struct source *sources;
	size_t n;
	struct stream_input *in; /* 2 * n of them */
	size_t *heap, n_heap;
	uint64_t seq;
	bool drop_corrupt, is_begun;
};

struct stream_item {
	const struct entry *e; /* valid until the next call */
	size_t source;
	uint64_t seq;   /* its number in the sequence, doubles counted */
	bool is_double; /* one of the same key was there before */
};

/* drop_corrupt: pass over pages that cannot be read. */
void stream_open(struct stream *st, struct source *sources, size_t n,
		 bool drop_corrupt);
void stream_close(struct stream *st);

enum rc stream_next(struct stream *st, struct stream_item *ret,
		    struct err *err) MUST_CHECK;

/* What is wrong is wrong with the bytes, and will be tomorrow. */
static inline bool is_damage(enum rc rc)
{
	return rc == RC_CORRUPT;
}

#endif
