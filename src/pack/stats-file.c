/* SPDX-License-Identifier: Apache-2.0 */
/* stats-file.c - the file of --stats-file. */
#include "config.h"

#include "pack/stats-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "pack/stats-text.h"

#define FILE_MAX (256u << 10)
#define FILE_MODE 0644

struct stats_file {
	char *path, *dir, *labels;
	const char *name; /* points into path */
	struct stats stats;
	bool has_failed; /* the last time */
};

static double wall_seconds(void)
{
	return (double)(clock_wall_ns() / (int64_t)CLOCK_NS_PER_MS) / 1000;
}

/* --- what a former run has left ------------------------------------------- */

static char *read_old(const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP_FREE char *text = xcalloc(1, FILE_MAX + 1);

	if (fd < 0 || io_read(fd, text, FILE_MAX) < 0)
		return NULL;
	return STEAL_PTR(text);
}

/* The value of a metric of these labels; 0 when there is none. */
static double find_value(const char *text, const char *name, const char *labels)
{
	CLEANUP_FREE char *begin = xasprintf("\n%s{%s} ", name, labels);
	const char *at = strstr(text, begin);
	double value = at ? strtod(at + strlen(begin), NULL) : 0;

	/* It may be anybody's file. */
	return value > 0 && value < 1e12 ? value : 0;
}

static void take_over(struct stats_file *f)
{
	CLEANUP_FREE char *text = read_old(f->path);
	struct stats *s = &f->stats;

	if (!text)
		return;
	s->success = find_value(text, STATS_SUCCESS, f->labels);
	s->success_from = find_value(text, STATS_SUCCESS_FROM, f->labels);
	/* A clock that was wrong then is not to hide that nothing works. */
	if (s->success > s->start)
		s->success = s->start;
	if (s->success_from > s->success)
		s->success_from = s->success;
}

struct stats_file *stats_file_new(const char *path, const char *labels,
				  struct report *report)
{
	struct stats_file *f = xcalloc(1, sizeof(*f));
	const char *slash;

	f->path = xstrdup(path);
	f->labels = xstrdup(labels);
	slash = strrchr(f->path, '/');
	f->name = slash ? slash + 1 : f->path;
	f->dir = slash ? xmemdup0(f->path, (size_t)(f->name - f->path))
		       : xstrdup(".");
	f->stats = (struct stats){ .labels = f->labels,
				   .report = report,
				   .start = wall_seconds() };
	take_over(f);
	return f;
}

void stats_file_free(struct stats_file *f)
{
	if (!f)
		return;
	free(f->path);
	free(f->dir);
	free(f->labels);
	free(f);
}

/* --- writing ---------------------------------------------------------------
 */

static enum rc write_text(const struct stats_file *f, struct err *err)
{
	const struct stats *s = &f->stats;
	CLEANUP_FD int dir = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_BUF struct buf text = { .max = FILE_MAX };

	if (dir < 0)
		return err_set_errno(err, errno, "%s", f->dir);
	stats_text(s, &text);
	if (!buf_ok(&text))
		return err_set(err, RC_LIMIT, "more than %u bytes", FILE_MAX);
	/* The last one is to stay; until then its thread has others to answer.
	 */
	return s->has_ended ? io_replace(dir, f->name, text.p, text.len,
					 FILE_MODE, err)
			    : io_replace_lazily(dir, f->name, text.p, text.len,
						FILE_MODE, err);
}

void stats_file_write(struct stats_file *f)
{
	struct err err;
	enum rc rc;

	f->stats.now = wall_seconds();
	rc = write_text(f, &err);
	if (rc && !f->has_failed)
		log_warn("--stats-file %s: %s", f->path, err.msg);
	f->has_failed = rc;
}

void stats_file_end(struct stats_file *f, enum rc rc, bool is_success)
{
	struct stats *s = &f->stats;

	s->has_ended = true;
	s->rc = rc;
	if (is_success) {
		s->success = wall_seconds();
		s->success_from = s->start;
	}
	stats_file_write(f);
}
