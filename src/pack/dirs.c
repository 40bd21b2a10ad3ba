/* SPDX-License-Identifier: Apache-2.0 */
/* dirs.c - the attributes of all directories met. */
#include "config.h"

#include "pack/dirs.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/spool.h"

#define DIRS_MEMORY (4u << 20) /* bytes */
#define DIR_ITEM_MAX 256       /* bytes of an item without spans */

struct dirs {
	pthread_mutex_t lock; /* guards all, while there are adders */
	struct spool spool;
	struct buf scratch;
};

struct dirs *dirs_new(const char *spool_dir)
{
	struct dirs *d = xcalloc(1, sizeof(*d));

	pthread_mutex_init(&d->lock, NULL);
	spool_init(&d->spool, spool_dir, DIRS_MEMORY);
	buf_init(&d->scratch, DIR_ITEM_MAX);
	return d;
}

void dirs_free(struct dirs *d)
{
	if (!d)
		return;
	spool_release(&d->spool);
	buf_release(&d->scratch);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

enum rc dirs_add(struct dirs *d, const struct item *it, uint64_t *ret,
		 struct err *err)
{
	struct item plain = *it;
	uint64_t at;
	uint8_t len;
	enum rc rc;
	LOCK_SCOPE(&d->lock);

	at = spool_len(&d->spool);
	plain.target = plain.xattrs = span_of("", 0);
	buf_clear(&d->scratch);
	item_encode(&plain, &d->scratch);
	if (!buf_ok(&d->scratch) || d->scratch.len > UINT8_MAX)
		return err_set(err, RC_LIMIT, "attributes of a directory");
	len = (uint8_t)d->scratch.len;
	rc = spool_append(&d->spool, &len, 1, err);
	if (!rc)
		rc = spool_append(&d->spool, d->scratch.p, len, err);
	if (!rc)
		*ret = at;
	return rc;
}

enum rc dirs_get(const struct dirs *d, uint64_t number, struct item *ret,
		 struct err *err)
{
	uint8_t bytes[DIR_ITEM_MAX];
	uint8_t len;
	enum rc rc = spool_read(&d->spool, number, &len, 1, err);

	if (!rc)
		rc = spool_read(&d->spool, number + 1, bytes, len, err);
	if (!rc)
		rc = item_decode(bytes, len, ret, err);
	if (!rc)
		ret->target = ret->xattrs = span_of("", 0);
	return rc;
}
