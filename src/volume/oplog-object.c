/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-object.c - the objects that records of the log name with their hashes.
 */
#include "config.h"

#include "volume/oplog-object.h"

#include <string.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "store/store.h"

enum rc oplog_object_read(struct store *st, const struct oplog_object *o,
			  size_t max, struct buf *ret, struct err *err)
{
	size_t before = ret->len;
	uint8_t hash[SHA256_LEN];
	enum rc rc = store_read_all(st, o->key, max, ret, err);

	/* What the log names and nobody has is not the same as a name that
	 * does not exist.
	 */
	if (rc == RC_NOENT)
		return err_set(err, RC_CORRUPT,
			       "%s: the log names it, and it is not there",
			       o->key);
	if (rc)
		return rc;
	sha256_of(ret->p + before, ret->len - before, hash);
	if (memcmp(hash, o->sha256, sizeof(hash)) != 0)
		return err_set(err, RC_CORRUPT,
			       "%s: its SHA-256 is not the one the log says",
			       o->key);
	return RC_OK;
}
