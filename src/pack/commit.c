/* SPDX-License-Identifier: Apache-2.0 */
/* commit.c - a run's first and last word to the archive. */
#include "config.h"

#include "pack/commit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/workers.h"
#include "legacy/legacy-name.h"
#include "pack/pack.h"
#include "pack/past.h"
#include "pack/resume.h"
#include "shard/route.h"
#include "shard/shard-footer.h"
#include "shard/shard-format.h"
#include "store/store-write.h"
#include "volume/oplog.h"

#define DEFAULT_BITS_UID 8
#define DEFAULT_BITS_PARENT 4

#define LOOKERS 8 /* threads that look at shards in a server */
#define LOOKS 64  /* shards at a time */

static const char *route_text(unsigned int route)
{
	return route == ROUTE_UID ? "uid" : "parent";
}

/* What an archive without descriptor may hold: nothing. */
static enum rc refuse_key(void *arg, const char *key, uint64_t size,
			  struct err *err)
{
	const char *archive = arg;
	struct legacy_name name;

	(void)size;
	if (legacy_name_parse(key, strlen(key), &name))
		return err_set(err, RC_EXISTS,
			       "%s: has %s of an older program's archive: make "
			       "a new one of it ('desfs convert')",
			       archive, key);
	return err_set(err, RC_EXISTS,
		       "%s: not empty and no archive: it has %s but no %s",
		       archive, key, DESCRIPTOR_KEY);
}

static void new_descriptor(struct pack *p)
{
	const struct pack_options *o = p->opts;
	struct descriptor *d = &p->descriptor;

	*d = (struct descriptor){ .format = SHARD_VERSION };
	d->route = o->route == PACK_ANY_ROUTE ? ROUTE_PARENT : o->route;
	d->n_bits = o->n_bits;
	if (!d->n_bits && p->store)
		d->n_bits = store_n_bits(p->store);
	if (!d->n_bits)
		d->n_bits = d->route == ROUTE_UID ? DEFAULT_BITS_UID
						  : DEFAULT_BITS_PARENT;
}

static enum rc check_descriptor(const struct pack *p, struct err *err)
{
	const struct pack_options *o = p->opts;
	const struct descriptor *d = &p->descriptor;
	unsigned int zones = p->store ? store_n_bits(p->store) : 0;

	if (zones && zones != d->n_bits)
		return err_set(err, RC_USAGE,
			       "%s: its zones are made for n_bits %u, the "
			       "archive has %u",
			       o->archive, zones, d->n_bits);
	if (o->n_bits && o->n_bits != d->n_bits)
		return err_set(err, RC_USAGE,
			       "%s: has --n-bits %u, which cannot become %u",
			       o->archive, d->n_bits, o->n_bits);
	if (o->route != PACK_ANY_ROUTE && o->route != d->route)
		return err_set(err, RC_USAGE,
			       "%s: has --route %s, which cannot become %s",
			       o->archive, route_text(d->route),
			       route_text(o->route));
	return RC_OK;
}

static enum rc read_descriptor(struct pack *p, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = DESCRIPTOR_MAX };
	struct err refusal;
	enum rc rc = store_read_all(p->store, DESCRIPTOR_KEY, DESCRIPTOR_MAX,
				    &text, err);

	if (rc == RC_NOENT) {
		if (!store_list(p->store, "", NULL, refuse_key,
				(void *)(uintptr_t)p->opts->archive,
				&refusal)) {
			new_descriptor(p);
			return check_descriptor(p, err);
		}
		/* Another first run may have begun since. */
		rc = refusal.rc;
		if (rc == RC_EXISTS)
			rc = store_read_all(p->store, DESCRIPTOR_KEY,
					    DESCRIPTOR_MAX, &text, err);
		if (rc == RC_NOENT || refusal.rc != RC_EXISTS) {
			*err = refusal;
			return err->rc;
		}
	}
	if (!rc)
		rc = descriptor_decode(text.p, text.len, &p->descriptor, err);
	if (rc)
		return err_prefix(err, "%s", p->opts->archive);
	p->has_descriptor = true;
	return check_descriptor(p, err);
}

enum rc commit_open(struct pack *p, struct err *err)
{
	const struct pack_options *o = p->opts;
	enum rc rc;

	if (store_check_writable(o->archive, err))
		return err->rc;
	rc = o->dry_run
		     ? store_open(&p->store, o->archive, o->how.settings, err)
		     : store_create(&p->store, o->archive, o->how.settings,
				    err);
	if (rc == RC_NOENT && o->dry_run) {
		new_descriptor(p);
		return past_none(p, err);
	}
	if (!rc)
		rc = read_descriptor(p, err);
	if (!rc)
		rc = resume_commit(p, err);
	/* Before the log is read: what is deleted from here on waits for this
	 * run, which may not hear of it.
	 */
	if (!rc && !o->dry_run && !p->run)
		rc = store_run_begin(p->store, STORE_RUN_PACK, &p->run, err);
	if (rc)
		return rc;
	return p->has_descriptor ? past_open(p, err) : past_none(p, err);
}

/* Another first run was quicker: this one adds to its archive, if the files are
 * spread there as they are here.
 */
static enum rc follow_other(struct pack *p, struct err *err)
{
	struct descriptor mine = p->descriptor;
	enum rc rc = read_descriptor(p, err);

	if (rc || (mine.n_bits == p->descriptor.n_bits &&
		   mine.route == p->descriptor.route))
		return rc;
	return err_set(err, RC_EXISTS,
		       "%s: another run has just made this archive with "
		       "other options; run again to add to it",
		       p->opts->archive);
}

enum rc commit_begin(struct pack *p, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = DESCRIPTOR_MAX };
	bool existed = false;
	enum rc rc;

	if (p->has_descriptor)
		return RC_OK;
	p->descriptor.created_at = p->stamp;
	descriptor_set_id(&p->descriptor);
	descriptor_encode(&p->descriptor, &text);
	rc = store_put(p->store, DESCRIPTOR_KEY, text.p, text.len, &existed,
		       err);
	if (rc == RC_EXISTS)
		return follow_other(p, err);
	p->has_descriptor = !rc;
	return rc;
}

/* Still there, as a clean-up might have taken an unfinished run's for dead, and
 * the one that was packed: under its key there may have been a damaged one of
 * the same size.
 */
static enum rc check_shard(struct pack *p, struct shard_meta *m,
			   struct err *err)
{
	CLEANUP_BUF struct buf end = { .max = SHARD_FOOTER_SIZE };
	struct object_info info = { 0 };
	struct shard_footer footer;
	enum rc rc = store_read_tail(p->store, m->key, SHARD_FOOTER_SIZE, &end,
				     &info, err);

	/* Not the same as a source that is not there. */
	if (rc == RC_NOENT)
		rc = err->rc = RC_CHANGED;
	if (rc)
		return rc;
	if (info.size != m->size)
		return err_set(err, RC_CORRUPT,
			       "%s: is %" PRIu64 " bytes, %" PRIu64
			       " were packed",
			       m->key, info.size, m->size);
	if (shard_footer_decode(end.p, end.len, m->size, &footer, err))
		return err_prefix(err, "%s", m->key);
	if (memcmp(footer.root, m->root, SHARD_ROOT_LEN) != 0)
		return err_set(err, RC_CORRUPT,
			       "%s: root hash is not that of what was packed",
			       m->key);
	return RC_OK;
}

/* One look at a time, for a thread. */
struct look {
	struct job job;
	struct pack *p;
	commit_look_fn *fn;
	struct shard_meta *m;
	struct err err;
};

static void look_main(void *arg)
{
	struct look *l = arg;

	l->err.rc = RC_OK;
	l->err.rc = l->fn(l->p, l->m, &l->err);
}

/* Shards from first on, as many as there are looks at most; returns how many.
 */
static size_t look_at(struct pack *p, commit_look_fn *fn, struct workers *w,
		      struct look *looks, size_t first)
{
	size_t n = p->n_shards - first;

	if (n > LOOKS)
		n = LOOKS;
	for (size_t i = 0; i < n; i++) {
		looks[i].p = p;
		looks[i].fn = fn;
		looks[i].m = &p->shards[first + i];
		if (w)
			job_submit(w, &looks[i].job, look_main, &looks[i]);
		else
			look_main(&looks[i]);
	}
	for (size_t i = 0; w && i < n; i++)
		job_wait(w, &looks[i].job);
	return n;
}

enum rc commit_each(struct pack *p, commit_look_fn *fn, bool *is_gone,
		    struct err *err)
{
	CLEANUP_FREE struct look *looks = xcalloc(LOOKS, sizeof(*looks));
	struct workers *w = NULL;
	enum rc rc = RC_OK;
	size_t n;

	qsort(p->shards, p->n_shards, sizeof(*p->shards), shard_meta_compare);
	/* A server takes its time for each. */
	if (store_is_remote(p->store) && p->n_shards > 1)
		rc = workers_start(&w, "look", LOOKERS, LOOKS, err);
	for (size_t first = 0; !rc && first < p->n_shards; first += n) {
		n = look_at(p, fn, w, looks, first);
		for (size_t i = 0; i < n && !rc; i++) {
			if (is_gone && looks[i].err.rc == RC_CHANGED) {
				is_gone[first + i] = true;
			} else if (looks[i].err.rc) {
				*err = looks[i].err;
				rc = err->rc;
			}
		}
	}
	workers_stop(w);
	return rc;
}

/* A store without conditional writes may have let two first runs make the
 * archive, and one of them took its descriptor back.
 */
static enum rc check_descriptor_again(struct pack *p, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = DESCRIPTOR_MAX };
	struct descriptor now;
	enum rc rc;

	rc = store_read_all(p->store, DESCRIPTOR_KEY, DESCRIPTOR_MAX, &text,
			    err);
	/* Just when it is taken back there seems to be none. */
	if (rc == RC_NOENT)
		rc = store_read_all(p->store, DESCRIPTOR_KEY, DESCRIPTOR_MAX,
				    &text, err);
	if (!rc)
		rc = descriptor_decode(text.p, text.len, &now, err);
	if (rc)
		return err_prefix(err, "%s", p->opts->archive);
	if (!memcmp(now.archive_id, p->descriptor.archive_id, SHARD_ID_LEN))
		return RC_OK;
	return err_set(err, RC_EXISTS,
		       "%s: another run has made this archive meanwhile; run "
		       "again to add to it",
		       p->opts->archive);
}

/* A record that names what is not there is a failure to all who read it. */
static enum rc take_back(struct pack *p, const struct oplog_record *r,
			 size_t n_gone, const char *first, struct err *err)
{
	struct err failure;
	enum rc rc = oplog_take_back(p->store, r, p->descriptor.archive_id,
				     &failure);

	err_set(err, RC_CHANGED,
		"%s, one of %zu: gone when the run was to count, a clean-up "
		"took it for a dead run's; run again",
		first, n_gone);
	if (rc)
		err_prefix(err, "remove log/%s, which names what is gone (%s)",
			   r->name, failure.msg);
	return err->rc;
}

/* Where nobody else's locks are seen a clean-up that had looked before the run
 * said that it lives may remove a shard after the last look at it.
 */
static enum rc look_again(struct pack *p, const struct oplog_record *r,
			  struct err *err)
{
	CLEANUP_FREE bool *is_gone = xcalloc(p->n_shards + 1, sizeof(*is_gone));
	const char *first = NULL;
	struct err failure;
	size_t n = 0;

	if (commit_each(p, check_shard, is_gone, &failure))
		log_warn("log/%s: not looked at again: %s", r->name,
			 failure.msg);
	for (size_t i = p->n_shards; i-- > 0;) {
		n += is_gone[i];
		if (is_gone[i])
			first = p->shards[i].key;
	}
	return first ? take_back(p, r, n, first, err) : RC_OK;
}

enum rc commit_record(struct pack *p, struct err *err)
{
	/* Its time is not before the shards were looked at, which takes its
	 * time: readers look for new names among the last minutes only.
	 */
	struct oplog_record r = { .kind = OPLOG_SHARDS,
				  .shards = p->shards,
				  .n_shards = p->n_shards,
				  .allow_erased = p->opts->allow_erased };
	enum rc rc;

	rc = oplog_append(p->store, &r, p->descriptor.archive_id, err);
	if (!rc)
		rc = look_again(p, &r, err);
	/* The shards are the run's. */
	r.shards = NULL;
	r.n_shards = 0;
	oplog_record_release(&r);
	return rc;
}

enum rc commit_end(struct pack *p, struct err *err)
{
	enum rc rc;

	if (!p->n_shards)
		return RC_OK;
	if (past_check_replaced(p, err))
		return err->rc;
	rc = commit_each(p, check_shard, NULL, err);
	if (rc)
		return err_prefix(err, "shard packed by this run");
	rc = check_descriptor_again(p, err);
	return rc ? rc : commit_record(p, err);
}
