/* SPDX-License-Identifier: Apache-2.0 */
/* conf-zone-check.c - a zone file as it was written, made whole or refused. */
#include "config.h"

#include "conf/conf-zone-check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/conf-set.h"

#define DEFAULT_FAILURES 3u
#define DEFAULT_RECOVER 60u

/* --- limits and settings -------------------------------------------------- */

static void choose(unsigned int *n, unsigned int of_all, unsigned int deflt)
{
	if (*n == LIMIT_UNSET)
		*n = of_all;
	if (*n == LIMIT_UNSET)
		*n = deflt;
}

static void fill_limits(struct conf_zone_limits *l,
			const struct conf_zone_limits *all)
{
	choose(&l->failures, all->failures, DEFAULT_FAILURES);
	choose(&l->recover, all->recover, DEFAULT_RECOVER);
	choose(&l->rate, all->rate, 0);
	choose(&l->burst, all->burst, l->rate ? l->rate : 1);
}

static size_t field_size(const struct conf_row *row)
{
	if (row->opt.kind == OPT_STRING)
		return sizeof(const char *);
	return row->opt.kind == OPT_SIZE ? sizeof(uint64_t)
					 : sizeof(unsigned int);
}

/* What the section does not say is as for the zone file itself. */
static void fill_settings(struct store_settings *s, const unsigned int *set_in,
			  const struct store_settings *from)
{
	size_t first = offsetof(struct conf, store);

	for (size_t i = 0; i < conf_n_rows(); i++) {
		const struct conf_row *row = &conf_rows[i];
		char *field = (char *)s + (row->opt.offset - first);

		if (!conf_row_is_of_store(row))
			continue;
		if (!set_in[i] && from)
			memcpy(field,
			       (const char *)from + (row->opt.offset - first),
			       field_size(row));
		else if (row->opt.kind == OPT_STRING) {
			const char **text = (const char **)(void *)field;

			if (*text && !**text)
				*text = NULL;
		}
	}
}

static enum rc fill_stores(struct conf_zones *z, const struct zones_draft *d,
			   const struct store_settings *set, struct err *err)
{
	if (!z->n_stores)
		return err_set(err, RC_USAGE, "%s: there is no [store NAME]",
			       d->path);
	for (size_t i = 0; i < z->n_stores; i++) {
		struct conf_zone_store *store = &z->stores[i];

		if (!store->url)
			return err_set(err, RC_USAGE,
				       "%s:%u: store %s has no url", d->path,
				       d->stores[i].line, store->name);
		fill_settings(&store->set, d->stores[i].set_in, set);
	}
	return RC_OK;
}

/* --- stores of zones ------------------------------------------------------ */

static enum rc find_store(const struct conf_zones *z,
			  const struct zones_draft *d, size_t zone,
			  const char *name, unsigned int *ret, struct err *err)
{
	for (size_t i = 0; i < z->n_stores; i++) {
		if (strcmp(z->stores[i].name, name) != 0)
			continue;
		d->stores[i].is_used = true;
		*ret = (unsigned int)i;
		return RC_OK;
	}
	return err_set(err, RC_USAGE, "%s:%u: zone %s: there is no [store %s]",
		       d->path, d->zones[zone].line, z->zones[zone].name, name);
}

static enum rc link_stores(struct conf_zones *z, const struct zones_draft *d,
			   struct err *err)
{
	for (size_t i = 0; i < z->n_zones; i++) {
		struct conf_zone *zone = &z->zones[i];
		const struct draft_zone *draft = &d->zones[i];

		if (!draft->n_names)
			return err_set(err, RC_USAGE,
				       "%s:%u: zone %s has no stores", d->path,
				       draft->line, zone->name);
		zone->stores = xcalloc(draft->n_names, sizeof(*zone->stores));
		zone->n_stores = draft->n_names;
		for (size_t k = 0; k < draft->n_names; k++) {
			if (find_store(z, d, i, draft->names[k],
				       &zone->stores[k], err))
				return err->rc;
		}
	}
	for (size_t i = 0; i < z->n_stores; i++) {
		if (!d->stores[i].is_used)
			return err_set(err, RC_USAGE,
				       "%s:%u: no zone has store %s", d->path,
				       d->stores[i].line, z->stores[i].name);
	}
	return RC_OK;
}

/* --- slots ---------------------------------------------------------------- */

struct claim {
	struct conf_zone_range range;
	size_t zone;
};

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;

	return (x->range.first > y->range.first) -
	       (x->range.first < y->range.first);
}

static enum rc no_zone_has(const struct zones_draft *d, uint32_t first,
			   uint32_t last, struct err *err)
{
	if (first == last)
		return err_set(err, RC_USAGE, "%s: no zone has slot %u",
			       d->path, first);
	return err_set(err, RC_USAGE, "%s: no zone has slots %u-%u", d->path,
		       first, last);
}

static enum rc two_zones_have(const struct conf_zones *z,
			      const struct zones_draft *d,
			      const struct claim *a, const struct claim *b,
			      struct err *err)
{
	if (a->zone == b->zone)
		return err_set(err, RC_USAGE,
			       "%s:%u: zone %s has slot %u twice", d->path,
			       d->zones[b->zone].line, z->zones[b->zone].name,
			       b->range.first);
	return err_set(err, RC_USAGE, "%s: zones %s and %s both have slot %u",
		       d->path, z->zones[a->zone].name, z->zones[b->zone].name,
		       b->range.first);
}

/* The archive's number of slots, from n_bits or from what was named. */
static enum rc check_end(struct conf_zones *z, const struct zones_draft *d,
			 uint32_t last, struct err *err)
{
	unsigned int bits = z->n_bits ? z->n_bits : ZONE_BITS_MIN;

	while (!z->n_bits && (1u << bits) <= last)
		bits++;
	if (last >= 1u << bits)
		return err_set(err, RC_USAGE,
			       "%s: with n_bits = %u there is no slot %u",
			       d->path, bits, last);
	if (last + 1 != 1u << bits)
		return no_zone_has(d, last + 1, (1u << bits) - 1, err);
	z->n_bits = bits;
	return RC_OK;
}

static enum rc check_claims(struct conf_zones *z, const struct zones_draft *d,
			    struct claim *claims, size_t n, struct err *err)
{
	uint32_t next = 0;

	qsort(claims, n, sizeof(*claims), compare_claims);
	for (size_t i = 0; i < n; i++) {
		const struct claim *c = &claims[i];

		if (i && c->range.first < next)
			return two_zones_have(z, d, c - 1, c, err);
		if (c->range.first > next)
			return no_zone_has(d, next, c->range.first - 1, err);
		next = c->range.last + 1;
	}
	return check_end(z, d, next - 1, err);
}

/* Put back in order, adjacent ones joined. */
static void keep_claims(struct conf_zones *z, const struct claim *claims,
			size_t n)
{
	for (size_t i = 0; i < z->n_zones; i++)
		z->zones[i].n_ranges = 0;
	for (size_t i = 0; i < n; i++) {
		struct conf_zone *zone = &z->zones[claims[i].zone];
		struct conf_zone_range *last =
			zone->n_ranges ? &zone->ranges[zone->n_ranges - 1]
				       : NULL;

		if (last && last->last + 1 == claims[i].range.first)
			last->last = claims[i].range.last;
		else
			zone->ranges[zone->n_ranges++] = claims[i].range;
	}
}

static enum rc give_all(struct conf_zones *z, const struct zones_draft *d,
			size_t zone, struct err *err)
{
	struct conf_zone *all = &z->zones[zone];

	if (z->n_zones > 1 || all->n_ranges)
		return err_set(err, RC_USAGE,
			       "%s:%u: zone %s has all slots, but others are "
			       "named as well",
			       d->path, d->zones[zone].line, all->name);
	all->ranges = xcalloc(1, sizeof(*all->ranges));
	all->ranges[0].last = z->n_bits ? (1u << z->n_bits) - 1 : ZONE_SLOT_MAX;
	all->n_ranges = 1;
	return RC_OK;
}

static enum rc check_slots(struct conf_zones *z, const struct zones_draft *d,
			   struct err *err)
{
	CLEANUP_FREE struct claim *claims = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < z->n_zones; i++) {
		const struct conf_zone *zone = &z->zones[i];

		if (d->zones[i].has_all)
			return give_all(z, d, i, err);
		if (!zone->n_ranges)
			return err_set(err, RC_USAGE,
				       "%s:%u: zone %s has no slots", d->path,
				       d->zones[i].line, zone->name);
		claims = mem_grow(claims, &cap, n + zone->n_ranges,
				  sizeof(*claims));
		for (size_t k = 0; k < zone->n_ranges; k++)
			claims[n++] = (struct claim){ zone->ranges[k], i };
	}
	if (!n)
		return err_set(err, RC_USAGE, "%s: there is no [zone NAME]",
			       d->path);
	if (check_claims(z, d, claims, n, err))
		return err->rc;
	keep_claims(z, claims, n);
	return RC_OK;
}

enum rc zones_finish(struct conf_zones *z, const struct zones_draft *d,
		     const struct store_settings *set, struct err *err)
{
	for (size_t i = 0; i < z->n_zones; i++)
		fill_limits(&z->zones[i].limits, &d->limits);
	if (fill_stores(z, d, set, err) || check_slots(z, d, err))
		return err->rc;
	return link_stores(z, d, err);
}
