/* SPDX-License-Identifier: Apache-2.0 */
/* walk-team.c - divides a walk among its threads. */
#include "config.h"

#include "pack/walk-team.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"

struct walk_team {
	unsigned int n_walkers;
	size_t n_sources;
	atomic_uint n_wanted; /* n_waiting less n_tasks; a hint */
	atomic_bool has_failed;

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	size_t next_source;
	struct walk_task *tasks; /* the one given last comes first */
	unsigned int n_tasks, n_waiting;
	struct err failure;
};

void walk_frame_release(struct walk_frame *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->shared && atomic_fetch_sub(&f->shared->n_walkers, 1) == 1)
		free(f->shared);
}

enum rc walk_task_new(struct walk_task **ret, const struct walk_frame *f,
		      const void *uid, struct err *err)
{
	int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	struct walk_task *t;

	if (fd < 0)
		return err_set_errno(err, errno, "open directories");
	t = xcalloc(1, sizeof(*t));
	t->frame = (struct walk_frame){ .fd = fd,
					.st = f->st,
					.uid_len = f->uid_len,
					.source = f->source,
					.number = f->number,
					.parent = f->parent };
	t->uid = xmemdup0(uid, f->uid_len);
	*ret = t;
	return RC_OK;
}

void walk_task_free(struct walk_task *t)
{
	if (!t)
		return;
	walk_frame_release(&t->frame);
	free(t->uid);
	free(t->subdirs);
	free(t->names);
	free(t);
}

struct walk_team *walk_team_new(unsigned int n_walkers, size_t n_sources)
{
	struct walk_team *t = xcalloc(1, sizeof(*t));

	t->n_walkers = n_walkers;
	t->n_sources = n_sources;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	return t;
}

void walk_team_free(struct walk_team *t)
{
	if (!t)
		return;
	while (t->tasks) {
		struct walk_task *next = t->tasks->next;

		walk_task_free(t->tasks);
		t->tasks = next;
	}
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

unsigned int walk_team_wants(const struct walk_team *t)
{
	return atomic_load_explicit(&t->n_wanted, memory_order_relaxed);
}

/* Called with the lock held. */
static void count_wanted(struct walk_team *t)
{
	atomic_store_explicit(
		&t->n_wanted,
		t->n_waiting > t->n_tasks ? t->n_waiting - t->n_tasks : 0,
		memory_order_relaxed);
}

void walk_team_give(struct walk_team *t, struct walk_task *task)
{
	LOCK_SCOPE(&t->lock);

	task->next = t->tasks;
	t->tasks = task;
	t->n_tasks++;
	count_wanted(t);
	pthread_cond_signal(&t->changed);
}

/* Called with the lock held. */
static bool is_over(const struct walk_team *t)
{
	return t->failure.rc || (t->n_waiting == t->n_walkers && !t->tasks &&
				 t->next_source == t->n_sources);
}

bool walk_team_take(struct walk_team *t, struct walk_task **ret_task,
		    size_t *ret_source)
{
	LOCK_SCOPE(&t->lock);

	t->n_waiting++;
	while (!is_over(t) && !t->tasks && t->next_source == t->n_sources) {
		count_wanted(t);
		pthread_cond_wait(&t->changed, &t->lock);
	}
	if (is_over(t)) {
		/* All who wait are to see it. */
		pthread_cond_broadcast(&t->changed);
		return false;
	}
	t->n_waiting--;
	*ret_task = t->tasks;
	if (t->tasks) {
		t->tasks = t->tasks->next;
		t->n_tasks--;
	} else {
		*ret_source = t->next_source++;
	}
	count_wanted(t);
	return true;
}

void walk_team_fail(struct walk_team *t, const struct err *err)
{
	LOCK_SCOPE(&t->lock);

	if (!t->failure.rc)
		t->failure = *err;
	atomic_store(&t->has_failed, true);
	pthread_cond_broadcast(&t->changed);
}

enum rc walk_team_check(struct walk_team *t, struct err *err)
{
	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	if (!atomic_load_explicit(&t->has_failed, memory_order_relaxed))
		return RC_OK;
	LOCK_SCOPE(&t->lock);
	*err = t->failure;
	return err->rc;
}
