/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-convert.c - desfs convert: an archive written anew as another one. */
#include "config.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/opt-rows.h"
#include "base/spool.h"
#include "base/stop.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "cmd/convert-place.h"
#include "cmd/convert-report.h"
#include "cmd/tell.h"
#include "cmd/verify-watch.h"
#include "conf/conf-opts.h"
#include "exchange/convert-check.h"
#include "pack/pack.h"
#include "pack/watch.h"
#include "shard/route.h"
#include "shard/shard-format.h"
#include "verify/verify.h"
#include "volume/volume.h"

/* Of the archive that is read, beside all that pack takes. */
#define OLD_BLOCK_CACHE (UINT64_C(32) << 20)
#define OLD_PAGE_CACHE (UINT64_C(8) << 20)
#define NEW_PAGE_CACHE (UINT64_C(32) << 20)

#define OPEN_SHARDS_MAX 64

struct convert_options {
	struct pack_options pack;
	struct profile_choice choice;
	const char *report;
	bool no_verify;
	enum progress_mode progress;
	struct conf conf;
};

/* In the order of enum route_kind, and of enum codec_id. */
static const char *const route_names[] = { "uid", "parent", NULL };
static const char *const codec_names[] = { "none", "zstd", "lz4", NULL };

static enum rc set_throttle(void *field, const char *arg, struct err *err)
{
	return throttle_parse(arg, field, err);
}

#define AT(member) .offset = offsetof(struct convert_options, member)

static const struct opt convert_opts[] = {
	{ .name = "report",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(report),
	  .help = "write what could not be converted to FILE, as JSON" },
	{ .name = "no-verify",
	  .kind = OPT_FLAG,
	  AT(no_verify),
	  .help = "do not read both archives afterwards to compare them" },
	OPT_ROW_DRY_RUN(struct convert_options, pack.dry_run,
			"say what would be done, write nothing"),
	{ .name = "n-bits",
	  .arg = "N",
	  .kind = OPT_UINT,
	  AT(pack.n_bits),
	  .min = ROUTE_BITS_MIN,
	  .max = ROUTE_BITS_MAX,
	  .help = "spread the files over 2^N slots [as OLD]" },
	{ .name = "route",
	  .arg = "uid|parent",
	  .kind = OPT_CHOICE,
	  AT(pack.route),
	  .choices = route_names,
	  .help = "choose a file's slot by its whole path or by its directory's [as OLD]" },
	{ .name = "profile",
	  .arg = "default|small|fast",
	  .kind = OPT_CHOICE,
	  AT(choice.profile),
	  .choices = profile_names,
	  .help = "codec, level and block size, as of desfs-pack" },
	{ .name = "codec",
	  .arg = "zstd|lz4|none",
	  .kind = OPT_CHOICE,
	  AT(choice.codec),
	  .choices = codec_names,
	  .help = "compress with [zstd]" },
	{ .name = "level",
	  .arg = "N",
	  .kind = OPT_INT,
	  AT(choice.level),
	  .help = "compression level [of the profile]" },
	{ .name = "block-size",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  AT(choice.block_size),
	  .min = BLOCK_SIZE_MIN,
	  .max = BLOCK_SIZE_MAX,
	  .help = "bytes compressed together [of the profile]" },
	{ .name = "max-shard-size",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  AT(pack.max_shard),
	  .min = 1,
	  .help = "plain bytes of a shard after which the next part begins [1G]" },
	OPT_ROW_JOBS(struct convert_options, pack.jobs,
		     "compress and verify with N threads [one a processor]"),
	{ .name = "open-shards",
	  .arg = "N",
	  .kind = OPT_UINT,
	  AT(pack.open_shards),
	  .min = 1,
	  .max = OPEN_SHARDS_MAX,
	  .help = "write N shards at a time [2]" },
	{ .name = "throttle",
	  .arg = "RATE",
	  .kind = OPT_CALLBACK,
	  .fn = set_throttle,
	  AT(pack.throttle),
	  .help = "convert no more than 500files/s, or 20M/s; may be given for both" },
	{ .name = "checkpoint",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(pack.checkpoint),
	  .help = "keep in FILE how far the run is, and go on from there when it is given again" },
	{ .name = "spool",
	  .arg = "DIR",
	  .kind = OPT_STRING,
	  AT(pack.spool),
	  .help = "where temporary files go [$TMPDIR or /var/tmp]" },
	OPT_ROW_PROGRESS(struct convert_options, progress,
			 "show how far it is [auto: on a terminal]"),
	CONF_OPTS(struct convert_options, conf)
};

/* Settings, and what is opened with them, of one of the two. */
struct side {
	const char *url;
	struct conf conf;
	struct volume_options how;
	struct volume *v;
};

struct convert {
	const struct convert_options *o;
	struct pack_options pack;
	struct side from, to;
	struct convert_report report;
	struct throttle *throttle;   /* of verifying */
	struct verify_totals totals; /* of the new archive */
	struct report_counts packed;
};

/* --- both archives -------------------------------------------------------- */

static enum rc side_init(struct side *s, const char *url,
			 const struct conf *options, struct err *err)
{
	*s = (struct side){ .url = url, .conf = *options };
	if (conf_fill(&s->conf, url, err))
		return err->rc;
	s->how = (struct volume_options){
		.settings = &s->conf.store,
		.index_cache = s->conf.index_cache,
		.index_cache_size = s->conf.index_cache_size,
		.block_cache = OLD_BLOCK_CACHE,
		.page_cache = OLD_PAGE_CACHE,
		.verify = VERIFY_BLOCK,
	};
	return RC_OK;
}

static void side_close(struct side *s)
{
	volume_close(s->v);
	s->v = NULL;
}

static void side_release(struct side *s)
{
	side_close(s);
	conf_release(&s->conf);
}

/* As the old one is routed its blocks are read once each: files that share one
 * go into the same slot.
 */
static void route_as_before(struct convert *c)
{
	const struct descriptor *d = volume_descriptor(c->from.v);

	if (strncmp(c->to.url, "zone://", 7) != 0 && !c->pack.n_bits &&
	    c->pack.route == PACK_ANY_ROUTE) {
		c->pack.n_bits = d->n_bits;
		c->pack.route = d->route;
	}
}

static enum rc look_at_new(struct convert *c, struct err *err)
{
	struct volume *v = NULL;
	enum rc rc = volume_open(&v, c->to.url, &c->to.how, err);

	if (rc == RC_NOENT) {
		route_as_before(c);
		return RC_OK;
	}
	if (rc)
		return rc;
	if (volume_is_legacy(v))
		rc = err_set(err, RC_USAGE,
			     "%s: is an archive of an older program; the new "
			     "one needs a place of its own",
			     c->to.url);
	else
		tell("%s is an archive already; what it lacks is added",
		     c->to.url);
	volume_close(v);
	return rc;
}

static enum rc open_both(struct convert *c, struct err *err)
{
	enum rc rc = convert_check_places(c->from.url, c->to.url, err);

	c->from.how.legacy.spool = c->pack.spool;
	if (!rc)
		rc = volume_open(&c->from.v, c->from.url, &c->from.how, err);
	return rc ? rc : look_at_new(c, err);
}

/* --- packing -------------------------------------------------------------- */

static enum rc prepare_pack(struct convert *c, struct err *err)
{
	struct profile profile;

	c->pack = c->o->pack;
	if (profile_fill(&c->o->choice, &profile, err))
		return err->rc;
	c->pack.codec = profile.codec;
	c->pack.level = profile.level;
	c->pack.sizes = profile.sizes;
	c->pack.archive = c->to.url;
	c->pack.how.settings = &c->to.conf.store;
	c->pack.how.index_cache = c->to.conf.index_cache;
	c->pack.how.index_cache_size = c->to.conf.index_cache_size;
	c->pack.erasure_key = c->to.conf.erasure_key;
	if (!c->pack.jobs)
		c->pack.jobs = workers_n_cpus();
	if (!c->pack.spool)
		c->pack.spool = spool_default_dir();
	return RC_OK;
}

static enum rc run_pack(struct convert *c, struct err *err)
{
	const struct report_options o = { .is_dry_run = c->pack.dry_run,
					  .progress = c->o->progress };
	const struct feed_volume_options fo = {
		.volume = c->from.v,
		.spool = c->pack.spool,
		.url = c->from.url,
		.lost = convert_report_lost,
		.result = convert_report_result,
		.arg = &c->report,
	};
	struct feed_volume *feed = feed_volume_new(&fo);
	struct report *report = report_new(&o);
	struct watch *watch = NULL;
	enum rc rc = watch_start(&watch, report, NULL, err);

	c->report.from = c->from.v;
	c->report.feed = feed;
	c->pack.feed = feed_volume_feed(feed);
	if (!rc)
		rc = pack_run(&c->pack, report, err);
	watch_stop(watch);
	report_end_progress(report);
	c->packed = report_counts(report);
	report_free(report);
	c->report.feed = NULL;
	feed_volume_free(feed);
	return rc;
}

static enum rc tell_stopped(struct err *err)
{
	const struct err was = *err;

	return err_set(err, RC_STOPPED, "%s; the same call again goes on",
		       was.msg);
}

/* --- verifying ------------------------------------------------------------ */

static enum rc compare(struct convert *c, struct verify_live *live,
		       struct err *err)
{
	const struct convert_check check = {
		.from = c->from.v,
		.to = c->to.v,
		.jobs = c->pack.jobs,
		.throttle = c->throttle,
		.live = live,
		.is_left_out = convert_report_is_left_out,
		.differs = convert_report_differs,
		.unread = convert_report_unread_again,
		.lost = convert_report_lost_again,
		.arg = &c->report,
	};
	struct verify_watch_options wo = { .progress = c->o->progress,
					   .labels = "",
					   .phase = "comparing",
					   .live = live };
	struct verify_watch *w = NULL;
	enum rc rc = verify_watch_start(&w, &wo, err);

	if (rc)
		return rc;
	rc = convert_check(&check, &c->report.n.verified, err);
	verify_watch_stop(w, rc);
	return rc;
}

static enum rc verify_new(struct convert *c, struct verify_live *live,
			  struct err *err)
{
	const struct verify_options vo = { .settings = &c->to.conf.store,
					   .deep = true,
					   .jobs = c->pack.jobs,
					   .throttle = c->throttle,
					   .live = live,
					   .fn = convert_report_finding,
					   .arg = &c->report };
	struct verify_watch_options wo = { .progress = c->o->progress,
					   .labels = "",
					   .phase = "verifying",
					   .live = live };
	struct verify_watch *w = NULL;
	enum rc rc = verify_watch_start(&w, &wo, err);

	if (rc)
		return rc;
	rc = verify_archive(c->to.url, &vo, &c->totals, err);
	verify_watch_stop(w, rc);
	return rc;
}

/* What was read of the old archive is what the new one says it has; and what it
 * says is what it has.
 */
static enum rc verify(struct convert *c, struct err *err)
{
	struct verify_live comparing = { 0 }, verifying = { 0 };
	enum rc rc;

	stop_promptly();
	c->to.how.page_cache = NEW_PAGE_CACHE;
	rc = throttle_new(c->pack.throttle, &c->throttle, err);
	if (!rc)
		rc = volume_open(&c->to.v, c->to.url, &c->to.how, err);
	if (!rc)
		rc = compare(c, &comparing, err);
	side_close(&c->to);
	side_close(&c->from);
	if (!rc)
		rc = verify_new(c, &verifying, err);
	if (rc == RC_STOPPED)
		return err_set(err, RC_STOPPED,
			       "stopped by a signal; all is converted, and "
			       "the same call again verifies it");
	return rc;
}

/* --- the run -------------------------------------------------------------- */

static bool is_verified(const struct convert *c)
{
	return !c->pack.dry_run && !c->o->no_verify;
}

static void print_counts(const struct convert *c,
			 const struct convert_counts *n)
{
	printf("%" PRIu64 " entries %s, %" PRIu64 " were there, %" PRIu64
	       " failed, %" PRIu64 " lost",
	       n->archived,
	       c->pack.dry_run ? "would be converted" : "converted", n->there,
	       n->failed, n->lost);
	if (n->erased)
		printf(", %" PRIu64 " deleted for good", n->erased);
	if (is_verified(c))
		printf("; %" PRIu64 " verified, %" PRIu64 " differ",
		       n->verified, n->different);
	if (n->uncompared)
		printf(", %" PRIu64 " not compared", n->uncompared);
	printf("\n");
}

/* Told already, each for itself. */
static enum rc judge(const struct convert *c, const struct convert_counts *n,
		     struct err *err)
{
	uint64_t seen = n->verified + n->different + n->uncompared;

	if (n->different || c->totals.damage || c->totals.lost)
		return err_set(err, RC_CORRUPT,
			       "the new archive is not what the old one is");
	if (is_verified(c) && seen < n->archived + n->there)
		return err_set(err, RC_PARTIAL,
			       "%" PRIu64
			       " entries of the new archive were not "
			       "compared",
			       n->archived + n->there - seen);
	if (n->failed || n->damaged || n->uncompared || c->totals.unread_shards)
		return err_set(err, RC_PARTIAL, "%s", "");
	return RC_OK;
}

static void log_reads(const struct convert *c)
{
	struct volume_stats s;

	volume_stats(c->from.v, &s);
	log_info("%s: %" PRIu64 " reads, %" PRIu64 " bytes of %" PRIu64
		 "; blocks: %" PRIu64 " loaded, %" PRIu64 " met again",
		 c->from.url, s.store_reads, s.store_bytes, s.stored_bytes,
		 s.block_misses, s.block_hits);
}

static enum rc convert(struct convert *c, struct err *err)
{
	struct convert_counts n;
	enum rc rc;

	if (volume_legacy_damage(c->from.v, convert_report_unread, &c->report))
		tell("what can be read is converted");
	rc = run_pack(c, err);
	log_reads(c);
	if (rc == RC_STOPPED)
		return tell_stopped(err);
	if (rc && rc != RC_PARTIAL)
		return rc;
	if (is_verified(c) && verify(c, err))
		return err->rc;
	n = convert_report_counts(&c->report);
	print_counts(c, &n);
	return judge(c, &n, err);
}

static enum rc run(struct convert *c, struct err *err)
{
	struct err other;
	enum rc rc = prepare_pack(c, err);

	if (!rc)
		rc = open_both(c, err);
	if (!rc && c->o->report)
		rc = convert_report_open(&c->report, c->o->report, c->from.url,
					 c->to.url, err);
	if (rc)
		return rc;
	rc = convert(c, err);
	if (convert_report_end(&c->report, rc, &c->totals, &other) && !rc) {
		*err = other;
		rc = other.rc;
	}
	return rc;
}

static enum rc convert_run(const void *options, int argc, char **argv,
			   struct err *err)
{
	struct convert c = { .o = options };
	enum rc rc;

	(void)argc;
	/* A file that may not grow is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
	rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	if (rc)
		return rc;
	convert_report_init(&c.report);
	rc = side_init(&c.from, argv[0], &c.o->conf, err);
	if (!rc)
		rc = side_init(&c.to, argv[1], &c.o->conf, err);
	if (!rc)
		rc = run(&c, err);
	throttle_free(c.throttle);
	convert_report_release(&c.report);
	side_release(&c.from);
	side_release(&c.to);
	stop_release();
	return rc;
}

static const struct convert_options convert_defaults = {
	.pack = { .route = PACK_ANY_ROUTE,
		  .max_shard = PACK_MAX_SHARD,
		  .open_shards = PACK_OPEN_SHARDS },
	.choice = PROFILE_CHOICE_INIT,
	.conf = CONF_INIT,
};

const struct cmd cmd_convert = {
	.name = "convert",
	.usage = "[OPTION]... OLD NEW",
	.summary = "write an archive anew, verify every file",
	.opts = convert_opts,
	.n_opts = ARRAY_LEN(convert_opts),
	.defaults = &convert_defaults,
	.options_size = sizeof(convert_defaults),
	.min_args = 2,
	.max_args = 2,
	.run = convert_run,
};
