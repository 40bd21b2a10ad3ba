/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-open.c - a zone file becomes zones, places and mirrors. */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/store-zone-backend.h"

/* For a call of a store with a mirror behind it: a third of that, but no more
 * than this and few retries.
 */
#define QUICK_MAX 3u
#define QUICK_RETRIES 1u
/* A store that failed is left alone for this at first. */
#define BACKOFF_MIN_NS CLOCK_NS_PER_SEC

static unsigned int timeout_of(const struct store_settings *set)
{
	return set->timeout ? set->timeout : STORE_TIMEOUT_DEFAULT;
}

static unsigned int quick_timeout(unsigned int timeout)
{
	unsigned int third = timeout < 3 ? 1 : timeout / 3;

	return third < QUICK_MAX ? third : QUICK_MAX;
}

static void place_init(struct place *p, const struct conf_zone_store *conf,
		       unsigned int number)
{
	struct store_settings *quick = &p->set[PLACE_QUICK];

	p->conf = conf;
	p->number = number;
	p->set[PLACE_PATIENT] = conf->set;
	*quick = conf->set;
	quick->timeout = quick_timeout(timeout_of(&conf->set));
	if (!quick->retries || quick->retries > QUICK_RETRIES)
		quick->retries = QUICK_RETRIES;
}

/* The last mirror has what those before it left of the time of a call. */
static void shorten(struct place *last, unsigned int n_before)
{
	unsigned int timeout = timeout_of(&last->conf->set);
	unsigned int spent = n_before * quick_timeout(timeout);
	unsigned int left = timeout > spent ? timeout - spent : 1;

	if (left < timeout_of(&last->set[PLACE_PATIENT]))
		last->set[PLACE_PATIENT].timeout = left;
}

static struct mirror *mirror_new(struct zone_store *zs, struct zone *zone,
				 unsigned int number)
{
	const struct conf_zone *conf = zone->conf;
	struct breaker_limits limits = {
		.failures = conf->limits.failures,
		.backoff_min_ns = BACKOFF_MIN_NS,
		.backoff_max_ns = conf->limits.recover * CLOCK_NS_PER_SEC,
	};
	struct mirror *m = xcalloc(1, sizeof(*m));

	if (limits.backoff_max_ns < limits.backoff_min_ns)
		limits.backoff_max_ns = limits.backoff_min_ns;
	m->place = &zs->places[conf->stores[number]];
	m->zone = zone;
	m->number = number;
	m->way = number + 1 < conf->n_stores ? PLACE_QUICK : PLACE_PATIENT;
	if (m->way == PLACE_PATIENT && zone != &zs->all)
		shorten(m->place, number);
	zone_health_init(&m->health, &limits, clock_mono_ns() ^ (uintptr_t)m);
	return m;
}

static void zone_init(struct zone_store *zs, struct zone *zone,
		      const struct conf_zone *conf)
{
	zone->conf = conf;
	zone->mirrors = xcalloc(conf->n_stores, sizeof(struct mirror *));
	for (unsigned int i = 0; i < conf->n_stores; i++)
		zone->mirrors[i] = mirror_new(zs, zone, i);
	pthread_mutex_init(&zone->lock, NULL);
	token_bucket_init(&zone->bucket, conf->limits.rate, conf->limits.burst);
}

static void zone_release(struct zone *zone)
{
	for (size_t i = 0; i < zone->conf->n_stores; i++) {
		zone_health_release(&zone->mirrors[i]->health);
		free(zone->mirrors[i]);
	}
	free(zone->mirrors);
	pthread_mutex_destroy(&zone->lock);
}

void zone_close(struct store *st)
{
	struct zone_store *zs = (struct zone_store *)st;

	zone_release(&zs->all);
	for (size_t i = 0; i < zs->conf.n_zones; i++)
		zone_release(&zs->zones[i]);
	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		for (unsigned int way = 0; way < PLACE_WAYS; way++)
			store_close(atomic_load(&zs->places[i].st[way]));
		store_close(zs->places[i].writer);
	}
	free(zs->zones);
	free(zs->places);
	free(zs->all_conf.stores);
	conf_zones_release(&zs->conf);
	free(zs);
}

/* Open what can be opened: one store of each zone is enough.  Wrong settings
 * are an error in any case.
 */
static enum rc open_zone(struct zone *zone, struct err *err)
{
	bool is_any_open = false;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < zone->conf->n_stores; i++) {
		struct mirror *m = zone->mirrors[i];
		struct store *st;
		struct err one;

		if (!zone_mirror_open(m, &st, &one)) {
			is_any_open = true;
			continue;
		}
		if (one.rc == RC_USAGE || one.rc == RC_NOMEM) {
			*err = one;
			return err_prefix(err, "store %s",
					  m->place->conf->name);
		}
		zone_mirror_failed(m, &one);
		if (!rc) {
			*err = one;
			rc = err_prefix(err, "zone %s: store %s",
					zone->conf->name, m->place->conf->name);
		}
	}
	return is_any_open ? RC_OK : rc;
}

static bool is_any_remote(const struct zone_store *zs)
{
	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		const struct store_backend *ops;
		const char *rest;
		struct err err;

		if (!store_find_backend(zs->places[i].conf->url, &ops, &rest,
					&err) &&
		    ops->is_remote)
			return true;
	}
	return false;
}

/* For caches: two files are two places, however they are named. */
static char *location_of(const char *path)
{
	CLEANUP_FREE char *real = realpath(path, NULL);

	return xasprintf("zone://%s", real ? real : path);
}

/* The zone of what is no shard: no rate, else as the first zone. */
static void init_all(struct zone_store *zs)
{
	struct conf_zone *c = &zs->all_conf;

	c->name = ZONE_ALL;
	c->limits = zs->conf.zones[0].limits;
	c->limits.rate = 0;
	c->n_stores = zs->conf.n_stores;
	c->stores = xcalloc(c->n_stores, sizeof(*c->stores));
	for (unsigned int i = 0; i < c->n_stores; i++)
		c->stores[i] = i;
	zone_init(zs, &zs->all, c);
}

static void set_up(struct zone_store *zs)
{
	zs->places = xcalloc(zs->conf.n_stores, sizeof(*zs->places));
	for (unsigned int i = 0; i < zs->conf.n_stores; i++)
		place_init(&zs->places[i], &zs->conf.stores[i], i);
	zs->zones = xcalloc(zs->conf.n_zones, sizeof(*zs->zones));
	for (size_t i = 0; i < zs->conf.n_zones; i++)
		zone_init(zs, &zs->zones[i], &zs->conf.zones[i]);
	init_all(zs);
}

/* A zone that has no store is an error; of all zones, some will have one. */
static enum rc open_zones(struct zone_store *zs, struct err *err)
{
	struct err unused;
	enum rc rc;

	for (size_t i = 0; i < zs->conf.n_zones; i++) {
		if (open_zone(&zs->zones[i], err))
			return err->rc;
	}
	rc = open_zone(&zs->all, &unused);
	(void)rc;
	return RC_OK;
}

enum rc zone_open(struct store **ret, const char *scheme, const char *path,
		  const struct store_settings *set, struct err *err)
{
	struct zone_store *zs = xcalloc(1, sizeof(*zs));

	(void)scheme;
	if (conf_zones_load(&zs->conf, path, set, err)) {
		free(zs);
		return err->rc;
	}
	set_up(zs);
	zs->deadline_ns = timeout_of(set) * CLOCK_NS_PER_SEC;
	if (open_zones(zs, err)) {
		zone_close(&zs->base);
		return err_prefix(err, "%s", path);
	}
	zs->base.is_remote = is_any_remote(zs);
	zs->base.n_bits = zs->conf.n_bits;
	zs->base.location = location_of(path);
	*ret = &zs->base;
	return RC_OK;
}
