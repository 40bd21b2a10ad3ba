/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-repack.c - desfs repack: shards made again without what is deleted. */
#include "config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/opt-rows.h"
#include "base/progress.h"
#include "base/spool.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"
#include "cmd/open-log.h"
#include "cmd/purge-out.h"
#include "cmd/repack-options.h"
#include "cmd/tell.h"
#include "cmd/ticker.h"
#include "conf/conf-opts.h"
#include "erase/receipt.h"
#include "repack/purge.h"
#include "repack/repack.h"
#include "store/store-write.h"

struct repack_cmd_options {
	struct percent when_deleted;
	uint64_t merge_below, split_above;
	bool drop_corrupt, dry_run, json;
	struct recompress recompress;
	int64_t grace;
	unsigned int jobs; /* 0: one for each processor */
	unsigned int progress;
	struct conf conf;
};

#define AT(field) .offset = offsetof(struct repack_cmd_options, field)

static const struct opt repack_opts[] = {
	{ .name = "when-deleted",
	  .arg = "P",
	  .kind = OPT_CALLBACK,
	  AT(when_deleted),
	  .fn = parse_percent,
	  .help = "shards of which P per cent is deleted; 0: anything [0, if nothing else is asked for]" },
	{ .name = "merge-below",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  .min = 1,
	  AT(merge_below),
	  .help = "put shards of a day and slot together, up to SIZE of plain bytes" },
	{ .name = "split-above",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  .min = 1,
	  AT(split_above),
	  .help = "cut shards into parts of SIZE plain bytes at most" },
	{ .name = "drop-corrupt",
	  .kind = OPT_FLAG,
	  AT(drop_corrupt),
	  .help = "read all data, leave out what is damaged, and list it" },
	{ .name = "recompress",
	  .arg = "CODEC[:LEVEL]",
	  .kind = OPT_CALLBACK,
	  AT(recompress),
	  .fn = parse_recompress,
	  .help = "compress all data anew: zstd, lz4 or none" },
	{ .name = "grace",
	  .arg = "T",
	  .kind = OPT_CALLBACK,
	  AT(grace),
	  .fn = parse_grace,
	  .help = "keep what is replaced for T: seconds, or a number with s, m, h or d [24h]" },
	OPT_ROW_DRY_RUN(struct repack_cmd_options, dry_run,
			"say what would be done, write nothing"),
	OPT_ROW_JOBS(struct repack_cmd_options, jobs,
		     "work with N threads [one a processor]"),
	OPT_ROW_JSON(struct repack_cmd_options, json,
		     "print one JSON object for each group of shards"),
	OPT_ROW_PROGRESS(struct repack_cmd_options, progress,
			 "show how far it is [auto: on a terminal]"),
	CONF_OPTS(struct repack_cmd_options, conf)
};

/* --- what is told --------------------------------------------------------- */

static void json_report(struct buf *b, const struct engine_report *r)
{
	json_row_u64(b, "entries", r->entries);
	json_row_u64(b, "files", r->files);
	json_row_u64(b, "plain_bytes", r->plain_bytes);
	json_row_u64(b, "deleted", r->deleted);
	json_row_u64(b, "deleted_files", r->deleted_files);
	json_row_u64(b, "deleted_bytes", r->deleted_bytes);
	json_row_u64(b, "lost", r->lost);
	json_row_u64(b, "blocks_copied", r->blocks_copied);
	json_row_u64(b, "blocks_rewritten", r->blocks_rewritten);
	json_row_u64(b, "blocks_dropped", r->blocks_dropped);
	json_row_u64(b, "bytes_copied", r->bytes_copied);
	json_row_u64(b, "bytes_rewritten", r->bytes_rewritten);
	json_row_u64(b, "bytes_dropped", r->bytes_dropped);
	json_row_u64(b, "bytes_in", r->bytes_in);
	json_row_u64(b, "bytes_out", r->bytes_out);
}

static void json_keys(struct buf *b, const char *name,
		      const struct shard_meta *const *in, size_t n,
		      const struct shard_meta *out)
{
	json_row_name(b, name);
	buf_append_str(b, "[");
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s\"%s\"", i ? ", " : "",
			   in ? in[i]->key : out[i].key);
	buf_append_str(b, "]");
}

static void print_json(const struct repack_event *e)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	json_row_begin_kind(&b, "group");
	json_row_str(&b, "status", repack_status_text(e->status));
	if (e->status != REPACK_FAILED)
		json_row_str(&b, "why", oplog_why_text(e->why));
	json_keys(&b, "replaces", e->in, e->n_in, NULL);
	if (e->out && e->status != REPACK_FAILED) {
		json_keys(&b, "shards", NULL, e->out->n, e->out->shards);
		json_report(&b, &e->out->report);
	}
	if (e->status == REPACK_WOULD) {
		json_row_u64(&b, "deleted", e->plan->deleted);
		json_row_u64(&b, "deleted_bytes", e->plan->deleted_bytes);
	}
	if (e->status == REPACK_FAILED)
		json_row_str(&b, "text", e->err->msg);
	json_row_end(&b, stdout);
}

static void print_done(const struct repack_event *e)
{
	const struct engine_report *r = &e->out->report;
	char copied[HUMAN_MAX], rewritten[HUMAN_MAX];

	for (size_t i = 0; i < e->n_in; i++)
		printf("%s%s", i ? " + " : "", e->in[i]->key);
	for (size_t i = 0; i < e->out->n; i++)
		printf("%s%s", i ? " + " : " -> ", e->out->shards[i].key);
	if (!e->out->n)
		printf(" -> nothing");
	printf(": %" PRIu64 " entries kept, %" PRIu64 " deleted", r->entries,
	       r->deleted);
	if (r->lost)
		printf(", %" PRIu64 " LOST", r->lost);
	printf("; %s copied, %s written anew\n",
	       human_bytes(copied, r->bytes_copied),
	       human_bytes(rewritten, r->bytes_rewritten));
}

static void print_would(const struct repack_event *e)
{
	char bytes[HUMAN_MAX];

	for (size_t i = 0; i < e->n_in; i++)
		printf("%s%s", i ? " + " : "", e->in[i]->key);
	printf(": would be repacked (%s)", oplog_why_text(e->why));
	if (e->n_in == 1 && e->plan->deleted)
		printf(", %" PRIu64 " entries of %s are deleted",
		       e->plan->deleted,
		       human_bytes(bytes, e->plan->deleted_bytes));
	printf("\n");
}

static void print_event(void *arg, const struct repack_event *e)
{
	const struct repack_cmd_options *o = arg;

	if (o->json)
		print_json(e);
	switch (e->status) {
	case REPACK_DONE:
		if (!o->json)
			print_done(e);
		break;
	case REPACK_WOULD:
		if (!o->json)
			print_would(e);
		break;
	case REPACK_BEATEN:
		tell("%s: another run was quicker; its revision counts, and "
		     "'desfs reap' removes what this one wrote",
		     e->in[0]->key);
		break;
	case REPACK_NOTHING:
		if (!o->json)
			printf("%s: nothing to do\n", e->in[0]->key);
		break;
	case REPACK_FAILED: tell("%s", e->err->msg); break;
	}
}

static void print_lost(void *arg, const char *key, const void *uid,
		       size_t uid_len, const char *text)
{
	const struct repack_cmd_options *o = arg;
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	if (o->json) {
		json_row_begin_kind(&b, "lost");
		json_row_str(&b, "key", key);
		if (uid)
			json_row_bytes(&b, "path", uid, uid_len);
		json_row_str(&b, "text", text);
		json_row_end(&b, stdout);
		return;
	}
	buf_printf(&b, "%s: lost ", key);
	if (uid)
		name_escape(&b, uid, uid_len);
	buf_append_str(&b, uid ? ": " : "");
	text_escape(&b, text, strlen(text));
	printf("%s\n", buf_str(&b));
}

static void print_totals(const struct repack_cmd_options *o,
			 const struct repack_totals *t)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char in[HUMAN_MAX], out[HUMAN_MAX];

	if (o->json) {
		json_row_begin_kind(&b, "total");
		json_row_bool(&b, "dry_run", o->dry_run);
		json_row_u64(&b, "shards", t->looked_at);
		json_row_u64(&b, "replaced", t->replaced);
		json_row_u64(&b, "written", t->written);
		json_row_u64(&b, "held", t->held);
		json_row_u64(&b, "beaten", t->beaten);
		json_row_u64(&b, "failed", t->failed);
		json_report(&b, &t->report);
		json_row_end(&b, stdout);
		return;
	}
	if (o->dry_run) {
		printf("%" PRIu64 " of %" PRIu64 " shards would be repacked\n",
		       t->replaced, t->looked_at);
		return;
	}
	printf("%" PRIu64 " of %" PRIu64 " shards replaced by %" PRIu64
	       ": %" PRIu64 " entries deleted, %s -> %s",
	       t->replaced, t->looked_at, t->written, t->report.deleted,
	       human_bytes(in, t->report.bytes_in),
	       human_bytes(out, t->report.bytes_out));
	if (t->report.lost)
		printf(", %" PRIu64 " entries LOST", t->report.lost);
	if (t->held)
		printf(", %" PRIu64 " shards held", t->held);
	printf("\n");
}

static void print_purge(void *arg, const struct purge_event *e)
{
	const struct repack_cmd_options *o = arg;

	purge_out(e, o->json, false);
}

/* --- the run -------------------------------------------------------------- */

struct repack_cmd {
	const struct repack_cmd_options *o;
	struct open_log l;
	struct store_run *run; /* NULL: a dry run */
	uint64_t n_unused;     /* see repack_totals */
	struct engine_progress progress;
};

static void show_progress(void *arg, struct progress_counters *ret)
{
	struct repack_cmd *c = arg;

	*ret = (struct progress_counters){
		.phase = "repack",
		.bytes_done = atomic_load(&c->progress.bytes_read),
		.bytes_in = atomic_load(&c->progress.bytes_read),
		.bytes_out = atomic_load(&c->progress.bytes_written),
		.slots_done = atomic_load(&c->progress.shards_done),
	};
}

static struct repack_options run_options(struct repack_cmd *c, int argc,
					 char **argv)
{
	const struct repack_cmd_options *o = c->o;
	struct repack_options r = {
		.store = c->l.st,
		.archive_id = c->l.descriptor.archive_id,
		.only = (const char *const *)argv,
		.n_only = (size_t)argc,
		.plan = { .by_deleted = o->when_deleted.is_set,
			  .when_deleted = o->when_deleted.value,
			  .merge_below = o->merge_below,
			  .split_above = o->split_above,
			  .recompress = o->recompress.is_set,
			  .drop_corrupt = o->drop_corrupt },
		.codec = o->recompress.codec,
		.level = o->recompress.level,
		.grace = o->grace,
		.dry_run = o->dry_run,
		.jobs = o->jobs ? o->jobs : workers_n_cpus(),
		.spool_dir = spool_default_dir(),
		.fn = print_event,
		.lost = print_lost,
		.arg = (void *)(uintptr_t)o,
		.progress = &c->progress,
	};

	if (!o->merge_below && !o->split_above && !o->recompress.is_set &&
	    !o->drop_corrupt)
		r.plan.by_deleted = true;
	return r;
}

/* What has no grace period goes in the same run. */
static enum rc purge(struct repack_cmd *c, unsigned int jobs, struct err *err)
{
	const struct purge_options opts = {
		.store = c->l.st,
		.archive_id = c->l.descriptor.archive_id,
		.run = c->run,
		.jobs = jobs,
		.fn = print_purge,
		.arg = (void *)(uintptr_t)c->o,
	};
	struct purge_totals totals;

	return purge_old(c->l.log, &opts, &totals, err);
}

static enum rc run(struct repack_cmd *c, int argc, char **argv, struct err *err)
{
	struct repack_totals totals = { 0 };
	struct repack_options opts;
	struct ticker *ticker;
	enum rc rc;

	/* Before the log is read: see repack/repack.h. */
	if (!c->o->dry_run &&
	    store_run_begin(c->l.st, STORE_RUN_REPACK, &c->run, err))
		return err->rc;
	opts = run_options(c, argc, argv);
	ticker = ticker_new((enum progress_mode)c->o->progress, show_progress,
			    c);
	rc = repack_run(c->l.log, &opts, &totals, err);
	ticker_free(ticker);
	c->n_unused = totals.unused;
	if (!rc || rc == RC_PARTIAL)
		print_totals(c->o, &totals);
	if (!rc && !c->o->grace && !c->o->dry_run && totals.replaced)
		rc = purge(c, opts.jobs, err);
	return rc;
}

static enum rc repack_cmd_run(const void *options, int argc, char **argv,
			      struct err *err)
{
	struct repack_cmd c = { .o = options };
	enum rc rc;

	if (c.o->merge_below && c.o->split_above &&
	    c.o->merge_below > c.o->split_above)
		return err_set(err, RC_USAGE,
			       "--merge-below is more than --split-above");
	if (open_log(&c.l, argv[0], &c.o->conf, !c.o->dry_run, err))
		return err->rc;
	rc = run(&c, argc - 1, argv + 1, err);
	if (c.run)
		store_run_end(c.run, !rc && !c.n_unused);
	close_log(&c.l);
	return rc;
}

static const struct repack_cmd_options repack_defaults = {
	.grace = REPACK_GRACE_DEFAULT,
	.conf = CONF_INIT,
};

const struct cmd cmd_repack = {
	.name = "repack",
	.usage = "[OPTION]... ARCHIVE [SHARD]...",
	.summary = "make shards again without what is deleted",
	.opts = repack_opts,
	.n_opts = ARRAY_LEN(repack_opts),
	.defaults = &repack_defaults,
	.options_size = sizeof(repack_defaults),
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.run = repack_cmd_run,
};
