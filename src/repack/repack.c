/* SPDX-License-Identifier: Apache-2.0 */
/* repack.c - a run over an archive: choose shards, make them again, commit. */
#include "config.h"

#include "repack/repack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/stop.h"
#include "base/workers.h"
#include "erase/tombstone-set.h"
#include "repack/repack-backend.h"
#include "repack/whole-store.h"

#define ENGINES_MAX 4u /* groups at once; each takes its memory */
#define QUEUE 64u

/* One that damage costs, told when it is the group's turn. */
struct loss {
	const char *key;
	char *uid, *text;
	size_t uid_len;
};

/* A group on its way. */
struct group_run {
	struct job job;
	struct repacking *r;
	const struct plan_group *group;
	const struct shard_meta *in[ENGINE_INPUTS_MAX];
	struct engine_result result;
	struct err err;
	struct loss *lost;
	size_t n_lost, cap_lost;
};

const char *repack_status_text(enum repack_status s)
{
	static const char *const names[] = {
		[REPACK_DONE] = "done",     [REPACK_WOULD] = "would",
		[REPACK_BEATEN] = "beaten", [REPACK_NOTHING] = "nothing",
		[REPACK_FAILED] = "failed",
	};

	return names[s];
}

static void note_lost(void *arg, const char *key, const void *uid,
		      size_t uid_len, const char *text)
{
	struct group_run *g = arg;

	g->lost = mem_grow(g->lost, &g->cap_lost, g->n_lost + 1,
			   sizeof(*g->lost));
	g->lost[g->n_lost++] = (struct loss){
		.key = key,
		.uid = uid ? xmemdup0(uid, uid_len) : NULL,
		.uid_len = uid_len,
		.text = xstrdup(text),
	};
}

static void group_release(struct group_run *g)
{
	engine_result_release(&g->result);
	for (size_t i = 0; i < g->n_lost; i++) {
		free(g->lost[i].uid);
		free(g->lost[i].text);
	}
	free(g->lost);
	free(g);
}

static void group_main(void *arg)
{
	struct group_run *g = arg;
	struct repacking *r = g->r;
	const struct repack_options *o = r->o;
	const struct engine_options e = {
		.store = o->store,
		.archive_id = o->archive_id,
		.workers = r->workers,
		.n_workers = o->jobs,
		.spool_dir = o->spool_dir,
		.deleted = r->deleted,
		.holds = &r->holds,
		.drop_corrupt = o->plan.drop_corrupt,
		.skip_same = g->group->why != OPLOG_CORRUPT,
		.recompress = o->plan.recompress,
		.codec = o->codec,
		.level = o->level,
		.split_above = o->plan.split_above,
		.free_part = r->free_parts[r->plan.order[g->group->first]],
		.free_revision =
			r->free_revisions[r->plan.order[g->group->first]],
		.lost = note_lost,
		.lost_arg = g,
		.progress = o->progress,
	};

	g->err.rc = RC_OK;
	g->err.rc = engine_run(&e, g->in, g->group->n, &g->result, &g->err);
	if (o->progress)
		atomic_fetch_add(&o->progress->shards_done, g->group->n);
}

static void add_report(struct engine_report *sum, const struct engine_report *r)
{
	sum->entries += r->entries;
	sum->files += r->files;
	sum->plain_bytes += r->plain_bytes;
	sum->deleted += r->deleted;
	sum->deleted_files += r->deleted_files;
	sum->deleted_bytes += r->deleted_bytes;
	sum->lost += r->lost;
	sum->unneeded += r->unneeded;
	sum->blocks_copied += r->blocks_copied;
	sum->blocks_rewritten += r->blocks_rewritten;
	sum->blocks_dropped += r->blocks_dropped;
	sum->bytes_copied += r->bytes_copied;
	sum->bytes_rewritten += r->bytes_rewritten;
	sum->bytes_dropped += r->bytes_dropped;
	sum->bytes_in += r->bytes_in;
	sum->bytes_out += r->bytes_out;
}

static void count(struct repacking *r, const struct repack_event *event)
{
	struct repack_totals *t = r->totals;

	switch (event->status) {
	case REPACK_DONE:
		t->groups++;
		t->replaced += event->n_in;
		t->written += event->out->n;
		add_report(&t->report, &event->out->report);
		break;
	case REPACK_WOULD:
		t->groups++;
		t->replaced += event->n_in;
		break;
	case REPACK_BEATEN:
		t->beaten++;
		t->unused++;
		break;
	case REPACK_NOTHING: t->unused += event->out->n > 0; break;
	case REPACK_FAILED:
		r->n_failed++;
		t->unused++;
		break;
	}
}

/* Commit a group and tell of it; stops the run only if no other can do better.
 */
static enum rc finish_group(struct repacking *r, struct group_run *g,
			    struct err *err)
{
	struct repack_event event = { .why = g->group->why,
				      .in = g->in,
				      .n_in = g->group->n,
				      .out = &g->result,
				      .err = &g->err };
	bool won = false;

	if (!g->err.rc && g->result.is_same)
		event.status = REPACK_NOTHING;
	else if (!g->err.rc &&
		 !(g->err.rc = repack_commit(r, &event, &won, &g->err)))
		event.status = won ? REPACK_DONE : REPACK_BEATEN;
	if (g->err.rc)
		event.status = REPACK_FAILED;
	if (event.status == REPACK_DONE && r->o->lost) {
		for (size_t i = 0; i < g->n_lost; i++)
			r->o->lost(r->o->arg, g->lost[i].key, g->lost[i].uid,
				   g->lost[i].uid_len, g->lost[i].text);
	}
	count(r, &event);
	if (r->o->fn)
		r->o->fn(r->o->arg, &event);
	if (g->err.rc == RC_STOPPED || g->err.rc == RC_NOSPACE) {
		*err = g->err;
		return err->rc;
	}
	return RC_OK;
}

static struct group_run *begin_group(struct repacking *r, size_t i,
				     struct workers *engines)
{
	struct group_run *g = xcalloc(1, sizeof(*g));

	g->r = r;
	g->group = &r->plan.groups[i];
	for (size_t k = 0; k < g->group->n; k++)
		g->in[k] = r->shards[r->plan.order[g->group->first + k]].meta;
	job_submit(engines, &g->job, group_main, g);
	return g;
}

static enum rc run_groups(struct repacking *r, struct err *err)
{
	unsigned int n = r->o->jobs < ENGINES_MAX ? r->o->jobs : ENGINES_MAX;
	struct group_run *flying[ENGINES_MAX] = { NULL };
	struct workers *engines = NULL;
	size_t begun = 0, ended = 0;
	enum rc rc = workers_start(&engines, "repack", n, ENGINES_MAX, err);

	while (!rc && ended < r->plan.n_groups) {
		struct group_run *g;

		while (begun < r->plan.n_groups && begun - ended < n) {
			flying[begun % n] = begin_group(r, begun, engines);
			begun++;
		}
		g = flying[ended % n];
		job_wait(engines, &g->job);
		rc = finish_group(r, g, err);
		group_release(g);
		ended++;
	}
	while (ended < begun) {
		job_wait(engines, &flying[ended % n]->job);
		group_release(flying[ended++ % n]);
	}
	workers_stop(engines);
	return rc;
}

static void tell_plan(struct repacking *r)
{
	for (size_t i = 0; i < r->plan.n_groups; i++) {
		const struct plan_group *g = &r->plan.groups[i];
		const struct shard_meta *in[ENGINE_INPUTS_MAX];
		struct repack_event event = { .status = REPACK_WOULD,
					      .why = g->why,
					      .in = in,
					      .n_in = g->n };

		for (size_t k = 0; k < g->n; k++)
			in[k] = r->shards[r->plan.order[g->first + k]].meta;
		event.plan = &r->shards[r->plan.order[g->first]];
		count(r, &event);
		if (r->o->fn)
			r->o->fn(r->o->arg, &event);
	}
}

static void release(struct repacking *r)
{
	workers_stop(r->workers);
	repack_plan_release(&r->plan);
	for (size_t i = 0; i < r->n; i++)
		shard_meta_release(&r->metas[i]);
	free(r->metas);
	free(r->shards);
	free(r->free_parts);
	free(r->free_revisions);
	holds_release(&r->holds);
	tombstone_set_unref(r->deleted);
}

static enum rc run(struct repacking *r, struct err *err)
{
	struct plan_options plan = r->o->plan;
	bool changed;
	enum rc rc;

	oplog_want_all(r->log);
	rc = oplog_read(r->log, r->o->store, &changed, err);
	if (!rc)
		rc = workers_start(&r->workers, "block", r->o->jobs, QUEUE,
				   err);
	if (!rc)
		rc = repack_look(r, err);
	if (rc)
		return rc;
	if (!plan.max_together || plan.max_together > ENGINE_INPUTS_MAX)
		plan.max_together = ENGINE_INPUTS_MAX;
	repack_plan_make(r->shards, r->n, &plan, &r->plan);
	if (!r->o->dry_run)
		return run_groups(r, err);
	tell_plan(r);
	return RC_OK;
}

enum rc repack_run(struct oplog *log, const struct repack_options *opts,
		   struct repack_totals *ret, struct err *err)
{
	struct repack_options o = *opts;
	struct repacking r = { .log = log, .o = &o, .totals = ret };
	enum rc rc;

	*ret = (struct repack_totals){ 0 };
	if (!o.jobs)
		o.jobs = 1;
	/* New revisions have to be where the old ones are. */
	rc = whole_store_check(o.store, err);
	if (!rc)
		rc = run(&r, err);
	ret->failed = r.n_failed;
	release(&r);
	if (!rc && ret->failed)
		rc = err_set(err, RC_PARTIAL,
			     "%" PRIu64 " shards or groups of them could not "
			     "be repacked",
			     ret->failed);
	return rc;
}
