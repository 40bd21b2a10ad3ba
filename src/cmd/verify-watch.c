/* SPDX-License-Identifier: Apache-2.0 */
/* verify-watch.c - tells how desfs verify comes along while it does. */
#include "config.h"

#include "cmd/verify-watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/workers.h"
#include "cmd/tell.h"
#include "cmd/verify-stats.h"

#define STATS_NS (5 * CLOCK_NS_PER_SEC)
#define TEXT_MAX (256u << 10)
#define MODE 0644

struct verify_watch {
	struct verify_watch_options o;
	struct progress *progress;
	struct workers *thread;
	uint64_t start;
	struct verify_stats stats;
	int end; /* readable when the thread is to end */
	bool has_failed;
};

static struct progress_counters counters(const struct verify_watch *w)
{
	struct verify_live *l = w->o.live;
	uint64_t files = atomic_load(&l->files), bytes = atomic_load(&l->bytes);

	return (struct progress_counters){
		.phase = w->o.phase,
		.unit = "shards",
		.slots_done = atomic_load(&l->shards),
		.slots_total = atomic_load(&l->shards_total),
		.files_done = files,
		.bytes_done = bytes,
		.files_total = atomic_load(&l->files_total),
		.bytes_total = atomic_load(&l->bytes_total),
		.files_in = files,
		.bytes_in = bytes,
		.errors = atomic_load(&l->damage),
	};
}

static enum rc write_text(const struct verify_watch *w, struct err *err)
{
	const char *slash = strrchr(w->o.stats_file, '/');
	CLEANUP_FREE char *dir =
		slash ? xmemdup0(w->o.stats_file,
				 (size_t)(slash + 1 - w->o.stats_file))
		      : xstrdup(".");
	const char *name = slash ? slash + 1 : w->o.stats_file;
	CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_BUF struct buf text = { .max = TEXT_MAX };

	if (fd < 0)
		return err_set_errno(err, errno, "%s", dir);
	verify_stats_text(&w->stats, &text);
	if (!buf_ok(&text))
		return err_set(err, RC_LIMIT, "more than %u bytes", TEXT_MAX);
	return w->stats.has_ended
		       ? io_replace(fd, name, text.p, text.len, MODE, err)
		       : io_replace_lazily(fd, name, text.p, text.len, MODE,
					   err);
}

static void write_stats(struct verify_watch *w)
{
	struct err err;
	enum rc rc;

	if (!w->o.stats_file)
		return;
	w->stats.duration =
		(double)(clock_mono_ns() - w->start) / CLOCK_NS_PER_SEC;
	rc = write_text(w, &err);
	if (rc && !w->has_failed)
		tell("--stats-file %s: %s", w->o.stats_file, err.msg);
	w->has_failed = rc;
}

/* False when it is the end. */
static bool wait_until(const struct verify_watch *w, uint64_t then)
{
	uint64_t now = clock_mono_ns();
	uint64_t ns = then > now ? then - now : 0;
	struct timespec ts = {
		.tv_sec = (time_t)(ns / CLOCK_NS_PER_SEC),
		.tv_nsec = (long)(ns % CLOCK_NS_PER_SEC),
	};
	struct pollfd p = { .fd = w->end, .events = POLLIN };

	return ppoll(&p, 1, &ts, NULL) <= 0;
}

static void watch_main(void *arg)
{
	struct verify_watch *w = arg;
	uint64_t stats = clock_mono_ns(), tick;

	do {
		const struct progress_counters c = counters(w);

		tick = progress_update(w->progress, &c);
		if (clock_mono_ns() >= stats) {
			write_stats(w);
			stats = clock_mono_ns() + STATS_NS;
		}
	} while (wait_until(w, tick < stats ? tick : stats));
}

enum rc verify_watch_start(struct verify_watch **ret,
			   const struct verify_watch_options *opts,
			   struct err *err)
{
	struct verify_watch *w = xcalloc(1, sizeof(*w));

	w->o = *opts;
	w->start = clock_mono_ns();
	w->stats = (struct verify_stats){
		.labels = opts->labels,
		.live = opts->live,
		.start = (double)(clock_wall_ns() / (int64_t)CLOCK_NS_PER_MS) /
			 1000,
	};
	w->progress = progress_new(opts->progress, STDERR_FILENO);
	w->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->end < 0 || workers_start(&w->thread, "watch", 1, 1, err)) {
		enum rc rc = w->end < 0 ? err_set_errno(err, errno, "eventfd")
					: err->rc;

		verify_watch_stop(w, rc);
		return rc;
	}
	workers_submit(w->thread, watch_main, w);
	*ret = w;
	return RC_OK;
}

void verify_watch_stop(struct verify_watch *w, enum rc rc)
{
	static const uint64_t one = 1;

	if (!w)
		return;
	if (w->thread) {
		ssize_t n = write(w->end, &one, sizeof(one));
		struct progress_counters c;

		(void)n;
		workers_stop(w->thread);
		c = counters(w);
		progress_end(w->progress, &c);
		w->stats.has_ended = true;
		w->stats.rc = rc;
		write_stats(w);
	}
	if (w->end >= 0)
		close(w->end);
	progress_free(w->progress);
	free(w);
}
