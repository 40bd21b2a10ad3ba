/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-backend.h - what the files of the zone store share.
 *
 * A zone store is several stores behind one.  A place is one of them; a mirror
 * is a place in its role in a zone, with a health of its own; the mirrors of a
 * zone are tried in order.  What is no shard is in all places and read from
 * those in the order of the file.
 *
 * All is fixed after opening but the stores of places that could not be opened
 * then, the buckets, and the healths, which lock themselves.
 */
#ifndef DESFS_STORE_STORE_ZONE_BACKEND_H
#define DESFS_STORE_STORE_ZONE_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/token-bucket.h"
#include "conf/conf-zone.h"
#include "store/store-backend.h"
#include "store/zone-health.h"

/* How a place is asked: the last mirror of a zone with all the time there is,
 * those before it with little, so that the next ones get their turn.
 */
enum place_way { PLACE_PATIENT, PLACE_QUICK, PLACE_WAYS };

struct place {
	const struct conf_zone_store *conf;
	unsigned int number; /* of the place: in the tags of its objects */
	struct store_settings set[PLACE_WAYS];
	_Atomic(struct store *) st[PLACE_WAYS]; /* NULL: not opened yet */
	struct store *writer; /* opened for writing; NULL: the zone was not */
};

struct zone;

struct mirror {
	struct place *place;
	struct zone *zone;
	enum place_way way;
	unsigned int number; /* in the zone; 0: preferred */
	struct zone_health health;
};

struct zone {
	const struct conf_zone *conf;
	struct mirror **mirrors; /* conf->n_stores */
	pthread_mutex_t lock;
	struct token_bucket bucket; /* guarded by lock */
};

/* The name of that one; none that a file can give. */
#define ZONE_ALL "*"

struct zone_store {
	struct store base;
	struct conf_zones conf;
	struct place *places; /* conf.n_stores */
	struct zone *zones;   /* conf.n_zones */
	/* All places in the order of the file, for what is no shard. */
	struct zone all;
	struct conf_zone all_conf;
	uint64_t deadline_ns; /* for one call */
};

/* One call of one of the stores; RC_OK, or what went wrong. */
typedef enum rc zone_call_fn(void *arg, const struct place *place,
			     struct store *st, struct err *err);

/* Mirrors to be tried in order, and what messages call them. */
struct zone_route {
	struct mirror *const *mirrors;
	size_t n;
	char name[CONF_ZONE_NAME_MAX + 8];
};

/* Call fn for one mirror after the other until one answers.  RC_NOENT: all are
 * there and none has it; RC_IO: some did not answer, the message names them.
 */
enum rc zone_call(struct zone_store *zs, const struct zone_route *route,
		  const char *key, zone_call_fn *fn, void *arg,
		  struct err *err) MUST_CHECK;

/* The store of a mirror, opened now if need be. */
enum rc zone_mirror_open(struct mirror *m, struct store **ret,
			 struct err *err) MUST_CHECK;

/* It could not be opened: leave it alone for a while. */
void zone_mirror_failed(struct mirror *m, const struct err *err);

/* Where to look for a key. */
void zone_route_key(const struct zone_store *zs, const char *key,
		    struct zone_route *ret);
void zone_route_everywhere(const struct zone_store *zs, struct zone_route *ret);
void zone_route_zone(const struct zone *zone, struct zone_route *ret);

/* The zone of a shard's key; NULL: no shard, it is in all places. */
const struct zone *zone_of_key(const struct zone_store *zs, const char *key);

/* Does an object of that key belong there? */
bool zone_place_has(const struct zone_store *zs, const struct place *p,
		    const char *key);

/* The store of a place with all the time there is, for writing where the zone
 * was opened for it; opened now if need be.
 */
enum rc zone_place_open(struct place *p, struct store **ret,
			struct err *err) MUST_CHECK;

/* "store NAME: " before what a place's store says, which begins with the key.
 */
enum rc zone_place_failed(const struct place *p, struct err *err) MUST_CHECK;

/* Of the backend. */
enum rc zone_open(struct store **ret, const char *scheme, const char *path,
		  const struct store_settings *set, struct err *err) MUST_CHECK;
void zone_close(struct store *st);
enum rc zone_each_place(struct store *st, const char *key, store_place_fn *fn,
			void *arg, struct err *err) MUST_CHECK;
enum rc zone_list(struct store *st, const char *prefix, const char *start_after,
		  store_list_fn *fn, void *arg, struct err *err) MUST_CHECK;

#endif
