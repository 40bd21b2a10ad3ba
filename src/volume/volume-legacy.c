/* SPDX-License-Identifier: Apache-2.0 */
/* volume-legacy.c - archives of older programs, which a store of format 3 is
 * made of.
 */
#include "config.h"

#include "legacy/legacy-store.h"
#include "store/store.h"
#include "volume/volume-state.h"

/* Where there is no archive there may be an older one. */
enum rc volume_legacy_exists(struct volume *v,
			     const struct volume_options *opts, bool *ret,
			     struct err *err)
{
	*ret = false;
	return opts && opts->legacy.is_off
		       ? RC_OK
		       : legacy_store_exists(v->st, ret, err);
}

enum rc volume_legacy_begin(struct volume *v, const struct volume_options *opts,
			    struct err *err)
{
	static const struct legacy_options defaults;
	struct store *made = NULL;

	if (legacy_store_open(v->st, opts ? &opts->legacy : &defaults, &made,
			      err))
		return err->rc;
	v->below = v->st;
	v->st = made;
	return RC_OK;
}

void volume_legacy_end(struct volume *v)
{
	if (!v->below)
		return;
	store_close(v->st);
	v->st = v->below;
	v->below = NULL;
}

bool volume_is_legacy(const struct volume *v)
{
	return v->below;
}

uint64_t volume_legacy_damage(struct volume *v, volume_text_fn *fn, void *arg)
{
	return v->below ? legacy_store_damage(v->st, fn, arg) : 0;
}

uint64_t volume_legacy_shards(struct volume *v)
{
	return legacy_store_shards(v->st);
}

enum rc volume_legacy_is_deleted(struct volume *v, struct span uid, bool *ret,
				 struct err *err)
{
	return legacy_store_is_deleted(v->st, uid, ret, err);
}

void volume_legacy_bits(struct volume *v, char ret[VOLUME_BITS_TEXT])
{
	legacy_store_bits(v->st, ret);
}
