/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-place.c - the places that an object of a zone store belongs in. */
#include "config.h"

#include "store/store-zone-backend.h"

bool zone_place_has(const struct zone_store *zs, const struct place *p,
		    const char *key)
{
	const struct zone *zone = zone_of_key(zs, key);

	if (!zone)
		return true;
	for (size_t i = 0; i < zone->conf->n_stores; i++) {
		if (zone->mirrors[i]->place == p)
			return true;
	}
	return false;
}

enum rc zone_place_failed(const struct place *p, struct err *err)
{
	return err_prefix(err, "store %s", p->conf->name);
}

enum rc zone_place_open(struct place *p, struct store **ret, struct err *err)
{
	struct mirror m = { .place = p, .way = PLACE_PATIENT };

	if (p->writer) {
		*ret = p->writer;
		return RC_OK;
	}
	return zone_mirror_open(&m, ret, err) ? zone_place_failed(p, err)
					      : RC_OK;
}

enum rc zone_each_place(struct store *st, const char *key, store_place_fn *fn,
			void *arg, struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		struct place *p = &zs->places[i];
		struct store *place = NULL;

		if (!zone_place_has(zs, p, key))
			continue;
		if (zone_place_open(p, &place, err) ||
		    fn(arg, p->conf->name, place, err))
			return err->rc;
	}
	return RC_OK;
}
