/* SPDX-License-Identifier: Apache-2.0 */
/* workers.c - a fixed set of named threads that run jobs from one queue. */
#include "config.h"

#include "base/workers.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/queue.h"

struct workers {
	struct queue *jobs; /* of struct job */
	pthread_t *threads;
	unsigned int n_threads;
	atomic_uint *n_busy; /* NULL: nobody asks */
	/* One lock for all jobs: a job may be freed as soon as it is done, so
	 * its worker must not touch a lock that lies in it.
	 */
	pthread_mutex_t lock; /* guards is_done and is_awaited of all jobs */
	pthread_cond_t done;
};

static void count_busy(struct workers *w, unsigned int n)
{
	if (w->n_busy)
		atomic_fetch_add_explicit(w->n_busy, n, memory_order_relaxed);
}

static void run_job(struct workers *w, struct job *job)
{
	count_busy(w, 1);
	job->fn(job->arg);
	count_busy(w, -1U);
	if (job->is_owned) {
		free(job);
		return;
	}
	pthread_mutex_lock(&w->lock);
	job->is_done = true;
	if (job->is_awaited)
		pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);
}

static void *worker_main(void *arg)
{
	struct workers *w = arg;
	void *job = NULL;

	while (queue_pop(w->jobs, &job))
		run_job(w, job);
	return NULL;
}

/* Signals are for main; only those that a thread's own fault raises are left
 * to it, since blocking them would hide the fault from debuggers.
 */
static void block_signals(sigset_t *ret_old)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		sigdelset(&set, own[i]);
	pthread_sigmask(SIG_SETMASK, &set, ret_old);
}

static int start_threads(struct workers *w, const char *name, unsigned int n)
{
	sigset_t old;
	int errnum = 0;

	block_signals(&old);
	while (w->n_threads < n && !errnum) {
		pthread_t *t = &w->threads[w->n_threads];
		char full[16]; /* all that the kernel keeps */

		errnum = pthread_create(t, NULL, worker_main, w);
		if (errnum)
			break;
		snprintf(full, sizeof(full), "%.10s-%u", name,
			 w->n_threads % 10000);
		pthread_setname_np(*t, full);
		w->n_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return errnum;
}

enum rc workers_start(struct workers **ret, const char *name, unsigned int n,
		      size_t queue_cap, struct err *err)
{
	struct workers *w = xcalloc(1, sizeof(*w));
	int errnum;

	assert(n > 0);
	w->jobs = queue_new(queue_cap);
	w->threads = xcalloc(n, sizeof(*w->threads));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->done, NULL);
	errnum = start_threads(w, name, n);
	if (errnum) {
		workers_stop(w);
		return err_set_errno(err, errnum, "start %u threads", n);
	}
	*ret = w;
	return RC_OK;
}

void workers_count(struct workers *w, atomic_uint *n_busy)
{
	w->n_busy = n_busy;
}

void workers_stop(struct workers *w)
{
	if (!w)
		return;
	queue_close(w->jobs);
	while (w->n_threads)
		pthread_join(w->threads[--w->n_threads], NULL);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->lock);
	queue_free(w->jobs);
	free(w->threads);
	free(w);
}

static void push(struct workers *w, struct job *job)
{
	bool is_open = queue_push(w->jobs, job);

	/* Only workers_stop closes it, after which nobody may submit. */
	assert(is_open);
	(void)is_open;
}

void workers_submit(struct workers *w, workers_fn *fn, void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));

	*job = (struct job){ .fn = fn, .arg = arg, .is_owned = true };
	push(w, job);
}

void job_submit(struct workers *w, struct job *job, workers_fn *fn, void *arg)
{
	*job = (struct job){ .fn = fn, .arg = arg };
	push(w, job);
}

void job_wait(struct workers *w, struct job *job)
{
	LOCK_SCOPE(&w->lock);

	/* Who waits for another job is not woken by each one. */
	job->is_awaited = true;
	while (!job->is_done)
		pthread_cond_wait(&w->done, &w->lock);
}

bool job_is_done(struct workers *w, const struct job *job)
{
	LOCK_SCOPE(&w->lock);

	return job->is_done;
}

unsigned int workers_n_cpus(void)
{
	cpu_set_t set;
	int n = 0;

	if (!sched_getaffinity(0, sizeof(set), &set))
		n = CPU_COUNT(&set);
	return n > 0 ? (unsigned int)n : 1;
}
