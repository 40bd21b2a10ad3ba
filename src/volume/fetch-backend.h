/* SPDX-License-Identifier: Apache-2.0 */
/* fetch-backend.h - what the files of a fetch share. */
#ifndef DESFS_VOLUME_FETCH_BACKEND_H
#define DESFS_VOLUME_FETCH_BACKEND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "volume/fetch-segment.h"
#include "volume/fetch.h"

struct workers;

#define N_STREAMS 64u
/* Ranges of one block at most; more holes than that are read over. */
#define N_PARTS 4u

struct stream {
	uint64_t number; /* 0: free */
	uint64_t id;     /* of the source */
	uint64_t touched;
	struct readahead ra;
};

/* A range of a made shard that failed: its blocks are read alone for a while,
 * as each range with the object that was wrong would fail again.
 */
struct fetch_failed {
	uint64_t id; /* of the source */
	struct byte_range range;
	uint64_t until; /* coarse clock; 0: free */
};

#define N_FAILED 16u

/* Lock order: the lock, then the workers' own. */
struct fetch {
	struct fetch_options o;
	pthread_mutex_t lock; /* guards the rest */
	struct segments segments;
	struct stream streams[N_STREAMS];
	uint64_t n_streams; /* so far */
	struct fetch_failed failed[N_FAILED];
	unsigned int n_failed;   /* so far */
	struct workers *workers; /* started when first needed */
	unsigned int n_jobs;
	bool is_stopping;
	struct fetch_stats stats;
};

/* A block on its way to its reader. */
struct request {
	const struct fetch_source *src;
	struct byte_range block;
	uint64_t now;
	struct readahead_near near;
	struct segment *parts[N_PARTS]; /* in order, each with a reference */
	unsigned int n_parts;
};

/* fetch-ahead.c; all with the lock, but fetch_load. */
struct stream *fetch_stream_get(struct fetch *f, struct stream_id id);
struct stream_id fetch_stream_id(const struct fetch *f,
				 const struct stream *st);
/* The stream a missing block belongs to: the best of those there are. */
struct stream *fetch_stream_for(struct fetch *f, const struct request *rq,
				enum readahead_kin *ret);
/* What a stream may have: its share of the memory. */
struct readahead_bounds fetch_bounds(const struct fetch *f,
				     const struct request *rq,
				     const struct stream *self);
void fetch_drop(struct fetch *f, struct segment *s);
bool fetch_make_room(struct fetch *f, uint64_t size, uint64_t now,
		     bool is_ahead);
void fetch_expire(struct fetch *f, uint64_t now);
/* Read a claimed range, without the lock, and tell who waits. */
void fetch_load(struct fetch *f, struct segment *s, bool is_ahead);
/* Claim the range if nobody has. */
bool fetch_claim(struct segment *s);
/* It failed with others just now. */
bool fetch_has_failed(const struct fetch *f, const struct request *rq);
/* Begin what the stream will want next. */
void fetch_plan_ahead(struct fetch *f, const struct request *rq,
		      struct stream *st);

#endif
