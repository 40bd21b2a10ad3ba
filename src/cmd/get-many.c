/* SPDX-License-Identifier: Apache-2.0 */
/* get-many.c - desfs get --batch: a list of pairs to a tar or a directory. */
#include "config.h"

#include "cmd/get-many.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spool.h"
#include "base/workers.h"
#include "cmd/get-report.h"
#include "cmd/open-archive.h"
#include "cmd/out-file.h"
#include "cmd/tell.h"
#include "exchange/export.h"
#include "exchange/get-batch.h"
#include "exchange/get-days.h"
#include "exchange/get-list.h"
#include "legacy/legacy-options.h"
#include "pack/list-file.h"
#include "restore/restore.h"
#include "volume/volume.h"

/* Of a store over a network, where threads wait more than they work. */
#define REMOTE_JOBS 8u
/* Of blocks, of which each is wanted for a short while. */
#define CACHE (UINT64_C(48) << 20)

struct run {
	const struct get_many *o;
	struct get_report *report; /* NULL: none */
	struct export *tar;        /* one of the two */
	struct restore *files;
	bool is_full; /* the file system of the files */
	bool is_legacy;
	size_t n, n_failed;
	/* Of an older archive: parts that cannot be read, as far as it was
	 * opened, and files.
	 */
	uint64_t n_damage, n_corrupt;
	enum rc last;
};

/* Takes a pair of the list. */
typedef enum rc pair_fn(void *arg, const struct get_pair *pair,
			struct err *err);

static enum rc put(void *arg, struct span path, const struct entry *e,
		   const struct restore_source *src, struct err *err)
{
	struct run *r = arg;
	enum rc rc;

	if (r->tar)
		return export_entry(r->tar, path, e, src, err);
	rc = restore_entry(r->files, e, src, err);
	r->is_full |= rc == RC_NOSPACE;
	return rc;
}

static bool is_broken(void *arg)
{
	const struct run *r = arg;

	return r->is_full || (r->tar && export_is_broken(r->tar));
}

static void result(void *arg, const struct get_result *res)
{
	struct run *r = arg;

	if (r->report)
		get_report_add(r->report, res);
	if (res->status == GET_OK)
		return;
	r->n_failed++;
	r->last = res->why->rc;
	r->n_corrupt += r->is_legacy && res->status == GET_CORRUPT;
	tell_failed(res->pair.uid, res->why);
}

/* --- the list ------------------------------------------------------------- */

static enum rc read_list(void *arg, void *buf, size_t len, size_t *ret,
			 struct err *err)
{
	return list_file_read(arg, buf, len, ret, err);
}

static enum rc take_pairs(struct run *r, struct get_list *list, pair_fn *fn,
			  void *arg, struct err *err)
{
	struct get_pair pair;
	struct err bad;
	enum rc rc;

	while (!(rc = get_list_next(list, &pair, &bad, err))) {
		const struct get_result wrong = { .pair = pair,
						  .status = GET_FAILED,
						  .why = &bad };

		r->n++;
		if (bad.rc)
			result(r, &wrong);
		else
			rc = fn(arg, &pair, err);
		if (rc)
			return rc;
	}
	return rc == RC_NOENT ? RC_OK : rc;
}

/* What is wrong in the list is told. */
static enum rc take_list(struct run *r, pair_fn *fn, void *arg, struct err *err)
{
	const char *name = r->o->list;
	struct get_list *list = NULL;
	struct list_file file;
	enum rc rc = list_file_open(&file, name, err);

	if (rc)
		return rc;
	rc = get_list_open(&list, read_list, &file, err);
	if (!rc)
		rc = take_pairs(r, list, fn, arg, err);
	if (rc)
		err_prefix(err, "%s",
			   strcmp(name, "-") ? name : "standard input");
	get_list_free(list);
	list_file_close(&file);
	return rc;
}

/* --- the run -------------------------------------------------------------- */

static unsigned int jobs(const struct get_many *o, struct volume *v)
{
	if (o->n_jobs)
		return o->n_jobs;
	return volume_is_remote(v) ? REMOTE_JOBS : workers_n_cpus();
}

static struct get_batch *new_batch(struct run *r, const struct open_archive *a)
{
	const struct get_batch_options o = {
		.v = a->v,
		.is_legacy = volume_is_legacy(a->v),
		.has_damage = a->n_damage,
		.temp_dir = spool_default_dir(),
		.n_jobs = jobs(r->o, a->v),
		.put = put,
		.is_broken = is_broken,
		.put_checks = r->files,
		.result = result,
		.arg = r,
	};

	return get_batch_new(&o);
}

static enum rc add_to_batch(void *arg, const struct get_pair *pair,
			    struct err *err)
{
	return get_batch_add(arg, pair, err);
}

static enum rc run_all(struct run *r, const struct open_archive *a,
		       struct err *err)
{
	struct get_batch *batch = new_batch(r, a);
	enum rc rc = take_list(r, add_to_batch, batch, err);

	if (!rc)
		rc = get_batch_run(batch, err);
	get_batch_free(batch);
	return rc;
}

/* --- an archive of an older program --------------------------------------- */

static enum rc add_to_days(void *arg, const struct get_pair *pair,
			   struct err *err)
{
	return get_days_add(arg, pair, err);
}

/* A pair, and those of its day after it; *pair is the first of the next. */
static enum rc run_day(struct run *r, struct get_days *days,
		       struct get_pair *pair, uint32_t *day, struct err *err)
{
	const struct volume_options how = {
		.block_cache = CACHE,
		.legacy = { .n_bits = r->o->n_bits, .day = *day },
	};
	uint32_t this_day = *day;
	struct get_batch *batch;
	struct open_archive a;
	enum rc rc, next = RC_OK;

	rc = open_archive_as(&a, r->o->archive, r->o->conf, &how, err);
	/* It was there. */
	if (rc == RC_NOENT)
		err->rc = RC_CHANGED;
	if (rc)
		return err->rc;
	r->n_damage += a.n_damage;
	batch = new_batch(r, &a);
	while (!rc && !next && *day == this_day) {
		rc = get_batch_add(batch, pair, err);
		if (!rc)
			next = get_days_next(days, pair, day, err);
	}
	if (!rc && (!next || next == RC_NOENT))
		rc = get_batch_run(batch, err);
	get_batch_free(batch);
	close_archive(&a);
	return rc ? rc : next;
}

/* Day by day, so that no others need to be looked at; but what has no time is
 * looked for in all of it, first.
 */
static enum rc run_days(struct run *r, struct err *err)
{
	struct get_days *days = get_days_new(spool_default_dir());
	struct get_pair pair;
	uint32_t day;
	enum rc rc = take_list(r, add_to_days, days, err);

	if (!rc) {
		rc = get_days_next(days, &pair, &day, err);
		while (!rc)
			rc = run_day(r, days, &pair, &day, err);
		/* The end of the pairs. */
		if (rc == RC_NOENT)
			rc = RC_OK;
	}
	get_days_free(days);
	return rc;
}

/* --- where it goes -------------------------------------------------------- */

/* a->v is NULL: read it day by day. */
static enum rc run(struct run *r, const struct open_archive *a, struct err *err)
{
	return a->v ? run_all(r, a, err) : run_days(r, err);
}

static enum rc to_tar(struct run *r, const struct open_archive *a,
		      struct err *err)
{
	struct export_options eo = { .format = EXPORT_TAR };
	struct out_file out;
	enum rc rc = out_file_open(&out, r->o->output, err);

	if (rc)
		return rc;
	eo.fd = out.fd;
	rc = export_open(&r->tar, &eo, err);
	if (!rc)
		rc = run(r, a, err);
	if (!rc)
		rc = export_finish(r->tar, err);
	export_free(r->tar);
	if (!rc)
		rc = out_file_commit(&out, err);
	out_file_release(&out);
	return rc;
}

/* What a report says is there must survive a crash. */
static enum rc sync_files(const char *dir, struct err *err)
{
	CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd))
		return err_set_errno(err, errno, "%s", dir);
	return RC_OK;
}

static enum rc to_files(struct run *r, const struct open_archive *a,
			struct err *err)
{
	const struct restore_options ro = { .owner = !geteuid(),
					    .overwrite = r->o->overwrite };
	enum rc rc = restore_open(&r->files, r->o->output, &ro, err);

	if (rc)
		return rc;
	rc = run(r, a, err);
	if (!rc)
		rc = restore_finish(r->files, err);
	restore_free(r->files);
	if (!rc && r->report)
		rc = sync_files(r->o->output, err);
	return rc;
}

/* An archive of an older program is only found to be there: a->v is NULL. */
static enum rc open_it(const struct get_many *o, struct open_archive *a,
		       struct err *err)
{
	struct volume_options how = { .block_cache = CACHE,
				      .legacy = { .is_off = true } };
	enum rc rc = open_archive_as(a, o->archive, o->conf, &how, err);

	if (rc != RC_NOENT)
		return rc;
	how.legacy = (struct legacy_options){ .n_bits = o->n_bits,
					      .day = GET_NO_DAY };
	rc = open_archive_as(a, o->archive, o->conf, &how, err);
	if (!rc && volume_is_legacy(a->v)) {
		close_archive(a);
		*a = (struct open_archive){ .v = NULL };
	}
	return rc;
}

/* Damage in an older archive counts as with other commands, also where all that
 * was wanted is there.
 */
static enum rc result_of(const struct run *r, struct err *err)
{
	enum rc rc = tell_result(r->n_failed, r->n, r->last, err);

	if (rc == RC_PARTIAL && (r->n_damage || r->n_corrupt))
		return err_set(err, RC_CORRUPT, "%s", "");
	if (!rc && r->n_damage)
		return err_set(err, RC_CORRUPT,
			       "parts of the archive cannot be read");
	return rc;
}

enum rc get_many(const struct get_many *o, struct err *err)
{
	struct run r = { .o = o };
	struct open_archive a;
	enum rc rc = open_it(o, &a, err);

	if (rc)
		return rc;
	r.is_legacy = !a.v;
	if (o->report)
		rc = get_report_open(&r.report, o->report, spool_default_dir(),
				     err);
	if (!rc)
		rc = o->format == GET_TAR ? to_tar(&r, &a, err)
					  : to_files(&r, &a, err);
	if (!rc && r.report)
		rc = get_report_commit(r.report, err);
	get_report_free(r.report);
	if (!rc)
		rc = result_of(&r, err);
	if (a.v)
		close_archive(&a);
	return rc;
}
