/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-documents.c - live tombstone documents as they were read, for who asks
 * again what they say.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/table.h"
#include "volume/oplog-backend.h"
#include "volume/oplog-state.h"

#define BYTES_MAX ((size_t)64 << 20)

struct kept_document {
	char *key;
	struct buf text;
	UT_hash_handle hh;
};

static void forget(struct oplog_documents *d, struct kept_document *k)
{
	HASH_DEL(d->all, k);
	d->bytes -= k->text.len;
	buf_release(&k->text);
	free(k->key);
	free(k);
}

void oplog_documents_release(struct oplog_documents *d)
{
	struct kept_document *k, *next;

	HASH_ITER(hh, d->all, k, next)
		forget(d, k);
}

void oplog_documents_add(struct oplog *log, const char *key, const void *p,
			 size_t len)
{
	struct oplog_documents *d = &log->documents;
	struct kept_document *k = NULL;

	HASH_FIND_STR(d->all, key, k);
	if (k || !log->keeps_documents || len > BYTES_MAX - d->bytes)
		return;
	k = xcalloc(1, sizeof(*k));
	k->key = xstrdup(key);
	buf_init(&k->text, len);
	buf_append(&k->text, p, len);
	d->bytes += k->text.len;
	HASH_ADD_KEYPTR(hh, d->all, k->key, strlen(k->key), k);
	if (!buf_ok(&k->text))
		forget(d, k);
}

void oplog_keep_documents(struct oplog *log)
{
	log->keeps_documents = true;
}

const struct buf *oplog_document(const struct oplog *log, const char *key)
{
	const struct oplog_tombstone *t =
		oplog_state_find_tombstone(log->state, key);
	struct kept_document *k = NULL;

	if (t && !t->done)
		HASH_FIND_STR(log->documents.all, key, k);
	return k ? &k->text : NULL;
}
