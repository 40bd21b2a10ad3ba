/* SPDX-License-Identifier: Apache-2.0 */
/* whole-store.c - whether a store is all there is of an archive. */
#include "config.h"

#include "repack/whole-store.h"

#include "base/buf.h"
#include "store/store-write.h"

static enum rc count_zone(void *arg, const char *zone, struct store *place,
			  struct err *err)
{
	unsigned int *n = arg;

	(void)place;
	(void)err;
	if (zone)
		++*n;
	return RC_OK;
}

enum rc whole_store_check(struct store *st, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct object_info info;
	unsigned int n_zones = 0;
	enum rc rc;

	rc = store_each_place(st, STORE_ZONES_KEY, count_zone, &n_zones, err);
	/* A file of zones may name one of them alone. */
	if (rc || n_zones > 1)
		return rc;
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
