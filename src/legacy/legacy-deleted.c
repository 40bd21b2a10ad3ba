/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-deleted.c - the uids that sidecars of an older archive delete. */
#include "config.h"

#include "legacy/legacy-deleted.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "legacy/legacy-content.h"
#include "legacy/legacy-path.h"
#include "legacy/legacy-raw.h"

void legacy_deleted_init(struct legacy_deleted *d, const char *dir)
{
	spool_init(&d->keys, dir, LEGACY_SPOOL_MEMORY);
	spool_init(&d->ends, dir, LEGACY_SPOOL_MEMORY);
	d->n = 0;
}

void legacy_deleted_release(struct legacy_deleted *d)
{
	spool_release(&d->keys);
	spool_release(&d->ends);
}

enum rc legacy_deleted_add(struct legacy_deleted *d, struct span key,
			   struct err *err)
{
	uint64_t end;

	if (spool_append(&d->keys, key.p, legacy_raw_path_len(key), err))
		return err->rc;
	end = spool_len(&d->keys);
	if (spool_append(&d->ends, &end, sizeof(end), err))
		return err->rc;
	d->n++;
	return RC_OK;
}

static enum rc end_of(const struct legacy_deleted *d, uint64_t i, uint64_t *ret,
		      struct err *err)
{
	return spool_read(&d->ends, i * sizeof(*ret), ret, sizeof(*ret), err);
}

/* The ith beside a key, as memcmp has it; room is as large as the key. */
static enum rc compare(const struct legacy_deleted *d, uint64_t i,
		       struct span key, char *room, int *ret, struct err *err)
{
	uint64_t begin = 0, end;
	struct span is = { .p = room };

	if ((i && end_of(d, i - 1, &begin, err)) || end_of(d, i, &end, err))
		return err->rc;
	/* No whole path begins another: it has its end in it. */
	is.len = end - begin < key.len ? (size_t)(end - begin) : key.len;
	if (spool_read(&d->keys, begin, room, is.len, err))
		return err->rc;
	*ret = span_compare(is, key);
	return RC_OK;
}

static enum rc find(const struct legacy_deleted *d, struct span key, bool *ret,
		    struct err *err)
{
	CLEANUP_FREE char *room = mem_array(key.len, 1);
	uint64_t low = 0, high = d->n;

	if (!room)
		return err_set(err, RC_NOMEM, "no memory for a path");
	*ret = false;
	while (low < high && !*ret) {
		uint64_t mid = low + (high - low) / 2;
		int c = 0;

		if (compare(d, mid, key, room, &c, err))
			return err->rc;
		*ret = !c;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return RC_OK;
}

enum rc legacy_deleted_has(const struct legacy_deleted *d, struct span uid,
			   bool *ret, struct err *err)
{
	CLEANUP_BUF struct buf path = { .max = LEGACY_PATH_MAX };
	CLEANUP_BUF struct buf key = { .max = 4 * LEGACY_PATH_MAX };
	struct legacy_raw_place place = { .is_tombstone = true };
	struct err none;

	*ret = false;
	/* Of what has no path nothing was added. */
	if (!d->n || legacy_path_of(uid, LEGACY_PATH_PLAIN, &path, &none))
		return RC_OK;
	place.path = span_of(path.p, path.len);
	legacy_raw_key(&place, &key);
	if (!buf_ok(&key))
		return err_set(err, RC_NOMEM, "no memory for a path");
	return find(
		d, span_of(key.p, legacy_raw_path_len(span_of(key.p, key.len))),
		ret, err);
}
