/* SPDX-License-Identifier: Apache-2.0 */
/* old-set.h - revisions that count no more, and what is told of their bytes in
 * each place they belong in.
 *
 * Borrows from the state of the log: not across an oplog_read.
 */
#ifndef DESFS_REPACK_OLD_SET_H
#define DESFS_REPACK_OLD_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "volume/oplog-state.h"

struct store;

struct old_place {
	char *zone;                      /* NULL: the archive has no zones */
	const struct oplog_purged *told; /* by the log; NULL: nothing */
};

struct old_shard {
	const struct oplog_old *old;
	struct old_place *places;
	size_t n_places, cap;
	bool is_held; /* for who looks for holds */
	bool is_back; /* was gone from everywhere, see old_set_find_back */
};

/* In the order of the roots. */
struct old_set {
	struct old_shard *all;
	size_t n;
};

enum rc old_set_read(struct old_set *ret, struct store *st,
		     const struct oplog_state *state,
		     struct err *err) MUST_CHECK;
void old_set_release(struct old_set *s);

/* Find those that are in a place again though they are told to be gone from
 * there, as by a backup: what is told of that place counts no more.
 */
enum rc old_set_find_back(struct old_set *s, struct store *st,
			  struct err *err) MUST_CHECK;

/* NULL: there is none. */
struct old_shard *old_set_find(const struct old_set *s,
			       const uint8_t root[SHARD_ROOT_LEN]);

/* In one place, or in all. */
bool old_place_is_gone(const struct old_place *p);
bool old_shard_is_gone(const struct old_shard *s);

#endif
