/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - so many files and bytes of the sources a second and no more. */
#include "config.h"

#include "run/throttle.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/stop.h"
#include "base/token-bucket.h"
#include "run/state.h"

/* Nobody sleeps for less: many small files would cost as many sleeps. */
#define LEAST_WAIT (10 * CLOCK_NS_PER_MS)

struct throttle {
	bool is_limited; /* fixed */
	int lifted;      /* readable from throttle_lift on */
	pthread_mutex_t lock;
	struct token_bucket files, bytes; /* guarded by lock */
};

/* What is before the end of text, which it has; NULL without that end. */
static char *before(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	if (len <= n || strcmp(text + len - n, end) != 0)
		return NULL;
	return xmemdup0(text, len - n);
}

enum rc throttle_parse(const char *text, struct throttle_rates *ret,
		       struct err *err)
{
	CLEANUP_FREE char *files = before(text, "files/s");
	CLEANUP_FREE char *bytes = before(text, "/s");
	uint64_t n = 0;

	if ((!files && !bytes) || opt_size(files ? files : bytes, &n, err))
		return err_set(err, RC_USAGE,
			       "want a rate as 500files/s or 20M/s");
	if (!n)
		return err_set(err, RC_USAGE, "want more than nothing");
	if (files)
		ret->files = n;
	else
		ret->bytes = n;
	return RC_OK;
}

enum rc throttle_new(struct throttle_rates rates, struct throttle **ret,
		     struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct throttle *t;

	if (fd < 0)
		return err_set_errno(err, errno, "eventfd");
	t = xcalloc(1, sizeof(*t));
	t->lifted = fd;
	t->is_limited = rates.files || rates.bytes;
	pthread_mutex_init(&t->lock, NULL);
	token_bucket_init(&t->files, rates.files, 0);
	token_bucket_init(&t->bytes, rates.bytes, 0);
	*ret = t;
	return RC_OK;
}

void throttle_free(struct throttle *t)
{
	if (!t)
		return;
	close(t->lifted);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void throttle_lift(struct throttle *t)
{
	static const uint64_t one = 1;
	ssize_t n = write(t->lifted, &one, sizeof(one));

	/* Fails only when it is readable already. */
	(void)n;
}

uint64_t throttle_due(struct throttle *t, uint64_t now, uint64_t files,
		      uint64_t bytes)
{
	uint64_t wait_files, wait_bytes;
	LOCK_SCOPE(&t->lock);

	wait_files = token_bucket_take_many(&t->files, now, files);
	wait_bytes = token_bucket_take_many(&t->bytes, now, bytes);
	return wait_files > wait_bytes ? wait_files : wait_bytes;
}

/* False when there is no limit any more. */
static bool sleep_for(const struct throttle *t, uint64_t ns)
{
	struct pollfd p[] = {
		{ .fd = t->lifted, .events = POLLIN },
		{ .fd = stop_asked_descriptor(), .events = POLLIN },
	};
	struct timespec ts = {
		.tv_sec = (time_t)(ns / CLOCK_NS_PER_SEC),
		.tv_nsec = (long)(ns % CLOCK_NS_PER_SEC),
	};

	return ppoll(p, 2, &ts, NULL) <= 0;
}

void throttle_wait(struct throttle *t, uint64_t files, uint64_t bytes)
{
	uint64_t now, wait, end;
	enum state_doing was;

	if (!t || !t->is_limited || stop_asked())
		return;
	now = clock_mono_ns();
	wait = throttle_due(t, now, files, bytes);
	if (wait < LEAST_WAIT)
		return;
	was = state_enter(STATE_THROTTLED);
	end = now + wait;
	while (now < end && sleep_for(t, end - now))
		now = clock_mono_ns();
	state_leave(was);
}
