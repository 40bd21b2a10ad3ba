/* SPDX-License-Identifier: Apache-2.0 */
/* readahead.h - how much to fetch when a block is wanted; pure policy.
 *
 * Reads that belong together are a stream: struct readahead.  A first read
 * fetches its block and little more.  A second one that goes on where the first
 * ended, or is in the same directory, is evidence: from then on the ranges
 * grow, twice as long each time, within these bounds:
 *
 * - the end of the directory's or file's data, until the stream was seen to go
 *   on beyond one;
 * - READAHEAD_AMPLIFY bytes fetched for one wanted, and READAHEAD_FIRST;
 * - of the last 16 ranges at least a quarter was wanted: else they shrink;
 * - time: a range that took long is not made longer.
 *
 * No I/O, no clock, no locks: the owner serialises.
 */
#ifndef DESFS_VOLUME_READAHEAD_H
#define DESFS_VOLUME_READAHEAD_H

#include <stdbool.h>
#include <stdint.h>

#define READAHEAD_MIN (UINT64_C(128) << 10) /* fetched without evidence */
/* What a stream may leave out: a block of the usual size with its header, which
 * the kernel's reads, out of order, leave for a moment.
 */
#define READAHEAD_GAP (UINT64_C(160) << 10)
#define READAHEAD_FIRST (UINT64_C(1) << 20) /* the first window */
#define READAHEAD_MAX (UINT64_C(8) << 20)   /* the last */
#define READAHEAD_AMPLIFY 8u
#define READAHEAD_PAST 16u

/* Bytes [lo, hi) of a shard. */
struct byte_range {
	uint64_t lo, hi;
};

/* What is around a wanted block. */
struct readahead_near {
	struct byte_range range; /* data of its directory or file */
	uint64_t group;          /* a number of the directory or file */
	uint64_t call_end; /* the same call wants all up to here; 0: no more */
	bool is_file;      /* a large file: a range of its own */
	bool is_open;      /* it goes on after the range */
	bool is_strict;    /* who goes on leaves nothing out */
};

/* One stream; zeroed, then readahead_miss with READAHEAD_NEW. */
struct readahead {
	struct readahead_near near;
	uint64_t next;   /* where its newest range ends */
	uint64_t pos;    /* where its newest read ended */
	uint64_t newest; /* bytes of its newest range */
	uint64_t window; /* 0: no evidence yet */
	uint64_t limit;  /* of the window, as time taught; 0: none */
	uint64_t demanded, fetched;
	bool is_sequential;
	bool is_scan; /* went on beyond the end of a directory or file */
	struct {
		uint64_t used, size;
	} past[READAHEAD_PAST];
	unsigned int n_past;
};

/* How a block that is not there stands to a stream. */
enum readahead_kin {
	READAHEAD_NEW,        /* not at all */
	READAHEAD_BESIDE,     /* in the same directory */
	READAHEAD_SEQUENTIAL, /* right after it */
};
enum readahead_kin readahead_kin(const struct readahead *ra,
				 struct byte_range block,
				 const struct readahead_near *near);

/* Bounds from outside. */
struct readahead_bounds {
	uint64_t end;        /* of the shard's data */
	uint64_t max_window; /* at most READAHEAD_MAX */
	unsigned int depth;  /* ranges in flight for a stream at most */
};

/* The range to fetch for the part need of a block; room: what around it is not
 * there yet.  need is in the result, the result in room.
 */
struct byte_range readahead_miss(struct readahead *ra, enum readahead_kin kin,
				 struct byte_range need, struct byte_range room,
				 const struct readahead_near *near,
				 const struct readahead_bounds *b);

/* The stream read this block (after readahead_miss for it, if it was not
 * there).
 */
void readahead_read(struct readahead *ra, struct byte_range block);

/* True: readahead_moved is to be told what is around the block at off. */
bool readahead_wants_near(const struct readahead *ra, uint64_t off);
void readahead_moved(struct readahead *ra, uint64_t off,
		     const struct readahead_near *near);

/* True: this range, from ra->next on, is to be fetched ahead now.  The caller
 * fetches the beginning of it, up to some hi, and says so with
 * readahead_ahead_taken; or else passes over what is there with
 * readahead_skip.
 */
bool readahead_ahead(struct readahead *ra, const struct readahead_bounds *b,
		     struct byte_range *ret);
void readahead_ahead_taken(struct readahead *ra, uint64_t hi);
void readahead_skip(struct readahead *ra, uint64_t hi);

/* What became of a range: fetched in so much time, failed, given up when so
 * many bytes of it had been wanted.
 */
void readahead_done(struct readahead *ra, uint64_t size, uint64_t ns);
void readahead_failed(struct readahead *ra);
void readahead_retired(struct readahead *ra, uint64_t used, uint64_t size);

#endif
