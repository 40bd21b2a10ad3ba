/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-doc.c - the documents of tombstones that the log names. */
#include "config.h"

#include "repack/tombstone-doc.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "volume/oplog-object.h"

enum rc tombstone_doc_read(struct store *st, const struct oplog_object *o,
			   struct tombstone *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };

	if (oplog_object_read(st, o, TOMBSTONE_MAX, &text, err))
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
