/* SPDX-License-Identifier: Apache-2.0 */
/* conf-zone.h - which stores hold which slots, as a zone file says it.
 *
 * A zone file, desfs-zones(5), is small, in the form of desfs.conf(5):
 *
 *	[zones]                     ; may be missing
 *	n_bits = 4                  ; else by the slots named
 *	failures = 3
 *	recover = 60
 *
 *	[store here]
 *	url = s3://records/archive
 *	endpoint = https://s3.example.com
 *
 *	[store there]
 *	url = https://mirror.example.net/archive
 *
 *	[zone west]
 *	slots = 0-7, 0xa-0xb        ; or all
 *	stores = here, there        ; in the order of preference
 *
 * What comes out is whole: every slot lies in exactly one zone, every zone has
 *a store, every store a zone.
 */
#ifndef DESFS_CONF_CONF_ZONE_H
#define DESFS_CONF_CONF_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/store-settings.h"

/* Bounds of what a file may have. */
#define CONF_ZONES_MAX 1024u
#define CONF_ZONE_STORES_MAX 1024u
#define CONF_ZONE_NAME_MAX 63u

/* For the health of the stores of a zone and the load on them. */
struct conf_zone_limits {
	unsigned int failures; /* in a row until a store is left alone; 3 */
	unsigned int recover;  /* most seconds until it is tried again; 60 */
	unsigned int rate;     /* requests a second; 0: any number */
	unsigned int burst;    /* requests at once; rate, at least 1 */
};

struct conf_zone_range {
	uint32_t first, last; /* slots, both belong to it */
};

struct conf_zone_store {
	const char *name;
	const char *url; /* a path is absolute; never zone:// */
	struct store_settings set;
};

struct conf_zone {
	const char *name;
	struct conf_zone_range *ranges; /* ascending, none adjacent */
	size_t n_ranges;
	unsigned int *stores; /* indexes of conf_zones.stores, best first */
	size_t n_stores;
	struct conf_zone_limits limits;
};

struct conf_zones {
	unsigned int n_bits; /* 0: one zone has all slots, however many */
	struct conf_zone *zones;
	size_t n_zones;
	struct conf_zone_store *stores; /* in the order of the file */
	size_t n_stores;
	struct conf_strings *strings; /* what all fields point to */
};

/* Read a zone file.  What a store's section does not say is taken from set, the
 * settings of the archive zone://FILE (may be NULL), whose strings are
 * borrowed. Paths in the file that are not absolute begin at the file's
 * directory. RC_NOENT: no such file; RC_USAGE: FILE:LINE and what is wrong
 * there.
 */
enum rc conf_zones_load(struct conf_zones *ret, const char *path,
			const struct store_settings *set,
			struct err *err) MUST_CHECK;
/* The same for the bytes of a file of that path. */
enum rc conf_zones_parse(struct conf_zones *ret, const char *path,
			 const void *p, size_t len,
			 const struct store_settings *set,
			 struct err *err) MUST_CHECK;
void conf_zones_release(struct conf_zones *z);

/* The index of the zone that has the slot, which is below 2^n_bits (any where
 * n_bits is 0).
 */
size_t conf_zones_find(const struct conf_zones *z, uint32_t slot);

#endif
