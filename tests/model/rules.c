/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c - that only what may be removed was removed.
 *
 * Of a shard the log must say that something else counts in its place, and the
 * grace period be over, up to what clocks differ by.  A shard that no record
 * names may go at any time.
 */
#include "config.h"

#include "rules.h"

#include <stdlib.h>
#include <string.h>

#include "op-log.h"
#include "volume/oplog-state.h"

struct rules {
	struct world *w;
	const struct oplog_state *state;
};

static const struct oplog_old *find_old(const struct oplog_state *s,
					const char *key)
{
	for (size_t i = 0; i < oplog_state_n_old(s); i++) {
		if (!strcmp(oplog_state_old(s, i)->key, key))
			return oplog_state_old(s, i);
	}
	return NULL;
}

/* memory_gone_fn */
static void check_gone(void *arg, const char *key, int64_t when)
{
	const struct rules *r = arg;
	const struct oplog_old *old;
	size_t len = strlen(key);

	if (len < 4 || strcmp(key + len - 4, ".des") != 0)
		return;
	if (oplog_state_find(r->state, key)) {
		if (!memory_has(r->w->memory, key))
			world_fail(r->w, "a shard that counts is gone: %s",
				   key);
		return;
	}
	old = find_old(r->state, key);
	/* Garbage may be what a run that failed took back. */
	if (old && !old->is_garbage &&
	    when < old->record->time + old->record->grace * 1000000 -
			    2 * WORLD_SKEW)
		world_fail(r->w, "gone within its grace period: %s", key);
}

void rules_check(struct world *w)
{
	bool changed;
	struct err err;
	struct rules r = { .w = w };

	if (!w->rules)
		w->rules = op_new_log(w);
	if (oplog_read(w->rules, w->exact, &changed, &err)) {
		world_fail(w, "the log: %s", err.msg);
		return;
	}
	r.state = oplog_state(w->rules);
	memory_gone(w->memory, check_gone, &r);
}
