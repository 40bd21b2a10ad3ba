/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-verify.c - desfs verify: look for damage. */
#include "config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/opt-rows.h"
#include "base/stop.h"
#include "base/timestamp.h"
#include "base/unique.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"
#include "cmd/tell.h"
#include "cmd/verify-file.h"
#include "cmd/verify-out.h"
#include "cmd/verify-salvage.h"
#include "cmd/verify-target.h"
#include "cmd/verify-watch.h"
#include "conf/conf-opts.h"
#include "run/throttle.h"
#include "verify/verify.h"

#define LABELS_MAX (64u << 10)
#define AGE_MAX (INT64_C(1000) * 366 * 86400) /* seconds */

struct since {
	const char *text; /* as given; NULL: not */
	int64_t time;
};

struct sample {
	const char *text;
	double percent;
};

struct verify_cmd_options {
	bool deep;
	const char *salvage; /* directory, or NULL */
	bool json;
	unsigned int jobs; /* 0: one for each processor */
	struct sample sample;
	const char *seed;
	struct since since;
	uint64_t rate; /* bytes a second; 0: no limit */
	const char *report;
	bool resume;
	enum progress_mode progress;
	const char *stats_file;
	struct conf conf;
};

/* "5", "0.1", "5%". */
static enum rc set_sample(void *field, const char *arg, struct err *err)
{
	struct sample *s = field;
	char *end;
	double percent = strtod(arg, &end);

	if (*end == '%')
		end++;
	if (end == arg || *end || strspn(arg, "0123456789.%") != strlen(arg) ||
	    !(percent > 0 && percent <= 100))
		return err_set(err, RC_USAGE,
			       "want per cent of the shards, more than 0 and "
			       "at most 100");
	*s = (struct sample){ .text = arg, .percent = percent };
	return RC_OK;
}

/* A number with s, m, h or d is so long ago; one without is a date. */
static bool parse_age(const char *arg, int64_t *ret)
{
	size_t len = strlen(arg);
	struct err err;
	int64_t seconds;

	if (!len || !strchr("smhd", arg[len - 1]) ||
	    opt_seconds(arg, AGE_MAX, &seconds, &err))
		return false;
	*ret = clock_wall_us() - seconds * CLOCK_US_PER_SEC;
	return true;
}

static enum rc set_since(void *field, const char *arg, struct err *err)
{
	struct since *s = field;
	struct timestamp t;

	s->text = arg;
	if (parse_age(arg, &s->time))
		return RC_OK;
	if (timestamp_parse(arg, &t, err))
		return err_set(err, RC_USAGE,
			       "want a time as 2026-11-21T10:00, or an age as "
			       "36h or 7d");
	s->time = t.us;
	return RC_OK;
}

/* "20M" or "20M/s". */
static enum rc set_rate(void *field, const char *arg, struct err *err)
{
	size_t len = strlen(arg);
	CLEANUP_FREE char *number = len > 2 && !strcmp(arg + len - 2, "/s")
					    ? xmemdup0(arg, len - 2)
					    : xstrdup(arg);
	uint64_t *rate = field;

	if (opt_size(number, rate, err) || !*rate)
		return err_set(err, RC_USAGE,
			       "want bytes a second as 20M, more than none");
	return RC_OK;
}

#define AT(member) .offset = offsetof(struct verify_cmd_options, member)

static const struct opt verify_opts[] = {
	{ .name = "deep",
	  .kind = OPT_FLAG,
	  AT(deep),
	  .help = "read all data too, check each block and file" },
	OPT_ROW_JOBS(struct verify_cmd_options, jobs,
		     "check with N threads [one a processor]"),
	{ .name = "sample",
	  .arg = "P",
	  .kind = OPT_CALLBACK,
	  .fn = set_sample,
	  AT(sample),
	  .help = "only P per cent of the shards, by lot" },
	{ .name = "seed",
	  .arg = "N",
	  .kind = OPT_STRING,
	  AT(seed),
	  .help = "draw the same lots as a run before [any]" },
	{ .name = "since",
	  .arg = "T",
	  .kind = OPT_CALLBACK,
	  .fn = set_since,
	  AT(since),
	  .help = "only shards that entered since then, a time or an age as 7d" },
	{ .name = "rate",
	  .arg = "BYTES/s",
	  .kind = OPT_CALLBACK,
	  .fn = set_rate,
	  AT(rate),
	  .help = "read no more than that [no limit]" },
	{ .name = "report",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(report),
	  .help = "write all that is found to FILE, as JSON" },
	{ .name = "resume",
	  .kind = OPT_FLAG,
	  AT(resume),
	  .help = "go on with the report of a run that was stopped" },
	{ .name = "salvage",
	  .arg = "NEWDIR",
	  .kind = OPT_STRING,
	  AT(salvage),
	  .help = "write what is intact of damaged shards into NEWDIR; implies --deep" },
	OPT_ROW_JSON(struct verify_cmd_options, json,
		     "print one JSON object for each finding"),
	OPT_ROW_PROGRESS(struct verify_cmd_options, progress,
			 "show how far it is [auto: on a terminal]"),
	OPT_ROW_STATS_FILE(struct verify_cmd_options, stats_file,
			   "write metrics for Prometheus to FILE"),
	CONF_OPTS(struct verify_cmd_options, conf)
};

struct verify_cmd {
	const struct verify_cmd_options *o;
	struct verify_targets targets;
	int target; /* being verified */
	struct verify_call call;
	struct verify_options opts; /* of all targets */
	struct verify_totals totals;
	struct verify_live live;
	struct verify_text text;
	struct verify_file *file; /* NULL: no report */
	struct verify_salvage salvage;
};

/* --- what is found -------------------------------------------------------- */

static void print_json(const struct finding *f)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	json_row_begin(&b);
	json_row_u64(&b, "v", 1);
	verify_row_finding(&b, f, VERIFY_NO_TARGET);
	json_row_end(&b, stdout);
}

static void on_finding(void *arg, const struct finding *f)
{
	struct verify_cmd *c = arg;

	if (f->kind == FINDING_DAMAGE)
		verify_salvage_note(&c->salvage, f->key);
	if (c->file)
		verify_file_finding(c->file, c->target, f);
	if (c->o->json)
		print_json(f);
	else
		verify_text_finding(&c->text, f);
}

static void on_shard(void *arg, const struct verify_shard_result *s)
{
	struct verify_cmd *c = arg;

	verify_text_end(&c->text);
	if (c->file)
		verify_file_shard(c->file, c->target, s);
}

static bool is_done(void *arg, const char *store, const char *key)
{
	const struct verify_cmd *c = arg;

	return c->file && verify_file_is_done(c->file, c->target, store, key);
}

/* --- the targets ---------------------------------------------------------- */

static enum rc verify_one_archive(struct verify_cmd *c,
				  const struct verify_target *t,
				  struct err *err)
{
	struct verify_options with = c->opts;
	struct conf conf = c->o->conf;
	enum rc rc = conf_fill(&conf, t->what, err);

	with.settings = &conf.store;
	with.keys = t->keys;
	with.n_keys = t->n_keys;
	if (!rc)
		rc = verify_archive(t->what, &with, &c->totals, err);
	if (!rc)
		rc = verify_salvage_archive(&c->salvage, t->what, &conf.store,
					    err);
	conf_release(&conf);
	return rc;
}

static enum rc verify_one(struct verify_cmd *c, const struct verify_target *t,
			  struct err *err)
{
	enum rc rc;

	if (!t->is_file)
		return verify_one_archive(c, t, err);
	rc = verify_shard_file(t->what, &c->opts, &c->totals, err);
	return rc ? rc : verify_salvage_file(&c->salvage, t->what, err);
}

/* How to go on with what was stopped. */
static enum rc tell_stopped(const struct verify_cmd *c, struct err *err)
{
	uint64_t done = atomic_load(&c->live.shards);

	if (c->o->report)
		return err_set(err, RC_STOPPED,
			       "stopped by a signal after %" PRIu64
			       " shards; the same call with --resume goes on",
			       done);
	return err_set(err, RC_STOPPED,
		       "stopped by a signal after %" PRIu64
		       " shards; with --report it could be gone on with",
		       done);
}

static enum rc verify_all(struct verify_cmd *c, struct err *err)
{
	size_t n_failed = 0;
	enum rc last = RC_OK;

	for (size_t i = 0; i < c->targets.n; i++) {
		enum rc rc;

		c->target = (int)i;
		rc = verify_one(c, &c->targets.v[i], err);
		verify_text_end(&c->text);
		if (rc == RC_STOPPED)
			return tell_stopped(c, err);
		if (!rc)
			continue;
		tell("%s", err->msg);
		if (c->file)
			verify_file_error(c->file, c->target, err->msg);
		last = rc;
		n_failed++;
	}
	if (n_failed < c->targets.n)
		verify_print_totals(&c->totals, c->opts.deep, c->o->json);
	if (c->file && verify_file_end(c->file, &c->totals, err))
		return err->rc;
	if (!n_failed && c->totals.unread_shards)
		return err_set(err, RC_PARTIAL, "%s", "");
	return tell_result(n_failed, c->targets.n, last, err);
}

/* --- the run -------------------------------------------------------------- */

static enum rc choose_seed(const struct verify_cmd_options *o, uint64_t *ret,
			   struct err *err)
{
	uint8_t bytes[8];
	int64_t n;

	if (o->seed) {
		if (opt_number(o->seed, 10, 0, INT64_MAX, &n, err))
			return err_prefix(err, "--seed");
		*ret = (uint64_t)n;
		return RC_OK;
	}
	if (unique_bytes(bytes, sizeof(bytes), err))
		return err->rc;
	*ret = 0;
	/* Few digits are easier to type. */
	for (size_t i = 0; i < 4; i++)
		*ret = *ret << 8 | bytes[i];
	return RC_OK;
}

static enum rc open_report(struct verify_cmd *c, struct err *err)
{
	const struct verify_cmd_options *o = c->o;

	if (!o->report)
		return RC_OK;
	if (verify_file_open(o->report, o->resume, &c->call, &c->totals,
			     &c->file, err))
		return err->rc;
	if (verify_file_n_done(c->file))
		tell("%" PRIu64 " shards were looked at before",
		     verify_file_n_done(c->file));
	/* What was found before counts in the metrics too. */
	atomic_store(&c->live.shards, c->totals.shards);
	atomic_store(&c->live.shards_total, c->totals.shards);
	atomic_store(&c->live.damaged_shards, c->totals.damaged_shards);
	atomic_store(&c->live.files, c->totals.files);
	atomic_store(&c->live.files_total, c->totals.files);
	atomic_store(&c->live.bytes, c->totals.plain_bytes);
	atomic_store(&c->live.bytes_total, c->totals.plain_bytes);
	atomic_store(&c->live.damage, c->totals.damage);
	atomic_store(&c->live.lost, c->totals.lost);
	return RC_OK;
}

static enum rc prepare(struct verify_cmd *c, int argc, char **argv,
		       struct err *err)
{
	const struct verify_cmd_options *o = c->o;
	const struct throttle_rates rates = { .bytes = o->rate };

	if (o->resume && (!o->report || o->salvage))
		return err_set(err, RC_USAGE,
			       "--resume goes with --report and without "
			       "--salvage");
	c->call = (struct verify_call){
		.targets = (const char *const *)argv,
		.n_targets = (size_t)argc,
		.deep = o->deep || o->salvage,
		.sample = o->sample.text,
		.since = o->since.text,
		.since_time = o->since.time,
		.started = clock_wall_us(),
	};
	if (choose_seed(o, &c->call.seed, err) || open_report(c, err) ||
	    throttle_new(rates, &c->opts.throttle, err) ||
	    verify_salvage_begin(&c->salvage, o->salvage, err))
		return err->rc;
	c->opts.deep = c->call.deep;
	c->opts.jobs = o->jobs ? o->jobs : workers_n_cpus();
	c->opts.sample = o->sample.percent;
	c->opts.seed = c->call.seed;
	c->opts.has_since = o->since.text;
	c->opts.since = c->call.since_time;
	c->opts.live = &c->live;
	c->opts.is_done = is_done;
	c->opts.fn = on_finding;
	c->opts.shard_fn = on_shard;
	c->opts.arg = c;
	if (o->sample.text)
		tell("a sample of %g %% by seed %" PRIu64, o->sample.percent,
		     c->call.seed);
	return RC_OK;
}

static enum rc watched(struct verify_cmd *c, struct err *err)
{
	CLEANUP_BUF struct buf labels = { .max = LABELS_MAX };
	struct verify_watch_options wo = {
		.progress = c->o->progress,
		.stats_file = c->o->stats_file,
		.phase = c->opts.deep ? "deep" : "verify",
		.live = &c->live,
	};
	struct verify_watch *w = NULL;
	enum rc rc;

	metric_label(&labels, "archive", c->targets.v[0].what);
	wo.labels = buf_str(&labels);
	rc = verify_watch_start(&w, &wo, err);
	if (rc)
		return rc;
	rc = verify_all(c, err);
	/* What was told already is no more than that there is damage. */
	if (c->totals.damage && (!rc || !err->msg[0]))
		rc = err_set(err, RC_CORRUPT, "%s", "");
	verify_watch_stop(w, rc);
	return rc;
}

static enum rc verify_run(const void *options, int argc, char **argv,
			  struct err *err)
{
	struct verify_cmd c = { .o = options };
	enum rc rc;

	rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	if (rc)
		return rc;
	verify_targets_read(&c.targets, argc, argv);
	rc = prepare(&c, argc, argv, err);
	if (!rc)
		rc = watched(&c, err);
	verify_salvage_end(&c.salvage);
	verify_file_free(c.file);
	throttle_free(c.opts.throttle);
	verify_targets_release(&c.targets);
	return rc;
}

static const struct verify_cmd_options verify_defaults = { .conf = CONF_INIT };

const struct cmd cmd_verify = {
	.name = "verify",
	.usage = "[OPTION]... ARCHIVE|SHARD...",
	.summary = "look for damage in archives and shards",
	.opts = verify_opts,
	.n_opts = ARRAY_LEN(verify_opts),
	.defaults = &verify_defaults,
	.options_size = sizeof(verify_defaults),
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.run = verify_run,
};
