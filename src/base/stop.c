/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - signals that ask us to end become one flag and one descriptor. */
#include "config.h"

#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static atomic_bool is_requested, is_asked, is_gentle, kills;
static atomic_int by_signal;
static atomic_int event_fd = -1, asked_fd = -1;

bool stop_requested(void)
{
	return atomic_load_explicit(&is_requested, memory_order_relaxed);
}

int stop_signal(void)
{
	return atomic_load(&by_signal);
}

int stop_descriptor(void)
{
	return atomic_load(&event_fd);
}

bool stop_asked(void)
{
	return atomic_load_explicit(&is_asked, memory_order_relaxed);
}

int stop_asked_descriptor(void)
{
	return atomic_load(&asked_fd);
}

void stop_gently(void)
{
	atomic_store(&is_gentle, true);
}

static void make_readable(int fd)
{
	static const uint64_t one = 1;
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, &one, sizeof(one));
	/* Fails only when it is readable already. */
	(void)n;
}

static void ask(void)
{
	atomic_store(&is_asked, true);
	make_readable(atomic_load(&asked_fd));
}

void stop_request(void)
{
	int saved = errno;

	ask();
	atomic_store(&is_requested, true);
	make_readable(atomic_load(&event_fd));
	errno = saved;
}

static void on_signal(int sig)
{
	int saved = errno;
	int none = 0;
	bool is_first = atomic_compare_exchange_strong(&by_signal, &none, sig);

	if (!is_first && sig != SIGHUP && atomic_load(&kills)) {
		/* Delivered when this handler has returned. */
		signal(sig, SIG_DFL);
		raise(sig);
	} else {
		/* In this order: stop_promptly stores and then looks. */
		ask();
		if (!atomic_load(&is_gentle))
			stop_request();
	}
	errno = saved;
}

void stop_promptly(void)
{
	atomic_store(&is_gentle, false);
	if (stop_asked())
		stop_request();
}

static enum rc catch_signal(int sig, struct err *err)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct sigaction old;

	/* Calls are restarted: only poll and the flag tell of the stop. */
	sa.sa_flags = SA_RESTART;
	sigfillset(&sa.sa_mask);
	if (sigaction(sig, NULL, &old))
		return err_set_errno(err, errno, "signal %d", sig);
	if (old.sa_handler == SIG_IGN && sig != SIGTERM)
		return RC_OK;
	if (sigaction(sig, &sa, NULL))
		return err_set_errno(err, errno, "signal %d", sig);
	return RC_OK;
}

static int open_event(atomic_int *ret)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd >= 0)
		atomic_store(ret, fd);
	return fd;
}

enum rc stop_init(unsigned int flags, struct err *err)
{
	enum rc rc = RC_OK;

	if (open_event(&event_fd) < 0 || open_event(&asked_fd) < 0)
		rc = err_set_errno(err, errno, "eventfd");
	atomic_store(&kills, flags & STOP_TWICE_KILLS);
	if (!rc)
		rc = catch_signal(SIGINT, err);
	if (!rc)
		rc = catch_signal(SIGTERM, err);
	if (!rc && flags & STOP_ON_HUP)
		rc = catch_signal(SIGHUP, err);
	if (rc)
		stop_release();
	return rc;
}

static void release_signal(int sig)
{
	struct sigaction old;

	if (!sigaction(sig, NULL, &old) && old.sa_handler == on_signal)
		signal(sig, SIG_DFL);
}

static void close_event(atomic_int *event)
{
	int fd = atomic_exchange(event, -1);

	if (fd >= 0)
		close(fd);
}

void stop_release(void)
{
	release_signal(SIGINT);
	release_signal(SIGTERM);
	release_signal(SIGHUP);
	close_event(&event_fd);
	close_event(&asked_fd);
	atomic_store(&is_requested, false);
	atomic_store(&is_asked, false);
	atomic_store(&is_gentle, false);
	atomic_store(&kills, false);
	atomic_store(&by_signal, 0);
}

bool stop_sleep(uint64_t ns)
{
	struct pollfd p = { .fd = stop_descriptor(), .events = POLLIN };
	struct timespec ts = {
		.tv_sec = (time_t)(ns / CLOCK_NS_PER_SEC),
		.tv_nsec = (long)(ns % CLOCK_NS_PER_SEC),
	};

	if (!stop_requested())
		ppoll(&p, 1, &ts, NULL);
	return stop_requested();
}
