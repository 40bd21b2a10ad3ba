/* SPDX-License-Identifier: Apache-2.0 */
/* pack-main.c - desfs-pack: packs files into an archive. */

#include "config.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/json-text.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/sha256-many.h"
#include "base/stop.h"
#include "base/version.h"
#include "catalog/catalog.h"
#include "exchange/archive-version.h"
#include "exchange/import.h"
#include "exchange/manifest-feed.h"
#include "pack/clean.h"
#include "pack/pack-options.h"
#include "pack/report.h"
#include "pack/stats-file.h"
#include "pack/watch.h"
#include "store/store-write.h"

#define LABELS_MAX (64u << 10)

struct cleaning {
	const struct command_line *c;
	uint64_t n, bytes, n_kept;
};

static const char *cleaning_type(bool is_kept, bool dry)
{
	if (is_kept)
		return "kept";
	return dry ? "leftover" : "cleaned";
}

static const char *cleaning_words(bool is_kept, bool dry)
{
	if (is_kept)
		return "kept";
	return dry ? "would remove" : "removed";
}

static void tell_leftover(void *arg, const char *what, uint64_t size,
			  bool is_kept)
{
	CLEANUP_BUF struct buf line = { .max = 1u << 20 };
	struct cleaning *cl = arg;
	bool dry = cl->c->pack.dry_run;

	if (is_kept) {
		cl->n_kept++;
	} else {
		cl->n++;
		cl->bytes += size;
	}
	if (cl->c->json) {
		buf_printf(&line, "{\"v\":1,\"type\":\"%s\",\"what\":",
			   cleaning_type(is_kept, dry));
		json_text_string(&line, what, strlen(what));
		buf_printf(&line, ",\"size\":%" PRIu64 "}", size);
		printf("%s\n", buf_str(&line));
	} else if (!cl->c->quiet) {
		name_escape(&line, what, strlen(what));
		printf("%s %s\n", cleaning_words(is_kept, dry), buf_str(&line));
	}
}

static enum rc clean(const struct command_line *c, struct err *err)
{
	struct cleaning cl = { .c = c };
	struct store *st = NULL;
	unsigned int alive = 0;
	char bytes[HUMAN_MAX];
	enum rc rc;

	if (store_check_writable(c->pack.archive, err))
		return err->rc;
	/* Not store_create at once: that would make what is not there. */
	rc = store_open(&st, c->pack.archive, c->pack.how.settings, err);
	store_close(st);
	if (!rc)
		rc = store_create(&st, c->pack.archive, c->pack.how.settings,
				  err);
	if (rc)
		return rc;
	rc = clean_archive(st, NULL, !c->pack.dry_run, tell_leftover, &cl,
			   &alive, err);
	store_close(st);
	if (rc)
		return rc;
	if (cl.n_kept)
		log_warn("%s: %" PRIu64
			 " shards that neither the log nor a dead "
			 "run names were kept: if log records were lost, "
			 "'desfs rebuild --force' brings them back",
			 c->pack.archive, cl.n_kept);
	if (alive)
		log_warn("%s: %u runs are writing; shards were left alone",
			 c->pack.archive, alive);
	if (!c->quiet)
		fprintf(stderr, "%" PRIu64 " leftovers, %s\n", cl.n,
			human_bytes(bytes, cl.bytes));
	return RC_OK;
}

static void tell_memory(const struct command_line *c)
{
	char bytes[HUMAN_MAX];

	log_info("memory: %s at most, %u jobs, %u open shards, block size %u",
		 human_bytes(bytes, pack_memory(&c->pack)), c->pack.jobs,
		 c->pack.open_shards, c->pack.sizes.group);
}

static struct stats_file *new_stats(const struct command_line *c,
				    struct report *report)
{
	CLEANUP_BUF struct buf labels = { .max = LABELS_MAX };
	char worker[WORKER_TEXT];

	if (!c->stats_file)
		return NULL;
	metric_label(&labels, "archive", c->pack.archive);
	if (c->pack.worker.n) {
		worker_format(&c->pack.worker, worker);
		metric_label(&labels, "worker", worker);
	}
	return stats_file_new(c->stats_file, buf_str(&labels), report);
}

/* With what is in a backup of another kind. */
static enum rc import_run(const struct command_line *c, struct report *report,
			  struct err *err)
{
	const struct import_options o = { .file = c->from_archive,
					  .spool = c->pack.spool,
					  .spool_limit = c->spool_limit,
					  .filter = c->filter,
					  .report = report };
	struct pack_options with_feed = c->pack;
	struct import *im;
	enum rc rc = import_open(&im, &o, err);

	if (rc)
		return rc;
	with_feed.feed = import_feed(im);
	rc = pack_run(&with_feed, report, err);
	import_free(im);
	return rc;
}

/* The run with the records of a manifest, if there is one. */
static enum rc fed_run(const struct command_line *c, struct report *report,
		       struct err *err)
{
	struct manifest_feed_options o = { .manifest = c->manifest,
					   .results = c->results,
					   .spool = c->pack.spool,
					   .format = c->pack.format,
					   .worker = c->pack.worker,
					   .is_dry_run = c->pack.dry_run,
					   .report = report };
	struct pack_options with_feed = c->pack;
	struct manifest_feed *f = NULL;
	enum rc rc;

	if (c->from_archive)
		return import_run(c, report, err);
	if (!c->manifest)
		return pack_run(&c->pack, report, err);
	rc = manifest_feed_open(&o, &f, err);
	if (rc)
		return rc;
	with_feed.feed = manifest_feed(f);
	rc = pack_run(&with_feed, report, err);
	rc = manifest_feed_end(f, rc, err);
	manifest_feed_free(f);
	return rc;
}

static enum rc watched_run(const struct command_line *c, struct report *report,
			   struct err *err)
{
	struct stats_file *stats = new_stats(c, report);
	struct watch *watch = NULL;
	enum rc rc = watch_start(&watch, report, stats, err);

	if (!rc)
		rc = fed_run(c, report, err);
	watch_stop(watch);
	if (stats)
		stats_file_end(stats, rc, !rc && !c->pack.dry_run);
	stats_file_free(stats);
	return rc;
}

static enum rc pack(const struct command_line *c, struct err *err)
{
	struct report_options o = { .is_json = c->json,
				    .is_verbose = c->verbose,
				    .is_dry_run = c->pack.dry_run,
				    .remembers_failed = c->pack.remove_sources,
				    .progress =
					    (enum progress_mode)c->progress };
	struct report *report;
	enum rc rc;

	if (c->quiet && o.progress == PROGRESS_AUTO)
		o.progress = PROGRESS_NEVER;
	rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	if (rc)
		return rc;
	tell_memory(c);
	report = report_new(&o);
	rc = watched_run(c, report, err);
	report_end_progress(report);
	if (!rc || rc == RC_PARTIAL || rc == RC_STOPPED)
		report_summary(report, c->quiet);
	report_free(report);
	stop_release();
	return rc;
}

static void print_version(void)
{
	version_print(stdout, "desfs-pack", NULL, 0);
	printf("codecs: %s\n", codec_libraries());
	printf("hashes side by side: %s\n", sha256_many_library());
	printf("remote archives: %s\n", store_libraries());
	printf("index cache: %s\n", catalog_library());
	printf("tar and zip: %s\n", archive_version());
}

static enum rc run(struct command_line *c, int argc, char **argv,
		   struct err *err)
{
	enum rc rc = command_line_parse(c, argc, argv, err);

	if (!rc && c->debug)
		rc = log_set_debug(c->debug, err);
	if (rc)
		return rc;
	if (c->quiet)
		log_set_level(LOG_LEVEL_ERR);
	for (unsigned int i = 0; i < c->verbose; i++)
		log_more();
	if (c->help || c->version) {
		if (c->help)
			command_line_help(stdout);
		else
			print_version();
		return RC_OK;
	}
	if (command_line_settings(c, err))
		return err->rc;
	return c->clean ? clean(c, err) : pack(c, err);
}

int main(int argc, char **argv)
{
	struct command_line c = { .quiet = false };
	struct err err = { .msg = "" };
	enum rc rc;

	/* A file that may not grow is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
	/* Whoever asks how it goes before there is an answer, or of what has
	 * none, is not to end it.
	 */
	signal(SIGUSR1, SIG_IGN);
	log_open("desfs-pack", LOG_LEVEL_WARN);
	rc = run(&c, argc, argv, &err);
	command_line_release(&c);
	if (rc && rc != RC_PARTIAL)
		log_err("%s", err.msg);
	if (!rc && (fflush(stdout) || ferror(stdout))) {
		log_err("cannot write standard output");
		rc = RC_IO;
	}
	log_close();
	return rc_to_status(rc);
}
