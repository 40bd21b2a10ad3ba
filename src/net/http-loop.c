/* SPDX-License-Identifier: Apache-2.0 */
/* http-loop.c - the net thread: takes tasks from the queues, drives libcurl,
 * ends what is late.
 *
 * It alone touches easy handles.  Deadlines and stalls are its own and not
 * libcurl's, whose timeouts know seconds only and do not cover all states of a
 * transfer.
 */
#include "config.h"

#include <stdatomic.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/stop.h"
#include "net/http-loop-backend.h"

#define IDLE_MS 60000

static bool is_stopping(struct http *h)
{
	bool ret;

	pthread_mutex_lock(&h->lock);
	ret = h->is_stopping;
	pthread_mutex_unlock(&h->lock);
	return ret;
}

static void count_in_flight(struct http *h, unsigned int n)
{
	atomic_store(&h->in_flight, n);
	if (n > atomic_load(&h->in_flight_max))
		atomic_store(&h->in_flight_max, n);
}

/* The next task that may run now, or NULL. */
static struct http_task *take(struct http *h)
{
	unsigned int ahead_max = h->connections > 1 ? h->connections / 2 : 1;
	struct http_task *task = NULL;

	pthread_mutex_lock(&h->lock);
	if (h->n_running < h->connections) {
		task = h->demand;
		if (task) {
			DL_DELETE(h->demand, task);
		} else if (h->ahead && h->n_ahead < ahead_max) {
			task = h->ahead;
			DL_DELETE(h->ahead, task);
			h->n_ahead++;
		}
	}
	if (task) {
		task->state = TASK_RUNNING;
		count_in_flight(h, ++h->n_running);
	}
	pthread_mutex_unlock(&h->lock);
	return task;
}

/* The task is its caller's again. */
static void give_back(struct http *h, struct http_task *task, enum rc rc)
{
	pthread_mutex_lock(&h->lock);
	count_in_flight(h, --h->n_running);
	if (task->rq->is_ahead)
		h->n_ahead--;
	task->rc = rc;
	task->state = TASK_DONE;
	/* With the lock held: the condition is gone as soon as it is free. */
	pthread_cond_signal(&task->done);
	pthread_mutex_unlock(&h->lock);
}

static void end(struct http_transfer *t, enum rc rc)
{
	struct http_task *task = t->task;

	http_transfer_end(t);
	curl_multi_remove_handle(t->h->multi, t->easy);
	t->task = NULL;
	give_back(t->h, task, rc);
}

static void begin(struct http *h, struct http_task *task)
{
	struct http_transfer *t = h->transfers;
	enum rc rc;

	/* There is a free one, since n_running was below connections. */
	while (t->task)
		t++;
	t->h = h;
	rc = http_task_is_stopped(task) ? RC_STOPPED
					: http_transfer_begin(t, task);
	if (!rc && curl_multi_add_handle(h->multi, t->easy))
		rc = err_set(task->err, RC_NOMEM, "%s: out of memory",
			     task->peer);
	if (!rc)
		return;
	t->task = NULL;
	give_back(h, task, rc);
}

/* Finish what libcurl has finished; true when there was something. */
static bool reap(struct http *h)
{
	bool any = false;
	CURLMsg *msg;
	int n;

	while ((msg = curl_multi_info_read(h->multi, &n))) {
		CURLcode code = msg->data.result;
		char *p = NULL;
		struct http_transfer *t;

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &p);
		t = (struct http_transfer *)(void *)p;
		end(t, http_transfer_result(t, code));
		any = true;
	}
	return any;
}

/* End what is late; true when there was something.  *ret_ms: how long nothing
 * else will be.
 */
static bool end_late(struct http *h, int *ret_ms)
{
	uint64_t now = clock_mono_ns();
	uint64_t when = now + IDLE_MS * CLOCK_NS_PER_MS;
	bool any = false;

	for (unsigned int i = 0; i < h->connections; i++) {
		struct http_transfer *t = &h->transfers[i];

		if (!t->task || http_transfer_may_go_on(t, now, &when))
			continue;
		end(t, t->task->err->rc);
		any = true;
	}
	*ret_ms = 1 + (int)((when - now) / CLOCK_NS_PER_MS);
	return any;
}

static void stop_queue(struct http_task **queue)
{
	while (*queue) {
		struct http_task *task = *queue;

		DL_DELETE(*queue, task);
		task->rc = err_set(task->err, RC_STOPPED, "%s: stopped",
				   task->peer);
		task->state = TASK_DONE;
		pthread_cond_signal(&task->done);
	}
}

static void stop_all(struct http *h)
{
	for (unsigned int i = 0; i < h->connections; i++) {
		struct http_transfer *t = &h->transfers[i];

		if (t->task)
			end(t, err_set(t->task->err, RC_STOPPED, "%s: stopped",
				       t->task->peer));
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
	}
	pthread_mutex_lock(&h->lock);
	stop_queue(&h->demand);
	stop_queue(&h->ahead);
	pthread_mutex_unlock(&h->lock);
}

/* Until something happens: on the wire, to the queues, or a stop that was not
 * yet seen; from then on its descriptor is readable for good.
 */
static void wait_for_more(struct http *h, bool was_stopped, int ms)
{
	struct curl_waitfd stop = { .fd = stop_descriptor(),
				    .events = CURL_WAIT_POLLIN };

	curl_multi_poll(h->multi, &stop, !was_stopped && stop.fd >= 0, ms,
			NULL);
}

void http_loop_run(void *arg)
{
	struct http *h = arg;

	while (!is_stopping(h)) {
		struct http_task *task;
		bool was_stopped = stop_requested();
		int n, ms = 0;
		bool any;

		while ((task = take(h)))
			begin(h, task);
		curl_multi_perform(h->multi, &n);
		any = reap(h);
		any = end_late(h, &ms) || any;
		/* What ended made room for another. */
		if (!any)
			wait_for_more(h, was_stopped, ms);
	}
	stop_all(h);
}
