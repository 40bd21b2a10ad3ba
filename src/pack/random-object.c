/* SPDX-License-Identifier: Apache-2.0 */
/* random-object.c - objects of 32 random bytes, made by who needs them first.
 */
#include "config.h"

#include "pack/random-object.h"

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

enum rc random_object_make(struct store *st, const char *key,
			   uint8_t ret[RANDOM_OBJECT_LEN], struct err *err)
{
	bool existed = false;
	enum rc rc = random_object_read(st, key, ret, err);

	if (rc != RC_NOENT)
		return rc;
	if (unique_bytes(ret, RANDOM_OBJECT_LEN, err))
		return err->rc;
	rc = store_put(st, key, ret, RANDOM_OBJECT_LEN, &existed, err);
	/* Its bytes are random: another's, not ours of before. */
	if (rc == RC_EXISTS)
		rc = random_object_read(st, key, ret, err);
	return rc;
}
