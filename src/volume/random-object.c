/* SPDX-License-Identifier: Apache-2.0 */
/* random-object.c - objects of 32 random bytes, made by who needs them first.
 */
#include "config.h"

#include "volume/random-object.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/unique.h"
#include "store/store-write.h"

enum rc random_object_read(struct store *st, const char *key,
			   uint8_t ret[RANDOM_OBJECT_LEN], struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = RANDOM_OBJECT_LEN };

	if (store_read_all(st, key, RANDOM_OBJECT_LEN, &b, err))
		return err->rc;
	if (b.len != RANDOM_OBJECT_LEN)
		return err_set(err, RC_CORRUPT, "%s: %zu bytes, not %u", key,
			       b.len, RANDOM_OBJECT_LEN);
	memcpy(ret, b.p, RANDOM_OBJECT_LEN);
	return RC_OK;
}

struct completing {
	const char *key;
	const uint8_t *bytes;
};

/* store_place_fn */
static enum rc complete_in(void *arg, const char *zone, struct store *place,
			   struct err *err)
{
	const struct completing *c = arg;
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct object_info info;
	bool existed = false;
	enum rc rc;

	if (!zone)
		return RC_OK;
	rc = store_read_tail(place, c->key, 1, &b, &info, err);
	if (rc == RC_NOENT)
		rc = store_put(place, c->key, c->bytes, RANDOM_OBJECT_LEN,
			       &existed, err);
	return rc ? err_prefix(err, "store %s", zone) : RC_OK;
}

enum rc random_object_complete(struct store *st, const char *key,
			       const uint8_t bytes[RANDOM_OBJECT_LEN],
			       struct err *err)
{
	struct completing c = { key, bytes };

	return store_each_place(st, key, complete_in, &c, err);
}

enum rc random_object_make(struct store *st, const char *key,
			   uint8_t ret[RANDOM_OBJECT_LEN], struct err *err)
{
	bool existed = false;
	enum rc rc = random_object_read(st, key, ret, err);

	if (!rc)
		return random_object_complete(st, key, ret, err);
	if (rc != RC_NOENT)
		return rc;
	if (unique_bytes(ret, RANDOM_OBJECT_LEN, err))
		return err->rc;
	rc = store_put(st, key, ret, RANDOM_OBJECT_LEN, &existed, err);
	/* Its bytes are random: another's, not ours of before. */
	if (rc != RC_EXISTS)
		return rc;
	rc = random_object_read(st, key, ret, err);
	return rc ? rc : random_object_complete(st, key, ret, err);
}
