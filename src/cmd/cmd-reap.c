/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-reap.c - desfs reap: one round of all that deleting takes. */
#include "config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/timestamp.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"
#include "cmd/open-log.h"
#include "cmd/reap-stats.h"
#include "cmd/repack-options.h"
#include "cmd/tell.h"
#include "conf/conf-opts.h"
#include "conf/erasure-key.h"
#include "pack/random-object.h"
#include "repack/erasure-list.h"
#include "repack/reap.h"

#define JOBS_MAX 256
#define DEFAULT_SPOOL "/var/tmp"

struct reap_cmd_options {
	struct percent when_deleted;
	int64_t grace; /* seconds */
	bool dry_run, json;
	const char *stats_file;
	unsigned int jobs; /* 0: one for each processor */
	struct conf conf;
};

#define AT(field) .offset = offsetof(struct reap_cmd_options, field)

static const struct opt reap_opts[] = {
	{ .name = "grace",
	  .arg = "T",
	  .kind = OPT_CALLBACK,
	  AT(grace),
	  .fn = parse_grace,
	  .help = "keep what is replaced now for T: seconds, or a number with s, m, h or d [24h]" },
	{ .name = "when-deleted",
	  .arg = "P",
	  .kind = OPT_CALLBACK,
	  AT(when_deleted),
	  .fn = parse_percent,
	  .help = "repack shards of which P per cent is deleted; 0: anything [0]" },
	{ .name = "dry-run",
	  .letter = 'n',
	  .kind = OPT_FLAG,
	  AT(dry_run),
	  .help = "say what would be repacked and removed, change nothing" },
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
	  .help = "print one JSON object for each thing done, and a total" },
	{ .name = "stats-file",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(stats_file),
	  .help = "write metrics for Prometheus to FILE" },
	CONF_OPTS(struct reap_cmd_options, conf)
};

struct reap_cmd {
	const struct reap_cmd_options *o;
	struct open_log l;
	struct erasure_keys keys;
	struct reap_totals totals;
	struct erasure_counts erasures;
};

/* --- what is told --------------------------------------------------------- */

static void row_begin(struct buf *b, const char *kind)
{
	json_row_begin(b);
	json_row_u64(b, "v", 1);
	json_row_str(b, "kind", kind);
}

static void row_time(struct buf *b, const char *name, int64_t us)
{
	char text[TIMESTAMP_TEXT];

	if (!timestamp_is_valid(us))
		return;
	timestamp_format(us, text);
	json_row_str(b, name, text);
}

static void row_repack(const struct repack_event *e, const char *status)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	row_begin(&b, "repack");
	json_row_str(&b, "status", status);
	json_row_str(&b, "key", e->in[0]->key);
	json_row_u64(&b, "replaces", e->n_in);
	if (e->out)
		json_row_u64(&b, "shards", e->out->n);
	if (e->out)
		json_row_u64(&b, "deleted", e->out->report.deleted);
	json_row_end(&b, stdout);
}

static void print_repack(void *arg, const struct repack_event *e)
{
	static const char *const names[] = {
		[REPACK_DONE] = "done",     [REPACK_WOULD] = "would",
		[REPACK_BEATEN] = "beaten", [REPACK_NOTHING] = "nothing",
		[REPACK_FAILED] = "failed",
	};
	const struct reap_cmd *c = arg;

	if (e->status == REPACK_FAILED) {
		tell("%s", e->err->msg);
		return;
	}
	if (c->o->json)
		row_repack(e, names[e->status]);
	else if (e->status == REPACK_DONE)
		printf("%s: repacked, %" PRIu64 " entries deleted\n",
		       e->in[0]->key, e->out->report.deleted);
	else if (e->status == REPACK_WOULD)
		printf("%s: would be repacked, %" PRIu64
		       " entries are deleted\n",
		       e->in[0]->key, e->plan->deleted);
}

static const char *why_not(const struct purge_event *e)
{
	switch (e->verdict) {
	case PURGE_YES: return "its store keeps it";
	case PURGE_HELD: return "under a hold";
	case PURGE_GRACE: return "the grace period is not over";
	case PURGE_RUN_ALIVE: return "an older run is at work";
	case PURGE_UNVERIFIED: return "what takes its place is not whole";
	case PURGE_LACKS: return "what takes its place has not all of it";
	case PURGE_COUNTS:
	case PURGE_UNREAD: return "no record could be read that replaces it";
	}
	return "";
}

static void row_purge(const struct purge_event *e)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	row_begin(&b, "purge");
	json_row_str(&b, "key", e->key);
	json_row_str(&b, "verdict", purge_verdict_text(e->verdict));
	if (e->zone)
		json_row_str(&b, "zone", e->zone);
	if (e->verdict == PURGE_YES && !e->is_failed)
		json_row_str(&b, "how", receipt_how_text(e->how));
	row_time(&b, "until", e->until);
	if (e->text)
		json_row_str(&b, "text", e->text);
	json_row_end(&b, stdout);
}

static void print_purge(void *arg, const struct purge_event *e)
{
	const struct reap_cmd *c = arg;
	char until[TIMESTAMP_TEXT] = "";

	if (e->is_failed)
		tell("%s: not removed: %s", e->key,
		     e->text ? e->text : why_not(e));
	if (c->o->json) {
		row_purge(e);
		return;
	}
	if (e->is_failed)
		return;
	if (timestamp_is_valid(e->until))
		timestamp_format(e->until, until);
	if (e->verdict == PURGE_YES && c->o->dry_run)
		printf("%s: would be removed\n", e->key);
	else if (e->verdict == PURGE_YES && e->how != RECEIPT_PENDING)
		printf("%s: removed%s%s\n", e->key, e->zone ? " from " : "",
		       e->zone ? e->zone : "");
	else
		printf("%s: stays: %s%s%s%s%s\n", e->key, why_not(e),
		       e->text ? ": " : "", e->text ? e->text : "",
		       *until ? ", until " : "", until);
}

static void print_failed(void *arg, enum reap_step step, const struct err *err)
{
	(void)arg;
	tell("%s: %s", reap_step_text(step), err->msg);
}

static void print_leftover(void *arg, const char *what, bool is_removed)
{
	const struct reap_cmd *c = arg;
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	if (!is_removed)
		tell("%s: a shard that nothing names stays", what);
	if (c->o->json) {
		row_begin(&b, "leftover");
		json_row_str(&b, "what", what);
		json_row_bool(&b, "removed", is_removed);
		json_row_end(&b, stdout);
	} else if (is_removed) {
		printf("%s: a leftover, removed\n", what);
	}
}

static void print_lost(void *arg, const char *key, const void *uid,
		       size_t uid_len, const char *text)
{
	(void)arg;
	(void)uid;
	(void)uid_len;
	tell("%s: %s", key, text);
}

static void row_totals(const struct reap_cmd *c)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	const struct reap_totals *t = &c->totals;
	const struct erasure_counts *e = &c->erasures;

	row_begin(&b, "total");
	json_row_bool(&b, "dry_run", c->o->dry_run);
	json_row_u64(&b, "repacked", t->repack.replaced);
	json_row_u64(&b, "written", t->repack.written);
	json_row_u64(&b, "deleted", t->repack.report.deleted);
	json_row_u64(&b, "purged", t->purge.purged);
	json_row_u64(&b, "purged_bytes", t->purge.bytes);
	json_row_u64(&b, "waiting", t->purge.waiting);
	json_row_u64(&b, "held", t->purge.held);
	json_row_u64(&b, "pending", t->purge.pending);
	if (t->purge.next != INT64_MAX)
		row_time(&b, "next", t->purge.next);
	json_row_u64(&b, "checkpoints", t->fold.checkpoints);
	json_row_u64(&b, "folded", t->fold.removed);
	json_row_u64(&b, "folding", t->fold.waiting);
	json_row_u64(&b, "finished", t->finish.finished);
	json_row_u64(&b, "suppressed", t->finish.suppressed);
	json_row_u64(&b, "returned", t->returned.deleted);
	json_row_u64(&b, "leftovers", t->leftovers);
	json_row_u64(&b, "open", e->open);
	json_row_u64(&b, "in_danger", e->in_danger);
	json_row_end(&b, stdout);
}

static void print_totals(const struct reap_cmd *c)
{
	const struct reap_totals *t = &c->totals;
	char bytes[HUMAN_MAX], next[TIMESTAMP_TEXT];

	if (t->returned.unknown)
		tell("erasure_key in desfs.conf(5) lacks a key of the list of "
		     "erased names: it is not known whether they came back");
	if (t->returned.deleted)
		tell("%" PRIu64 " versions that were erased had come back; "
		     "they are deleted again",
		     t->returned.deleted);
	if (c->o->json) {
		row_totals(c);
		return;
	}
	printf("%" PRIu64 " shards %srepacked, %" PRIu64
	       " old ones %sremoved (%s), %" PRIu64 " erasures finished\n",
	       t->repack.replaced, c->o->dry_run ? "would be " : "",
	       t->purge.purged, c->o->dry_run ? "would be " : "",
	       human_bytes(bytes, t->purge.bytes), t->finish.finished);
	if (t->purge.waiting || t->purge.held || t->purge.pending)
		printf("old shards that stay: %" PRIu64 " wait, %" PRIu64
		       " are held, %" PRIu64 " are kept by their store\n",
		       t->purge.waiting, t->purge.held, t->purge.pending);
	if (t->purge.next != INT64_MAX) {
		timestamp_format(t->purge.next, next);
		printf("the next one can go at %s\n", next);
	}
	if (c->erasures.open || c->erasures.held)
		printf("%" PRIu64 " erasures open, %" PRIu64 " held, %" PRIu64
		       " in danger of 48 hours\n",
		       c->erasures.open, c->erasures.held,
		       c->erasures.in_danger);
}

/* --- the run -------------------------------------------------------------- */

static enum rc run_round(struct reap_cmd *c, struct err *err)
{
	const char *tmpdir = getenv("TMPDIR");
	const struct reap_options opts = {
		.store = c->l.st,
		.archive_id = c->l.descriptor.archive_id,
		.secret = c->keys.n ? c->keys.v[0] : NULL,
		.secrets = (const uint8_t(*)[SUPPRESSION_SECRET_LEN])c->keys.v,
		.n_secrets = c->keys.n,
		.grace = c->o->grace,
		.when_deleted = c->o->when_deleted.value,
		.dry_run = c->o->dry_run,
		.jobs = c->o->jobs ? c->o->jobs : workers_n_cpus(),
		.spool_dir = tmpdir && *tmpdir ? tmpdir : DEFAULT_SPOOL,
		.tell = { .repack = print_repack,
			  .purge = print_purge,
			  .lost = print_lost,
			  .failed = print_failed,
			  .leftover = print_leftover,
			  .arg = c },
	};

	return reap_round(c->l.log, &opts, &c->totals, err);
}

/* How deletions stand after the round. */
static enum rc look(struct reap_cmd *c, struct err *err)
{
	const struct erasure_list_options opts = {
		.store = c->l.st,
		.jobs = c->o->jobs ? c->o->jobs : workers_n_cpus(),
		.margin = ERASURE_MARGIN,
	};

	return erasure_list(c->l.log, &opts, &c->erasures, err);
}

static enum rc reap(struct reap_cmd *c, struct err *err)
{
	struct err late;
	enum rc rc = run_round(c, err);

	if (rc && rc != RC_PARTIAL)
		return rc;
	if (look(c, &late)) {
		tell("%s", late.msg);
		rc = err_set(err, RC_PARTIAL,
			     "it is not known how deletions stand");
	}
	print_totals(c);
	return rc;
}

/* The one in the archive, if it is there, comes behind the operator's. */
static enum rc load_keys(struct reap_cmd *c, struct err *err)
{
	struct erasure_keys *k = &c->keys;
	enum rc rc = erasure_keys_load(c->l.conf.erasure_key, k, err);

	if (rc || k->n == ERASURE_KEYS_MAX)
		return rc;
	rc = random_object_read(c->l.st, SUPPRESSION_KEY_OBJECT, k->v[k->n],
				err);
	k->n += !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc reap_run(const void *options, int argc, char **argv,
			struct err *err)
{
	struct reap_cmd c = { .o = options };
	int64_t start = clock_wall_ns();
	enum rc rc;

	(void)argc;
	if (open_log(&c.l, argv[0], &c.o->conf, true, err))
		return err->rc;
	rc = load_keys(&c, err);
	if (!rc)
		rc = reap(&c, err);
	if (c.o->stats_file)
		reap_stats_write(c.o->stats_file, argv[0], &c.totals,
				 &c.erasures, start, rc);
	erasure_keys_wipe(&c.keys);
	close_log(&c.l);
	return rc;
}

static const struct reap_cmd_options reap_defaults = {
	.grace = REPACK_GRACE_DEFAULT,
	.conf = CONF_INIT,
};

const struct cmd cmd_reap = {
	.name = "reap",
	.usage = "[OPTION]... ARCHIVE",
	.summary = "finish deletions: repack, remove, write receipts",
	.opts = reap_opts,
	.n_opts = ARRAY_LEN(reap_opts),
	.defaults = &reap_defaults,
	.options_size = sizeof(reap_defaults),
	.min_args = 1,
	.max_args = 1,
	.run = reap_run,
};
