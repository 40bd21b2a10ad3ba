/* SPDX-License-Identifier: Apache-2.0 */
/* old-set.c - revisions that count no more, and what is told of their bytes. */
#include "config.h"

#include "repack/old-set.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "repack/strays.h"
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

/* What a place that is listed has, though it is told to be gone. */
static bool is_listed(const struct strays *there, const struct old_shard *s,
		      const struct old_place *p)
{
	return old_place_is_gone(p) && strays_has(there, s->old->key, p->zone);
}

struct looking {
	const struct strays *there;
	struct old_shard *shard;
	size_t i;
};

/* store_place_fn; a list may lag behind what is there. */
static enum rc look_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct looking *l = arg;
	struct old_shard *s = l->shard;
	struct old_place *p = &s->places[l->i++];
	struct object_info info;
	enum rc rc;

	(void)zone;
	if (!is_listed(l->there, s, p))
		return RC_OK;
	rc = store_read_tail(place, s->old->key, 1, &b, &info, err);
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	p->told = NULL;
	return RC_OK;
}

static enum rc find_back(struct old_shard *s, const struct strays *there,
			 struct store *st, struct err *err)
{
	struct looking l = { there, s, 0 };
	bool is_any = false, was_gone = old_shard_is_gone(s);
	enum rc rc;

	for (size_t i = 0; i < s->n_places; i++)
		is_any |= is_listed(there, s, &s->places[i]);
	if (!is_any)
		return RC_OK;
	rc = store_each_place(st, s->old->key, look_in, &l, err);
	s->is_back = was_gone && !old_shard_is_gone(s);
	return rc;
}

static bool has_gone(const struct old_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		for (size_t k = 0; k < s->all[i].n_places; k++) {
			if (old_place_is_gone(&s->all[i].places[k]))
				return true;
		}
	}
	return false;
}

enum rc old_set_find_back(struct old_set *s, struct store *st, struct err *err)
{
	CLEANUP(strays_release) struct strays there = { .n = 0 };
	enum rc rc = RC_OK;

	if (has_gone(s))
		rc = strays_list(&there, st, err);
	for (size_t i = 0; !rc && i < s->n; i++)
		rc = find_back(&s->all[i], &there, st, err);
	return rc;
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
