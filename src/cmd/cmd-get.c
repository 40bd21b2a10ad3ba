/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-get.c - desfs get: files by uid and time, the contract of the archive. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/opt-rows.h"
#include "base/stop.h"
#include "base/timestamp.h"
#include "cmd/cmd.h"
#include "cmd/get-many.h"
#include "cmd/open-archive.h"
#include "cmd/out-file.h"
#include "cmd/tell.h"
#include "conf/conf-opts.h"
#include "exchange/get-content.h"
#include "exchange/get-find.h"
#include "exchange/get-when.h"
#include "legacy/legacy-options.h"
#include "shard/route-datavision.h"
#include "shard/route.h"
#include "volume/volume.h"

struct get_options {
	const char *created_at, *batch, *output, *report;
	enum get_format format;
	bool overwrite;
	unsigned int jobs, n_bits;
	struct conf conf;
};

static const char *const format_names[] = { "tar", "files", NULL };

static const struct opt get_opts[] = {
	{ .name = "created-at",
	  .arg = "TIME",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct get_options, created_at),
	  .help = "the version of that time, not the newest" },
	{ .name = "output",
	  .letter = 'o',
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct get_options, output),
	  .help = "write there, not to standard output ('-')" },
	{ .name = "batch",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct get_options, batch),
	  .help = "all files of a list of uids and times ('-': standard "
		  "input)" },
	{ .name = "format",
	  .arg = "tar|files",
	  .kind = OPT_CHOICE,
	  .offset = offsetof(struct get_options, format),
	  .choices = format_names,
	  .help = "of a list: one stream, or files below the directory of "
		  "--output" },
	{ .name = "overwrite",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct get_options, overwrite),
	  .help = "of a list: replace files that are there already" },
	{ .name = "report",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct get_options, report),
	  .help = "of a list: write what became of each pair" },
	OPT_ROW_JOBS(struct get_options, jobs, "of a list: use N threads"),
	{ .name = "n-bits",
	  .arg = "N",
	  .kind = OPT_UINT,
	  .offset = offsetof(struct get_options, n_bits),
	  .min = 1,
	  .max = DATAVISION_BITS_MAX,
	  .help = "of an older archive: look only where N says the file is" },
	CONF_OPTS(struct get_options, conf)
};

static bool is_stdout(const char *name)
{
	return !name || !strcmp(name, "-");
}

static enum rc write_file(const char *name, struct volume *v,
			  const struct volume_entry *ve, struct err *err)
{
	uint8_t sha256[SHA256_LEN];
	struct out_file out;
	enum rc rc;

	if (is_stdout(name))
		return get_stream(v, ve, STDOUT_FILENO, sha256, err);
	rc = out_file_open(&out, name, err);
	if (rc)
		return rc;
	rc = out.temporary ? get_fill(v, ve, out.fd, sha256, err)
			   : get_stream(v, ve, out.fd, sha256, err);
	if (!rc)
		rc = out_file_commit(&out, err);
	out_file_release(&out);
	return rc;
}

/* --- one file ------------------------------------------------------------- */

/* One file to be got, and what is known of its archive by now. */
struct one {
	const struct get_options *o;
	const char *archive;
	struct span uid;
	struct legacy_options legacy;
	bool was_open, is_legacy;
};

static enum rc get_there(struct one *g, struct err *err)
{
	const struct volume_options how = { .legacy = g->legacy };
	struct get_key key = { .uid = g->uid, .created_at = g->o->created_at };
	struct open_archive a;
	struct volume_entry ve;
	enum rc rc = open_archive_as(&a, g->archive, &g->o->conf, &how, err);

	g->was_open = !rc;
	if (rc)
		return rc;
	g->is_legacy = volume_is_legacy(a.v);
	key.is_legacy = g->is_legacy;
	key.has_damage = a.n_damage;
	rc = get_find(a.v, &key, &ve, err);
	if (!rc) {
		rc = write_file(g->o->output, a.v, &ve, err);
		volume_entry_release(&ve);
	}
	rc = archive_result(&a, rc, err);
	close_archive(&a);
	return rc;
}

/* Where the programs of old would look.  Which of them made the archive is not
 * known before it is open, so the slot of either may be meant; but only names
 * of DES2 can contradict n_bits.
 */
static enum rc get_in_slot(struct one *g, struct err *err)
{
	const struct timestamp day = { .wall_year = 1 };
	unsigned int n_bits = g->o->n_bits;
	struct route r;
	bool is_des2;
	enum rc rc;

	g->legacy.has_slot = true;
	g->legacy.n_bits = n_bits;
	is_des2 = !locate_shard(ROUTE_V2, ROUTE_UID, n_bits, g->uid.p,
				g->uid.len, &day, &r, err);
	if (is_des2) {
		g->legacy.slot = r.slot;
		rc = get_there(g, err);
		if (rc != RC_NOENT || !g->is_legacy)
			return rc;
	}
	g->legacy.slot = datavision_slot(g->uid.p, g->uid.len, n_bits);
	g->legacy.n_bits = 0;
	rc = get_there(g, err);
	if (rc == RC_NOENT && g->is_legacy)
		err_set(err, rc,
			"is not where %u bits say%s (without --n-bits, all "
			"shards of its day are searched)",
			n_bits, is_des2 ? "" : ", which DES2 never has");
	return rc;
}

static enum rc get_one(const struct get_options *o, const char *archive,
		       struct span uid, struct err *err)
{
	struct one g = { .o = o, .archive = archive, .uid = uid };
	enum rc rc = get_when_day(o->created_at, &g.legacy.day, err);

	if (rc)
		return rc;
	rc = o->n_bits ? get_in_slot(&g, err) : get_there(&g, err);
	if (!rc || !g.was_open)
		return rc;
	tell_failed(uid, err);
	return tell_result(1, 1, rc, err);
}

/* --- many files ----------------------------------------------------------- */

static enum rc get_all(const struct get_options *o, const char *archive,
		       struct err *err)
{
	const struct get_many many = {
		.archive = archive,
		.conf = &o->conf,
		.list = o->batch,
		.output = o->output,
		.report = o->report,
		.format = o->format,
		.overwrite = o->overwrite,
		.n_jobs = o->jobs,
		.n_bits = o->n_bits,
	};

	return get_many(&many, err);
}

static enum rc check(const struct get_options *o, int argc, struct err *err)
{
	if (!o->batch) {
		if (argc != 2)
			return err_set(err, RC_USAGE,
				       "wanted an archive and a uid");
		if (o->format != GET_TAR || o->overwrite || o->report ||
		    o->jobs)
			return err_set(err, RC_USAGE,
				       "--format, --overwrite, --report and "
				       "--jobs need --batch");
		return RC_OK;
	}
	if (argc != 1)
		return err_set(err, RC_USAGE,
			       "with --batch, wanted an archive only");
	if (o->created_at)
		return err_set(err, RC_USAGE,
			       "with --batch, times are in the list");
	if (o->format == GET_FILES && is_stdout(o->output))
		return err_set(err, RC_USAGE,
			       "--format files needs a directory as --output");
	if (o->format == GET_TAR && is_stdout(o->output) && o->report &&
	    is_stdout(o->report))
		return err_set(err, RC_USAGE,
			       "tar and report cannot both go to standard "
			       "output");
	if (o->format == GET_TAR && o->overwrite)
		return err_set(err, RC_USAGE,
			       "--overwrite needs --format files");
	return RC_OK;
}

static enum rc get_run(const void *options, int argc, char **argv,
		       struct err *err)
{
	const struct get_options *o = options;
	enum rc rc = check(o, argc, err);

	if (!rc)
		rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	if (rc)
		return rc;
	if (o->batch)
		return get_all(o, argv[0], err);
	return get_one(o, argv[0], span_of(argv[1], strlen(argv[1])), err);
}

static const struct get_options get_defaults = { .conf = CONF_INIT };

const struct cmd cmd_get = {
	.name = "get",
	.usage = "[OPTION]... ARCHIVE [UID]",
	.summary = "write files that are known by uid and time",
	.opts = get_opts,
	.n_opts = ARRAY_LEN(get_opts),
	.defaults = &get_defaults,
	.options_size = sizeof(get_defaults),
	.min_args = 1,
	.max_args = 2,
	.run = get_run,
};
