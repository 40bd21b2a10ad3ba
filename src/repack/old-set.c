/* SPDX-License-Identifier: Apache-2.0 */
/* old-set.c - revisions that count no more, and what is told of their bytes. */
#include "config.h"

#include "repack/old-set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/store-write.h"

void old_set_release(struct old_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		for (size_t k = 0; k < s->all[i].n_places; k++)
			free(s->all[i].places[k].zone);
		free(s->all[i].places);
	}
	free(s->all);
	*s = (struct old_set){ 0 };
}

static int by_root(const void *a, const void *b)
{
	const struct old_shard *x = a, *y = b;

	return memcmp(x->old->root, y->old->root, SHARD_ROOT_LEN);
}

struct placing {
	struct old_shard *shard;
	const struct oplog_state *state;
};

static enum rc add_place(void *arg, const char *zone, struct store *place,
			 struct err *err)
{
	struct placing *p = arg;
	struct old_shard *s = p->shard;

	(void)place;
	(void)err;
	s->places = mem_grow(s->places, &s->cap, s->n_places + 1,
			     sizeof(*s->places));
	s->places[s->n_places++] = (struct old_place){
		.zone = zone ? xstrdup(zone) : NULL,
		.told = oplog_state_purged(p->state, s->old->key, zone),
	};
	return RC_OK;
}

enum rc old_set_read(struct old_set *ret, struct store *st,
		     const struct oplog_state *state, struct err *err)
{
	size_t n = oplog_state_n_old(state);
	struct old_set s = { .all = xcalloc(n ? n : 1, sizeof(*s.all)) };
	enum rc rc = RC_OK;

	for (; s.n < n && !rc; s.n++) {
		struct placing p = { &s.all[s.n], state };

		p.shard->old = oplog_state_old(state, s.n);
		rc = store_each_place(st, p.shard->old->key, add_place, &p,
				      err);
	}
	if (rc) {
		old_set_release(&s);
		return rc;
	}
	if (n)
		qsort(s.all, n, sizeof(*s.all), by_root);
	*ret = s;
	return RC_OK;
}

struct old_shard *old_set_find(const struct old_set *s,
			       const uint8_t root[SHARD_ROOT_LEN])
{
	const struct oplog_old old = { .root = root };
	const struct old_shard want = { .old = &old };

	return s->n ? bsearch(&want, s->all, s->n, sizeof(want), by_root)
		    : NULL;
}

bool old_place_is_gone(const struct old_place *p)
{
	return p->told && p->told->how != RECEIPT_PENDING;
}

bool old_shard_is_gone(const struct old_shard *s)
{
	for (size_t i = 0; i < s->n_places; i++) {
		if (!old_place_is_gone(&s->places[i]))
			return false;
	}
	return true;
}
