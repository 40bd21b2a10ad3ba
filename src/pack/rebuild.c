/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild.c - descriptor and log made again from the footers of the shards. */
#include "config.h"

#include "pack/rebuild.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/archive-list.h"
#include "pack/raw-shard.h"
#include "pack/rebuild-log.h"
#include "store/store-write.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"

struct intact {
	struct shard_meta meta;
	uint8_t archive_id[SHARD_ID_LEN];
	bool is_known; /* the log as it is says something of it */
	bool is_out;   /* it is not to count */
};

struct rebuild {
	const struct rebuild_options *opts;
	struct rebuild_totals *totals;
	struct store *store;
	struct archive_list list;
	struct intact *shards;
	size_t n, cap;
	struct descriptor descriptor;
	bool has_descriptor;
	struct oplog *log;
	bool has_log;         /* it can be read, perhaps it is empty */
	struct log_rest rest; /* else what is left of it */
};

static void tell(struct rebuild *r, const char *key, const char *text)
{
	r->opts->tell(r->opts->arg, key, text);
}

/* --- what there is -------------------------------------------------------- */

static enum rc check_key(const struct shard_meta *m, struct err *err)
{
	char want[SHARD_KEY_TEXT];

	shard_key(m, want);
	if (strcmp(want, m->key) != 0)
		return err_set(err, RC_CORRUPT,
			       "its footer asks for the name %s", want);
	return RC_OK;
}

static enum rc read_shard(struct rebuild *r, const char *key, struct err *err)
{
	struct shard_meta meta = { 0 };
	struct shard_header header;
	struct raw_shard s;
	struct intact *i;
	enum rc rc;

	rc = raw_shard_open(&s, r->store, key, err);
	if (!rc)
		rc = raw_shard_header(&s, &header, err);
	if (!rc)
		rc = raw_shard_meta(&s, &meta, err);
	if (!rc)
		rc = check_key(&meta, err);
	if (rc) {
		shard_meta_release(&meta);
		return rc;
	}
	r->shards = mem_grow(r->shards, &r->cap, r->n + 1, sizeof(*r->shards));
	i = &r->shards[r->n++];
	*i = (struct intact){ .meta = meta };
	memcpy(i->archive_id, header.archive_id, SHARD_ID_LEN);
	return RC_OK;
}

static enum rc read_shards(struct rebuild *r, struct err *err)
{
	for (size_t i = 0; i < r->list.n; i++) {
		const struct archive_object *o = &r->list.objects[i];
		enum rc rc;

		if (o->kind != OBJECT_SHARD)
			continue;
		rc = read_shard(r, o->key, err);
		if (rc == RC_UNSUPPORTED || rc == RC_NOMEM)
			return rc;
		if (!rc)
			continue;
		tell(r, o->key, err->msg);
		r->totals->damaged++;
	}
	if (!r->n)
		return err_set(err, RC_NOENT,
			       "no intact shard to rebuild from");
	return RC_OK;
}

static void read_descriptor(struct rebuild *r)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	struct err err;
	enum rc rc;

	rc = store_read_all(r->store, DESCRIPTOR_KEY, DESCRIPTOR_MAX, &b, &err);
	if (!rc)
		rc = descriptor_decode(b.p, b.len, &r->descriptor, &err);
	r->has_descriptor = !rc;
	if (rc && rc != RC_NOENT)
		tell(r, DESCRIPTOR_KEY, err.msg);
}

/* --- the descriptor ------------------------------------------------------- */

static bool try_time(struct rebuild *r, const struct intact *like, int64_t time)
{
	struct descriptor d = { .format = SHARD_VERSION,
				.n_bits = like->meta.n_bits,
				.route = like->meta.route,
				.created_at = time };

	descriptor_set_id(&d);
	if (memcmp(d.archive_id, like->archive_id, SHARD_ID_LEN) != 0)
		return false;
	r->descriptor = d;
	return true;
}

/* The time of the first run is one of those the shards hold. */
static enum rc guess_descriptor(struct rebuild *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		for (size_t j = 0; j < r->n; j++) {
			const struct shard_meta *m = &r->shards[j].meta;

			if (try_time(r, &r->shards[i], m->created_min) ||
			    try_time(r, &r->shards[i], m->created_max))
				return RC_OK;
		}
		/* All of an archive have the same id: one try is enough. */
		if (i + 1 < r->n &&
		    !memcmp(r->shards[i].archive_id,
			    r->shards[i + 1].archive_id, SHARD_ID_LEN))
			break;
	}
	return err_set(err, RC_CORRUPT,
		       "%s cannot be worked out: no time in the shards gives "
		       "the archive id they carry; copy it from a backup",
		       DESCRIPTOR_KEY);
}

static enum rc write_descriptor(struct rebuild *r, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	bool existed;
	enum rc rc;

	tell(r, DESCRIPTOR_KEY, "written anew");
	r->totals->descriptor_written = true;
	if (r->opts->dry_run)
		return RC_OK;
	descriptor_encode(&r->descriptor, &b);
	/* What is there, if anything, is damaged. */
	rc = store_remove(r->store, DESCRIPTOR_KEY, err);
	if (!rc || rc == RC_NOENT)
		rc = store_put(r->store, DESCRIPTOR_KEY, b.p, b.len, &existed,
			       err);
	return rc;
}

/* Shards of other archives do not belong here. */
static void drop_foreign(struct rebuild *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct intact *s = &r->shards[i];

		if (!memcmp(s->archive_id, r->descriptor.archive_id,
			    SHARD_ID_LEN)) {
			r->shards[n++] = *s;
			continue;
		}
		tell(r, s->meta.key, "it is a shard of another archive");
		r->totals->damaged++;
		shard_meta_release(&s->meta);
	}
	r->n = n;
}

/* --- the log -------------------------------------------------------------- */

static int meta_by_key(const void *a, const void *b)
{
	const struct intact *x = a, *y = b;

	return strcmp(x->meta.key, y->meta.key);
}

static enum rc read_log(struct rebuild *r, struct err *err)
{
	const struct oplog_state *state;
	bool changed;

	r->log = oplog_new();
	oplog_expect(r->log, r->descriptor.archive_id);
	r->has_log = !oplog_read(r->log, r->store, &changed, err);
	if (!r->has_log) {
		tell(r, "log", err->msg);
		if (log_rest_read(&r->rest, r->store, &r->list,
				  r->descriptor.archive_id, err))
			return err->rc;
	}
	state = r->has_log ? oplog_state(r->log) : r->rest.state;
	for (size_t i = 0; i < r->n; i++)
		r->shards[i].is_known =
			oplog_state_knows(state, r->shards[i].meta.key);
	return RC_OK;
}

/* Whether both are of one day and slot: a repack puts shards of these in the
 * place of others.
 */
static bool are_of_one_slot(const struct shard_meta *a,
			    const struct shard_meta *b)
{
	return a->day == b->day && a->slot == b->slot &&
	       a->n_bits == b->n_bits && a->route == b->route;
}

/* Those that may be of the slot of one: shards are in order of their keys, in
 * which day and slot come first.
 */
struct slot {
	size_t begin, end;
};

static bool may_be_of(const struct shard_meta *a, const struct shard_meta *b)
{
	return a->day == b->day && a->slot == b->slot;
}

static struct slot slot_of(const struct rebuild *r, size_t at)
{
	const struct shard_meta *m = &r->shards[at].meta;
	struct slot s = { at, at + 1 };

	while (s.begin && may_be_of(&r->shards[s.begin - 1].meta, m))
		s.begin--;
	while (s.end < r->n && may_be_of(&r->shards[s.end].meta, m))
		s.end++;
	return s;
}

/* A revision that no record names beside another shard of its slot: one may
 * have taken the place of the other, or was to, or neither.
 */
static const struct intact *other_of(const struct rebuild *r, size_t at)
{
	struct slot s = slot_of(r, at);

	for (size_t i = s.begin; i < s.end; i++) {
		if (i != at &&
		    are_of_one_slot(&r->shards[i].meta, &r->shards[at].meta))
			return &r->shards[i];
	}
	return NULL;
}

static bool has_later(const struct rebuild *r, size_t at)
{
	const struct shard_meta *m = &r->shards[at].meta;
	struct slot s = slot_of(r, at);

	for (size_t i = s.begin; i < s.end; i++) {
		const struct shard_meta *x = &r->shards[i].meta;

		if (are_of_one_slot(x, m) && x->part == m->part &&
		    x->revision > m->revision && !r->shards[i].is_known)
			return true;
	}
	return false;
}

/* Which of the shards that no record names are not to count. */
static enum rc choose(struct rebuild *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct intact *s = &r->shards[i];
		const struct intact *other;

		if (s->is_known)
			continue;
		other = s->meta.revision ? other_of(r, i) : NULL;
		if (r->has_log && oplog_count(r->log) && s->meta.revision) {
			s->is_out = true;
			tell(r, s->meta.key,
			     "left out: a repack that no record tells of");
		} else if (other && !r->opts->force) {
			return err_set(err, RC_UNSUPPORTED,
				       "%s is a repacked shard, and %s is "
				       "there, too: without the log nobody "
				       "knows which of them counts; --force "
				       "takes the last revision of each part, "
				       "which may bring back what was deleted",
				       s->meta.key, other->meta.key);
		} else if (has_later(r, i)) {
			s->is_out = true;
			tell(r, s->meta.key,
			     "left out: a later revision is there");
		}
	}
	return RC_OK;
}

static enum rc write_one(struct rebuild *r, struct oplog_record *record,
			 struct err *err)
{
	CLEANUP_FREE char *key = NULL;

	if (r->opts->dry_run)
		return RC_OK;
	if (oplog_write(r->log, r->store, record, r->descriptor.archive_id,
			err))
		return err->rc;
	key = xasprintf("log/%s", record->name);
	tell(r, key, "written");
	return RC_OK;
}

static enum rc write_shards(struct rebuild *r, struct err *err)
{
	struct shard_meta *metas = xcalloc(r->n + 1, sizeof(*metas));
	struct oplog_record record = { .kind = OPLOG_SHARDS, .shards = metas };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->shards[i].is_known && !r->shards[i].is_out)
			metas[record.n_shards++] = r->shards[i].meta;
	}
	r->totals->added = record.n_shards;
	if (record.n_shards)
		rc = write_one(r, &record, err);
	/* Only the names are the record's. */
	record.n_shards = 0;
	oplog_record_release(&record);
	return rc;
}

/* What is deleted stays so: documents count again before shards do. */
static enum rc write_documents(struct rebuild *r, struct err *err)
{
	struct oplog_record tombstones = { 0 }, erased = { 0 };
	uint64_t n_damaged = 0;
	enum rc rc;

	rc = log_rest_documents(r->store, &r->list,
				r->has_log ? oplog_state(r->log)
					   : r->rest.state,
				r->descriptor.archive_id, &tombstones, &erased,
				&n_damaged, r->opts->tell, r->opts->arg, err);
	if (!rc && n_damaged && !r->opts->force)
		rc = err_set(err, RC_CORRUPT,
			     "%llu tombstone documents that no record names "
			     "are damaged, so that nobody knows what is "
			     "deleted; --force does without them",
			     (unsigned long long)n_damaged);
	r->totals->damaged += n_damaged;
	if (!rc && tombstones.n_tombstones)
		rc = write_one(r, &tombstones, err);
	if (!rc && erased.n_suppressed)
		rc = write_one(r, &erased, err);
	oplog_record_release(&tombstones);
	oplog_record_release(&erased);
	return rc;
}

static enum rc rebuild_log(struct rebuild *r, struct err *err)
{
	if (r->n)
		qsort(r->shards, r->n, sizeof(*r->shards), meta_by_key);
	if (read_log(r, err))
		return err->rc;
	r->totals->shards = r->n;
	if (r->has_log && oplog_count(r->log) && !r->opts->force) {
		if (r->totals->descriptor_written)
			return RC_OK;
		return err_set(err, RC_EXISTS,
			       "descriptor and log are there and can be read; "
			       "--force adds shards the log does not name, "
			       "which may be half a run");
	}
	if (choose(r, err) || write_documents(r, err) || write_shards(r, err))
		return err->rc;
	if (r->has_log)
		return RC_OK;
	return log_rest_mend(&r->rest, r->store, r->descriptor.archive_id,
			     r->opts->dry_run, r->opts->tell, r->opts->arg,
			     err);
}

/* --- all of it ------------------------------------------------------------ */

static enum rc rebuild(struct rebuild *r, struct err *err)
{
	enum rc rc;

	rc = archive_list_read(&r->list, r->store, err);
	if (rc)
		return rc;
	read_descriptor(r);
	rc = read_shards(r, err);
	if (rc)
		return rc;
	if (!r->has_descriptor) {
		rc = guess_descriptor(r, err);
		if (!rc)
			rc = write_descriptor(r, err);
	}
	if (rc)
		return rc;
	drop_foreign(r);
	return rebuild_log(r, err);
}

static void release(struct rebuild *r)
{
	for (size_t i = 0; i < r->n; i++)
		shard_meta_release(&r->shards[i].meta);
	free(r->shards);
	archive_list_release(&r->list);
	oplog_free(r->log);
	log_rest_release(&r->rest);
	store_close(r->store);
}

enum rc rebuild_archive(const char *url, const struct rebuild_options *opts,
			struct rebuild_totals *ret, struct err *err)
{
	struct rebuild r = { .opts = opts, .totals = ret };
	struct store_run *run = NULL;
	enum rc rc;

	*ret = (struct rebuild_totals){ 0 };
	if (store_check_writable(url, err))
		return err->rc;
	rc = store_open(&r.store, url, opts->settings, err);
	if (!rc && !opts->dry_run) {
		/* It is there, so this makes nothing. */
		store_close(r.store);
		r.store = NULL;
		rc = store_create(&r.store, url, opts->settings, err);
		if (!rc)
			rc = store_run_begin(r.store, STORE_RUN_REBUILD, &run, err);
	}
	if (!rc)
		rc = rebuild(&r, err);
	if (run)
		store_run_end(run, !rc);
	release(&r);
	return rc;
}
