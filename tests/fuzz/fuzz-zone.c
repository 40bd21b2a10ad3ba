/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-zone.c - zone files: what is taken is whole. */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "conf/conf-zone.h"
#include "fuzz.h"

/* Each slot lies in one zone, the stores exist. */
static void check(const struct conf_zones *z)
{
	uint64_t n_slots = 0;
	uint64_t want = z->n_bits ? UINT64_C(1) << z->n_bits : 1u << 16;

	if (!z->n_zones || !z->n_stores)
		abort();
	for (size_t i = 0; i < z->n_zones; i++) {
		const struct conf_zone *zone = &z->zones[i];

		if (!zone->n_stores || !zone->n_ranges || !*zone->name ||
		    !zone->limits.failures || !zone->limits.burst)
			abort();
		for (size_t k = 0; k < zone->n_stores; k++) {
			if (zone->stores[k] >= z->n_stores)
				abort();
		}
		for (size_t k = 0; k < zone->n_ranges; k++) {
			const struct conf_zone_range *r = &zone->ranges[k];

			if (r->first > r->last || r->last >= want ||
			    conf_zones_find(z, r->first) != i ||
			    conf_zones_find(z, r->last) != i)
				abort();
			n_slots += r->last - r->first + 1;
		}
	}
	for (size_t i = 0; i < z->n_stores; i++) {
		if (!z->stores[i].url || !*z->stores[i].url)
			abort();
	}
	if (n_slots != want)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(conf_zones_release) struct conf_zones z = { .n_bits = 0 };
	struct store_settings set = { .region = "here", .timeout = 3 };
	struct err err;

	if (!conf_zones_parse(&z, "/etc/zones", data, size, &set, &err))
		check(&z);
	return 0;
}
