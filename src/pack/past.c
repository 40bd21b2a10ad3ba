/* SPDX-License-Identifier: Apache-2.0 */
/* past.c - what the archive has already, and the time of this run that follows
 * from it.
 */
#include "config.h"

#include "pack/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "pack/erased.h"
#include "pack/lost-log.h"
#include "pack/pack.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"
#include "volume/volume.h"

/* Only directories are looked up there. */
#define BEFORE_PAGES (8u << 20)

/* What the log says. */
struct past {
	bool has_any;    /* shards */
	bool has_own;    /* of slots of this worker */
	bool has_same;   /* of runs of this time */
	bool has_before; /* of others */
	int64_t newest, newest_before;
};

/* Is the time of the run known before it has looked? */
static bool has_time(const struct pack *p)
{
	return p->opts->created == CREATED_TIME ||
	       (p->opts->created == CREATED_NOW && p->is_resumed);
}

/* Was the shard made by a run of this time? */
static bool is_same_run(const struct pack *p, const struct shard_meta *m)
{
	/* Such a run is the archive's first. */
	if (p->opts->created == CREATED_MTIME)
		return p->is_resumed && worker_has(&p->opts->worker, m->slot);
	return has_time(p) && m->created_min == p->stamp &&
	       m->created_max == p->stamp;
}

static void add_part(struct pack *p, const struct shard_meta *m)
{
	p->parts = mem_grow(p->parts, &p->parts_cap, p->n_parts + 1,
			    sizeof(*p->parts));
	p->parts[p->n_parts++] = (struct past_part){ .slot = m->slot,
						     .day = m->day,
						     .part = m->part + 1 };
}

static void add_part_of_key(struct pack *p, const char *key)
{
	struct past_part part = { .day = (uint32_t)strtoul(key, NULL, 10) };
	char *at = strchr(key, '_');

	if (!at)
		return;
	part.slot = (uint32_t)strtoul(at + 1, &at, 16);
	if (*at == '_')
		part.part = (uint32_t)strtoul(at + 1, NULL, 10) + 1;
	p->parts = mem_grow(p->parts, &p->parts_cap, p->n_parts + 1,
			    sizeof(*p->parts));
	p->parts[p->n_parts++] = part;
}

/* A feed's records have their times, whenever they are packed, so a shard of
 * them may be what one was before, which was replaced and never counts again.
 * Their parts begin behind those.
 */
static void add_old_parts(struct pack *p, const struct oplog_state *state)
{
	if (!p->opts->feed)
		return;
	for (size_t i = 0; i < oplog_state_n_old(state); i++)
		add_part_of_key(p, oplog_state_old(state, i)->key);
	for (size_t i = 0; i < oplog_state_n_purged(state); i++)
		add_part_of_key(p, oplog_state_purged_at(state, i)->key);
}

void past_id_add(uint8_t id[SHARD_ID_LEN], const char *key)
{
	uint8_t hash[SHA256_LEN];

	sha256_of(key, strlen(key), hash);
	for (size_t i = 0; i < SHARD_ID_LEN; i++)
		id[i] ^= hash[i];
}

static void add_to_id(struct pack *p, const struct shard_meta *m)
{
	if (worker_has(&p->opts->worker, m->slot))
		past_id_add(p->past_id, m->key);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void add_shard(struct pack *p, struct past *past,
		      const struct shard_meta *m)
{
	bool is_same = is_same_run(p, m);

	add_to_id(p, m);
	past->has_any = true;
	past->has_own |= worker_has(&p->opts->worker, m->slot);
	past->newest = later(past->newest, m->created_max);
	if (is_same) {
		past->has_same = true;
		add_part(p, m);
	} else {
		past->has_before = true;
		past->newest_before =
			later(past->newest_before, m->created_max);
	}
}

static int compare_parts(const void *a, const void *b)
{
	const struct past_part *x = a, *y = b;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

/* Keep the last part of each day. */
static void sort_parts(struct pack *p)
{
	size_t n = 0;

	if (p->n_parts)
		qsort(p->parts, p->n_parts, sizeof(*p->parts), compare_parts);
	for (size_t i = 0; i < p->n_parts; i++) {
		const struct past_part *at = &p->parts[i];

		if (n && p->parts[n - 1].slot == at->slot &&
		    p->parts[n - 1].day == at->day)
			n--;
		p->parts[n++] = *at;
	}
	p->n_parts = n;
}

/* The look at the store is for who finds no shard named: once in an archive's
 * life.
 */
static enum rc check_log(const struct pack *p, const struct oplog *log,
			 const struct shard_meta *known, size_t n_known,
			 struct err *err)
{
	if (lost_log_names_shards(log) || p->opts->dry_run)
		return RC_OK;
	return lost_log_check(p->store, p->run, known, n_known, err);
}

enum rc past_learn(struct pack *p, const struct shard_meta *but, size_t n_but,
		   bool *ret_replaced, struct err *err)
{
	struct oplog *log = oplog_new();
	bool changed = false;
	enum rc rc = oplog_read(log, p->store, &changed, err);

	if (!rc)
		rc = check_log(p, log, but, n_but, err);
	for (size_t i = 0; !rc && i < oplog_count(log); i++) {
		const struct shard_meta *m = oplog_shard(log, i);

		if (is_same_run(p, m))
			add_part(p, m);
		if (!n_but ||
		    !bsearch(m, but, n_but, sizeof(*but), shard_meta_compare))
			add_to_id(p, m);
	}
	for (size_t i = 0; !rc && i < n_but; i++)
		ret_replaced[i] =
			oplog_state_replaced_by(oplog_state(log), but[i].key);
	if (!rc)
		add_old_parts(p, oplog_state(log));
	oplog_free(log);
	sort_parts(p);
	return rc;
}

/* Were the shard's bytes removed, in one zone at least? */
static bool is_purged(const struct oplog_state *state, const char *key)
{
	for (size_t i = 0; i < oplog_state_n_old(state); i++) {
		const struct oplog_old *old = oplog_state_old(state, i);

		if (old->is_purged && !strcmp(old->key, key))
			return true;
	}
	for (size_t i = 0; i < oplog_state_n_purged(state); i++) {
		const struct oplog_purged *at = oplog_state_purged_at(state, i);

		if (!strcmp(at->key, key))
			return true;
	}
	return false;
}

/* Nobody would look for it again. */
static enum rc remove_again(struct pack *p, const char *key, struct err *err)
{
	enum store_gone how;
	int64_t until;

	if (store_purge(p->store, key, &how, &until, err))
		return err_prefix(err, "%s, which does not count", key);
	if (how == STORE_KEPT)
		log_warn("%s: does not count, but its store keeps it", key);
	return RC_OK;
}

static enum rc check_replaced(struct pack *p, const struct oplog_state *state,
			      struct err *err)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->n_shards; i++) {
		const char *key = p->shards[i].key;

		if (!oplog_state_replaced_by(state, key))
			continue;
		if (is_purged(state, key) && remove_again(p, key, err))
			return err->rc;
		first = first ? first : key;
		n++;
	}
	if (!n)
		return RC_OK;
	return err_set(err, RC_CHANGED,
		       "%s, one of %zu: was packed before and its contents "
		       "were deleted or replaced, so that it does not count; "
		       "pack with another --created-at",
		       first, n);
}

enum rc past_check_replaced(struct pack *p, struct err *err)
{
	struct oplog *log;
	bool changed = false;
	enum rc rc;

	/* No shard had the time of such a run before it. */
	if (p->opts->created == CREATED_NOW && !p->is_resumed && !p->opts->feed)
		return RC_OK;
	log = oplog_new();
	oplog_expect(log, p->descriptor.archive_id);
	rc = oplog_read(log, p->store, &changed, err);
	if (!rc)
		rc = check_replaced(p, oplog_state(log), err);
	oplog_free(log);
	return rc;
}

/* The log as this volume sees it; a later look might see more. */
static enum rc read_log(struct pack *p, struct past *past, struct err *err)
{
	const struct erased_options erased = { .key = p->opts->erasure_key,
					       .allow = p->opts->allow_erased };
	struct volume_node at = { 0 };
	uint32_t n;

	memset(p->past_id, 0, sizeof(p->past_id));
	p->n_parts = 0;
	if (volume_open(&p->volume, p->opts->archive, &p->opts->how, err) ||
	    check_log(p, volume_log(p->volume), NULL, 0, err))
		return err->rc;
	if (erased_new(&p->erased, p->store, volume_log(p->volume), &erased,
		       err))
		return err->rc;
	for (n = volume_shard_bound(p->volume); at.shard < n; at.shard++)
		add_shard(p, past, volume_shard(p->volume, at));
	add_old_parts(p, oplog_state(volume_log(p->volume)));
	sort_parts(p);
	return RC_OK;
}

static enum rc set_stamps(struct pack *p, const struct past *past,
			  struct err *err)
{
	const struct pack_options *o = p->opts;
	int64_t above = p->has_runs ? past->newest_before + 1 : INT64_MIN;

	if (o->created == CREATED_MTIME) {
		if (past->has_own && !p->is_resumed && !o->feed)
			return err_set(err, RC_USAGE,
				       "%s: --created-at mtime is for the "
				       "first pack only",
				       o->archive);
		/* The newest file's, as soon as all are known. */
	} else if (!has_time(p)) {
		p->stamp = later(clock_wall_us(), above);
	}
	p->safe_stamp = later(p->stamp, above);
	return RC_OK;
}

static enum rc open_before(struct pack *p, const struct past *past,
			   struct err *err)
{
	struct volume_options how = p->opts->how;

	if (!past->has_any) {
		volume_close(p->volume);
		p->volume = NULL;
	}
	p->before = p->volume;
	if (!past->has_same)
		return RC_OK;
	p->before = NULL;
	if (!past->has_before)
		return RC_OK;
	how.page_cache = BEFORE_PAGES;
	how.has_without = true;
	how.without = p->stamp;
	return volume_open(&p->before, p->opts->archive, &how, err);
}

static void set_time(struct pack *p)
{
	if (p->is_resumed)
		return;
	p->stamp = p->opts->created == CREATED_TIME ? p->opts->created_at
						    : INT64_MIN;
}

/* Has somebody packed after the first try of a run that was to be now?  What is
 * packed from here on is later than that, then.
 */
static bool is_outrun(const struct pack *p, const struct past *past)
{
	return p->is_resumed && p->opts->created == CREATED_NOW &&
	       past->newest > p->stamp;
}

static void begin_later(struct pack *p, struct past *past)
{
	p->is_resumed = false;
	set_time(p);
	p->n_parts = 0;
	add_old_parts(p, oplog_state(volume_log(p->volume)));
	sort_parts(p);
	past->has_same = false;
	past->has_before = past->has_any;
	past->newest_before = past->newest;
}

enum rc past_open(struct pack *p, struct err *err)
{
	struct past past = { .newest = INT64_MIN, .newest_before = INT64_MIN };
	enum rc rc;

	set_time(p);
	rc = read_log(p, &past, err);
	if (is_outrun(p, &past))
		begin_later(p, &past);
	/* Later than this run: then it is one after all the others, too.  With
	 * the times of files there is no before.
	 */
	if (p->opts->created == CREATED_MTIME ||
	    (past.has_same && past.newest > p->stamp)) {
		past.has_same = false;
		past.has_before = past.has_any;
		past.newest_before = past.newest;
	}
	p->has_runs = past.has_before;
	if (!rc)
		rc = set_stamps(p, &past, err);
	return rc ? rc : open_before(p, &past, err);
}

enum rc past_none(struct pack *p, struct err *err)
{
	const struct past past = { 0 };

	set_time(p);
	return set_stamps(p, &past, err);
}

const struct past_part *past_parts(const struct pack *p, uint32_t slot,
				   size_t *ret_n)
{
	size_t low = 0, high = p->n_parts, n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->parts[mid].slot < slot)
			low = mid + 1;
		else
			high = mid;
	}
	while (low + n < p->n_parts && p->parts[low + n].slot == slot)
		n++;
	*ret_n = n;
	return n ? p->parts + low : NULL;
}

void past_close(struct pack *p)
{
	if (p->before != p->volume)
		volume_close(p->before);
	volume_close(p->volume);
	erased_free(p->erased);
	free(p->parts);
}
