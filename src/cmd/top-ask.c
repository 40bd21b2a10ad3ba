/* SPDX-License-Identifier: Apache-2.0 */
/* top-ask.c - looks at a mount, taken by a thread of its own. */
#include "config.h"

#include "cmd/top-ask.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"

struct ask {
	char *path;
	pthread_t thread;
	sem_t wanted;
	int done; /* an eventfd */
	bool is_asking;

	/* The thread's between wanted and done, the caller's otherwise. */
	bool is_ending;
	struct look *look;
	struct err err;
};

static void *ask_main(void *arg)
{
	static const uint64_t one = 1;
	struct ask *a = arg;
	ssize_t n;

	for (;;) {
		while (sem_wait(&a->wanted))
			;
		if (a->is_ending)
			return NULL;
		a->look = NULL;
		a->err.rc = look_take(a->path, &a->look, &a->err);
		n = write(a->done, &one, sizeof(one));
		(void)n;
	}
}

enum rc ask_open(struct ask **ret, const char *path, struct err *err)
{
	struct ask *a = xcalloc(1, sizeof(*a));
	sigset_t all, old;
	int e;

	a->path = xstrdup(path);
	a->done = eventfd(0, EFD_CLOEXEC);
	sem_init(&a->wanted, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&a->thread, NULL, ask_main, a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e) {
		close(a->done);
		free(a->path);
		free(a);
		return err_set_errno(err, e, "thread");
	}
	*ret = a;
	return RC_OK;
}

void ask_close(struct ask *a)
{
	if (!a || a->is_asking)
		return;
	a->is_ending = true;
	sem_post(&a->wanted);
	pthread_join(a->thread, NULL);
	sem_destroy(&a->wanted);
	close(a->done);
	free(a->path);
	free(a);
}

void ask_begin(struct ask *a)
{
	a->is_asking = true;
	sem_post(&a->wanted);
}

int ask_descriptor(const struct ask *a)
{
	return a->done;
}

enum rc ask_take(struct ask *a, struct look **ret, struct err *err)
{
	uint64_t n;

	while (read(a->done, &n, sizeof(n)) < 0 && errno == EINTR)
		;
	a->is_asking = false;
	*err = a->err;
	if (!a->err.rc)
		*ret = a->look;
	return a->err.rc;
}

bool ask_kernel(const char *mountpoint, uint64_t *ret)
{
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FD int fd = -1;
	char text[32] = "";
	struct statx st;

	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC, 0, &st))
		return false;
	path = xasprintf("/sys/fs/fuse/connections/%u/waiting",
			 st.stx_dev_minor);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || io_read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}
