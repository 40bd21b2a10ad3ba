/* SPDX-License-Identifier: Apache-2.0 */
/* strays.c - shards in a store that the log does not expect there. */
#include "config.h"

#include "repack/strays.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "repack/old-set.h"
#include "store/store-write.h"
#include "verify/archive-list.h"

void strays_release(struct strays *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->all[i].key);
		free(s->all[i].zone);
	}
	free(s->all);
	*s = (struct strays){ .n = 0 };
}

void strays_add(struct strays *s, const char *key, const char *zone)
{
	s->all = mem_grow(s->all, &s->cap, s->n + 1, sizeof(*s->all));
	s->all[s->n++] = (struct stray){
		.key = xstrdup(key),
		.zone = zone ? xstrdup(zone) : NULL,
	};
}

/* --- what there is -------------------------------------------------------- */

struct listing {
	struct strays *strays;
	const char *zone;
};

/* store_list_fn */
static enum rc add(void *arg, const char *key, uint64_t size, struct err *err)
{
	const struct listing *l = arg;

	(void)size;
	(void)err;
	if (archive_key_is_shard(key))
		strays_add(l->strays, key, l->zone);
	return RC_OK;
}

/* store_place_fn */
static enum rc list_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	struct listing l = { arg, zone };

	return store_list(place, "", NULL, add, &l, err);
}

static int compare(const void *a, const void *b)
{
	const struct stray *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c || !x->zone || !y->zone ? c : strcmp(x->zone, y->zone);
}

enum rc strays_list(struct strays *ret, struct store *st, struct err *err)
{
	enum rc rc;

	*ret = (struct strays){ .n = 0 };
	rc = store_each_place(st, STORE_ZONES_KEY, list_in, ret, err);
	if (rc)
		strays_release(ret);
	else if (ret->n)
		qsort(ret->all, ret->n, sizeof(*ret->all), compare);
	return rc;
}

bool strays_has(const struct strays *s, const char *key, const char *zone)
{
	const struct stray like = { .key = (char *)(uintptr_t)key,
				    .zone = (char *)(uintptr_t)zone };

	return s->n && bsearch(&like, s->all, s->n, sizeof(*s->all), compare);
}

/* --- what is expected ----------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
	const struct old_shard *const *x = a, *const *y = b;

	return strcmp((*x)->old->key, (*y)->old->key);
}

struct sifting {
	struct store *st;
	const struct oplog_state *state;
	const struct old_shard **old; /* by key */
	size_t n_old;
};

/* Whether it is still to go from there. */
static bool is_old(const struct sifting *f, const struct stray *s)
{
	const struct oplog_old old = { .key = s->key };
	const struct old_shard like = { .old = &old }, *key = &like;
	const struct old_shard *const *o = NULL;

	if (f->n_old)
		o = bsearch(&key, f->old, f->n_old, sizeof(*f->old), by_key);
	if (!o || (*o)->old->is_purged)
		return false;
	for (size_t i = 0; i < (*o)->n_places; i++) {
		const struct old_place *p = &(*o)->places[i];

		if (!p->zone || !s->zone || !strcmp(p->zone, s->zone))
			return !old_place_is_gone(p);
	}
	return false;
}

/* store_place_fn */
static enum rc is_it(void *arg, const char *zone, struct store *place,
		     struct err *err)
{
	const char **wanted = arg;

	(void)place;
	(void)err;
	if (*wanted && zone && !strcmp(*wanted, zone))
		*wanted = NULL;
	return RC_OK;
}

static enum rc belongs(const struct sifting *f, const struct stray *s,
		       bool *ret, struct err *err)
{
	const char *wanted = s->zone;
	enum rc rc = RC_OK;

	if (wanted)
		rc = store_each_place(f->st, s->key, is_it, &wanted, err);
	*ret = !wanted;
	return rc;
}

enum rc strays_sift(struct strays *s, struct store *st,
		    const struct oplog_state *state, const struct old_set *old,
		    struct err *err)
{
	struct sifting f = { st, state, xcalloc(old->n + 1, sizeof(*f.old)),
			     old->n };
	size_t kept = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < old->n; i++)
		f.old[i] = &old->all[i];
	if (f.n_old)
		qsort(f.old, f.n_old, sizeof(*f.old), by_key);
	for (size_t i = 0; i < s->n; i++) {
		struct stray *x = &s->all[i];
		bool is_expected = is_old(&f, x);

		if (!rc && !is_expected && oplog_state_find(state, x->key))
			rc = belongs(&f, x, &is_expected, err);
		if (!is_expected) {
			s->all[kept++] = *x;
			continue;
		}
		free(x->key);
		free(x->zone);
	}
	s->n = kept;
	free(f.old);
	return rc;
}
