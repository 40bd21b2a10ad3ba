/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild.c - descriptor and log made again from the footers of the shards. */
#include "config.h"

#include "pack/rebuild.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pack/archive-list.h"
#include "pack/raw-shard.h"
#include "store/store-write.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"

#define RECORD_KEY_TEXT 128

struct intact {
	struct shard_meta meta;
	uint8_t archive_id[SHARD_ID_LEN];
	bool is_named; /* by the log as it is */
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
	bool has_log; /* it can be read, perhaps it is empty */
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
	if (m->revision)
		return err_set(err, RC_UNSUPPORTED,
			       "%s is a repacked shard: this version cannot "
			       "tell what it replaces",
			       m->key);
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

static void read_log(struct rebuild *r)
{
	struct err err;
	bool changed;

	r->log = oplog_new();
	oplog_expect(r->log, r->descriptor.archive_id);
	r->has_log = !oplog_read(r->log, r->store, &changed, &err);
	if (!r->has_log) {
		tell(r, "log", err.msg);
		return;
	}
	for (size_t i = 0; i < oplog_count(r->log); i++) {
		struct intact key = { .meta = *oplog_shard(r->log, i) };
		struct intact *s = bsearch(&key, r->shards, r->n, sizeof(key),
					   meta_by_key);

		if (s)
			s->is_named = true;
	}
}

/* RC_CORRUPT for a record that is damaged or another archive's; any other
 * failure says nothing of the record.
 */
static enum rc check_record(struct rebuild *r, const char *key, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = OPLOG_RECORD_MAX };
	struct oplog_record record = { 0 };
	enum rc rc;

	rc = store_read_all(r->store, key, OPLOG_RECORD_MAX, &b, err);
	if (!rc)
		rc = oplog_record_decode(b.p, b.len, &record, err);
	if (!rc && memcmp(record.archive_id, r->descriptor.archive_id,
			  SHARD_ID_LEN) != 0)
		rc = err_set(err, RC_CORRUPT, "of another archive");
	oplog_record_release(&record);
	return rc;
}

/* Once a record says all they may have said. */
static enum rc remove_damaged_records(struct rebuild *r, struct err *err)
{
	for (size_t i = 0; i < r->list.n; i++) {
		const struct archive_object *o = &r->list.objects[i];
		enum rc rc;

		if (o->kind != OBJECT_LOG)
			continue;
		rc = check_record(r, o->key, err);
		if (!rc)
			continue;
		if (rc != RC_CORRUPT)
			return rc;
		tell(r, o->key, "damaged log record removed");
		if (!r->opts->dry_run && store_remove(r->store, o->key, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc write_record(struct rebuild *r, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = OPLOG_RECORD_MAX };
	struct shard_meta *metas = xcalloc(r->n + 1, sizeof(*metas));
	struct oplog_record record = { .time = clock_wall_ns() / 1000,
				       .shards = metas };
	char key[RECORD_KEY_TEXT];
	bool existed;
	enum rc rc;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->shards[i].is_named)
			metas[record.n_shards++] = r->shards[i].meta;
	}
	r->totals->added = record.n_shards;
	oplog_record_encode(&record, r->descriptor.archive_id, &b);
	free(metas);
	if (!record.n_shards || r->opts->dry_run)
		return RC_OK;
	if (!buf_ok(&b))
		return err_set(err, RC_LIMIT, "log record is too large");
	rc = oplog_record_key(record.time, key, sizeof(key), err);
	if (!rc)
		rc = store_put(r->store, key, b.p, b.len, &existed, err);
	if (!rc)
		tell(r, key, "written");
	return rc;
}

static enum rc rebuild_log(struct rebuild *r, struct err *err)
{
	enum rc rc;

	if (r->n)
		qsort(r->shards, r->n, sizeof(*r->shards), meta_by_key);
	read_log(r);
	r->totals->shards = r->n;
	if (r->has_log && oplog_count(r->log) && !r->opts->force) {
		if (r->totals->descriptor_written)
			return RC_OK;
		return err_set(err, RC_EXISTS,
			       "descriptor and log are there and can be read; "
			       "--force adds shards the log does not name, "
			       "which may be half a run");
	}
	rc = write_record(r, err);
	if (!rc && !r->has_log)
		rc = remove_damaged_records(r, err);
	return rc;
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
			rc = store_run_begin(r.store, &run, err);
	}
	if (!rc)
		rc = rebuild(&r, err);
	if (run)
		store_run_end(run, !rc);
	release(&r);
	return rc;
}
