/* SPDX-License-Identifier: Apache-2.0 */
/* resume.c - a run that goes on where an earlier one died, and tells the next
 * one how to.
 *
 * The file is written by a thread of its own, as often as a twentieth of the
 * time allows, and what is new is appended: over many slots it gets long.
 */
#include "config.h"

#include "pack/resume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/workers.h"
#include "pack/checkpoint.h"
#include "pack/commit.h"
#include "pack/feed.h"
#include "pack/filter.h"
#include "pack/pack.h"
#include "pack/past.h"
#include "store/store-write.h"
#include "verify/raw-shard.h"

/* For each second of writing so many of waiting. */
#define WAIT_FACTOR 20
#define RETRY_WAIT (5 * CLOCK_NS_PER_SEC)

struct resume {
	struct checkpoint_file file;
	struct checkpoint found; /* until it is committed */
	bool is_found;
	uint8_t options[SHARD_ID_LEN];

	/* The writer's while there is one. */
	size_t n_told; /* of the run's shards, those in the file */
	bool is_torn;  /* it has to be written anew */

	struct workers *writer; /* one thread; NULL: it does not run */
	pthread_mutex_t lock;   /* guards what follows */
	pthread_cond_t wake;
	bool is_behind; /* the file lacks something */
	bool is_ending;
};

/* --- options ---------------------------------------------------------------
 */

/* All that decides what shards hold; how they are made is no matter. */
static void hash_options(const struct pack *p, uint8_t out[SHARD_ID_LEN])
{
	const struct pack_options *o = p->opts;
	CLEANUP_BUF struct buf b = { .max = SIZE_MAX / 2 };
	uint8_t hash[SHA256_LEN];

	buf_printf(&b, "%d %d %d %d ", o->mirror, o->checksum,
		   o->one_file_system, !!o->files0_from);
	if (o->feed) {
		buf_append_str(&b, "feed ");
		if (o->feed->identity)
			buf_append_str(&b, o->feed->identity);
		buf_append(&b, "", 1);
	}
	if (o->allow_erased)
		buf_append_str(&b, "allow-erased ");
	buf_printf(&b, "%d %d %" PRIu32 " %" PRIu32 " %" PRIu64 " ",
		   (int)o->codec, o->level, o->sizes.group, o->sizes.large,
		   o->max_shard);
	buf_printf(&b, "%d %" PRId64 "\n", (int)o->created,
		   o->created == CREATED_TIME ? o->created_at : 0);
	/* A lone directory has no name in the archive, so its place counts. */
	for (size_t i = 0; i < p->sources.n; i++) {
		const struct source *s = &p->sources.v[i];
		CLEANUP_FREE char *real = realpath(s->path, NULL);

		buf_append(&b, s->name, s->name_len);
		buf_append(&b, "", 1);
		buf_append_str(&b, real ? real : s->path);
		buf_append(&b, "", 1);
	}
	buf_append_str(&b, "\n");
	if (o->filter)
		filter_describe(o->filter, &b);
	sha256_of(b.p, b.len, hash);
	memcpy(out, hash, SHARD_ID_LEN);
}

/* --- what an earlier run has left ------------------------------------------
 */

static enum rc check_found(const struct pack *p, const struct resume *r,
			   struct err *err)
{
	char its[WORKER_TEXT], ours[WORKER_TEXT];

	worker_format(&r->found.worker, its);
	worker_format(&p->opts->worker, ours);
	if (strcmp(its, ours) != 0)
		return err_set(err, RC_USAGE,
			       "%s: is the checkpoint of worker %s, this is %s",
			       r->file.path, its, ours);
	if (memcmp(r->found.options, r->options, sizeof(r->options)) != 0)
		return err_set(err, RC_USAGE,
			       "%s: is the checkpoint of a run with other "
			       "options or another source; use those again, or "
			       "remove it to begin anew",
			       r->file.path);
	return RC_OK;
}

enum rc resume_open(struct pack *p, struct err *err)
{
	CLEANUP_BUF struct buf text = { 0 };
	struct resume *r;

	if (!p->opts->checkpoint)
		return RC_OK;
	r = p->resume = xcalloc(1, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	cond_init(&r->wake);
	hash_options(p, r->options);
	if (checkpoint_file_open(&r->file, p->opts->checkpoint, &text, err))
		return err->rc;
	if (r->file.is_empty)
		return RC_OK;
	if (checkpoint_decode(text.p, text.len, &r->found, err))
		return err_prefix(err,
				  "%s: cannot be used; remove it to begin "
				  "anew",
				  r->file.path);
	r->is_found = true;
	if (check_found(p, r, err))
		return err->rc;
	if (r->found.is_cut)
		log_warn("%s: its last line is cut, what that told of is "
			 "packed again",
			 r->file.path);
	p->is_resumed = true;
	p->stamp = r->found.created_at;
	return RC_OK;
}

static enum rc check_place(const struct pack *p, const struct resume *r,
			   struct err *err)
{
	const struct descriptor *d = &p->descriptor;

	if (!p->has_descriptor ||
	    memcmp(r->found.archive_id, d->archive_id, SHARD_ID_LEN) != 0)
		return err_set(err, RC_USAGE,
			       "%s: is the checkpoint of another archive than "
			       "%s; remove it to begin anew",
			       r->file.path, p->opts->archive);
	for (size_t i = 0; i < r->found.n_shards; i++) {
		const struct shard_meta *m = &r->found.shards[i];

		if (m->n_bits != d->n_bits || m->route != d->route ||
		    m->revision || !worker_has(&p->opts->worker, m->slot))
			return err_set(err, RC_CORRUPT,
				       "%s: %s cannot be a shard of that run",
				       r->file.path, m->key);
	}
	return RC_OK;
}

/* What the log will say of the shard is what it says itself. */
static enum rc adopt_shard(struct pack *p, struct shard_meta *m,
			   struct err *err)
{
	struct shard_meta own = { 0 };
	struct shard_header header;
	struct raw_shard s;
	enum rc rc = raw_shard_open(&s, p->store, m->key, err);

	if (rc == RC_NOENT)
		return err->rc = RC_CHANGED;
	if (!rc)
		rc = raw_shard_header(&s, &header, err);
	if (!rc)
		rc = raw_shard_meta(&s, &own, err);
	if (!rc &&
	    (own.size != m->size ||
	     memcmp(own.root, m->root, sizeof(own.root)) != 0 ||
	     own.slot != m->slot || own.day != m->day || own.part != m->part ||
	     own.n_bits != m->n_bits || own.route != m->route || own.revision ||
	     memcmp(header.archive_id, p->descriptor.archive_id,
		    SHARD_ID_LEN) != 0))
		rc = err_set(err, RC_CORRUPT, "not the shard that was packed");
	if (rc) {
		shard_meta_release(&own);
		return err_prefix(err, "%s", m->key);
	}
	free(own.key);
	own.key = m->key;
	m->key = NULL;
	shard_meta_release(m);
	*m = own;
	return RC_OK;
}

/* The part that follows what counts of a day and slot. */
static uint32_t next_part(const struct pack *p, const struct shard_meta *m)
{
	size_t n;
	const struct past_part *parts = past_parts(p, m->slot, &n);

	for (size_t i = 0; i < n; i++) {
		if (parts[i].day == m->day)
			return parts[i].part;
	}
	return 0;
}

/* Keep those that may count now: still there, not in the log yet, and following
 * those that are, so that a slot goes on where it would have.  Returns how many
 * are lost.
 */
static size_t keep_followers(struct pack *p, const bool *is_gone)
{
	uint32_t day = 0, slot = 0, next = 0;
	size_t n = 0, lost = 0;

	for (size_t i = 0; i < p->n_shards; i++) {
		struct shard_meta *m = &p->shards[i];

		if (!i || m->day != day || m->slot != slot)
			next = next_part(p, m);
		day = m->day;
		slot = m->slot;
		if (m->part == next && !is_gone[i]) {
			next++;
			p->shards[n++] = *m;
			continue;
		}
		lost += m->part >= next;
		shard_meta_release(m);
	}
	p->n_shards = n;
	return lost;
}

static void forget_shards(struct pack *p)
{
	for (size_t i = 0; i < p->n_shards; i++)
		shard_meta_release(&p->shards[i]);
	p->n_shards = 0;
}

/* Have other runs packed into these slots since?  They compared with what there
 * was without these shards: what is old in those would come back, and what they
 * took for deleted would go.
 */
static bool is_overtaken(struct pack *p)
{
	struct resume *r = p->resume;

	if (!memcmp(p->past_id, r->found.past, SHARD_ID_LEN))
		return false;
	log_warn("%s: other runs have packed since; its run is not gone on "
		 "with, and what it had packed is packed again",
		 r->file.path);
	p->is_resumed = false;
	forget_shards(p);
	return true;
}

/* is_gone: those that were replaced are. */
static enum rc commit_found(struct pack *p, bool *is_gone, struct err *err)
{
	size_t lost = 0;
	enum rc rc = RC_OK;

	if (p->n_shards)
		rc = commit_each(p, adopt_shard, is_gone, err);
	if (!rc)
		lost = keep_followers(p, is_gone);
	if (lost)
		log_warn("%s: %zu of its shards are not there any more, their "
			 "files are packed again",
			 p->resume->file.path, lost);
	if (!rc && p->n_shards)
		rc = commit_record(p, err);
	if (!rc)
		forget_shards(p);
	return rc;
}

enum rc resume_commit(struct pack *p, struct err *err)
{
	CLEANUP_FREE bool *is_gone = NULL;
	struct resume *r = p->resume;

	if (!r || !r->is_found)
		return RC_OK;
	if (check_place(p, r, err))
		return err->rc;
	/* From here on a clean-up lets them be. */
	if (r->found.n_shards &&
	    store_run_begin(p->store, STORE_RUN_PACK, &p->run, err))
		return err->rc;
	p->shards = r->found.shards;
	p->n_shards = p->shards_cap = r->found.n_shards;
	r->found.shards = NULL;
	r->found.n_shards = 0;
	is_gone = xcalloc(p->n_shards + 1, sizeof(*is_gone));
	if (past_learn(p, p->shards, p->n_shards, is_gone, err))
		return err->rc;
	return is_overtaken(p) ? RC_OK : commit_found(p, is_gone, err);
}

/* --- what the next one may need --------------------------------------------
 */

/* The run's shards from first on; what they point to stays. */
static struct shard_meta *copy_shards(struct pack *p, size_t first,
				      size_t *ret_n)
{
	struct shard_meta *copy;
	LOCK_SCOPE(&p->lock);

	*ret_n = p->n_shards - first;
	copy = xcalloc(*ret_n + 1, sizeof(*copy));
	if (*ret_n)
		memcpy(copy, p->shards + first, *ret_n * sizeof(*copy));
	return copy;
}

static void fill(const struct pack *p, struct checkpoint *c)
{
	c->worker = p->opts->worker;
	c->created_at = p->stamp;
	memcpy(c->archive_id, p->descriptor.archive_id, SHARD_ID_LEN);
	memcpy(c->options, p->resume->options, SHARD_ID_LEN);
	memcpy(c->past, p->past_id, SHARD_ID_LEN);
}

static enum rc check_size(const struct pack *p, const struct buf *text,
			  uint64_t size, struct err *err)
{
	if (buf_ok(text) && text->len <= CHECKPOINT_MAX - size)
		return RC_OK;
	return err_set(err, RC_LIMIT, "%s: more than %u bytes",
		       p->resume->file.path, CHECKPOINT_MAX);
}

/* All of it, or only what the file lacks. */
static enum rc write_file(struct pack *p, bool whole, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = CHECKPOINT_MAX };
	struct resume *r = p->resume;
	size_t first = whole ? 0 : r->n_told;
	struct checkpoint c = { 0 };
	enum rc rc;

	fill(p, &c);
	c.shards = copy_shards(p, first, &c.n_shards);
	if (whole)
		checkpoint_encode_head(&c, &text);
	checkpoint_encode_shards(&c, &text);
	free(c.shards);
	rc = check_size(p, &text, whole ? 0 : r->file.size, err);
	if (!rc)
		rc = whole ? checkpoint_file_write(&r->file, text.p, text.len,
						   err)
			   : checkpoint_file_append(&r->file, text.p, text.len,
						    err);
	r->is_torn = rc;
	if (!rc)
		r->n_told = first + c.n_shards;
	return rc;
}

/* Of a run whose shards are in the log only the time is left. */
static enum rc write_end(struct pack *p, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = CHECKPOINT_MAX };
	struct checkpoint c = { 0 };

	fill(p, &c);
	for (size_t i = 0; i < p->n_shards; i++)
		past_id_add(c.past, p->shards[i].key);
	checkpoint_encode_head(&c, &text);
	return checkpoint_file_write(&p->resume->file, text.p, text.len, err);
}

/* A run does not fail for its checkpoint's sake. */
static bool try_write(struct pack *p)
{
	struct err err;

	if (!write_file(p, p->resume->is_torn, &err))
		return true;
	log_warn("checkpoint: %s", err.msg);
	return false;
}

/* With the lock held. */
static void wait_a_while(struct resume *r, uint64_t ns)
{
	uint64_t end = clock_mono_ns() + ns, now;

	for (now = clock_mono_ns(); !r->is_ending && now < end;
	     now = clock_mono_ns())
		cond_wait_for(&r->wake, &r->lock, end - now);
}

static void writer_main(void *arg)
{
	struct pack *p = arg;
	struct resume *r = p->resume;

	pthread_mutex_lock(&r->lock);
	while (!r->is_ending) {
		uint64_t start, wait;
		bool done;

		if (!r->is_behind) {
			pthread_cond_wait(&r->wake, &r->lock);
			continue;
		}
		r->is_behind = false;
		pthread_mutex_unlock(&r->lock);
		start = clock_mono_ns();
		done = try_write(p);
		wait = WAIT_FACTOR * (clock_mono_ns() - start);
		pthread_mutex_lock(&r->lock);
		r->is_behind |= !done;
		wait_a_while(r, done ? wait : wait + RETRY_WAIT);
	}
	pthread_mutex_unlock(&r->lock);
}

enum rc resume_begin(struct pack *p, struct err *err)
{
	struct resume *r = p->resume;

	if (!r)
		return RC_OK;
	if (write_file(p, true, err) ||
	    workers_start(&r->writer, "checkpoint", 1, 1, err))
		return err->rc;
	workers_submit(r->writer, writer_main, p);
	return RC_OK;
}

static void wake(struct resume *r, bool is_ending)
{
	LOCK_SCOPE(&r->lock);

	r->is_behind |= !is_ending;
	r->is_ending |= is_ending;
	pthread_cond_signal(&r->wake);
}

void resume_note(struct pack *p)
{
	if (p->resume)
		wake(p->resume, false);
}

void resume_settle(struct pack *p)
{
	struct resume *r = p->resume;

	if (!r || !r->writer)
		return;
	wake(r, true);
	workers_stop(r->writer);
	r->writer = NULL;
	if (r->is_behind)
		try_write(p);
}

void resume_end(struct pack *p, bool is_complete)
{
	struct resume *r = p->resume;
	struct err err;

	if (!r)
		return;
	resume_settle(p);
	/* Of a run that was stopped in good order all is in the log. */
	if (is_complete && checkpoint_file_remove(&r->file, &err))
		log_warn("checkpoint: %s", err.msg);
	else if (!is_complete && p->is_committed && write_end(p, &err))
		log_warn("checkpoint: %s", err.msg);
	checkpoint_file_close(&r->file);
	checkpoint_release(&r->found);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
	p->resume = NULL;
}
