/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild-live.c - tombstone documents that the log names and that are lost. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "erase/aggregate.h"
#include "erase/tombstone.h"
#include "store/store-write.h"
#include "verify/rebuild-log.h"

struct live {
	struct store *st;
	const uint8_t *archive_id;
	bool is_dry;
	log_rest_tell_fn *tell;
	void *arg;
};

static bool is_it(const struct oplog_object *o, const void *p, size_t len)
{
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	return !memcmp(hash, o->sha256, SHA256_LEN);
}

/* RC_NOENT, RC_CORRUPT: it is not there, or not as the log says. */
static enum rc check(const struct live *l, const struct oplog_object *o,
		     struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	enum rc rc = store_read_all(l->st, o->key, TOMBSTONE_MAX, &b, err);

	if (rc == RC_LIMIT || (!rc && !is_it(o, b.p, b.len)))
		return err_set(err, RC_CORRUPT,
			       "its SHA-256 is not the one in the log");
	return rc;
}

struct finding {
	const struct oplog_object *object;
	struct buf text;
};

/* aggregate_fn */
static enum rc find_text(void *arg, const void *p, size_t len, struct err *err)
{
	struct finding *f = arg;

	(void)err;
	if (is_it(f->object, p, len)) {
		buf_clear(&f->text);
		buf_append(&f->text, p, len);
	}
	return RC_OK;
}

static enum rc put_back(const struct live *l, const struct finding *f,
			struct err *err)
{
	bool existed;
	enum rc rc;

	l->tell(l->arg, f->object->key,
		"put back from the aggregate of its hour");
	if (l->is_dry)
		return RC_OK;
	/* What is there, if anything, is damaged. */
	rc = store_remove(l->st, f->object->key, err);
	if (!rc || rc == RC_NOENT)
		rc = store_put(l->st, f->object->key, f->text.p, f->text.len,
			       &existed, err);
	return rc;
}

/* *ret: it was there. */
static enum rc from_aggregate(const struct live *l,
			      const struct oplog_tombstone *t, bool *ret,
			      struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = AGGREGATE_MAX };
	struct finding f = { t->object, { .max = TOMBSTONE_MAX } };
	char key[AGGREGATE_KEY_TEXT];
	struct err ignored;
	enum rc rc;

	*ret = false;
	aggregate_key(t->record->time, key);
	rc = store_read_all(l->st, key, AGGREGATE_MAX, &text, err);
	if (rc == RC_NOENT || rc == RC_LIMIT)
		return RC_OK;
	if (rc)
		return rc;
	(void)!aggregate_each(text.p, text.len, l->archive_id, find_text, &f,
			      &ignored);
	*ret = f.text.len && buf_ok(&f.text);
	if (*ret)
		rc = put_back(l, &f, err);
	buf_release(&f.text);
	return rc;
}

enum rc log_rest_live(struct store *st, const struct oplog_state *state,
		      const uint8_t archive_id[SHARD_ID_LEN], bool is_dry,
		      struct oplog_record *ret_erased, log_rest_tell_fn *tell,
		      void *arg, struct err *err)
{
	const struct live l = { st, archive_id, is_dry, tell, arg };
	size_t n = oplog_state_n_tombstones(state), cap = 0;

	*ret_erased = (struct oplog_record){ .kind = OPLOG_ERASED };
	for (size_t i = 0; i < n; i++) {
		const struct oplog_tombstone *t =
			oplog_state_tombstone(state, i);
		bool is_back = false;
		enum rc rc = t->done ? RC_OK : check(&l, t->object, err);

		if (!rc)
			continue;
		if (rc != RC_NOENT && rc != RC_CORRUPT)
			return rc;
		tell(arg, t->object->key,
		     rc == RC_NOENT ? "a tombstone that is lost"
				    : "a tombstone that is damaged");
		if (from_aggregate(&l, t, &is_back, err))
			return err->rc;
		if (is_back)
			continue;
		ret_erased->done =
			mem_grow(ret_erased->done, &cap, ret_erased->n_done + 1,
				 sizeof(*ret_erased->done));
		ret_erased->done[ret_erased->n_done++] =
			xstrdup(t->object->key);
	}
	return RC_OK;
}
