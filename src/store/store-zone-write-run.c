/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-write-run.c - a run in all places of a zone: a mark in each. */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store-zone-write-backend.h"

struct run_zone {
	struct store_run base;
	struct store_run **of_place; /* NULL: not begun */
};

static struct zone_store *zones_of(const struct run_zone *run)
{
	return (struct zone_store *)run->base.st;
}

void zone_run_end(struct store_run *base, bool is_committed)
{
	struct run_zone *run = (struct run_zone *)base;

	for (size_t i = 0; i < zones_of(run)->conf.n_stores; i++)
		store_run_end(run->of_place[i], is_committed);
	free(run->of_place);
	free(run);
}

static void run_end_p(struct run_zone **run)
{
	if (*run)
		zone_run_end(&(*run)->base, true);
}

enum rc zone_run_begin(struct store *st, enum store_run_kind kind,
		       struct store_run **ret, struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;
	CLEANUP(run_end_p) struct run_zone *run = xcalloc(1, sizeof(*run));

	run->base.st = st;
	run->of_place = xcalloc(zs->conf.n_stores, sizeof(*run->of_place));
	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		const struct place *p = &zs->places[i];

		if (store_run_begin(p->writer, kind, &run->of_place[i], err))
			return zone_place_failed(p, err);
	}
	if (zone_heal(zs, err))
		return err->rc;
	*ret = &STEAL_PTR(run)->base;
	return RC_OK;
}

static const struct store_run *own_of(const struct store_run *own, size_t i)
{
	return own ? ((const struct run_zone *)own)->of_place[i] : NULL;
}

/* A run that writes to one of the places alone is one too. */
enum rc zone_runs_alive(struct store *st, const struct store_run *own,
			unsigned int *ret, struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;
	unsigned int most = 0;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		const struct place *p = &zs->places[i];
		unsigned int n = 0;

		if (store_runs_alive(p->writer, own_of(own, i), &n, err))
			return zone_place_failed(p, err);
		if (n > most)
			most = n;
	}
	*ret = most;
	return RC_OK;
}

enum rc zone_runs_oldest(struct store *st, unsigned int kinds,
			 const struct store_run *own, int64_t *ret_us,
			 struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		const struct place *p = &zs->places[i];
		int64_t us = INT64_MAX;

		if (store_runs_oldest(p->writer, kinds, own_of(own, i), &us,
				      err))
			return zone_place_failed(p, err);
		if (us < oldest)
			oldest = us;
	}
	*ret_us = oldest;
	return RC_OK;
}

struct idle_zone {
	struct store_idle base;
	struct store_idle **of_place; /* NULL: cannot be had there */
	size_t n;
};

void zone_idle_end(struct store_idle *base)
{
	struct idle_zone *idle = (struct idle_zone *)base;

	while (idle->n)
		store_idle_end(idle->of_place[--idle->n]);
	free(idle->of_place);
	free(idle);
}

/* In the order of the file, as everybody does: so no two wait for each other.
 */
enum rc zone_idle_begin(struct store *st, struct store_idle **ret,
			struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;
	struct idle_zone *idle = xcalloc(1, sizeof(*idle));

	idle->of_place = xcalloc(zs->conf.n_stores, sizeof(*idle->of_place));
	for (; idle->n < zs->conf.n_stores; idle->n++) {
		const struct place *p = &zs->places[idle->n];

		if (!store_idle_begin(p->writer, &idle->of_place[idle->n], err))
			continue;
		zone_idle_end(&idle->base);
		return zone_place_failed(p, err);
	}
	*ret = &idle->base;
	return RC_OK;
}
