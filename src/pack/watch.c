/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - tells how a run goes while it does. */
#include "config.h"

#include "pack/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/workers.h"
#include "pack/report.h"
#include "pack/state-text.h"
#include "pack/stats-file.h"

#define STATS_NS (5 * CLOCK_NS_PER_SEC)

struct watch {
	struct report *report;
	struct stats_file *stats_file;
	struct workers *thread;
	int asked; /* readable when SIGUSR1 has come; see asked_fd */
	int end;   /* readable when the thread is to end */
};

/* What the signal handler writes to.  Never closed: a handler may be about to
 * write to it.
 */
static atomic_int asked_fd = -1;

static void make_readable(int fd)
{
	static const uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	/* Fails only when it is readable already. */
	(void)n;
}

static void on_usr1(int sig)
{
	int saved = errno;
	int fd = atomic_load(&asked_fd);

	(void)sig;
	if (fd >= 0)
		make_readable(fd);
	errno = saved;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Wait until then, or for the end (false), or until somebody asks. */
static bool wait_until(const struct watch *w, uint64_t then)
{
	uint64_t now = clock_mono_ns();
	uint64_t ns = then > now ? then - now : 0;
	struct timespec ts = {
		.tv_sec = (time_t)(ns / CLOCK_NS_PER_SEC),
		.tv_nsec = (long)(ns % CLOCK_NS_PER_SEC),
	};
	struct pollfd p[] = {
		{ .fd = w->end, .events = POLLIN },
		{ .fd = w->asked, .events = POLLIN },
	};
	uint64_t n;

	if (ppoll(p, 2, &ts, NULL) <= 0)
		return true;
	if (p[1].revents && read(w->asked, &n, sizeof(n)) == sizeof(n))
		state_tell(w->report);
	return !p[0].revents;
}

static void watch_main(void *arg)
{
	struct watch *w = arg;
	uint64_t tick = clock_mono_ns();
	uint64_t stats = w->stats_file ? tick : UINT64_MAX;

	do {
		uint64_t now = clock_mono_ns();

		if (now >= tick)
			tick = report_tick(w->report);
		if (now >= stats) {
			stats_file_write(w->stats_file);
			stats = now + STATS_NS;
		}
	} while (wait_until(w, earlier(tick, stats)));
}

static enum rc open_events(struct watch *w, struct err *err)
{
	w->asked = atomic_load(&asked_fd);
	if (w->asked < 0)
		w->asked = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->asked < 0 || w->end < 0 ? err_set_errno(err, errno, "eventfd")
					  : RC_OK;
}

static enum rc catch_usr1(struct watch *w, struct err *err)
{
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };

	atomic_store(&asked_fd, w->asked);
	sigfillset(&sa.sa_mask);
	if (sigaction(SIGUSR1, &sa, NULL))
		return err_set_errno(err, errno, "SIGUSR1");
	return RC_OK;
}

enum rc watch_start(struct watch **ret, struct report *report,
		    struct stats_file *stats_file, struct err *err)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	enum rc rc;

	w->report = report;
	w->stats_file = stats_file;
	w->asked = w->end = -1;
	rc = open_events(w, err);
	if (!rc)
		rc = catch_usr1(w, err);
	if (!rc)
		rc = workers_start(&w->thread, "watch", 1, 1, err);
	if (rc) {
		watch_stop(w);
		return rc;
	}
	workers_submit(w->thread, watch_main, w);
	*ret = w;
	return RC_OK;
}

void watch_stop(struct watch *w)
{
	if (!w)
		return;
	/* Whoever asks now is too late, and is not to kill what is at its end.
	 */
	signal(SIGUSR1, SIG_IGN);
	if (w->end >= 0)
		make_readable(w->end);
	workers_stop(w->thread);
	if (w->end >= 0)
		close(w->end);
	free(w);
}
