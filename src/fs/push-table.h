/* SPDX-License-Identifier: Apache-2.0 */
/* push-table.h - runs of nodes that listings gave out, each with its stream.
 *
 * For push-stream.c.  One thread at a time.
 */
#ifndef DESFS_FS_PUSH_TABLE_H
#define DESFS_FS_PUSH_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/push-stream.h"

#define PUSH_NONE UINT32_MAX

enum push_stage {
	PUSH_IDLE,
	PUSH_GOING,
	PUSH_WAITING, /* the window is done, its marker is waited for */
};

/* A run, and the stream in it. */
struct push_stretch {
	struct push_stretch *prev, *next; /* by use, last used first */
	uint64_t dir, first;
	uint32_t n;
	bool is_first;
	uint64_t small[(PUSH_RUN_MAX / 64)];
	uint64_t pushed[(PUSH_RUN_MAX / 64)];
	uint64_t read[(PUSH_RUN_MAX / 64)]; /* by the kernel's READ */

	/* The reader. */
	uint32_t last;     /* read last, or PUSH_NONE */
	uint32_t evidence; /* reads in order */
	uint32_t strikes;  /* windows that were wrong */
	uint32_t n_read;   /* files of read */
	bool is_walked;    /* most were read */

	/* The window. */
	enum push_stage stage;
	bool is_out;  /* one of its files is being pushed, */
	uint32_t out; /* this one */
	bool is_bet;
	bool is_whole;        /* begun before any read: in any order, then */
	uint32_t start, head; /* pushing has come from here to here */
	uint32_t marker;      /* or PUSH_NONE */
	uint32_t window;      /* files it was to have */
	uint32_t left;        /* of these */
	uint64_t bytes_left;
	uint32_t lead, refused, again;
	uint64_t lead_bytes; /* pushed since it began or was overtaken */
};

struct push_table {
	struct push_stretch all[PUSH_RUNS];
	struct push_stretch *used; /* by use */
	struct push_stretch *unused;
	struct {
		uint64_t first;
		struct push_stretch *s;
	} order[PUSH_RUNS]; /* by node */
	uint32_t n;
	/* Called before one is dropped. */
	void (*on_drop)(void *arg, struct push_stretch *s);
	void *arg;
};

/* Of a stretch the set of small, pushed or read files. */
bool push_set_has(const uint64_t *set, uint32_t i);
void push_set_add(uint64_t *set, uint32_t i);
void push_set_remove(uint64_t *set, uint32_t i);

/* Small files in [from, to); todo: only those neither pushed nor read. */
uint32_t push_stretch_count(const struct push_stretch *s, uint32_t from,
			    uint32_t to, bool todo);
/* The kth file to do from there on, the first is 0; PUSH_NONE: there are fewer.
 */
uint32_t push_stretch_find(const struct push_stretch *s, uint32_t from,
			   uint32_t k);

/* Without on_drop being called. */
void push_table_clear(struct push_table *t);
void push_table_drop(struct push_table *t, struct push_stretch *s);
void push_table_touch(struct push_table *t, struct push_stretch *s);
void push_table_listed(struct push_table *t, const struct push_run *run);

/* NULL: none. */
struct push_stretch *push_table_find(const struct push_table *t, uint64_t node);
/* The next one of the same directory, likewise. */
struct push_stretch *push_table_following(const struct push_table *t,
					  const struct push_stretch *s);

#endif
