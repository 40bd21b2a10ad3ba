/* SPDX-License-Identifier: Apache-2.0 */
/* fs-serve.c - answer until SIGTERM, SIGINT or an unmount.
 *
 * main waits here; libfuse's loop has a thread of its own that starts the
 * workers; the refresh thread and the pushers are the other kinds.  These end
 * first: what they tell the kernel may wait for a request that only a worker
 * can answer.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/workers.h"
#include "fs/fs.h"

#define THREADS_LEAST 8
#define THREADS_MAX 16
#define WAKE_SIGNAL SIGUSR1
#define WAKE_MS 20

struct serving {
	struct fs *fs;
	int ended; /* an eventfd, readable once the loop is over */
	int result;
	pthread_t loop, refresh;
	bool has_refresh;
};

static unsigned int n_threads(const struct fs *fs)
{
	unsigned int n = 2 * workers_n_cpus();

	if (fs->o->max_threads)
		return fs->o->max_threads;
	/* They wait for the disk, too, and only as many are started as there
	 * are requests at a time.
	 */
	if (n < THREADS_LEAST)
		n = THREADS_LEAST;
	return n < THREADS_MAX ? n : THREADS_MAX;
}

static void *loop_main(void *arg)
{
	static const uint64_t one = 1;
	struct serving *s = arg;
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	ssize_t n;

	fuse_loop_cfg_set_clone_fd(config, 0);
	fuse_loop_cfg_set_max_threads(config, s->fs->stats.n_threads);
	s->result = fuse_session_loop_mt(s->fs->se, config);
	fuse_loop_cfg_destroy(config);
	n = write(s->ended, &one, sizeof(one));
	(void)n;
	return NULL;
}

static void on_wake(int sig)
{
	(void)sig;
}

/* The loop's thread sleeps on a semaphore; only a signal gets it to look at the
 * flag of fuse_session_exit.
 */
static enum rc loop_start(struct serving *s, struct err *err)
{
	struct sigaction sa = { .sa_handler = on_wake };
	sigset_t mask, old;
	int e;

	if (sigaction(WAKE_SIGNAL, &sa, NULL))
		return err_set_errno(err, errno, "signal %d", WAKE_SIGNAL);
	s->fs->stats.n_threads = n_threads(s->fs);
	sigfillset(&mask);
	sigdelset(&mask, WAKE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &mask, &old);
	e = pthread_create(&s->loop, NULL, loop_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e)
		return err_set_errno(err, e, "loop thread");
	pthread_setname_np(s->loop, "fs-loop");
	return RC_OK;
}

static bool is_ended(const struct serving *s, int timeout_ms)
{
	struct pollfd p = { .fd = s->ended, .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0;
}

/* The signal may come just before the thread falls asleep: again, then. */
static void loop_stop(struct serving *s)
{
	fuse_session_exit(s->fs->se);
	do {
		pthread_kill(s->loop, WAKE_SIGNAL);
	} while (!is_ended(s, WAKE_MS));
	pthread_join(s->loop, NULL);
}

static void refresh_stop(struct serving *s)
{
	stop_request();
	if (s->has_refresh)
		pthread_join(s->refresh, NULL);
	s->has_refresh = false;
}

static void reopen_log(int fd)
{
	struct signalfd_siginfo info;
	struct err err;

	if (read(fd, &info, sizeof(info)) == sizeof(info) && log_reopen(&err))
		log_rc(&err, "reopening the log");
}

/* Until a stop is requested or the loop ends. */
static enum rc wait_for_end(struct serving *s, int hup, fs_serving_fn *serving,
			    void *arg, struct err *err)
{
	struct pollfd p[] = {
		{ .fd = stop_descriptor(), .events = POLLIN },
		{ .fd = s->ended, .events = POLLIN },
		{ .fd = s->fs->served, .events = POLLIN },
		{ .fd = hup, .events = POLLIN },
	};

	for (;;) {
		bool is_over;

		if (poll(p, ARRAY_LEN(p), -1) < 0)
			continue;
		is_over = p[0].revents | p[1].revents;
		/* Whoever stops us at once may have been served. */
		if (p[2].revents) {
			p[2].fd = -1;
			serving(arg);
			if (s->fs->o->conf.refresh && !is_over &&
			    fs_refresh_start(s->fs, &s->refresh, err))
				return err->rc;
			s->has_refresh = s->fs->o->conf.refresh && !is_over;
		}
		if (is_over)
			return RC_OK;
		if (p[3].revents)
			reopen_log(hup);
	}
}

static int hangup_descriptor(void)
{
	sigset_t hup;

	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &hup, NULL);
	return signalfd(-1, &hup, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum rc fs_serve(struct fs *fs, fs_serving_fn *serving, void *arg,
		 struct err *err)
{
	CLEANUP_FD int ended = eventfd(0, EFD_CLOEXEC);
	CLEANUP_FD int hup = -1;
	struct serving s = { .fs = fs, .ended = ended };
	enum rc rc;

	if (ended < 0)
		return err_set_errno(err, errno, "eventfd");
	/* In the foreground a hangup of the terminal ends us, see main.c. */
	if (!fs->o->foreground)
		hup = hangup_descriptor();
	rc = loop_start(&s, err);
	if (rc)
		return rc;
	rc = wait_for_end(&s, hup, serving, arg, err);
	refresh_stop(&s);
	fs_push_stop(fs);
	loop_stop(&s);
	if (!rc && s.result < 0)
		rc = err_set_errno(err, -s.result, "FUSE loop");
	return rc;
}
