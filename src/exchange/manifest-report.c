/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-report.c - the file of desfs-pack --report. */
#include "config.h"

#include "exchange/manifest-report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/json-text.h"
#include "base/mem.h"
#include "exchange/manifest-results.h"
#include "exchange/manifest-rows.h"

#define LINE_MAX_BYTES (1u << 20)
#define MODE 0644
#define LOCK_TRIES 100u

struct manifest_report {
	char *path, *part; /* NULL: standard output */
	FILE *to;
};

/* Does the name still lead to the open file? */
static bool is_named(int fd, const char *part)
{
	struct stat is, named;

	return !fstat(fd, &is) &&
	       !fstatat(AT_FDCWD, part, &named, AT_SYMLINK_NOFOLLOW) &&
	       is.st_dev == named.st_dev && is.st_ino == named.st_ino;
}

/* Between open and lock another run may have ended: what is locked then is its
 * report, or a file that has no name any more.
 */
static enum rc lock_part(const char *part, int *ret, struct err *err)
{
	for (unsigned int i = 0; i < LOCK_TRIES; i++) {
		CLEANUP_FD int fd = open(part,
					 O_CREAT | O_WRONLY | O_CLOEXEC |
						 O_NOFOLLOW | O_NONBLOCK,
					 MODE);

		if (fd < 0)
			return err_set_errno(err, errno, "%s", part);
		if (flock(fd, LOCK_EX | LOCK_NB))
			break;
		if (is_named(fd, part)) {
			*ret = STEAL_FD(fd);
			return RC_OK;
		}
	}
	return err_set(err, RC_EXISTS, "%s: another run writes it", part);
}

static enum rc open_part(const char *part, FILE **ret, struct err *err)
{
	CLEANUP_FD int fd = -1;

	if (lock_part(part, &fd, err))
		return err->rc;
	if (ftruncate(fd, 0))
		return err_set_errno(err, errno, "%s", part);
	*ret = fdopen(fd, "w");
	if (!*ret)
		return err_set_errno(err, errno, "%s", part);
	(void)STEAL_FD(fd);
	return RC_OK;
}

enum rc manifest_report_open(const char *path, struct manifest_report **ret,
			     struct err *err)
{
	CLEANUP_FREE char *part = NULL;
	struct manifest_report *r;
	FILE *to = stdout;

	if (strcmp(path, "-") != 0) {
		part = xasprintf("%s.part", path);
		if (!io_may_replace(AT_FDCWD, path, err) ||
		    !io_may_replace(AT_FDCWD, part, err) ||
		    open_part(part, &to, err))
			return err->rc;
	}
	r = xcalloc(1, sizeof(*r));
	r->to = to;
	if (part) {
		r->path = xstrdup(path);
		r->part = STEAL_PTR(part);
	}
	*ret = r;
	return RC_OK;
}

void manifest_report_free(struct manifest_report *r)
{
	if (!r)
		return;
	if (r->part) {
		unlink(r->part);
		fclose(r->to);
	}
	free(r->path);
	free(r->part);
	free(r);
}

/* --- rows ----------------------------------------------------------------- */

static const char *status_text(const struct manifest_report_run *run,
			       const struct manifest_result *result)
{
	static const char *const texts[] = {
		[FEED_ARCHIVED] = "archived",   [FEED_THERE] = "there",
		[FEED_FAILED] = "failed",       [FEED_ERASED] = "erased",
		[FEED_DUPLICATE] = "duplicate",
	};

	if (!result->is_known || (result->status == FEED_ARCHIVED &&
				  !run->is_committed && !run->is_dry_run))
		return "failed";
	if (result->status == FEED_ARCHIVED && run->is_dry_run)
		return run->why ? "failed" : "would_archive";
	return texts[result->status];
}

/* Why it is not in the archive; NULL: it is. */
static const char *reason(const struct manifest_report_run *run,
			  const struct manifest_result *result,
			  const char *status)
{
	if (result->is_known && result->status == FEED_DUPLICATE)
		return result->why
			       ? result->why
			       : "an earlier record has this uid and created_at";
	if (result->is_known && result->status == FEED_ERASED)
		return "it was deleted for good";
	if (strcmp(status, "failed") != 0)
		return NULL;
	if (result->is_known && result->status == FEED_FAILED)
		return result->why ? result->why : "it was left out";
	return run->why ? run->why->msg : "it was left out";
}

static void put_text(struct buf *b, const char *name, const void *p, size_t len)
{
	buf_printf(b, ",\"%s\":", name);
	json_text_string(b, p, len);
}

static void put_row(struct buf *b, uint64_t number,
		    const struct manifest_row *row,
		    const struct manifest_report_run *run,
		    const struct manifest_result *result)
{
	const char *status = status_text(run, result);
	const char *why = reason(run, result, status);
	char hex[HEX_TEXT(SHA256_LEN)];

	buf_printf(b, "{\"v\":1,\"record\":%" PRIu64, number + 1);
	if (row->has_uid)
		put_text(b, "uid", row->uid.p, row->uid.len);
	if (row->created_at.len)
		put_text(b, "created_at", row->created_at.p,
			 row->created_at.len);
	buf_printf(b, ",\"status\":\"%s\"", status);
	if (why)
		put_text(b, "reason", why, strlen(why));
	if (result->shard && strcmp(status, "failed") != 0)
		put_text(b, "shard", result->shard, strlen(result->shard));
	if (result->has_sha256) {
		hex_encode(result->sha256, SHA256_LEN, hex);
		buf_printf(b, ",\"sha256\":\"%s\"", hex);
	}
	if (row->has_size)
		buf_printf(b, ",\"size\":%" PRIu64, row->state.size);
	buf_append_str(b, "}\n");
}

static enum rc write_rows(struct manifest_report *r,
			  const struct manifest_report_run *run,
			  struct err *err)
{
	CLEANUP_BUF struct buf bytes = { .max = MANIFEST_ROW_MAX };
	CLEANUP_BUF struct buf line = { .max = LINE_MAX_BYTES };
	struct manifest_result result;
	struct manifest_row row;
	uint64_t place = 0;

	for (uint64_t i = 0; i < run->n; i++) {
		if (manifest_rows_read(run->rows, place, &bytes, &row, &place,
				       err) ||
		    manifest_results_get(run->results, i, &result, err))
			return err->rc;
		/* Another worker's. */
		if (!result.is_known && !run->why)
			continue;
		buf_clear(&line);
		put_row(&line, i, &row, run, &result);
		if (!buf_ok(&line))
			return err_set(err, RC_NOMEM, "out of memory");
		if (fwrite(line.p, 1, line.len, r->to) != line.len)
			return err_set_errno(err, errno, "cannot be written");
	}
	return RC_OK;
}

static enum rc sync_dir(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *dir =
		slash ? xmemdup0(path, (size_t)(slash + 1 - path))
		      : xstrdup(".");
	CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || io_fsync_dir(fd))
		return err_set_errno(err, errno, "%s", dir);
	return RC_OK;
}

enum rc manifest_report_write(struct manifest_report *r,
			      const struct manifest_report_run *run,
			      struct err *err)
{
	if (write_rows(r, run, err))
		return err->rc;
	if (fflush(r->to) || ferror(r->to))
		return err_set_errno(err, errno, "cannot be written");
	if (!r->part)
		return RC_OK;
	if (fsync(fileno(r->to)) || rename(r->part, r->path))
		return err_set_errno(err, errno, "cannot be written");
	fclose(r->to);
	free(r->part);
	r->part = NULL;
	return sync_dir(r->path, err);
}
