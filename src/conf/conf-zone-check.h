/* SPDX-License-Identifier: Apache-2.0 */
/* conf-zone-check.h - a zone file as it was written, made whole or refused. */
#ifndef DESFS_CONF_CONF_ZONE_CHECK_H
#define DESFS_CONF_CONF_ZONE_CHECK_H

#include <stdbool.h>

#include "conf/conf-zone.h"

/* As in shard/route.h. */
#define ZONE_BITS_MIN 4u
#define ZONE_BITS_MAX 16u
#define ZONE_SLOT_MAX ((1u << ZONE_BITS_MAX) - 1)

#define LIMIT_UNSET UINT32_MAX

/* Beside each zone and store what is only known while the file is read. */
struct draft_zone {
	unsigned int line;
	bool has_all;
	char **names; /* of its stores */
	size_t n_names, cap_names, cap_ranges;
};

struct draft_store {
	unsigned int line;
	bool is_used;
	unsigned int *set_in; /* line for each row of conf-set.h; 0: not set */
};

struct zones_draft {
	const char *path;
	struct conf_zone_limits limits; /* of [zones] */
	struct draft_zone *zones;
	struct draft_store *stores;
};

/* Put slots in order, find stores by their names, fill in what was left out. */
enum rc zones_finish(struct conf_zones *z, const struct zones_draft *d,
		     const struct store_settings *set,
		     struct err *err) MUST_CHECK;

#endif
