/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild.c - descriptor and log made again from the footers of the shards. */
#include "config.h"

#include "verify/rebuild.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "legacy/legacy-store.h"
#include "store/store-write.h"
#include "verify/raw-shard.h"
#include "verify/rebuild-backend.h"

const struct oplog_state *rebuild_state(const struct rebuild *r)
{
	return r->has_log ? oplog_state(r->log) : r->rest.state;
}

void rebuild_tell(struct rebuild *r, const char *key, const char *text)
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
		rebuild_tell(r, o->key, err->msg);
		r->totals->damaged++;
	}
	if (r->n)
		return RC_OK;
	err_set(err, RC_NOENT, "no intact shard to rebuild from");
	return legacy_store_refuse(r->store, err);
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
		rebuild_tell(r, DESCRIPTOR_KEY, err.msg);
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

	rebuild_tell(r, DESCRIPTOR_KEY, "written anew");
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
		rebuild_tell(r, s->meta.key,
			     "it is a shard of another archive");
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
		rebuild_tell(r, "log", err->msg);
		if (log_rest_read(&r->rest, r->store, &r->list,
				  r->descriptor.archive_id, err))
			return err->rc;
	}
	state = rebuild_state(r);
	for (size_t i = 0; i < r->n; i++)
		r->shards[i].is_known =
			oplog_state_knows(state, r->shards[i].meta.key);
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
	rebuild_tell(r, key, "written");
	return RC_OK;
}

/* Nobody knows any more which of them were allowed to bring what is not to come
 * back; to take all for not allowed would have the next reap delete what is
 * there on purpose.  What a log that is there does not name has no such past.
 */
static bool may_have_erased(const struct rebuild *r)
{
	return r->has_lists && (!r->has_log || !oplog_count(r->log));
}

static enum rc write_shards(struct rebuild *r, struct err *err)
{
	struct shard_meta *metas = xcalloc(r->n + 1, sizeof(*metas));
	struct oplog_record record = { .kind = OPLOG_SHARDS, .shards = metas };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->shards[i].is_known && !r->shards[i].is_out &&
		    !r->shards[i].is_told)
			metas[record.n_shards++] = r->shards[i].meta;
	}
	r->totals->added += record.n_shards;
	record.allow_erased = record.n_shards && may_have_erased(r);
	if (record.allow_erased)
		rebuild_tell(r, "log",
			     "nothing is known of --allow-erased: desfs reap "
			     "will not look in these shards for what is not to "
			     "come back");
	if (record.n_shards)
		rc = write_one(r, &record, err);
	/* Only the names are the record's. */
	record.n_shards = 0;
	oplog_record_release(&record);
	return rc;
}

/* The record of a repack that is lost, as far as it can be told from what it
 * has made.
 */
static enum rc write_repack(struct rebuild *r, size_t begin, size_t end,
			    struct err *err)
{
	struct oplog_record record = { .kind = OPLOG_REPACK,
				       .why = OPLOG_DELETED };
	const struct shard_meta *first = r->gone.all[begin];
	enum rc rc;

	record.replaces = xcalloc(end - begin, sizeof(*record.replaces));
	for (size_t i = begin; i < end; i++) {
		const struct shard_meta *m = r->gone.all[i];
		struct oplog_replaced *to =
			&record.replaces[record.n_replaces++];

		rebuild_tell(
			r, m->key,
			"its bytes are gone: the record of what took its place is "
			"made again");
		to->key = xstrdup(m->key);
		memcpy(to->root, m->root, SHARD_ROOT_LEN);
	}
	record.shards = xcalloc(r->n + 1, sizeof(*record.shards));
	for (size_t i = 0; i < r->n; i++) {
		struct intact *s = &r->shards[i];

		if (s->is_known || s->is_out || !s->meta.revision ||
		    !rebuild_are_of_one_slot(&s->meta, first))
			continue;
		s->is_told = true;
		record.shards[record.n_shards++] = s->meta;
	}
	r->totals->added += record.n_shards;
	rc = write_one(r, &record, err);
	/* Only the names are the record's. */
	record.n_shards = 0;
	oplog_record_release(&record);
	return rc;
}

static enum rc write_repacks(struct rebuild *r, struct err *err)
{
	size_t begin = 0;

	for (size_t i = 1; i <= r->gone.n; i++) {
		if (i < r->gone.n &&
		    rebuild_are_of_one_slot(r->gone.all[i], r->gone.all[begin]))
			continue;
		if (write_repack(r, begin, i, err))
			return err->rc;
		begin = i;
	}
	return RC_OK;
}

/* Nobody reads an archive of which it is not known what is deleted. */
static enum rc drop_lost(struct rebuild *r, struct err *err)
{
	struct oplog_record lost = { 0 };
	enum rc rc = log_rest_live(r->store, rebuild_state(r),
				   r->descriptor.archive_id, r->opts->dry_run,
				   &lost, r->opts->tell, r->opts->arg, err);

	if (!rc && lost.n_done && !r->opts->drop_tombstones)
		rc = err_set(err, RC_CORRUPT,
			     "%zu tombstones that the log names are lost, so "
			     "that nobody knows what they delete, and readers "
			     "refuse the archive: bring them back from a "
			     "backup or another store; or do without them, "
			     "with --drop-tombstones: what they delete comes "
			     "back, unless it was repacked",
			     lost.n_done);
	r->totals->damaged += lost.n_done;
	if (!rc && lost.n_done)
		rc = write_one(r, &lost, err);
	oplog_record_release(&lost);
	return rc;
}

/* What is deleted stays so: documents count again before shards do. */
static enum rc write_documents(struct rebuild *r, struct err *err)
{
	struct oplog_record tombstones = { 0 }, erased = { 0 };
	uint64_t n_damaged = 0;
	enum rc rc;

	rc = log_rest_documents(r->store, &r->list, rebuild_state(r),
				r->descriptor.archive_id, &tombstones, &erased,
				&n_damaged, r->opts->tell, r->opts->arg, err);
	if (!rc && n_damaged && !r->opts->force)
		rc = err_set(err, RC_CORRUPT,
			     "%llu tombstone documents that no record names "
			     "are damaged, so that nobody knows what is "
			     "deleted; --force does without them",
			     (unsigned long long)n_damaged);
	r->totals->damaged += n_damaged;
	r->has_lists = erased.n_suppressed ||
		       oplog_state_n_suppressed(rebuild_state(r));
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
	if (rebuild_choose(r, err) || drop_lost(r, err) ||
	    write_documents(r, err) || write_repacks(r, err) ||
	    write_shards(r, err))
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
	rebuild_gone_release(&r->gone);
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
			rc = store_run_begin(r.store, STORE_RUN_REBUILD, &run,
					     err);
	}
	if (!rc)
		rc = rebuild(&r, err);
	if (run)
		store_run_end(run, !rc);
	release(&r);
	return rc;
}
