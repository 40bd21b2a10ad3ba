/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-feed.c - the records of a manifest, as desfs-pack takes them. */
#include "config.h"

#include "exchange/manifest-feed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "exchange/manifest-report.h"
#include "exchange/manifest-results.h"
#include "exchange/manifest-rows.h"
#include "exchange/manifest.h"
#include "legacy/legacy-path.h"
#include "pack/feed.h"
#include "pack/fresh.h"
#include "pack/list-file.h"
#include "pack/pack.h"
#include "pack/report.h"

struct manifest_feed {
	struct manifest_feed_options opts;
	struct feed feed;
	char *identity;
	struct list_file file;
	int cwd; /* what sources are relative to */
	struct manifest_rows rows;
	struct manifest_results *results; /* NULL: nobody asks */
	struct manifest_report *to;       /* likewise */
	struct buf path;                  /* of one uid */
	uint64_t n;                       /* records so far */
};

/* --- sources -------------------------------------------------------------- */

static enum rc check_size(uint64_t is, uint64_t wanted, const char *source,
			  struct err *err)
{
	if (is == wanted)
		return RC_OK;
	return err_set(err, RC_CHANGED,
		       "%s: size is %" PRIu64 ", the manifest says %" PRIu64,
		       source, is, wanted);
}

static enum rc check_file(const struct stat *st, uint64_t size,
			  const char *source, struct err *err)
{
	if (S_ISDIR(st->st_mode))
		return err_set(err, RC_USAGE, "%s: is a directory", source);
	if (!S_ISREG(st->st_mode))
		return err_set(err, RC_USAGE, "%s: is no regular file", source);
	return check_size((uint64_t)st->st_size, size, source, err);
}

static enum rc look(const struct manifest_feed *f,
		    const struct manifest_record *r, struct stat *ret,
		    struct err *err)
{
	/* Not by a look at what has such a name here. */
	if (!strncmp(r->source, "s3://", 5))
		return err_set(
			err, RC_USAGE,
			"%s: only files can be sources, objects are not supported",
			r->source);
	if (fstatat(f->cwd, r->source, ret, 0))
		return err_set_errno(err, errno, "%s", r->source);
	return check_file(ret, r->size, r->source, err);
}

static enum rc open_source(void *arg, uint64_t place, uint64_t size,
			   int *ret_fd, uint64_t *ret_base, struct err *err)
{
	CLEANUP_BUF struct buf bytes = { .max = MANIFEST_ROW_MAX };
	const struct manifest_feed *f = arg;
	CLEANUP_FD int fd = -1;
	struct manifest_row row;
	struct item it = { .type = ENTRY_REG };
	uint64_t next;
	struct stat st;

	if (manifest_rows_read(&f->rows, place, &bytes, &row, &next, err))
		return err->rc;
	fd = openat(f->cwd, row.source.p,
		    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st))
		return err_set_errno(err, errno, "%s", row.source.p);
	if (check_file(&st, size, row.source.p, err))
		return err->rc;
	if (!manifest_state_is(&row.state, &st))
		return err_set(err, RC_CHANGED, "%s: changed since it was met",
			       row.source.p);
	it.ctime_s = row.state.ctime_s;
	it.ctime_ns = row.state.ctime_ns;
	fresh_settle(fd, &it);
	*ret_fd = STEAL_FD(fd);
	*ret_base = 0;
	return RC_OK;
}

static enum rc check_source(void *arg, uint64_t place, int fd, uint64_t size,
			    struct err *err)
{
	CLEANUP_BUF struct buf bytes = { .max = MANIFEST_ROW_MAX };
	const struct manifest_feed *f = arg;
	struct manifest_row row;
	uint64_t next;
	struct stat st;

	if (manifest_rows_read(&f->rows, place, &bytes, &row, &next, err))
		return err->rc;
	if (fstat(fd, &st))
		return err_set_errno(err, errno, "%s", row.source.p);
	if (check_file(&st, size, row.source.p, err))
		return err->rc;
	if (!manifest_state_is(&row.state, &st))
		return err_set(err, RC_CHANGED, "%s: changed while it was read",
			       row.source.p);
	return RC_OK;
}

/* --- records -------------------------------------------------------------- */

static enum rc keep_row(struct manifest_feed *f,
			const struct manifest_record *r, const struct stat *st,
			struct err *err)
{
	struct manifest_row row = {
		.has_uid = r->has_uid,
		.has_size = !r->why.rc || r->size,
		.uid = r->uid,
		.created_at = r->created_at_text,
		.source = span_of(r->source, strlen(r->source)),
	};

	if (st)
		row.state = manifest_state_of(st);
	row.state.size = r->size;
	f->n = r->number + 1;
	return manifest_rows_add(&f->rows, &row, err);
}

/* Tell of a record that has no slot: of several workers one does. */
static enum rc leave_out(struct manifest_feed *f,
			 const struct manifest_record *r, const struct err *why,
			 struct err *err)
{
	struct feed_result result = { .number = r->number,
				      .status = FEED_FAILED,
				      .why = why };
	CLEANUP_FREE char *name = xasprintf("record %" PRIu64, r->number + 1);
	struct span uid =
		r->has_uid && r->uid.len ? r->uid : span_of(name, strlen(name));

	if (keep_row(f, r, NULL, err))
		return err->rc;
	if (!worker_has(&f->opts.worker, (uint32_t)r->number))
		return RC_OK;
	report_failed(f->opts.report, uid, why);
	if (f->results)
		manifest_results_set(f->results, &result);
	return RC_OK;
}

static struct item item_of(const struct stat *st)
{
	return (struct item){ .type = ENTRY_REG,
			      .mode = st->st_mode & 07777,
			      .uid = st->st_uid,
			      .gid = st->st_gid,
			      .mtime_s = st->st_mtim.tv_sec,
			      .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
			      .ctime_s = st->st_ctim.tv_sec,
			      .ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
			      .dev = st->st_dev,
			      .ino = st->st_ino,
			      .size = (uint64_t)st->st_size,
			      .nlink = 1,
			      .dir = ITEM_NO_DIR };
}

/* A record passes on whole seconds of a zone, from which the day in format 2
 * follows.
 */
static enum rc check_day(const struct timestamp *created_at, struct err *err)
{
	struct timestamp is =
		timestamp_in_zone(created_at->us, created_at->wall_zone);

	if (timestamp_wall_day(&is) == timestamp_wall_day(created_at))
		return RC_OK;
	return err_set(err, RC_CORRUPT,
		       "created_at: the day cannot be kept in a zone with a "
		       "fraction of a second");
}

static enum rc emit_record(struct manifest_feed *f,
			   const struct manifest_record *r, feed_emit_fn *emit,
			   void *emit_arg, struct err *err)
{
	bool has_paths = f->opts.format != PACK_FORMAT_DES2;
	struct feed_record record = {
		.it = { .type = ENTRY_REG, .size = r->size },
		.created_at = r->created_at.us,
		.zone = r->created_at.wall_zone,
		.uid = r->uid,
		.number = r->number,
		.place = manifest_rows_end(&f->rows),
		.has_sha256 = r->has_sha256,
		.meta = r->meta,
	};
	struct err why = r->why, no_path;
	struct span path = r->uid;
	struct stat st;

	if (!why.rc)
		why.rc = look(f, r, &st, &why);
	if (!why.rc && !has_paths)
		why.rc = check_day(&r->created_at, &why);
	if (why.rc && !r->has_uid)
		return leave_out(f, r, &why, err);
	if (has_paths) {
		if (legacy_path_of(r->uid, LEGACY_PATH_PLAIN, &f->path,
				   &no_path))
			return leave_out(f, r, why.rc ? &why : &no_path, err);
		path = span_of(f->path.p, f->path.len);
	}
	if (keep_row(f, r, why.rc ? NULL : &st, err))
		return err->rc;
	if (why.rc)
		record.why = &why;
	else
		record.it = item_of(&st);
	entry_split_uid(path, &record.it.parent, &record.it.name);
	if (r->has_sha256)
		memcpy(record.sha256, r->sha256, sizeof(record.sha256));
	return emit(emit_arg, &record, err);
}

static enum rc read_file(void *arg, void *buf, size_t len, size_t *ret,
			 struct err *err)
{
	return list_file_read(arg, buf, len, ret, err);
}

static enum rc list_records(void *arg, feed_emit_fn *emit, void *emit_arg,
			    struct err *err)
{
	struct manifest_feed *f = arg;
	struct manifest_record r;
	struct manifest *m = NULL;
	enum rc rc = manifest_open(&m, read_file, &f->file, err);
	bool is_own = true;

	while (!rc) {
		rc = manifest_next(m, &r, err);
		if (rc)
			break;
		rc = emit_record(f, &r, emit, emit_arg, err);
		is_own = !rc;
	}
	manifest_free(m);
	if (rc == RC_NOENT && is_own)
		return RC_OK;
	return is_own ? err_prefix(err, "manifest %s", f->opts.manifest) : rc;
}

static void take_result(void *arg, const struct feed_result *result)
{
	struct manifest_feed *f = arg;

	if (f->results)
		manifest_results_set(f->results, result);
}

/* --- the feed ------------------------------------------------------------- */

static enum rc open_results(struct manifest_feed *f, struct err *err)
{
	const struct manifest_feed_options *o = &f->opts;

	if (!o->results)
		return RC_OK;
	if (manifest_report_open(o->results, &f->to, err))
		return err->rc;
	return manifest_results_new(o->spool, &f->results, err);
}

enum rc manifest_feed_open(const struct manifest_feed_options *o,
			   struct manifest_feed **ret, struct err *err)
{
	struct manifest_feed *f = xcalloc(1, sizeof(*f));
	enum rc rc;

	f->opts = *o;
	f->identity = feed_identity("manifest", o->manifest);
	f->feed = (struct feed){ .list = list_records,
				 .open = open_source,
				 .check = check_source,
				 .result = take_result,
				 .identity = f->identity,
				 .arg = f };
	manifest_rows_init(&f->rows, o->spool);
	buf_init(&f->path, LEGACY_PATH_MAX);
	f->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->cwd < 0)
		rc = err_set_errno(err, errno, "current directory");
	else
		rc = list_file_open(&f->file, o->manifest, err);
	if (!rc)
		rc = open_results(f, err);
	if (rc) {
		manifest_feed_free(f);
		return rc;
	}
	*ret = f;
	return RC_OK;
}

const struct feed *manifest_feed(struct manifest_feed *f)
{
	return &f->feed;
}

void manifest_feed_free(struct manifest_feed *f)
{
	if (!f)
		return;
	list_file_close(&f->file);
	if (f->cwd >= 0)
		close(f->cwd);
	manifest_rows_release(&f->rows);
	manifest_results_free(f->results);
	manifest_report_free(f->to);
	buf_release(&f->path);
	free(f->identity);
	free(f);
}

enum rc manifest_feed_end(struct manifest_feed *f, enum rc rc, struct err *err)
{
	struct manifest_report_run run = {
		.rows = &f->rows,
		.results = f->results,
		.n = f->n,
		.is_dry_run = f->opts.is_dry_run,
		.is_committed = report_is_committed(f->opts.report),
	};
	struct err why = *err;

	/* Of a run that did not begin to read there is nothing to tell. */
	if (!f->to || (!f->n && rc && rc != RC_PARTIAL))
		return rc;
	run.why = rc && rc != RC_PARTIAL ? &why : NULL;
	if (manifest_report_write(f->to, &run, err))
		return err_prefix(err, "report %s", f->opts.results);
	*err = why;
	return rc;
}
