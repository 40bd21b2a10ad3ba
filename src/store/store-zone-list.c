/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-list.c - the keys of several stores as if they were of one.
 *
 * The log is in all places, so one of them is listed.  Shards lie with their
 * zones: all mirrors of a zone that answer are listed, since what is missing in
 * one is read from another; keys are put together, sorted, and those of shards
 * that are another zone's left out, since they are not read from there.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/key.h"
#include "base/mem.h"
#include "store/store-zone-backend.h"

/* One list as the caller asked for it. */
struct list_call {
	struct zone_store *zs;
	const char *prefix, *start_after;
	store_list_fn *fn;
	void *arg;
	enum rc rc; /* what fn ended the list with */
	/* The key given last, where the next mirror goes on. */
	char last[KEY_MAX + 1];
};

/* store_list_fn */
static enum rc pass_on(void *arg, const char *key, uint64_t size,
		       struct err *err)
{
	struct list_call *c = arg;
	size_t len = strlen(key);

	if (len > KEY_MAX)
		return err_set(err, RC_CORRUPT, "key of %zu bytes", len);
	memcpy(c->last, key, len + 1);
	c->rc = c->fn(c->arg, key, size, err);
	return c->rc;
}

/* zone_call_fn.  A place that has nothing of a log is none to be believed
 * before the others are asked.
 */
static enum rc list_one(void *arg, const struct place *place, struct store *st,
			struct err *err)
{
	struct list_call *c = arg;

	(void)place;
	if (store_list(st, c->prefix, *c->last ? c->last : c->start_after,
		       pass_on, c, err))
		return c->rc ? RC_OK : err->rc;
	if (!*c->last && !*c->start_after)
		return err_set(err, RC_NOENT, "%s: nothing is there",
			       c->prefix);
	return RC_OK;
}

static enum rc list_anywhere(struct list_call *c, struct err *err)
{
	struct zone_route route;
	enum rc rc;

	zone_route_everywhere(c->zs, &route);
	rc = zone_call(c->zs, &route, c->prefix, list_one, c, err);
	if (rc == RC_NOENT)
		return RC_OK;
	if (!rc && c->rc)
		rc = err->rc = c->rc;
	return rc;
}

struct found {
	char *key;
	uint64_t size;
	size_t order; /* in which it was found: the first one counts */
};

struct found_list {
	struct found *all;
	size_t n, cap;
	bool is_done;
};

/* The lists of places, each made at most once. */
struct union_call {
	const struct list_call *list;
	struct found_list *of_place;
	bool has_unlisted; /* some place cannot list what it has */
};

static void found_release(struct found_list *l)
{
	while (l->n)
		free(l->all[--l->n].key);
	free(l->all);
	*l = (struct found_list){ 0 };
}

static void found_add(struct found_list *l, char *key, uint64_t size)
{
	l->all = mem_grow(l->all, &l->cap, l->n + 1, sizeof(*l->all));
	l->all[l->n] = (struct found){ key, size, l->n };
	l->n++;
}

/* store_list_fn */
static enum rc collect(void *arg, const char *key, uint64_t size,
		       struct err *err)
{
	(void)err;
	found_add(arg, xstrdup(key), size);
	return RC_OK;
}

/* zone_call_fn */
static enum rc collect_place(void *arg, const struct place *place,
			     struct store *st, struct err *err)
{
	struct union_call *u = arg;
	struct found_list *l = &u->of_place[place->number];
	enum rc rc;

	if (l->is_done)
		return RC_OK;
	rc = store_list(st, u->list->prefix, u->list->start_after, collect, l,
			err);
	if (rc)
		found_release(l);
	if (rc == RC_UNSUPPORTED) {
		u->has_unlisted = true;
		return RC_OK;
	}
	l->is_done = !rc;
	return rc;
}

/* Move what counts of a place's keys over. */
static void take_found(struct found_list *to, struct found_list *from,
		       const struct zone *zone, const struct zone_store *zs)
{
	for (size_t i = 0; i < from->n; i++) {
		struct found *f = &from->all[i];
		const struct zone *of;

		if (!f->key)
			continue;
		of = zone_of_key(zs, f->key);
		if (of && of != zone)
			continue;
		found_add(to, f->key, f->size);
		f->key = NULL;
	}
}

static int by_key(const void *a, const void *b)
{
	const struct found *x = a;
	const struct found *y = b;

	int d = strcmp(x->key, y->key);

	return d ? d : (x->order > y->order) - (x->order < y->order);
}

static enum rc tell_all(struct found_list *l, const struct list_call *c,
			struct err *err)
{
	if (l->n)
		qsort(l->all, l->n, sizeof(*l->all), by_key);
	for (size_t i = 0; i < l->n; i++) {
		if (i && !strcmp(l->all[i - 1].key, l->all[i].key))
			continue;
		if (c->fn(c->arg, l->all[i].key, l->all[i].size, err))
			return err->rc;
	}
	return RC_OK;
}

/* One mirror that answers is enough. */
static enum rc collect_zone(struct union_call *u, const struct zone *zone,
			    struct found_list *to, struct err *err)
{
	struct zone_store *zs = u->list->zs;
	struct zone_route route;
	bool is_any = false;
	enum rc rc = RC_OK;

	zone_route_zone(zone, &route);
	route.n = 1;
	for (size_t i = 0; i < zone->conf->n_stores; i++, route.mirrors++) {
		unsigned int place = (*route.mirrors)->place->number;
		struct err one;

		if (!zone_call(zs, &route, "list", collect_place, u, &one)) {
			/* What it alone has would be missing. */
			if (u->has_unlisted)
				return err_set(err, RC_UNSUPPORTED,
					       "zone %s has a web server, "
					       "which cannot list what it has",
					       zone->conf->name);
			take_found(to, &u->of_place[place], zone, zs);
			is_any = true;
			continue;
		}
		if (!rc || zone_verdict_of(one.rc) == ZONE_OURS)
			*err = one;
		rc = err->rc;
		if (zone_verdict_of(rc) == ZONE_OURS)
			return rc;
	}
	return is_any ? RC_OK : rc;
}

static enum rc collect_zones(struct union_call *u, struct found_list *to,
			     struct err *err)
{
	const struct zone_store *zs = u->list->zs;

	for (size_t i = 0; i < zs->conf.n_zones; i++) {
		if (collect_zone(u, &zs->zones[i], to, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc list_zones(struct list_call *c, struct err *err)
{
	size_t n = c->zs->conf.n_stores;
	struct union_call u = { .list = c };
	struct found_list all = { 0 };
	enum rc rc;

	u.of_place = xcalloc(n, sizeof(*u.of_place));
	rc = collect_zones(&u, &all, err);
	if (!rc)
		rc = tell_all(&all, c, err);
	for (size_t i = 0; i < n; i++)
		found_release(&u.of_place[i]);
	free(u.of_place);
	found_release(&all);
	return rc;
}

/* For collect_own. */
struct place_list {
	const struct zone_store *zs;
	const struct place *place;
	struct found_list *to;
};

/* store_list_fn */
static enum rc collect_own(void *arg, const char *key, uint64_t size,
			   struct err *err)
{
	const struct place_list *l = arg;

	(void)err;
	if (zone_place_has(l->zs, l->place, key))
		found_add(l->to, xstrdup(key), size);
	return RC_OK;
}

/* For who writes: what any place has.  A record that a run has put into one
 * place before it died counts, so none may be missed.
 */
static enum rc list_every_place(struct list_call *c, struct err *err)
{
	struct found_list all = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; !rc && i < c->zs->conf.n_stores; i++) {
		const struct place *p = &c->zs->places[i];
		struct place_list l = { c->zs, p, &all };

		if (store_list(p->writer, c->prefix, c->start_after,
			       collect_own, &l, err))
			rc = zone_place_failed(p, err);
	}
	if (!rc)
		rc = tell_all(&all, c, err);
	found_release(&all);
	return rc;
}

static bool is_in_all_places(const char *prefix)
{
	return !strncmp(prefix, "log/", 4) ||
	       !strncmp(prefix, "tombstones/", 11);
}

enum rc zone_list(struct store *st, const char *prefix, const char *start_after,
		  store_list_fn *fn, void *arg, struct err *err)
{
	struct list_call *c = xcalloc(1, sizeof(*c));
	enum rc rc;

	c->zs = (struct zone_store *)st;
	c->prefix = prefix;
	c->start_after = start_after;
	c->fn = fn;
	c->arg = arg;
	if (c->zs->places[0].writer)
		rc = list_every_place(c, err);
	else
		rc = is_in_all_places(prefix) ? list_anywhere(c, err)
					      : list_zones(c, err);
	free(c);
	return rc;
}
