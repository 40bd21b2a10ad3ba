/* SPDX-License-Identifier: Apache-2.0 */
/* workers.h - a fixed set of named threads that run jobs from one queue.
 *
 * Fire and forget:
 *
 *	workers_submit(w, fn, arg);
 *
 * Results in the order of submission, however many threads there are: embed a
 * struct job, submit, and wait for the jobs in the order they were submitted.
 *
 *	struct piece { struct job job; ... };
 *	...
 *	job_submit(w, &piece->job, compress, piece);
 *	...
 *	job_wait(w, &oldest->job);
 *
 * A job's errors are its own affair: it keeps a struct err in what arg points
 * to.  Submitting blocks while the queue is full, so a job must not submit to
 * its own workers.  All signals are blocked in the threads.
 */
#ifndef DESFS_BASE_WORKERS_H
#define DESFS_BASE_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

struct workers;

typedef void workers_fn(void *arg);

/* The caller's storage; must stay until job_wait has returned. */
struct job {
	workers_fn *fn;
	void *arg;
	bool is_done;    /* guarded by the workers' lock */
	bool is_awaited; /* likewise: somebody has waited for it */
	bool is_owned;   /* by the workers, which free it */
};

/* Start n (> 0) threads called "<name>-<number>", with room for queue_cap (> 0)
 * jobs that wait.
 */
enum rc workers_start(struct workers **ret, const char *name, unsigned int n,
		      size_t queue_cap, struct err *err) MUST_CHECK;

/* Have the number of threads that run a job in *n_busy, which must stay until
 * workers_stop; before the first job.
 */
void workers_count(struct workers *w, atomic_uint *n_busy);

/* Run all jobs submitted, join the threads, free; takes NULL.  Nobody may
 * submit or wait any more.
 */
void workers_stop(struct workers *w);

/* Run fn(arg) some time. */
void workers_submit(struct workers *w, workers_fn *fn, void *arg);

/* Run fn(arg) some time; job_wait tells when it is done. */
void job_submit(struct workers *w, struct job *job, workers_fn *fn, void *arg);

/* Wait until the job is done; what it wrote is visible to the caller. */
void job_wait(struct workers *w, struct job *job);

/* Whether job_wait would return at once. */
bool job_is_done(struct workers *w, const struct job *job);

/* The processors this process may use, at least 1. */
unsigned int workers_n_cpus(void);

#endif
