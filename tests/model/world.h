/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - one archive in memory, who works on it, and what it must show.
 */
#ifndef DESFS_TESTS_WORLD_H
#define DESFS_TESTS_WORLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model.h"
#include "store-memory.h"
#include "volume/descriptor.h"

struct oplog;
struct volume;
struct workers;
struct world_hold;

/* Where files are. */
#define WORLD_DIRS 3u
extern const char *const world_dirs[WORLD_DIRS];

#define WORLD_ACTORS 2u
/* Readers list what was written in the last 15 minutes, by the clocks of those
 * who wrote it: lists may be as late as leaves room for the clocks.
 */
#define WORLD_LAG (INT64_C(240) * 1000000)
#define WORLD_SKEW (INT64_C(300) * 1000000)

/* Of one operation, all that happens in it follows. */
struct op {
	unsigned int kind; /* place in ops[] */
	uint32_t a, b, c;  /* what it makes of them is its own affair */
	unsigned int actor;
	unsigned int fault; /* 0: none, else 1 + enum memory_fault */
	uint32_t fault_at;
	bool with_next; /* at the same time as the one after it */
};

#define WORLD_INTENTS 128u
#define WORLD_HOLDS 2u

/* What an operation was to do and nobody has acknowledged. */
struct intent {
	bool is_erasure;
	struct model_version version;
	struct model_erasure erasure;
};

/* Of a version, the entry whose bytes a reader has compared. */
struct world_read {
	uint64_t ordinal;
	uint32_t shard;
	bool is_read;
};

/* By version of the model. */
struct world_reads {
	struct world_read *p;
	size_t n, cap;
};

struct world {
	struct memory *memory;
	struct model model;
	struct descriptor descriptor;
	int64_t skew[WORLD_ACTORS];
	bool has_lag;
	struct workers *workers; /* of all */
	uint64_t random;         /* for what no operation decides: the checks */
	unsigned int n_uids;
	bool is_pair; /* two operations are running */

	struct oplog *logs[WORLD_ACTORS]; /* kept by actors; or NULL */

	struct world_hold *holds[WORLD_HOLDS]; /* NULL: none */
	unsigned int n_holds;                  /* ever put */

	struct oplog *rules; /* what it says in truth; or NULL */

	struct store *exact, *lagging;
	struct volume *reader, *late_reader; /* over these */
	struct world_reads reads[2];         /* of both */
	uint64_t checked; /* memory_changes when all was checked last */
	int64_t removed;  /* and memory_removed */

	struct intent intents[WORLD_ACTORS][WORLD_INTENTS];
	size_t n_intents[WORLD_ACTORS];

	/* Actors take turns at requests. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int n_active, turn;
	bool is_active[WORLD_ACTORS];
	uint64_t turns; /* random */

	bool has_failed;
	const char *failure; /* what kind of: the format of the message */
	char why[700];
};

/* A new archive; everything random in it comes from the seed. */
struct world *world_new(uint64_t seed);
void world_free(struct world *w);

/* Forget what the exact reader has in memory. */
void world_open_reader(struct world *w);

/* The first failure stays. */
void world_fail(struct world *w, const char *fmt, ...) PRINTF(2, 3);

/* Run an operation, or two of different actors at once. */
void world_step(struct world *w, const struct op *ops, size_t n);

/* See that the readers show what they must. */
void world_check(struct world *w, bool is_full);
/* And after all was done that can be done, that nothing is left. */
void world_check_end(struct world *w);

/* Print what is in the store, for who looks for the cause of a failure. */
void world_dump(const struct world *w);

/* Print a digest of the store and of the time, which each request takes some
 * of: what is to change the speed only must leave it as it is.
 */
void world_trace(const struct world *w);

/* Remember what is to be done, until it is acknowledged or known not to have
 * happened.
 */
void world_intend_version(struct world *w, unsigned int actor,
			  const struct model_version *v);
void world_intend_erasure(struct world *w, unsigned int actor,
			  const struct model_erasure *e);

#endif
