/* SPDX-License-Identifier: Apache-2.0 */
/* store-memory.h - a store of objects in memory that fails as it is told.
 *
 * A place is shared by any number of handles, which are stores like others.  A
 * handle belongs to an actor: one process on one machine, with a clock of its
 * own.  Before each request a gate is called, in which the actor may have to
 * wait for its turn; then time goes on by the request's latency and the
 * replaceable clock shows what the actor's clock shows.
 *
 * Reads by name always tell the truth.  Lists need not: a new key may turn up
 * late, and each list may lack some keys that are younger than a bound.
 *
 * All that is random comes from the seed, in the order of requests.
 */
#ifndef DESFS_TESTS_STORE_MEMORY_H
#define DESFS_TESTS_STORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

struct memory;

/* Each object is in all of n_places mirrors. */
struct memory *memory_new(uint64_t seed, int64_t now_us, bool keeps_versions,
			  unsigned int n_places);
void memory_free(struct memory *m);

/* The true time, microseconds. */
int64_t memory_now(const struct memory *m);
void memory_advance(struct memory *m, int64_t us);

/* Of keys younger than max_us, lists lack about so many per cent; as many turn
 * up in none before an age of up to max_us.
 */
void memory_lag(struct memory *m, int64_t max_us, unsigned int percent);

typedef void memory_gate_fn(void *arg, unsigned int actor);
void memory_gate(struct memory *m, memory_gate_fn *fn, void *arg);

enum memory_kind {
	MEMORY_ACTOR,
	MEMORY_READER, /* its requests take no time, pass no gate, never fail */
	MEMORY_EXACT,  /* the same, and its lists are whole */
};
struct store *memory_open(struct memory *m, unsigned int actor, int64_t skew_us,
			  enum memory_kind kind);
/* Have the replaceable clock show what the actor's does. */
void memory_show_clock(const struct store *st);

enum memory_fault {
	MEMORY_FAIL_BEFORE, /* the request fails and had no effect */
	MEMORY_FAIL_AFTER,  /* it had, but the answer is lost */
	MEMORY_CRASH_BEFORE,
	MEMORY_CRASH_AFTER, /* as above, and all later ones fail, too */
};
/* What befalls the request that comes after n others; once. */
void memory_break(struct store *st, enum memory_fault fault, uint64_t n);
/* It has happened; a crash: no request has had an effect since. */
bool memory_is_broken(const struct store *st);
bool memory_is_crashed(const struct store *st);
/* Requests since it was opened. */
uint64_t memory_requests(const struct store *st);
/* Those of all handles that changed anything. */
uint64_t memory_changes(const struct memory *m);
/* When anything was removed last; INT64_MIN: never. */
int64_t memory_removed(const struct memory *m);

/* All that is in the place, old versions and unfinished uploads, too. */
typedef void memory_each_fn(void *arg, const char *key, const struct buf *b,
			    bool is_old);
void memory_each(const struct memory *m, memory_each_fn *fn, void *arg);

/* Tell what was removed since the last call, object by object, and forget it.
 */
typedef void memory_gone_fn(void *arg, const char *key, int64_t when);
void memory_gone(struct memory *m, memory_gone_fn *fn, void *arg);

/* Whether the object is there. */
bool memory_has(const struct memory *m, const char *key);
/* Change one byte of an object. */
void memory_flip(struct memory *m, const char *key, uint64_t off);

#endif
