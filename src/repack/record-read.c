/* SPDX-License-Identifier: Apache-2.0 */
/* record-read.c - whether a record of the log is what was read before. */
#include "config.h"

#include "repack/record-read.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "store/store-write.h"

struct reading {
	const struct oplog_record *r;
	char *key;
	unsigned int n_same, n_other, n_missing;
};

static enum rc read_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_RECORD_MAX };
	struct reading *x = arg;
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	(void)zone;
	rc = store_read_all(place, x->key, OPLOG_RECORD_MAX, &text, err);
	if (rc == RC_NOENT) {
		x->n_missing++;
		return RC_OK;
	}
	if (rc)
		return rc;
	sha256_of(text.p, text.len, hash);
	if (!memcmp(hash, x->r->sha256, sizeof(hash)))
		x->n_same++;
	else
		x->n_other++;
	return RC_OK;
}

enum rc record_is_there(struct store *st, const struct oplog_record *r,
			bool *ret, struct err *err)
{
	struct reading x = { .r = r };
	enum rc rc;

	x.key = xasprintf("log/%s", r->name);
	rc = store_each_place(st, x.key, read_in, &x, err);
	if (!rc)
		*ret = !x.n_other && !(x.n_same && x.n_missing);
	free(x.key);
	return rc;
}
