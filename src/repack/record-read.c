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
#include "volume/oplog-checkpoint.h"
#include "volume/oplog.h"

struct reading {
	char *key;
	uint64_t max;
	uint8_t sha256[SHA256_LEN];
	bool has_hash; /* or what the first place has is what others must */
	unsigned int n_same, n_other, n_missing;
};

static enum rc read_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	struct reading *x = arg;
	CLEANUP_BUF struct buf text = { .max = x->max };
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	(void)zone;
	rc = store_read_all(place, x->key, x->max, &text, err);
	if (rc == RC_NOENT) {
		x->n_missing++;
		return RC_OK;
	}
	if (rc)
		return rc;
	sha256_of(text.p, text.len, hash);
	if (!x->has_hash)
		memcpy(x->sha256, hash, sizeof(hash));
	x->has_hash = true;
	if (!memcmp(hash, x->sha256, sizeof(hash)))
		x->n_same++;
	else
		x->n_other++;
	return RC_OK;
}

static enum rc read_each(struct store *st, const char *name, struct reading *x,
			 struct err *err)
{
	enum rc rc;

	x->key = xasprintf("log/%s", name);
	rc = store_each_place(st, x->key, read_in, x, err);
	free(x->key);
	return rc;
}

/* Whether each place has one that does. */
static enum rc checkpoint_stands(const struct oplog *log, struct store *st,
				 const char *name, bool *ret, struct err *err)
{
	*ret = false;
	for (size_t i = 0; !*ret && i < oplog_n_checkpoints(log); i++) {
		struct reading x = { .max = OPLOG_CHECKPOINT_MAX };

		if (!oplog_checkpoint_has(log, i, name))
			continue;
		if (read_each(st, oplog_checkpoint_name(log, i), &x, err))
			return err->rc;
		*ret = x.n_same && !x.n_other && !x.n_missing;
	}
	return RC_OK;
}

enum rc record_is_there(const struct oplog *log, struct store *st,
			const struct oplog_record *r, bool *ret,
			struct err *err)
{
	struct reading x = { .max = OPLOG_RECORD_MAX, .has_hash = true };

	memcpy(x.sha256, r->sha256, sizeof(x.sha256));
	if (read_each(st, r->name, &x, err))
		return err->rc;
	*ret = !x.n_other && !(x.n_same && x.n_missing);
	/* Its removal may have failed in some of them. */
	return x.n_other || *ret
		       ? RC_OK
		       : checkpoint_stands(log, st, r->name, ret, err);
}
