/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-doc.c - the documents of tombstones that the log names. */
#include "config.h"

#include "repack/tombstone-doc.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "store/store.h"

enum rc tombstone_doc_bytes(struct store *st, const struct oplog_object *o,
			    struct buf *ret, struct err *err)
{
	size_t before = ret->len;
	uint8_t hash[SHA256_LEN];
	enum rc rc = store_read_all(st, o->key, TOMBSTONE_MAX, ret, err);

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

enum rc tombstone_doc_read(struct store *st, const struct oplog_object *o,
			   struct tombstone *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };

	if (tombstone_doc_bytes(st, o, &text, err))
		return err->rc;
	if (tombstone_decode(text.p, text.len, ret, err))
		return err_prefix(err, "%s", o->key);
	return RC_OK;
}

void tombstone_doc_id(const char *key, char ret[TOMBSTONE_ID_TEXT])
{
	const char *slash = strrchr(key, '/');

	snprintf(ret, TOMBSTONE_ID_TEXT, "%s", slash ? slash + 1 : key);
}

bool tombstone_doc_is_id(const char *text, size_t len)
{
	uint8_t id[ERASURE_ID_LEN];

	return hex_decode(text, len, id, sizeof(id));
}
