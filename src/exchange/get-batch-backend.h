/* SPDX-License-Identifier: Apache-2.0 */
/* get-batch-backend.h - what the files of get-batch share; for them only. */
#ifndef DESFS_EXCHANGE_GET_BATCH_BACKEND_H
#define DESFS_EXCHANGE_GET_BATCH_BACKEND_H

#include "base/arena.h"
#include "exchange/get-batch.h"
#include "volume/volume.h"

/* Files that each thread may be ahead of what is given out. */
#define GET_AHEAD 2u

struct sorter;
struct workers;

/* A pair, and what was found. */
struct get_want {
	uint64_t number;
	struct span uid;        /* in the arena */
	const char *created_at; /* likewise; "" */
	struct volume_node node;
	uint64_t off;      /* of its first block */
	struct err *why;   /* not found; owned */
	bool has_versions; /* others of its uid are wanted, too */
};

struct get_batch {
	struct get_batch_options o;
	struct sorter *sorter;
	struct workers *workers;
	/* Pairs of one slot, or as many of them as are done together. */
	struct get_want *wants;
	size_t n_wants, cap_wants;
	struct arena texts;
	size_t n_text;
	int spool; /* a temporary file for what is large; -1: none yet */
};

/* Search for all that is wanted. */
enum rc get_batch_find(struct get_batch *b, struct err *err) MUST_CHECK;
/* Read and give out what was found, which is sorted. */
enum rc get_batch_give(struct get_batch *b, struct err *err) MUST_CHECK;
/* Tell of one that failed. */
void get_batch_failed(struct get_batch *b, const struct get_want *w,
		      const struct err *why);

#endif
