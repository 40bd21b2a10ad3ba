/* SPDX-License-Identifier: Apache-2.0 */
/* pack-options.c - the command line of desfs-pack. */
#include "config.h"

#include "pack/pack-options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/opt-rows.h"
#include "base/opt.h"
#include "base/progress.h"
#include "base/spool.h"
#include "base/timestamp.h"
#include "base/workers.h"
#include "conf/conf-opts.h"
#include "pack/des2-rules.h"
#include "pack/filter.h"
#include "pack/profile.h"
#include "shard/route.h"
#include "shard/shard-format.h"

#define MAX_OPEN_SHARDS 64
/* Each has a shard, and memory for that. */
#define DES2_JOBS 4u

/* In the order of enum route_kind. */
static const char *const route_names[] = { "uid", "parent", NULL };

/* In the order of enum codec_id. */
static const char *const codec_names[] = { "none", "zstd", "lz4", NULL };

/* field is the command line. */
static enum rc set_created(void *field, const char *arg, struct err *err)
{
	struct command_line *c = field;
	struct timestamp ts;

	if (!strcmp(arg, "now")) {
		c->pack.created = CREATED_NOW;
		return RC_OK;
	}
	if (!strcmp(arg, "mtime")) {
		c->pack.created = CREATED_MTIME;
		return RC_OK;
	}
	if (timestamp_parse(arg, &ts, err))
		return err_prefix(err, "want now, mtime or a time");
	c->pack.created = CREATED_TIME;
	c->pack.created_at = ts.us;
	c->pack.created_zone = ts.wall_zone;
	return RC_OK;
}

static enum rc set_worker(void *field, const char *arg, struct err *err)
{
	return worker_parse(arg, field, err);
}

static enum rc add_exclude(void *field, const char *arg, struct err *err)
{
	return filter_add_rule(((struct command_line *)field)->filter, arg,
			       err);
}

static enum rc add_exclude_from(void *field, const char *arg, struct err *err)
{
	return filter_add_file(((struct command_line *)field)->filter, arg,
			       err);
}

static enum rc set_throttle(void *field, const char *arg, struct err *err)
{
	return throttle_parse(
		arg, &((struct command_line *)field)->pack.throttle, err);
}

#define AT(member) .offset = offsetof(struct command_line, member)

static const struct opt rows[] = {
	{ .name = "format",
	  .arg = "3|2",
	  .kind = OPT_UINT,
	  AT(pack.format),
	  .min = PACK_FORMAT_DES2,
	  .max = SHARD_VERSION,
	  .help = "write shards of this format: 2 is that of the program "
		  "before this one (default 3)" },
	{ .name = "n-bits",
	  .arg = "N",
	  .kind = OPT_UINT,
	  AT(pack.n_bits),
	  .min = ROUTE_BITS_MIN,
	  .max = ROUTE_BITS_MAX,
	  .help = "spread the files over 2^N slots (first pack only; "
		  "default 4 with --route parent, 8 with uid)" },
	{ .name = "route",
	  .arg = "uid|parent",
	  .kind = OPT_CHOICE,
	  AT(pack.route),
	  .choices = route_names,
	  .help = "choose a file's slot by its whole path or by its "
		  "directory's (first pack only; default parent)" },
	{ .name = "created-at",
	  .arg = "now|mtime|TIME",
	  .kind = OPT_CALLBACK,
	  .fn = set_created,
	  .help = "when the files enter the archive: now, each at its "
		  "modification time (first pack only), or all at TIME "
		  "(ISO 8601, UTC without a zone)" },
	{ .name = "mirror",
	  .kind = OPT_FLAG,
	  AT(pack.mirror),
	  .help = "names that are not in the sources any more disappear "
		  "from the archive's tree" },
	{ .name = "mirror-empty",
	  .kind = OPT_FLAG,
	  AT(pack.mirror_empty),
	  .help = "with --mirror, let a source that is empty do so to what "
		  "the archive has of it" },
	{ .name = "allow-erased",
	  .kind = OPT_FLAG,
	  AT(pack.allow_erased),
	  .help = "pack names again that were deleted for good" },
	{ .name = "checksum",
	  .kind = OPT_FLAG,
	  AT(pack.checksum),
	  .help = "read files to find out whether they changed" },
	{ .name = "remove-source-files",
	  .kind = OPT_FLAG,
	  AT(pack.remove_sources),
	  .help = "remove files from the sources when the archive has been "
		  "read back and has them" },
	{ .name = "exclude",
	  .arg = "PATTERN",
	  .kind = OPT_CALLBACK,
	  .fn = add_exclude,
	  .help = "leave out what matches, as rsync does" },
	{ .name = "exclude-from",
	  .arg = "FILE",
	  .kind = OPT_CALLBACK,
	  .fn = add_exclude_from,
	  .help = "the same for each line of FILE" },
	{ .name = "files0-from",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(pack.files0_from),
	  .help = "pack only the paths in FILE, each ended by a NUL byte; "
		  "- is standard input" },
	{ .name = "manifest",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(manifest),
	  .help = "pack the files that FILE lists, under the names and times "
		  "it gives them, instead of a SOURCE; - is standard input" },
	{ .name = "from-archive",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(from_archive),
	  .help = "pack what is in FILE, a tar, a zip or another backup, "
		  "instead of a SOURCE; - is standard input" },
	{ .name = "spool-limit",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  AT(spool_limit),
	  .min = 1,
	  .help = "with --from-archive, keep no more than SIZE of contents "
		  "in the --spool DIR (default 9/10 of what is free)" },
	{ .name = "report",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(results),
	  .help = "with --manifest, write what became of each record into "
		  "FILE; - is standard output" },
	{ .name = "one-file-system",
	  .letter = 'x',
	  .kind = OPT_FLAG,
	  AT(pack.one_file_system),
	  .help = "do not enter directories on other file systems" },
	{ .name = "profile",
	  .arg = "default|small|fast",
	  .kind = OPT_CHOICE,
	  AT(choice.profile),
	  .choices = profile_names,
	  .help = "codec, level and block size for files that are read at "
		  "random, for the fewest bytes, or for speed; options "
		  "given besides go before it" },
	{ .name = "codec",
	  .arg = "zstd|lz4|none",
	  .kind = OPT_CHOICE,
	  AT(choice.codec),
	  .choices = codec_names,
	  .help = "compress with (default zstd)" },
	{ .name = "level",
	  .arg = "N",
	  .kind = OPT_INT,
	  AT(choice.level),
	  .help = "compression level (default 3 for zstd, 1 with "
		  "--profile fast)" },
	{ .name = "block-size",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  AT(choice.block_size),
	  .min = BLOCK_SIZE_MIN,
	  .max = BLOCK_SIZE_MAX,
	  .help = "bytes compressed together (default 128K, 1M with "
		  "--profile small, and 2M in large files)" },
	{ .name = "max-shard-size",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  AT(pack.max_shard),
	  .min = 1,
	  .help = "plain bytes of a shard after which the next part begins "
		  "(default 1G, 1000000000 with --format 2)" },
	{ .name = "big-file-threshold",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  AT(pack.big_file),
	  .min = 1,
	  .help = "with --format 2, larger files lie beside the shards, not "
		  "compressed (default 10M)" },
	{ .name = "no-meta",
	  .kind = OPT_FLAG,
	  AT(pack.no_meta),
	  .help = "with --format 2, keep no times of files" },
	OPT_ROW_JOBS(struct command_line, pack.jobs,
		     "compress with N threads (default: one a processor)"),
	{ .name = "open-shards",
	  .arg = "N",
	  .kind = OPT_UINT,
	  AT(pack.open_shards),
	  .min = 1,
	  .max = MAX_OPEN_SHARDS,
	  .help = "write N shards at a time (default 2; with --format 2 one a "
		  "job, up to 4)" },
	{ .name = "throttle",
	  .arg = "RATE",
	  .kind = OPT_CALLBACK,
	  .fn = set_throttle,
	  .help = "read no more than 500files/s, or 20M/s; may be given for "
		  "both" },
	{ .name = "worker",
	  .arg = "I/N",
	  .kind = OPT_CALLBACK,
	  AT(pack.worker),
	  .fn = set_worker,
	  .help = "pack only the slots of the Ith of N workers, each a process "
		  "of its own" },
	{ .name = "checkpoint",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(pack.checkpoint),
	  .help = "keep in FILE how far the run is, and go on from there when "
		  "it is given again" },
	{ .name = "spool",
	  .arg = "DIR",
	  .kind = OPT_STRING,
	  AT(pack.spool),
	  .help = "where temporary files go (default $TMPDIR or /var/tmp)" },
	OPT_ROW_DRY_RUN(struct command_line, pack.dry_run,
			"say what would be done, write nothing"),
	{ .name = "publish",
	  .kind = OPT_FLAG,
	  AT(pack.publish),
	  .help = "write the index of the log that web servers need" },
	{ .name = "clean",
	  .kind = OPT_FLAG,
	  AT(clean),
	  .help = "remove what dead runs have left in ARCHIVE, and that "
		  "alone" },
	OPT_ROW_PROGRESS(
		struct command_line, progress,
		"show how far it is on standard error (default auto: on a "
		"terminal)"),
	OPT_ROW_STATS_FILE(
		struct command_line, stats_file,
		"keep metrics of the run in FILE, as Prometheus reads "
		"them"),
	OPT_ROW_JSON(struct command_line, json,
		     "print results as JSON, an object a line"),
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPT_FLAG,
	  AT(quiet),
	  .help = "say nothing but errors" },
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPT_COUNT,
	  AT(verbose),
	  .help = "name each file; may be repeated" },
	{ .name = "debug",
	  .arg = "ROOM[,ROOM]...",
	  .kind = OPT_STRING,
	  AT(debug),
	  .help = "log debug messages of these rooms, or all" },
	{ .name = "version",
	  .kind = OPT_FLAG,
	  AT(version),
	  .help = "print the version and those of libraries" },
	CONF_OPTS(struct command_line, conf)
};

static void set_defaults(struct command_line *c)
{
	*c = (struct command_line){ .choice = PROFILE_CHOICE_INIT,
				    .conf = CONF_INIT };
	c->filter = filter_new();
	c->pack.filter = c->filter;
	c->pack.route = PACK_ANY_ROUTE;
	c->pack.format = SHARD_VERSION;
	c->pack.jobs = workers_n_cpus();
	c->pack.spool = spool_default_dir();
}

void command_line_release(struct command_line *c)
{
	conf_release(&c->conf);
	filter_free(c->filter);
	c->filter = NULL;
	free(c->spool);
	c->spool = NULL;
}

/* Defaults that depend on the format. */
static void fill_format(struct command_line *c)
{
	bool is_des2 = c->pack.format == PACK_FORMAT_DES2;

	if (!c->pack.max_shard)
		c->pack.max_shard =
			is_des2 ? DES2_MAX_SHARD : PACK_MAX_SHARD;
	if (!c->pack.open_shards && is_des2)
		c->pack.open_shards =
			c->pack.jobs < DES2_JOBS ? c->pack.jobs : DES2_JOBS;
	if (!c->pack.open_shards)
		c->pack.open_shards = PACK_OPEN_SHARDS;
	if (!is_des2)
		return;
	if (!c->pack.n_bits)
		c->pack.n_bits = DES2_N_BITS;
	if (!c->pack.big_file)
		c->pack.big_file = DES2_BIG_FILE;
}

/* What has no meaning in the format. */
static enum rc check_format(const struct command_line *c, struct err *err)
{
	const struct pack_options *o = &c->pack;
	const struct {
		const char *name;
		bool is_given;
	} v3[] = { { "--mirror", o->mirror },
		   { "--mirror-empty", o->mirror_empty },
		   { "--allow-erased", o->allow_erased },
		   { "--remove-source-files", o->remove_sources },
		   { "--block-size", c->choice.block_size },
		   { "--checkpoint", o->checkpoint },
		   { "--publish", o->publish },
		   { "--route parent", o->route == ROUTE_PARENT } },
	  v2[] = { { "--big-file-threshold", o->big_file },
		   { "--no-meta", o->no_meta } };

	for (size_t i = 0; i < ARRAY_LEN(v3); i++)
		if (o->format == PACK_FORMAT_DES2 && v3[i].is_given)
			return err_set(err, RC_USAGE,
				       "%s: --format 2 has no such thing",
				       v3[i].name);
	for (size_t i = 0; i < ARRAY_LEN(v2); i++)
		if (o->format != PACK_FORMAT_DES2 && v2[i].is_given)
			return err_set(err, RC_USAGE, "%s is for --format 2",
				       v2[i].name);
	return RC_OK;
}

static enum rc fill_profile(struct command_line *c, struct err *err)
{
	struct profile profile;

	c->choice.is_des2 = c->pack.format == PACK_FORMAT_DES2;

	if (profile_fill(&c->choice, &profile, err))
		return err->rc;
	c->pack.codec = profile.codec;
	c->pack.level = profile.level;
	c->pack.sizes = profile.sizes;
	return RC_OK;
}

static enum rc check_manifest(const struct command_line *c, int n,
			      struct err *err)
{
	if (c->manifest && n != 1)
		return err_set(err, RC_USAGE,
			       "want: desfs-pack --manifest FILE ARCHIVE");
	if (c->manifest && c->pack.created != CREATED_NOW)
		return err_set(err, RC_USAGE,
			       "--created-at: the manifest says when files "
			       "enter the archive");
	if (c->results && !c->manifest)
		return err_set(err, RC_USAGE,
			       "--report is for --manifest only");
	if (c->results && c->json && !strcmp(c->results, "-"))
		return err_set(err, RC_USAGE,
			       "--report - and --json both write standard "
			       "output");
	return RC_OK;
}

static enum rc check_from_archive(const struct command_line *c, int n,
				  struct err *err)
{
	if (c->from_archive && n != 1)
		return err_set(err, RC_USAGE,
			       "want: desfs-pack --from-archive FILE ARCHIVE");
	if (c->from_archive && c->manifest)
		return err_set(err, RC_USAGE,
			       "--from-archive and --manifest: one of them");
	if (c->spool_limit && !c->from_archive)
		return err_set(err, RC_USAGE,
			       "--spool-limit is for --from-archive only");
	return RC_OK;
}

static enum rc check_args(struct command_line *c, int n, char **args,
			  struct err *err)
{
	if (check_manifest(c, n, err) || check_from_archive(c, n, err))
		return err->rc;
	if (c->clean && n != 1)
		return err_set(err, RC_USAGE,
			       "want: desfs-pack --clean ARCHIVE");
	if (!c->clean && !c->manifest && !c->from_archive && n < 2)
		return err_set(err, RC_USAGE,
			       "want: desfs-pack SOURCE... ARCHIVE; "
			       "'desfs-pack --help' tells more");
	for (int i = 0; i < n; i++)
		if (!args[i][0])
			return err_set(err, RC_USAGE, "an empty path");
	c->pack.sources = args;
	c->pack.n_sources = (size_t)n - 1;
	c->pack.archive = args[n - 1];
	return RC_OK;
}

enum rc command_line_parse(struct command_line *c, int argc, char **argv,
			   struct err *err)
{
	int first = 0;
	enum rc rc;

	set_defaults(c);
	rc = opt_parse(rows, ARRAY_LEN(rows), c, argc, argv, &first, err);
	if (rc)
		return rc;
	if (first == OPT_HELP) {
		c->help = true;
		return RC_OK;
	}
	if (c->version)
		return RC_OK;
	rc = fill_profile(c, err);
	if (!rc)
		rc = check_format(c, err);
	fill_format(c);
	return rc ? rc : check_args(c, argc - first, argv + first, err);
}

/* Threads that walk are in directories of their own.  What is not there is
 * somebody else's to report.
 */
static void fix_spool(struct command_line *c)
{
	c->spool = realpath(c->pack.spool, NULL);
	if (c->spool)
		c->pack.spool = c->spool;
}

enum rc command_line_settings(struct command_line *c, struct err *err)
{
	fix_spool(c);
	if (conf_fill(&c->conf, c->pack.archive, err))
		return err->rc;
	c->pack.how.settings = &c->conf.store;
	c->pack.how.index_cache = c->conf.index_cache;
	c->pack.how.index_cache_size = c->conf.index_cache_size;
	c->pack.erasure_key = c->conf.erasure_key;
	return RC_OK;
}

void command_line_help(FILE *to)
{
	opt_print_help(to, "desfs-pack", "[OPTION]... SOURCE... ARCHIVE",
		       "Packs directories into an archive that 'desfs mount' "
		       "shows as a tree of files.",
		       rows, ARRAY_LEN(rows));
}
