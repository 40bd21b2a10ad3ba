/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild-log.c - what is left of a log, and how it is made readable again. */
#include "config.h"

#include "verify/rebuild-log.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "erase/suppression.h"
#include "erase/tombstone.h"
#include "store/store-write.h"
#include "verify/archive-list.h"
#include "volume/oplog-checkpoint.h"
#include "volume/oplog.h"

#define LOG "log/"

void log_rest_release(struct log_rest *l)
{
	oplog_state_free(l->state);
	for (size_t i = 0; i < l->n; i++)
		oplog_record_release(&l->records[i]);
	free(l->records);
	free(l->damaged);
	*l = (struct log_rest){ .n = 0 };
}

/* --- reading -------------------------------------------------------------- */

struct reader {
	struct log_rest *rest;
	struct store *st;
	const uint8_t *archive_id;
};

static int by_name(const void *a, const void *b)
{
	const struct oplog_record *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* When they are sorted. */
static bool has(const struct log_rest *l, const char *name)
{
	const struct oplog_record like = { .name = (char *)(uintptr_t)name };

	return l->n &&
	       bsearch(&like, l->records, l->n, sizeof(*l->records), by_name);
}

/* oplog_checkpoint_fn, and for records.  Takes r over when it succeeds. */
static enum rc add(void *arg, struct oplog_record *r, struct err *err)
{
	struct reader *rd = arg;
	struct log_rest *l = rd->rest;

	if (memcmp(r->archive_id, rd->archive_id, SHARD_ID_LEN) != 0)
		return err_set(err, RC_CORRUPT, "of another archive");
	l->records =
		mem_grow(l->records, &l->cap, l->n + 1, sizeof(*l->records));
	l->records[l->n++] = *r;
	return RC_OK;
}

/* Sort them, and make those of one name one. */
static void unite(struct log_rest *l)
{
	size_t kept = 0;
	bool is_less;
	struct err err;

	if (l->n)
		qsort(l->records, l->n, sizeof(*l->records), by_name);
	for (size_t i = 0; i < l->n; i++) {
		if (!kept || by_name(&l->records[kept - 1], &l->records[i])) {
			l->records[kept++] = l->records[i];
			continue;
		}
		/* What is not of one record readers refuse. */
		(void)!oplog_record_reduce(&l->records[kept - 1],
					   &l->records[i], &is_less, &err);
		oplog_record_release(&l->records[i]);
	}
	l->n = kept;
}

static enum rc add_record(struct reader *rd, const char *name,
			  const struct buf *b, struct err *err)
{
	struct oplog_record r = { 0 };
	enum rc rc;

	if (oplog_record_decode(b->p, b->len, &r, err))
		return err->rc;
	r.name = xstrdup(name);
	sha256_of(b->p, b->len, r.sha256);
	rc = add(rd, &r, err);
	if (rc)
		oplog_record_release(&r);
	return rc;
}

/* RC_CORRUPT for what is damaged or another archive's; any other failure says
 * nothing of the object.
 */
static enum rc read_one(struct reader *rd, const char *key, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = OPLOG_RECORD_MAX };
	const char *name = key + strlen(LOG);
	uint8_t archive_id[SHARD_ID_LEN];
	int64_t time;

	if (store_read_all(rd->st, key, OPLOG_RECORD_MAX, &b, err))
		return err->rc;
	if (!oplog_checkpoint_name_time(name, &time))
		return add_record(rd, name, &b, err);
	return oplog_checkpoint_decode(b.p, b.len, archive_id, &time, add, rd,
				       err);
}

static bool is_of_log(const char *name)
{
	int64_t time;

	return oplog_record_name_time(name, &time) ||
	       oplog_checkpoint_name_time(name, &time);
}

enum rc log_rest_read(struct log_rest *ret, struct store *st,
		      const struct archive_list *list,
		      const uint8_t archive_id[SHARD_ID_LEN], struct err *err)
{
	struct reader rd = { ret, st, archive_id };
	const struct oplog_record **at;

	for (size_t i = 0; i < list->n; i++) {
		const struct archive_object *o = &list->objects[i];
		enum rc rc;

		if (o->kind != OBJECT_LOG || !is_of_log(o->key + strlen(LOG)))
			continue;
		rc = read_one(&rd, o->key, err);
		if (rc && rc != RC_CORRUPT)
			return rc;
		if (!rc)
			continue;
		ret->damaged =
			mem_grow(ret->damaged, &ret->damaged_cap,
				 ret->n_damaged + 1, sizeof(*ret->damaged));
		ret->damaged[ret->n_damaged++] = o->key;
	}
	unite(ret);
	at = xcalloc(ret->n + 1, sizeof(*at));
	for (size_t i = 0; i < ret->n; i++)
		at[i] = &ret->records[i];
	ret->state = oplog_state_new(at, ret->n);
	free(at);
	return RC_OK;
}

/* --- mending -------------------------------------------------------------- */

/* A record that says nothing, in the place of one that is lost. */
static enum rc stand_in(struct store *st, const struct oplog_prev *prev,
			const uint8_t archive_id[SHARD_ID_LEN], struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_CHECKPOINT_MAX };
	struct oplog_record r = { .kind = OPLOG_SHARDS, .name = prev->name };
	const struct oplog_record *records = &r;
	char key[OPLOG_CHECKPOINT_KEY_TEXT];
	bool existed = false;
	size_t n = 0;

	memcpy(r.sha256, prev->sha256, SHA256_LEN);
	if (!oplog_record_name_time(prev->name, &r.time))
		return err_set(err, RC_CORRUPT, "%s is no record", prev->name);
	if (oplog_checkpoint_encode(&records, 1, archive_id, r.time, NULL, NULL,
				    &text, &n, err) ||
	    oplog_checkpoint_key(r.time, key, sizeof(key), err) ||
	    store_put(st, key, text.p, text.len, &existed, err))
		return err->rc;
	return RC_OK;
}

/* Whether another before it has the same one before it. */
static bool is_again(const struct log_rest *l, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		const char *name = l->records[i].prev.name;

		if (name && !strcmp(name, l->records[at].prev.name))
			return true;
	}
	return false;
}

/* Versions, too: what is left of it has names, and no record will ever stand
 * for it.
 */
static enum rc remove_damaged(struct store *st, const char *key,
			      struct err *err)
{
	enum store_gone gone = STORE_KEPT;
	int64_t until;
	struct err why;
	enum rc rc = store_remove(st, key, err);

	if (rc)
		return rc;
	if (store_purge(st, key, &gone, &until, &why))
		log_warn("%s: versions of it may be left: %s", key, why.msg);
	else if (gone == STORE_KEPT)
		log_warn("%s: its store keeps it", key);
	return RC_OK;
}

enum rc log_rest_mend(const struct log_rest *l, struct store *st,
		      const uint8_t archive_id[SHARD_ID_LEN], bool is_dry,
		      log_rest_tell_fn *tell, void *arg, struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct oplog_prev *prev = &l->records[i].prev;

		if (!prev->name || has(l, prev->name) || is_again(l, i))
			continue;
		tell(arg, prev->name,
		     "lost log record: a checkpoint stands "
		     "for it, without what it said");
		if (!is_dry && stand_in(st, prev, archive_id, err))
			return err->rc;
	}
	for (size_t i = 0; i < l->n_damaged; i++) {
		tell(arg, l->damaged[i], "damaged log record removed");
		if (!is_dry && remove_damaged(st, l->damaged[i], err))
			return err->rc;
	}
	return RC_OK;
}

/* --- documents ------------------------------------------------------------ */

static bool is_suppression_known(const struct oplog_state *s, const char *key)
{
	for (size_t i = 0; i < oplog_state_n_suppressed(s); i++) {
		if (!strcmp(oplog_state_suppressed(s, i)->key, key))
			return true;
	}
	return false;
}

static enum rc check_tombstone(const char *key, const struct buf *b,
			       const uint8_t archive_id[SHARD_ID_LEN],
			       uint64_t *ret_n, struct err *err)
{
	struct tombstone t = { 0 };
	enum rc rc = tombstone_decode(b->p, b->len, &t, err);

	if (!rc)
		rc = tombstone_check_key(&t, key, err);
	if (!rc && memcmp(t.archive_id, archive_id, SHARD_ID_LEN) != 0)
		rc = err_set(err, RC_CORRUPT, "of another archive");
	*ret_n = t.n;
	tombstone_release(&t);
	return rc;
}

static enum rc check_suppression(const struct buf *b,
				 const uint8_t archive_id[SHARD_ID_LEN],
				 uint64_t *ret_n, struct err *err)
{
	struct suppression s = { 0 };
	enum rc rc = suppression_decode(b->p, b->len, &s, err);

	if (!rc && memcmp(s.archive_id, archive_id, SHARD_ID_LEN) != 0)
		rc = err_set(err, RC_CORRUPT, "of another archive");
	*ret_n = s.n;
	suppression_release(&s);
	return rc;
}

static void add_object(struct oplog_object **to, size_t *n, const char *key,
		       uint64_t count, const struct buf *b)
{
	size_t cap = *n;
	struct oplog_object *o;

	*to = mem_grow(*to, &cap, *n + 1, sizeof(**to));
	o = &(*to)[(*n)++];
	*o = (struct oplog_object){ .key = xstrdup(key), .count = count };
	sha256_of(b->p, b->len, o->sha256);
}

/* One that no record names. */
static enum rc add_document(struct store *st, const char *key,
			    const uint8_t archive_id[SHARD_ID_LEN],
			    struct oplog_record *tombstones,
			    struct oplog_record *erased, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	bool is_tombstone = tombstone_key_is_valid(key);
	uint64_t n = 0;
	enum rc rc;

	if (store_read_all(st, key, TOMBSTONE_MAX, &b, err))
		return err->rc;
	rc = is_tombstone ? check_tombstone(key, &b, archive_id, &n, err)
			  : check_suppression(&b, archive_id, &n, err);
	if (rc)
		return rc;
	if (is_tombstone)
		add_object(&tombstones->tombstones, &tombstones->n_tombstones,
			   key, n, &b);
	else
		add_object(&erased->suppressed, &erased->n_suppressed, key, n,
			   &b);
	return RC_OK;
}

enum rc log_rest_documents(struct store *st, const struct archive_list *list,
			   const struct oplog_state *state,
			   const uint8_t archive_id[SHARD_ID_LEN],
			   struct oplog_record *ret_tombstones,
			   struct oplog_record *ret_erased,
			   uint64_t *ret_damaged, log_rest_tell_fn *tell,
			   void *arg, struct err *err)
{
	*ret_tombstones = (struct oplog_record){ .kind = OPLOG_TOMBSTONES };
	*ret_erased = (struct oplog_record){ .kind = OPLOG_ERASED };
	for (size_t i = 0; i < list->n; i++) {
		const char *key = list->objects[i].key;
		enum rc rc;

		if (list->objects[i].kind != OBJECT_TOMBSTONE ||
		    (!tombstone_key_is_valid(key) &&
		     !suppression_key_is_valid(key)) ||
		    oplog_state_find_tombstone(state, key) ||
		    is_suppression_known(state, key))
			continue;
		rc = add_document(st, key, archive_id, ret_tombstones,
				  ret_erased, err);
		if (!rc) {
			tell(arg, key, "named in the log again");
			continue;
		}
		if (rc != RC_CORRUPT && rc != RC_LIMIT)
			return rc;
		tell(arg, key, err->msg);
		++*ret_damaged;
	}
	return RC_OK;
}
