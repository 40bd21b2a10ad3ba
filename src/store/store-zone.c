/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone.c - several stores behind one, as a zone file says. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/store-zone-backend.h"

/* The slot in the key of a shard: DAY/DAY_SLOT_..., see desfs-archive(5). */
static bool slot_of_key(const char *key, uint32_t *ret)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *p = key + 18;
	size_t n;

	if (strspn(key, "0123456789") != 8 || key[8] != '/' ||
	    strncmp(key, key + 9, 8) != 0 || key[17] != '_')
		return false;
	n = strspn(p, digits);
	if (!n || n > 4 || p[n] != '_')
		return false;
	*ret = (uint32_t)strtoul(p, NULL, 16);
	return true;
}

const struct zone *zone_of_key(const struct zone_store *zs, const char *key)
{
	uint32_t slot;

	if (!slot_of_key(key, &slot) ||
	    (zs->conf.n_bits && slot >> zs->conf.n_bits))
		return NULL;
	return &zs->zones[conf_zones_find(&zs->conf, slot)];
}

void zone_route_zone(const struct zone *zone, struct zone_route *ret)
{
	ret->mirrors = zone->mirrors;
	ret->n = zone->conf->n_stores;
	snprintf(ret->name, sizeof(ret->name), "zone %s", zone->conf->name);
}

void zone_route_everywhere(const struct zone_store *zs, struct zone_route *ret)
{
	ret->mirrors = zs->all.mirrors;
	ret->n = zs->conf.n_stores;
	snprintf(ret->name, sizeof(ret->name), "all zones");
}

void zone_route_key(const struct zone_store *zs, const char *key,
		    struct zone_route *ret)
{
	const struct zone *zone = zone_of_key(zs, key);

	if (zone)
		zone_route_zone(zone, ret);
	else
		zone_route_everywhere(zs, ret);
}

/* The tag of an object is that of its place, which is written before it: stores
 * do not agree in tags.  One that does not fit is left out.
 */
static void tag_with_place(struct object_info *info, unsigned int place)
{
	char tag[sizeof(info->tag)];

	if (!*info->tag)
		return;
	memcpy(tag, info->tag, sizeof(tag));
	if (snprintf(info->tag, sizeof(info->tag), "%x:%s", place, tag) >=
	    (int)sizeof(info->tag))
		info->tag[0] = '\0';
}

/* What a place is to be asked for: its own tag, or none when the object was
 * seen elsewhere.  Then the size is left, and the hashes above us.
 */
static const struct object_info *expect_of_place(
	const struct object_info *expect, unsigned int place,
	struct object_info *ret)
{
	const char *tag;

	if (!expect)
		return NULL;
	*ret = (struct object_info){ .size = expect->size };
	tag = strchr(expect->tag, ':');
	if (tag && strtoul(expect->tag, NULL, 16) == place)
		snprintf(ret->tag, sizeof(ret->tag), "%s", tag + 1);
	return ret;
}

struct tail_call {
	const char *key;
	size_t max;
	struct buf *ret;
	struct object_info *ret_info;
	const struct store_check *check; /* NULL: none */
};

static enum rc check_tail(const struct tail_call *c, size_t before,
			  struct err *err)
{
	if (!c->check)
		return RC_OK;
	return store_check_tail(c->check, c->ret, before, c->ret_info, err);
}

/* zone_call_fn */
static enum rc call_tail(void *arg, const struct place *place, struct store *st,
			 struct err *err)
{
	const struct tail_call *c = arg;
	size_t before = c->ret->len;

	if (store_read_tail(st, c->key, c->max, c->ret, c->ret_info, err) ||
	    check_tail(c, before, err)) {
		c->ret->len = before;
		return err->rc;
	}
	tag_with_place(c->ret_info, place->number);
	return RC_OK;
}

static enum rc zone_read_tail_checked(struct store *st, const char *key,
				      size_t max, struct buf *ret,
				      struct object_info *ret_info,
				      const struct store_check *check,
				      struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;
	struct tail_call c = { key, max, ret, ret_info, check };
	struct zone_route route;

	zone_route_key(zs, key, &route);
	return zone_call(zs, &route, key, call_tail, &c, err);
}

static enum rc zone_read_tail(struct store *st, const char *key, size_t max,
			      struct buf *ret, struct object_info *ret_info,
			      struct err *err)
{
	return zone_read_tail_checked(st, key, max, ret, ret_info, NULL, err);
}

struct read_call {
	const char *key;
	const struct object_info *expect;
	uint64_t off;
	void *buf;
	size_t len;
	bool is_ahead;
	const struct store_check *check; /* NULL: none */
};

/* zone_call_fn */
static enum rc call_read(void *arg, const struct place *place, struct store *st,
			 struct err *err)
{
	const struct read_call *c = arg;
	struct object_info own;
	const struct object_info *expect =
		expect_of_place(c->expect, place->number, &own);
	enum rc rc;

	if (c->is_ahead)
		rc = store_read_ahead(st, c->key, expect, c->off, c->buf,
				      c->len, err);
	else
		rc = store_read(st, c->key, expect, c->off, c->buf, c->len,
				err);
	if (!rc && c->check)
		rc = c->check->fn(c->check->arg, c->buf, c->len, NULL, err);
	return rc;
}

static enum rc read_range(struct zone_store *zs, struct read_call *c,
			  struct err *err)
{
	struct zone_route route;

	zone_route_key(zs, c->key, &route);
	return zone_call(zs, &route, c->key, call_read, c, err);
}

static enum rc zone_read(struct store *st, const char *key,
			 const struct object_info *expect, uint64_t off,
			 void *buf, size_t len, bool is_ahead, struct err *err)
{
	struct read_call c = { key, expect, off, buf, len, is_ahead, NULL };

	return read_range((struct zone_store *)st, &c, err);
}

static enum rc zone_read_checked(struct store *st, const char *key,
				 const struct object_info *expect, uint64_t off,
				 void *buf, size_t len,
				 const struct store_check *check,
				 struct err *err)
{
	struct read_call c = { key, expect, off, buf, len, false, check };

	return read_range((struct zone_store *)st, &c, err);
}

static void zone_let_go(struct store *st, const char *key)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		for (unsigned int way = 0; way < PLACE_WAYS; way++) {
			struct store *one = atomic_load(&zs->places[i].st[way]);

			if (one)
				store_let_go(one, key);
		}
	}
}

static void add_counters(struct store_counters *sum,
			 const struct store_counters *c)
{
	sum->get += c->get;
	sum->get_list += c->get_list;
	sum->put += c->put;
	sum->post += c->post;
	sum->del += c->del;
	sum->head += c->head;
	sum->retries += c->retries;
	sum->timeouts += c->timeouts;
	sum->throttled += c->throttled;
	sum->bad_replies += c->bad_replies;
	sum->wire_bytes_in += c->wire_bytes_in;
	sum->wire_bytes_out += c->wire_bytes_out;
}

static void count_store(struct store *st, struct store_counters *ret)
{
	struct store_counters c;

	if (!st)
		return;
	store_count(st, &c);
	add_counters(ret, &c);
}

static void zone_count(struct store *st, struct store_counters *ret)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		struct place *p = &zs->places[i];

		for (unsigned int way = 0; way < PLACE_WAYS; way++)
			count_store(atomic_load(&p->st[way]), ret);
		count_store(p->writer, ret);
	}
}

static void tell_mirror(struct mirror *m, store_zone_fn *fn, void *arg)
{
	struct zone_health_view v;
	struct store_zone z = { .zone = m->zone->conf->name,
				.store = m->place->conf->name,
				.url = m->place->conf->url,
				.number = m->number };

	zone_health_look(&m->health, clock_mono_ns(), &v);
	z.state = breaker_state_name(v.state);
	z.requests = v.counts.requests;
	z.failures = v.counts.failures;
	z.damaged = v.counts.damaged;
	z.failovers = v.counts.failovers;
	z.latency_us = v.latency_ns / 1000;
	z.wait_ms = v.wait_ns / CLOCK_NS_PER_MS;
	fn(arg, &z);
}

static void tell_zone(const struct zone *zone, store_zone_fn *fn, void *arg)
{
	for (size_t i = 0; i < zone->conf->n_stores; i++)
		tell_mirror(zone->mirrors[i], fn, arg);
}

static void zone_each(struct store *st, store_zone_fn *fn, void *arg)
{
	const struct zone_store *zs = (struct zone_store *)st;

	tell_zone(&zs->all, fn, arg);
	for (size_t i = 0; i < zs->conf.n_zones; i++)
		tell_zone(&zs->zones[i], fn, arg);
}

static const char *const schemes[] = { "zone", NULL };

const struct store_backend store_backend_zone = {
	.name = "zone",
	.schemes = schemes,
	.open = zone_open,
	.close = zone_close,
	.read_tail = zone_read_tail,
	.read = zone_read,
	.read_tail_checked = zone_read_tail_checked,
	.read_checked = zone_read_checked,
	.list = zone_list,
	.count = zone_count,
	.let_go = zone_let_go,
	.each_zone = zone_each,
	.each_place = zone_each_place,
};
