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

#include "base/err.h"
#include "pack/index-walk.h"
#include "pack/raw-shard.h"
#include "pack/uid-set.h"

/* A shard that is read, and what is known to be damaged in it. */
struct source {
	struct raw_shard s;
	const struct shard_meta *meta; /* what the log says */
	struct uid_set bad_blocks;     /* by offset */
	struct uid_set bad_pages;      /* told of already, by offset */
};

/* A page that cannot be read. */
typedef void stream_lost_fn(void *arg, const struct source *src,
			    const struct index_leaf *leaf,
			    const struct err *err);

struct stream_input {
	struct index_walk walk;
	struct index_leaf leaf;
	uint32_t i;
	bool at_end;
	struct entry e;
};

struct stream {
	struct source *sources;
	size_t n;
	struct stream_input *in;
	size_t *heap, n_heap;
	uint64_t seq;
	bool drop_corrupt, is_begun;
	stream_lost_fn *lost; /* may be set once open */
	void *arg;
};

struct stream_item {
	const struct entry *e; /* valid until the next call */
	size_t source;
	uint64_t seq;   /* its number in the sequence, doubles counted */
	bool is_double; /* one of the same key was there before */
};

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
