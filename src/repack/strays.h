/* SPDX-License-Identifier: Apache-2.0 */
/* strays.h - shards in a store that the log does not expect there: no record
 * names them, or their bytes are told to be gone, or the place is of another
 * zone.
 *
 * They are what a run left that died, or came with a backup, or stayed when
 * zones were changed, and may hold what is deleted like any other.
 */
#ifndef DESFS_REPACK_STRAYS_H
#define DESFS_REPACK_STRAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "volume/oplog-state.h"

struct old_set;
struct store;

/* A shard in one place. */
struct stray {
	char *key, *zone; /* zone NULL: there are no zones */
};

/* By key and zone.  A zeroed one is valid. */
struct strays {
	struct stray *all;
	size_t n, cap;
};

void strays_release(struct strays *s);

/* All shards of each place, whether they belong there or not; each of them must
 * answer.  Before the log is read: what is listed and named since is in it
 * then.
 */
enum rc strays_list(struct strays *ret, struct store *st,
		    struct err *err) MUST_CHECK;
/* One more, in the order of keys and zones: where a list was made already. */
void strays_add(struct strays *s, const char *key, const char *zone);
/* Before strays_sift; zone NULL: there are no zones. */
bool strays_has(const struct strays *s, const char *key,
		const char *zone) MUST_CHECK;
/* Leave those that the log does not expect. */
enum rc strays_sift(struct strays *s, struct store *st,
		    const struct oplog_state *state, const struct old_set *old,
		    struct err *err) MUST_CHECK;

#endif
