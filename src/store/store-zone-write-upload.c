/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-write-upload.c - uploads to all places of a zone at once.
 *
 * Where it goes is known at the first byte: to the stores of the slot's zone,
 * or everywhere.
 */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store-zone-write-backend.h"

struct upload_zone {
	struct store_upload base;
	const struct zone *zone; /* NULL: everywhere */
	bool has_begun;
	struct store_upload **of_place; /* NULL: nothing goes there */
};

static struct zone_store *zones_of(const struct upload_zone *up)
{
	return (struct zone_store *)up->base.st;
}

uint64_t zone_upload_memory(const char *rest, const struct store_settings *set,
			    unsigned int n_uploads)
{
	struct conf_zones conf = { 0 };
	struct err ignored; /* whoever opens it is told */
	uint64_t sum = 0;

	if (conf_zones_load(&conf, rest, set, &ignored))
		return 0;
	for (size_t i = 0; i < conf.n_stores; i++)
		sum += store_upload_memory(conf.stores[i].url,
					   &conf.stores[i].set, n_uploads);
	conf_zones_release(&conf);
	return sum;
}

enum rc zone_upload_new(struct store *st, struct store_upload **ret,
			struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;
	struct upload_zone *up = xcalloc(1, sizeof(*up));

	(void)err;
	up->base.st = st;
	up->of_place = xcalloc(zs->conf.n_stores, sizeof(*up->of_place));
	*ret = &up->base;
	return RC_OK;
}

void zone_upload_set_slot(struct store_upload *base, uint32_t slot)
{
	struct upload_zone *up = (struct upload_zone *)base;
	const struct zone_store *zs = zones_of(up);

	if (!zs->conf.n_bits || !(slot >> zs->conf.n_bits))
		up->zone = &zs->zones[conf_zones_find(&zs->conf, slot)];
}

static bool is_of_zone(const struct zone *zone, const struct place *p)
{
	for (size_t i = 0; zone && i < zone->conf->n_stores; i++) {
		if (zone->mirrors[i]->place == p)
			return true;
	}
	return !zone;
}

static enum rc begin(struct upload_zone *up, struct err *err)
{
	struct zone_store *zs = zones_of(up);

	if (up->has_begun)
		return RC_OK;
	up->has_begun = true;
	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		const struct place *p = &zs->places[i];

		if (is_of_zone(up->zone, p) &&
		    store_upload_new(p->writer, &up->of_place[i], err))
			return zone_place_failed(p, err);
	}
	return RC_OK;
}

enum rc zone_upload_write(struct store_upload *base, const void *p, size_t len,
			  struct err *err)
{
	struct upload_zone *up = (struct upload_zone *)base;
	const struct zone_store *zs = zones_of(up);

	if (begin(up, err))
		return err->rc;
	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		if (up->of_place[i] &&
		    store_upload_write(up->of_place[i], p, len, err))
			return zone_place_failed(&zs->places[i], err);
	}
	return RC_OK;
}

enum rc zone_upload_commit(struct store_upload *base, const char *key,
			   bool *ret_existed, struct err *err)
{
	struct upload_zone *up = (struct upload_zone *)base;
	const struct zone_store *zs = zones_of(up);
	bool is_made = false;

	if (begin(up, err))
		return err->rc;
	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		const struct place *p = &zs->places[i];
		bool existed = false;

		if (!zone_place_has(zs, p, key))
			continue;
		if (!up->of_place[i])
			return err_set(err, RC_USAGE,
				       "%s: was sent to another zone", key);
		if (store_upload_commit(up->of_place[i], key, &existed, err))
			return zone_place_failed(p, err);
		is_made |= !existed;
	}
	*ret_existed = !is_made;
	return RC_OK;
}

void zone_upload_free(struct store_upload *base)
{
	struct upload_zone *up = (struct upload_zone *)base;

	for (size_t i = 0; i < zones_of(up)->conf.n_stores; i++)
		store_upload_free(up->of_place[i]);
	free(up->of_place);
	free(up);
}
