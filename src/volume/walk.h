/* SPDX-License-Identifier: Apache-2.0 */
/* walk.h - which blocks will be read next; pure policy.
 *
 * Reads are sorted into streams: those of the blocks of a large file, and those
 * of the files of a shard in the order of its index, which is the order of a
 * walk through its directories and on from one to the next.  A stream whose
 * reads went on for a while tells what comes next; one read elsewhere begins a
 * stream of its own, and the stream used least recently is forgotten.  So any
 * number of walkers up to the number of streams keep theirs, and random reads
 * ask for nothing.
 *
 * Reads may arrive a little out of order, as many threads send them.
 *
 * No I/O, no clock, no locks: the owner serialises.
 */
#ifndef DESFS_VOLUME_WALK_H
#define DESFS_VOLUME_WALK_H

#include <stdbool.h>
#include <stdint.h>

#define WALK_FILES 32u /* streams of each kind */
#define WALK_DIRS 64u
/* Of them in one file or shard: so many that random reads seldom meet one. */
#define WALK_SAME 4u
#define WALK_BACK 8u  /* how far a read may be behind its stream */
#define WALK_LATE 4u  /* as far as that it does not count against it */
#define WALK_SKIP 16u /* entries a walk may leave out */
#define WALK_ARMED                                                 \
	2u /* reads in order after the first before it is believed \
	    */
#define WALK_FILE_MAX 16u /* blocks ahead of a file's reader */
#define WALK_DIR_MAX 2u   /* blocks ahead of a walk */
/* Blocks that the files of a walk lie in by turns: what compresses and what
 * does not are kept apart; and one more, where one of them ends.
 */
#define WALK_PLACES 3u

/* Blocks first ... first + n - 1 of a file of n_blocks are wanted. */
struct walk_read {
	uint32_t shard;
	uint64_t ordinal; /* of the file in its shard */
	uint32_t first, n;
	uint32_t n_blocks;
	uint64_t place; /* offset in the shard of the file's last block; 0:
			   unknown */
};

/* What to load. */
struct walk_next {
	/* Blocks first ... first + n - 1 of the file that was read. */
	uint32_t first, n;
	/* The first n_blocks blocks of the entries after that one, but for
	 * those at places (0: none).
	 */
	uint32_t n_blocks;
	uint64_t places[WALK_PLACES];
};

struct walk_file {
	uint32_t shard;
	uint64_t ordinal;
	uint32_t next; /* block after the last one wanted */
	uint32_t end;  /* block after the last one asked for */
	uint32_t window;
	unsigned int run;
	uint64_t used; /* the clock at its last use; 0: never */
};

struct walk_dir {
	uint32_t shard;
	uint64_t last;                /* the highest ordinal */
	uint64_t places[WALK_PLACES]; /* of blocks, by last use */
	uint32_t window;
	unsigned int run;
	bool is_told; /* what comes after places was asked for */
	uint64_t used;
};

/* Zeroed, but for max, at first. */
struct walk {
	uint32_t max; /* blocks ahead of any stream */
	uint64_t clock;
	struct walk_file files[WALK_FILES];
	struct walk_dir dirs[WALK_DIRS];
};

/* A call reads; what is to be loaded for those to come.  All zeros: nothing. */
struct walk_next walk_step(struct walk *w, const struct walk_read *r);

#endif
