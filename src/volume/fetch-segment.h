/* SPDX-License-Identifier: Apache-2.0 */
/* fetch-segment.h - the ranges a fetcher has: on their way, or read.
 *
 * Not locked: all calls are made under the fetcher's lock.  Ranges of one shard
 * never overlap.
 */
#ifndef DESFS_VOLUME_FETCH_SEGMENT_H
#define DESFS_VOLUME_FETCH_SEGMENT_H

#include <pthread.h>
#include <stdbool.h>

#include "volume/fetch.h"

enum segment_state {
	SEGMENT_QUEUED,  /* nobody reads it yet; whoever comes first does */
	SEGMENT_LOADING, /* somebody does */
	SEGMENT_READY,
	SEGMENT_FAILED,
};

/* A stream of reads, by place and number: places are used again. */
struct stream_id {
	unsigned int i;
	uint64_t number;
};

struct segment {
	struct segment *prev, *next; /* in the table, used longest ago first */
	struct fetch_source src;
	struct byte_range range;
	struct stream_id stream; /* that it was read for */
	enum segment_state state;
	bool is_ahead;          /* read before it was wanted */
	bool is_gone;           /* no longer in the table */
	unsigned int refs;      /* holders besides the table */
	uint64_t used;          /* bytes wanted so far */
	uint64_t touched;       /* when used last, monotonic */
	uint8_t *data;          /* whoever loads it writes it; READY: fixed */
	struct err err;         /* why it FAILED */
	pthread_cond_t changed; /* READY or FAILED */
};

#define SEGMENTS_SPARE 4u

struct segments {
	struct segment *list;
	unsigned int n;
	/* Buffers of READAHEAD_MAX bytes, for streams that go through many:
	 * what the kernel asks to give fresh memory is more than what they
	 * cost.
	 */
	uint8_t *spare[SEGMENTS_SPARE];
	unsigned int n_spare;
	uint64_t bytes, max_bytes; /* those gone but still held among them */
};

/* The range that includes a byte, or NULL. */
struct segment *segments_at(const struct segments *t, uint64_t id,
			    uint64_t off);
/* What is free around off, which is in no range, within data. */
struct byte_range segments_room(const struct segments *t, uint64_t id,
				uint64_t off, struct byte_range data);

/* One that may be given up to make room, used longest ago; NULL: none.
 * is_ahead: room is for what nobody waits for.
 */
struct segment *segments_victim(const struct segments *t, uint64_t now,
				bool is_ahead);
bool segments_has_room(const struct segments *t, uint64_t size);
/* Give back what is kept for more to come. */
void segments_free_spare(struct segments *t);
/* One that nobody used for long, or NULL. */
struct segment *segments_expired(const struct segments *t, uint64_t now);

/* A new one in the table, with one reference; NULL: out of memory. */
struct segment *segment_new(struct segments *t, const struct fetch_source *src,
			    struct byte_range range, uint64_t now);
void segment_touch(struct segments *t, struct segment *s, uint64_t now);
/* Out of the table; freed when nobody holds it. */
void segment_drop(struct segments *t, struct segment *s);
void segment_unref(struct segments *t, struct segment *s);

#endif
