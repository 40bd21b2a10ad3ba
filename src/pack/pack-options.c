/* SPDX-License-Identifier: Apache-2.0 */
/* pack-options.c - the command line of desfs-pack. */
#include "config.h"

#include "pack/pack-options.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/opt.h"
#include "base/progress.h"
#include "base/timestamp.h"
#include "base/workers.h"
#include "conf/conf-opts.h"
#include "pack/filter.h"
#include "pack/profile.h"
#include "shard/route.h"
#include "shard/shard-format.h"

/* Not on the command line: the profile decides. */
#define LEVEL_UNSET INT32_MIN
#define CODEC_UNSET UINT_MAX
#define MAX_JOBS 256
#define MAX_OPEN_SHARDS 64
#define DEFAULT_OPEN_SHARDS 2
#define DEFAULT_MAX_SHARD (INT64_C(1) << 30)
#define DEFAULT_SPOOL "/var/tmp"

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
	{ .name = "one-file-system",
	  .letter = 'x',
	  .kind = OPT_FLAG,
	  AT(pack.one_file_system),
	  .help = "do not enter directories on other file systems" },
	{ .name = "profile",
	  .arg = "default|small|fast",
	  .kind = OPT_CHOICE,
	  AT(profile),
	  .choices = profile_names,
	  .help = "codec, level and block size for files that are read at "
		  "random, for the fewest bytes, or for speed; options "
		  "given besides go before it" },
	{ .name = "codec",
	  .arg = "zstd|lz4|none",
	  .kind = OPT_CHOICE,
	  AT(codec),
	  .choices = codec_names,
	  .help = "compress with (default zstd)" },
	{ .name = "level",
	  .arg = "N",
	  .kind = OPT_INT,
	  AT(pack.level),
	  .help = "compression level (default 3 for zstd, 1 with "
		  "--profile fast)" },
	{ .name = "block-size",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  AT(block_size),
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
		  "(default 1G)" },
	{ .name = "jobs",
	  .letter = 'j',
	  .arg = "N",
	  .kind = OPT_UINT,
	  AT(pack.jobs),
	  .min = 1,
	  .max = MAX_JOBS,
	  .help = "compress with N threads (default: one a processor)" },
	{ .name = "open-shards",
	  .arg = "N",
	  .kind = OPT_UINT,
	  AT(pack.open_shards),
	  .min = 1,
	  .max = MAX_OPEN_SHARDS,
	  .help = "write N shards at a time (default 2)" },
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
	{ .name = "dry-run",
	  .letter = 'n',
	  .kind = OPT_FLAG,
	  AT(pack.dry_run),
	  .help = "say what would be done, write nothing" },
	{ .name = "publish",
	  .kind = OPT_FLAG,
	  AT(pack.publish),
	  .help = "write the index of the log that web servers need" },
	{ .name = "clean",
	  .kind = OPT_FLAG,
	  AT(clean),
	  .help = "remove what dead runs have left in ARCHIVE, and that "
		  "alone" },
	{ .name = "progress",
	  .arg = "auto|always|never|json",
	  .kind = OPT_CHOICE,
	  AT(progress),
	  .choices = progress_mode_names,
	  .help = "show how far it is on standard error (default auto: on a "
		  "terminal)" },
	{ .name = "stats-file",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(stats_file),
	  .help = "keep metrics of the run in FILE, as Prometheus reads "
		  "them" },
	{ .name = "json",
	  .kind = OPT_FLAG,
	  AT(json),
	  .help = "print results as JSON, an object a line" },
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
	const char *tmpdir = getenv("TMPDIR");

	*c = (struct command_line){ .codec = CODEC_UNSET, .conf = CONF_INIT };
	c->filter = filter_new();
	c->pack.filter = c->filter;
	c->pack.route = PACK_ANY_ROUTE;
	c->pack.level = LEVEL_UNSET;
	c->pack.max_shard = DEFAULT_MAX_SHARD;
	c->pack.jobs = workers_n_cpus();
	c->pack.open_shards = DEFAULT_OPEN_SHARDS;
	c->pack.spool = tmpdir && *tmpdir ? tmpdir : DEFAULT_SPOOL;
}

void command_line_release(struct command_line *c)
{
	conf_release(&c->conf);
	filter_free(c->filter);
	c->filter = NULL;
	free(c->spool);
	c->spool = NULL;
}

/* What the command line leaves open the profile says. */
static void fill_profile(struct command_line *c)
{
	const struct profile *profile = profile_get(c->profile);
	uint32_t size = (uint32_t)c->block_size;

	c->pack.codec = c->codec == CODEC_UNSET ? profile->codec
						: (enum codec_id)c->codec;
	if (c->pack.level == LEVEL_UNSET)
		c->pack.level =
			c->pack.codec == profile->codec
				? profile->level
				: codec_by_id(c->pack.codec)->level_default;
	c->pack.sizes = profile->sizes;
	if (size)
		c->pack.sizes =
			(struct block_sizes){ .group = size, .large = size };
}

static enum rc check_level(struct command_line *c, struct err *err)
{
	const struct codec *codec = codec_by_id(c->pack.codec);

	if (c->pack.level < codec->level_min ||
	    c->pack.level > codec->level_max)
		return err_set(err, RC_USAGE,
			       "--level %d: %s has levels from %d to %d",
			       c->pack.level, codec->name, codec->level_min,
			       codec->level_max);
	return RC_OK;
}

static enum rc check_args(struct command_line *c, int n, char **args,
			  struct err *err)
{
	if (c->clean && n != 1)
		return err_set(err, RC_USAGE,
			       "want: desfs-pack --clean ARCHIVE");
	if (!c->clean && n < 2)
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
	fill_profile(c);
	rc = check_level(c, err);
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
