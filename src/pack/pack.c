/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c - one run of desfs-pack, from its options to its log record. */
#include "config.h"

#include "pack/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sorter.h"
#include "base/stop.h"
#include "base/workers.h"
#include "pack/build.h"
#include "pack/commit.h"
#include "pack/compare-feed.h"
#include "pack/compare.h"
#include "pack/des2.h"
#include "pack/dirs.h"
#include "pack/feed.h"
#include "pack/gather-feed.h"
#include "pack/gather.h"
#include "pack/keep.h"
#include "pack/lane-pool.h"
#include "pack/lane.h"
#include "pack/links.h"
#include "pack/mirror.h"
#include "pack/old-dir.h"
#include "pack/own.h"
#include "pack/past.h"
#include "pack/plan.h"
#include "pack/publish.h"
#include "pack/publisher.h"
#include "pack/remove-source.h"
#include "pack/resume.h"
#include "pack/shard-out.h"
#include "pack/stage.h"
#include "pack/tree.h"
#include "run/state.h"
#include "shard/route.h"
#include "shard/shard-build.h"
#include "shard/shard-format.h"
#include "store/store-write.h"
#include "volume/volume.h"

#define PLAN_MEMORY (4u << 20) /* bytes sorted of each open slot */
#define PART_ITEMS (1u << 20)

uint64_t pack_memory(const struct pack_options *o)
{
	const struct codec *c = codec_by_id(o->codec);
	uint64_t encoder = 0, pages = 0;
	uint64_t slot = PLAN_MEMORY + lane_memory(&o->sizes) +
			SHARD_OUT_INDEX_MEMORY +
			(uint64_t)PART_ITEMS * SHARD_BUILD_ENTRY_BYTES +
			(o->feed && o->feed->fetch ? STAGE_MEMORY : 0);
	unsigned int uploads =
		o->open_shards + publisher_uploads(o->open_shards);

	if (o->format == PACK_FORMAT_DES2)
		return des2_memory(o);
	if (c->encode_memory) {
		encoder = c->encode_memory(o->sizes.large, o->level);
		pages = c->encode_memory(PAGE_RAW_DEFAULT, o->level);
	}
	return gather_memory(o) + GATHER_WALKERS * GATHER_WALKER_MEMORY +
	       LINKS_MEMORY + o->open_shards * (slot + pages) +
	       o->jobs * encoder +
	       store_upload_memory(o->archive, o->how.settings, uploads);
}

void pack_fail(struct pack *p, const struct err *err)
{
	LOCK_SCOPE(&p->lock);

	if (!p->failure.rc)
		p->failure = *err;
	throttle_lift(p->throttle);
}

bool pack_is_ending(struct pack *p, struct err *err)
{
	LOCK_SCOPE(&p->lock);

	if (p->failure.rc) {
		*err = p->failure;
		return true;
	}
	if (!stop_requested())
		return false;
	err_set(err, RC_STOPPED, "stopped by a signal");
	return true;
}

bool pack_is_stopping(struct pack *p, struct err *err)
{
	if (pack_is_ending(p, err))
		return true;
	if (!stop_asked())
		return false;
	err_set(err, RC_STOPPED, "stopped by a signal");
	return true;
}

static void add_shard(struct pack *p, const struct shard_meta *m)
{
	struct shard_meta copy = *m;
	LOCK_SCOPE(&p->lock);

	copy.key = xstrdup(m->key);
	copy.first = xmemdup0(m->first, m->first_len);
	copy.last = xmemdup0(m->last, m->last_len);
	p->shards = mem_grow(p->shards, &p->shards_cap, p->n_shards + 1,
			     sizeof(*p->shards));
	p->shards[p->n_shards++] = copy;
}

void pack_add_shard(struct pack *p, const struct shard_meta *m)
{
	add_shard(p, m);
	resume_note(p);
}

/* --- slots ------------------------------------------------------------------
 */

/* Of a dry run: tell what would be done. */
static enum rc tell_plan(struct pack *p, struct plan *plan, struct err *err)
{
	struct plan_place place;
	struct item it;
	enum rc rc;

	for (;;) {
		CLEANUP_FREE char *uid = NULL;
		size_t len;

		rc = plan_next(plan, &place, &it, err);
		if (rc)
			return rc == RC_NOENT ? RC_OK : rc;
		if (it.implicit)
			continue;
		uid = xcalloc(1, entry_uid_len(it.parent, it.name) + 1);
		len = entry_uid(it.parent, it.name, uid);
		if (it.type == ENTRY_WHITEOUT)
			report_removed(p->report, span_of(uid, len));
		else
			report_packed(p->report, span_of(uid, len), it.type,
				      it.type == ENTRY_REG ? it.size : 0);
		if (it.is_fed)
			feed_tell(p->opts->feed, it.number, FEED_ARCHIVED,
				  NULL);
	}
}

static enum rc pack_slot(struct pack *p, uint32_t slot, struct tree *tree,
			 struct err *err)
{
	struct plan_options o = { .spool_dir = p->opts->spool,
				  .memory = PLAN_MEMORY,
				  .part_bytes = p->opts->max_shard,
				  .part_items = PART_ITEMS,
				  .dirs = p->dirs,
				  .stamp = p->stamp,
				  .is_fed = p->opts->feed,
				  .feed = p->opts->feed };
	struct plan *plan;
	enum rc rc;

	if (p->opts->created == CREATED_MTIME)
		o.stamp = INT64_MIN;
	o.first = past_parts(p, slot, &o.n_first);
	plan = plan_new(&o);
	if (p->opts->feed)
		rc = compare_feed_slot(p, slot, plan, err);
	else
		rc = compare_slot(p, slot, tree, plan, err);
	if (!rc)
		rc = plan_finish(plan, err);
	state_enter(STATE_READING);
	if (!rc && plan_count(plan))
		rc = p->opts->dry_run ? tell_plan(p, plan, err)
				      : build_slot(p, slot, tree, plan, err);
	plan_free(plan);
	return rc;
}

static bool take_slot(struct pack *p, uint32_t *ret)
{
	uint64_t slot;
	LOCK_SCOPE(&p->lock);

	slot = worker_slot(&p->opts->worker, p->next_slot);
	if (p->failure.rc || stop_asked() || slot >> p->descriptor.n_bits)
		return false;
	p->next_slot++;
	*ret = (uint32_t)slot;
	return true;
}

/* A slot that is left in good order is no failure. */
static void slot_ended(struct pack *p, enum rc rc, const struct err *err)
{
	if (!rc)
		report_slot_done(p->report);
	else if (rc != RC_STOPPED || stop_requested())
		pack_fail(p, err);
}

static void slot_main(void *arg)
{
	struct pack *p = arg;
	struct tree *tree = tree_new(&p->sources);
	uint32_t slot = 0;
	struct err err;

	while (take_slot(p, &slot)) {
		state_attach(report_state(p->report), slot);
		slot_ended(p, pack_slot(p, slot, tree, &err), &err);
	}
	state_detach();
	tree_free(tree);
}

static enum rc pack_slots(struct pack *p, struct err *err)
{
	unsigned int n = p->opts->open_shards;
	struct state *state = report_state(p->report);
	struct workers *slots = NULL;
	enum rc rc;

	report_phase(p->report, "packing");
	report_slots(p->report, worker_slots(&p->opts->worker,
					     1u << p->descriptor.n_bits));
	p->blocks = lane_pool_new();
	p->dirs_before = old_dirs_new(p->before);
	p->dirs_now = old_dirs_new(p->volume);
	/* Lanes bound what waits, so submitting need not. */
	rc = workers_start(&p->encoders, "encode", p->opts->jobs,
			   (size_t)n * LANE_WINDOW, err);
	if (!rc) {
		state_set_encoders(state, p->opts->jobs);
		workers_count(p->encoders, state_encoding(state));
		rc = publisher_start(p, n, &p->publisher, err);
	}
	if (!rc)
		rc = workers_start(&slots, "slot", n, n, err);
	for (unsigned int i = 0; i < n && !rc; i++)
		workers_submit(slots, slot_main, p);
	workers_stop(slots);
	publisher_stop(p->publisher);
	workers_stop(p->encoders);
	lane_pool_free(p->blocks);
	old_dirs_free(p->dirs_before);
	old_dirs_free(p->dirs_now);
	p->encoders = NULL;
	p->blocks = NULL;
	p->publisher = NULL;
	if (!rc && p->failure.rc) {
		*err = p->failure;
		rc = err->rc;
	}
	return rc;
}

/* --- a run ------------------------------------------------------------------
 */

static void raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= r.rlim_max)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

static enum rc check_options(const struct pack *p, struct err *err)
{
	const struct pack_options *o = p->opts;

	if (o->feed && feed_check_options(o, err))
		return err->rc;
	if (o->files0_from && o->mirror)
		return err_set(err, RC_USAGE,
			       "--mirror needs to see the whole source, "
			       "--files0-from does not show it");
	if (o->mirror_empty && !o->mirror)
		return err_set(err, RC_USAGE,
			       "--mirror-empty is for --mirror only");
	if (o->files0_from && sources_have_names(&p->sources))
		return err_set(err, RC_USAGE,
			       "--files0-from needs exactly one source "
			       "directory");
	if (o->checkpoint && o->dry_run)
		return err_set(err, RC_USAGE,
			       "--dry-run does nothing that a --checkpoint "
			       "could tell of");
	if (o->remove_sources && remove_source_check(p, err))
		return err->rc;
	return RC_OK;
}

static enum rc publish(struct pack *p, struct err *err)
{
	size_t n;
	enum rc rc;

	report_phase(p->report, "publishing");
	rc = publish_log(p->store, &n, err);

	return rc ? err_prefix(err, "the run is in the archive, but its log "
				    "was not published ('desfs publish')")
		  : RC_OK;
}

/* Was it stopped before the last slot? */
static enum rc check_slots(const struct pack *p, struct err *err)
{
	struct report_counts c = report_counts(p->report);

	if (c.slots_done == c.slots)
		return RC_OK;
	return err_set(err, RC_STOPPED,
		       "stopped by a signal; %zu shards are in the archive, "
		       "%llu of %llu slots were left for the next run",
		       p->n_shards,
		       (unsigned long long)(c.slots - c.slots_done),
		       (unsigned long long)c.slots);
}

static enum rc run(struct pack *p, struct err *err)
{
	bool dry = p->opts->dry_run;
	enum rc rc;

	rc = throttle_new(p->opts->throttle, &p->throttle, err);
	if (!rc)
		rc = sources_open(&p->sources, p->opts->sources,
				  p->opts->n_sources, err);
	if (!rc)
		rc = check_options(p, err);
	if (!rc && access(p->opts->spool, W_OK | X_OK))
		rc = err_set_errno(err, errno, "spool directory %s",
				   p->opts->spool);
	if (!rc)
		rc = resume_open(p, err);
	if (!rc)
		rc = commit_open(p, err);
	if (rc)
		return rc;
	if (p->store && store_is_remote(p->store))
		state_set_remote(report_state(p->report));
	rc = mirror_check_sources(p, err);
	if (!rc)
		p->own = own_new(p);
	if (!rc && p->opts->remove_sources)
		rc = remove_source_check_places(p, err);
	if (!rc)
		rc = p->opts->feed ? gather_feed(p, err) : gather(p, err);
	if (!rc && !dry)
		rc = commit_begin(p, err);
	/* Groups are named by a hash that takes the archive's id. */
	if (!rc)
		rc = links_finish(p->links, err);
	if (!rc)
		rc = resume_begin(p, err);
	/* Shards are worth finishing. */
	if (!rc && !dry)
		stop_gently();
	if (!rc && stop_requested())
		rc = err_set(err, RC_STOPPED, "stopped by a signal");
	if (!rc)
		rc = pack_slots(p, err);
	resume_settle(p);
	if (!rc && !dry) {
		report_phase(p->report, "committing");
		rc = commit_end(p, err);
	}
	p->is_committed = !rc;
	if (!rc && !dry)
		report_committed(p->report);
	if (!rc && !dry && p->opts->publish)
		rc = publish(p, err);
	if (!rc)
		rc = check_slots(p, err);
	return !rc && p->opts->remove_sources ? remove_source(p, err) : rc;
}

static void release(struct pack *p)
{
	store_run_end(p->run, p->is_committed);
	past_close(p);
	store_close(p->store);
	sources_close(&p->sources);
	sorter_free(p->items);
	dirs_free(p->dirs);
	links_free(p->links);
	keep_free(p->keep);
	own_free(p->own);
	throttle_free(p->throttle);
	for (size_t i = 0; i < p->n_shards; i++)
		shard_meta_release(&p->shards[i]);
	free(p->shards);
	pthread_mutex_destroy(&p->lock);
}

enum rc pack_run(const struct pack_options *opts, struct report *report,
		 struct err *err)
{
	struct pack p = { .opts = opts, .report = report };
	enum rc rc;

	raise_file_limit();
	if (opts->format == PACK_FORMAT_DES2)
		return opts->feed && feed_check_options(opts, err)
			       ? err->rc
			       : des2_run(opts, report, err);
	pthread_mutex_init(&p.lock, NULL);
	report_phase(report, "opening");
	rc = run(&p, err);
	resume_end(&p, p.is_committed && rc != RC_STOPPED);
	if (rc == RC_STOPPED && !p.is_committed)
		err_prefix(err, "nothing of this run is in the archive");
	release(&p);
	if (!rc && report_counts(report).failed)
		rc = err_set(err, RC_PARTIAL, "%llu files failed",
			     (unsigned long long)report_counts(report).failed);
	return rc;
}
