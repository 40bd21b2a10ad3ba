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

static atomic_bool is_requested;
static atomic_int by_signal;
static atomic_int event_fd = -1;

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

void stop_request(void)
{
	static const uint64_t one = 1;
	int saved = errno;
	int fd = atomic_load(&event_fd);

	atomic_store(&is_requested, true);
	if (fd >= 0) {
		ssize_t n = write(fd, &one, sizeof(one));

		/* Fails only when it is readable already. */
		(void)n;
	}
	errno = saved;
}

static void on_signal(int sig)
{
	int none = 0;

	atomic_compare_exchange_strong(&by_signal, &none, sig);
	stop_request();
}

static enum rc catch_signal(int sig, unsigned int flags, struct err *err)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct sigaction old;

	/* Calls are restarted: only poll and the flag tell of the stop. */
	sa.sa_flags = SA_RESTART;
	if (flags & STOP_TWICE_KILLS)
		sa.sa_flags |= (int)SA_RESETHAND;
	sigfillset(&sa.sa_mask);
	if (sigaction(sig, NULL, &old))
		return err_set_errno(err, errno, "signal %d", sig);
	if (old.sa_handler == SIG_IGN && sig != SIGTERM)
		return RC_OK;
	if (sigaction(sig, &sa, NULL))
		return err_set_errno(err, errno, "signal %d", sig);
	return RC_OK;
}

enum rc stop_init(unsigned int flags, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	enum rc rc;

	if (fd < 0)
		return err_set_errno(err, errno, "eventfd");
	atomic_store(&event_fd, fd);
	rc = catch_signal(SIGINT, flags, err);
	if (!rc)
		rc = catch_signal(SIGTERM, flags, err);
	if (!rc && flags & STOP_ON_HUP)
		rc = catch_signal(SIGHUP, flags, err);
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

void stop_release(void)
{
	int fd;

	release_signal(SIGINT);
	release_signal(SIGTERM);
	release_signal(SIGHUP);
	fd = atomic_exchange(&event_fd, -1);
	if (fd >= 0)
		close(fd);
	atomic_store(&is_requested, false);
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
