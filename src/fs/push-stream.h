/* SPDX-License-Identifier: Apache-2.0 */
/* push-stream.h - which files to push to the kernel next: pure policy.
 *
 * It knows the nodes that listings have given out, run by run: node numbers
 * that follow each other, and which of them are small files.  Who reads small
 * files of a run in ascending order is followed by a stream: windows of files
 * ahead of the reader, each with one file left out, the marker, whose READ says
 * that the reader has come that far and what follows is wanted.  A window that
 * begins on less evidence is a bet: it costs credit, which only markers bring
 * back.  So walks over many directories are pushed from their first file on,
 * and who reads here and there soon gets nothing.
 *
 * A file is pushed once, until one of its run is read a second time: then the
 * kernel has dropped what it had.  Memory is fixed.  One thread at a time.
 */
#ifndef DESFS_FS_PUSH_STREAM_H
#define DESFS_FS_PUSH_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define PUSH_FILE_MAX (128u << 10)   /* bytes of a file worth pushing */
#define PUSH_RUN_MAX 1024u           /* nodes of one run */
#define PUSH_RUNS 1024u              /* runs remembered */
#define PUSH_STREAMS 16u             /* streams pushing at a time */
#define PUSH_WINDOW_MIN 8u           /* files of a stream's first window */
#define PUSH_WINDOW_MAX 256u         /* files, */
#define PUSH_WINDOW_BYTES (4u << 20) /* and bytes, of a later one */

/* Nodes of one directory that a listing gave out; those between that it did not
 * are no small files.
 */
struct push_run {
	uint64_t dir;   /* the directory's node */
	uint64_t first; /* node of the first entry */
	uint32_t n;     /* > 0 */
	bool is_first;  /* no run of the directory was before */
	uint64_t small[PUSH_RUN_MAX / 64]; /* which are small files */
};

struct push_stats {
	uint64_t streams;   /* begun */
	uint64_t windows;   /* likewise, of all streams */
	uint64_t confirmed; /* windows whose marker was read */
	uint64_t overtaken; /* times a reader came first */
	uint64_t again;     /* files read though they were pushed */
};

struct push_streams;

struct push_streams *push_streams_new(void) MUST_CHECK;
void push_streams_free(struct push_streams *p); /* takes NULL */

/* All runs and streams are gone; what was learnt of readers stays. */
void push_streams_forget(struct push_streams *p);

/* The kernel is being given these nodes. */
void push_streams_listed(struct push_streams *p, const struct push_run *run);

/* The kernel has all nodes of a directory, listed just now. */
void push_streams_listed_all(struct push_streams *p, uint64_t dir);

/* The kernel asks for the beginning of a file. */
void push_streams_read(struct push_streams *p, uint64_t node);

/* Streams that have a file to push, and none that is being pushed. */
uint32_t push_streams_ready(const struct push_streams *p);

/* A reader that was just told of does better to wait: what it will read next is
 * about to be pushed.
 */
bool push_streams_is_behind(const struct push_streams *p, uint64_t node);

/* The next file to push; false: none.  push_streams_end must follow before the
 * next file of its stream is given out; others can be had meanwhile.
 */
bool push_streams_begin(struct push_streams *p, uint64_t *ret_node);

enum push_result {
	PUSH_STORED,
	PUSH_REFUSED, /* the kernel does not know it (any more) */
	PUSH_SKIPPED, /* cannot be pushed */
	PUSH_ABSENT,  /* not without waiting for a server */
};
void push_streams_end(struct push_streams *p, uint64_t node, uint64_t size,
		      enum push_result result);

void push_streams_stats(const struct push_streams *p, struct push_stats *ret);

#endif
