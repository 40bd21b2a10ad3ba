/* SPDX-License-Identifier: Apache-2.0 */
/* remove-object.c - an object of the log removed in each place that has it. */
#include "config.h"

#include "repack/remove-object.h"

#include <stdint.h>

#include "store/store-write.h"

struct removing {
	const char *key;
	bool is_kept;
};

static enum rc remove_in(void *arg, const char *zone, struct store *place,
			 struct err *err)
{
	struct removing *r = arg;
	enum store_gone gone = STORE_KEPT;
	int64_t until;

	(void)zone;
	if (store_purge(place, r->key, &gone, &until, err))
		return err->rc;
	if (gone == STORE_KEPT)
		r->is_kept = true;
	return RC_OK;
}

enum rc remove_object(struct store *st, const char *key, bool *ret_is_kept,
		      struct err *err)
{
	struct removing r = { .key = key };

	if (store_each_place(st, key, remove_in, &r, err))
		return err->rc;
	*ret_is_kept = r.is_kept;
	return RC_OK;
}
