/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-reap.c - desfs reap: one round of all that deleting takes. */
#include "config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/opt-rows.h"
#include "base/spool.h"
#include "base/timestamp.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"
#include "cmd/open-log.h"
#include "cmd/purge-out.h"
#include "cmd/reap-stats.h"
#include "cmd/repack-options.h"
#include "cmd/tell.h"
#include "conf/conf-opts.h"
#include "conf/erasure-key.h"
#include "repack/erasure-list.h"
#include "repack/reap.h"
#include "volume/random-object.h"

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
	OPT_ROW_DRY_RUN(
		struct reap_cmd_options, dry_run,
		"say what would be repacked and removed, change nothing"),
	OPT_ROW_JOBS(struct reap_cmd_options, jobs,
		     "work with N threads [one a processor]"),
	OPT_ROW_JSON(struct reap_cmd_options, json,
		     "print one JSON object for each thing done, and a total"),
	OPT_ROW_STATS_FILE(struct reap_cmd_options, stats_file,
			   "write metrics for Prometheus to FILE"),
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

static void row_repack(const struct repack_event *e, const char *status)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	json_row_begin_kind(&b, "repack");
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
	const struct reap_cmd *c = arg;

	if (e->status == REPACK_FAILED) {
		tell("%s", e->err->msg);
		return;
	}
	if (c->o->json)
		row_repack(e, repack_status_text(e->status));
	else if (e->status == REPACK_DONE)
		printf("%s: repacked, %" PRIu64 " entries deleted\n",
		       e->in[0]->key, e->out->report.deleted);
	else if (e->status == REPACK_WOULD)
		printf("%s: would be repacked, %" PRIu64
		       " entries are deleted\n",
		       e->in[0]->key, e->plan->deleted);
}

static void print_purge(void *arg, const struct purge_event *e)
{
	const struct reap_cmd *c = arg;

	purge_out(e, c->o->json, c->o->dry_run);
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
		json_row_begin_kind(&b, "leftover");
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

	json_row_begin_kind(&b, "total");
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
		json_row_time(&b, "next", t->purge.next);
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
	if (t->purge.again)
		tell("%" PRIu64 " old shards that had been removed were there "
		     "again; they are removed again",
		     t->purge.again);
	if (t->finish.strays)
		tell("%" PRIu64 " shards keep deletions open that the log does "
		     "not expect, or is wrong about: one is %s",
		     t->finish.strays, t->finish.text);
	if (t->returned.uncertain)
		tell("%" PRIu64 " versions of erased names may have come "
		     "back or be there by --allow-erased; they stay, unless "
		     "'desfs tombstone add' deletes them",
		     t->returned.uncertain);
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
		.spool_dir = spool_default_dir(),
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

	if (c->totals.has_erasures) {
		c->erasures = c->totals.erasures;
		return RC_OK;
	}
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
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	k->n++;
	if (c->o->dry_run)
		return RC_OK;
	/* Nothing in there means that there is no key. */
	return random_object_complete(c->l.st, SUPPRESSION_KEY_OBJECT,
				      k->v[k->n - 1], err);
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
