/* SPDX-License-Identifier: Apache-2.0 */
/* whole-store.c - whether a store is all there is of an archive. */
#include "config.h"

#include "repack/whole-store.h"

#include <inttypes.h>

#include "base/buf.h"
#include "store/store-write.h"
#include "store/zones-mark.h"

struct counting {
	uint64_t n;    /* places of zones */
	uint64_t most; /* as some of them say that there are */
};

/* store_place_fn */
static enum rc count_zone(void *arg, const char *zone, struct store *place,
			  struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = ZONES_MARK_MAX };
	struct counting *c = arg;
	uint64_t n;
	enum rc rc;

	if (!zone)
		return RC_OK;
	c->n++;
	rc = store_read_all(place, STORE_ZONES_KEY, ZONES_MARK_MAX, &b, err);
	if (rc == RC_NOENT)
		return RC_OK;
	if (rc)
		return err_prefix(err, "store %s", zone);
	n = zones_mark_decode(b.p, b.len);
	c->most = n > c->most ? n : c->most;
	return RC_OK;
}

enum rc whole_store_check(struct store *st, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct counting c = { .n = 0 };
	struct object_info info;
	enum rc rc;

	rc = store_each_place(st, STORE_ZONES_KEY, count_zone, &c, err);
	if (rc)
		return rc;
	if (c.n > 1 && c.n < c.most)
		return err_set(err, RC_USAGE,
			       "these are %" PRIu64 " of %" PRIu64
			       " stores, and bytes are gone when they are gone "
			       "from all: name zone://FILE that has them all "
			       "(if the others are no more, remove the object "
			       "%s from each)",
			       c.n, c.most, STORE_ZONES_KEY);
	/* A file of zones may name one of them alone. */
	if (c.n > 1)
		return RC_OK;
	rc = store_read_tail(st, STORE_ZONES_KEY, 1, &b, &info, err);
	if (rc == RC_NOENT)
		return RC_OK;
	return rc ? rc
		  : err_set(err, RC_USAGE,
			    "this is one of several stores, and bytes are gone "
			    "when they are gone from all: name zone://FILE "
			    "that has them all (if the others are no more, "
			    "remove the object %s)",
			    STORE_ZONES_KEY);
}
