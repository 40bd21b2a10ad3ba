/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-repack.c - desfs repack: shards made again without what is deleted. */
#include "config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/progress.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"
#include "cmd/repack-options.h"
#include "cmd/tell.h"
#include "cmd/ticker.h"
#include "conf/conf-opts.h"
#include "erase/receipt.h"
#include "repack/purge.h"
#include "repack/repack.h"
#include "store/store-write.h"
#include "volume/descriptor.h"

#define JOBS_MAX 256
#define DEFAULT_SPOOL "/var/tmp"

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
	{ .name = "dry-run",
	  .letter = 'n',
	  .kind = OPT_FLAG,
	  AT(dry_run),
	  .help = "say what would be done, write nothing" },
	{ .name = "jobs",
	  .letter = 'j',
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = JOBS_MAX,
	  AT(jobs),
	  .help = "work with N threads [one a processor]" },
	{ .name = "json",
	  .kind = OPT_FLAG,
	  AT(json),
	  .help = "print one JSON object for each group of shards" },
	{ .name = "progress",
	  .arg = "WHEN",
	  .kind = OPT_CHOICE,
	  .choices = progress_mode_names,
	  AT(progress),
	  .help = "auto, always, never, or json: lines for programs [auto]" },
	CONF_OPTS(struct repack_cmd_options, conf)
};

/* --- what is told --------------------------------------------------------- */

static const char *const status_names[] = {
	[REPACK_DONE] = "done",     [REPACK_WOULD] = "would",
	[REPACK_BEATEN] = "beaten", [REPACK_NOTHING] = "nothing",
	[REPACK_FAILED] = "failed",
};

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

	json_row_begin(&b);
	json_row_u64(&b, "v", 1);
	json_row_str(&b, "kind", "group");
	json_row_str(&b, "status", status_names[e->status]);
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
		json_row_begin(&b);
		json_row_u64(&b, "v", 1);
		json_row_str(&b, "kind", "lost");
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
		json_row_begin(&b);
		json_row_u64(&b, "v", 1);
		json_row_str(&b, "kind", "total");
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

/* --- purging -------------------------------------------------------------- */

static void print_purge(void *arg, const struct purge_event *e)
{
	const struct repack_cmd_options *o = arg;
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	if (e->is_failed)
		tell("%s: not removed%s%s", e->key, e->text ? ": " : "",
		     e->text ? e->text : "");
	if (o->json) {
		json_row_begin(&b);
		json_row_u64(&b, "v", 1);
		json_row_str(&b, "kind", "purge");
		json_row_str(&b, "key", e->key);
		json_row_str(&b, "verdict", purge_verdict_text(e->verdict));
		if (e->verdict == PURGE_YES && !e->is_failed)
			json_row_str(&b, "how", receipt_how_text(e->how));
		if (e->zone)
			json_row_str(&b, "zone", e->zone);
		if (e->text)
			json_row_str(&b, "text", e->text);
		json_row_end(&b, stdout);
	} else if (e->verdict == PURGE_YES && !e->is_failed &&
		   e->how != RECEIPT_PENDING) {
		printf("%s: removed%s%s\n", e->key, e->zone ? " from " : "",
		       e->zone ? e->zone : "");
	} else if (!e->is_failed) {
		printf("%s: stays: %s%s%s\n", e->key,
		       e->verdict == PURGE_YES ? "locked in its store"
					       : purge_verdict_text(e->verdict),
		       e->text ? ": " : "", e->text ? e->text : "");
	}
}

/* --- the run -------------------------------------------------------------- */

struct repack_cmd {
	const struct repack_cmd_options *o;
	const char *archive;
	struct conf conf;
	struct store *st;
	struct store_run *run;
	uint64_t n_unused; /* see repack_totals */
	struct oplog *log;
	struct descriptor descriptor;
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

static enum rc open_store(struct repack_cmd *c, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = DESCRIPTOR_MAX };
	enum rc rc;

	if (!c->o->dry_run && store_check_writable(c->archive, err))
		return err->rc;
	rc = store_open(&c->st, c->archive, &c->conf.store, err);
	if (!rc && !c->o->dry_run) {
		/* It is there, so this makes nothing. */
		store_close(c->st);
		c->st = NULL;
		rc = store_create(&c->st, c->archive, &c->conf.store, err);
	}
	if (!rc)
		rc = descriptor_read(c->st, &text, err);
	if (!rc)
		rc = descriptor_decode(text.p, text.len, &c->descriptor, err);
	if (!rc && c->descriptor.is_read_only && !c->o->dry_run)
		rc = err_set(err, RC_UNSUPPORTED,
			     "%s: a newer version is needed to write to it",
			     c->archive);
	return rc;
}

static struct repack_options run_options(struct repack_cmd *c, int argc,
					 char **argv)
{
	const struct repack_cmd_options *o = c->o;
	const char *tmpdir = getenv("TMPDIR");
	struct repack_options r = {
		.store = c->st,
		.archive_id = c->descriptor.archive_id,
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
		.spool_dir = tmpdir && *tmpdir ? tmpdir : DEFAULT_SPOOL,
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
		.store = c->st,
		.archive_id = c->descriptor.archive_id,
		.run = c->run,
		.jobs = jobs,
		.fn = print_purge,
		.arg = (void *)(uintptr_t)c->o,
	};
	struct purge_totals totals;

	return purge_old(c->log, &opts, &totals, err);
}

static enum rc run(struct repack_cmd *c, int argc, char **argv, struct err *err)
{
	struct repack_totals totals = { 0 };
	struct repack_options opts;
	struct ticker *ticker;
	enum rc rc = open_store(c, err);

	if (rc)
		return rc;
	/* Before the log is read: see repack/repack.h. */
	if (!c->o->dry_run)
		rc = store_run_begin(c->st, STORE_RUN_REPACK, &c->run, err);
	if (rc)
		return rc;
	c->log = oplog_new();
	/* Purging adds to what receipts say already. */
	oplog_keep_receipts(c->log);
	oplog_expect(c->log, c->descriptor.archive_id);
	opts = run_options(c, argc, argv);
	ticker = ticker_new((enum progress_mode)c->o->progress, show_progress,
			    c);
	rc = repack_run(c->log, &opts, &totals, err);
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
	struct repack_cmd c = { .o = options, .archive = argv[0] };
	enum rc rc;

	c.conf = c.o->conf;
	if (c.o->merge_below && c.o->split_above &&
	    c.o->merge_below > c.o->split_above)
		return err_set(err, RC_USAGE,
			       "--merge-below is more than --split-above");
	rc = conf_fill(&c.conf, c.archive, err);
	if (!rc)
		rc = run(&c, argc - 1, argv + 1, err);
	oplog_free(c.log);
	if (c.run)
		store_run_end(c.run, !rc && !c.n_unused);
	store_close(c.st);
	conf_release(&c.conf);
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
