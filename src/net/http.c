/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - HTTP requests: the callers' side.
 *
 * A call is a task on its caller's stack.  It waits in one of two queues until
 * the net thread takes it, and from then on for the net thread alone, which
 * minds its deadline.  A task still in its queue at the deadline is taken out
 * by its caller.
 */
#include "config.h"

#include "net/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "base/workers.h"
#include "net/http-loop-backend.h"
#include "net/url.h"

#define CONNECTIONS 16
#define CONNECT_TIMEOUT 3000
#define STALL_TIMEOUT 5000
/* So much behind a deadline a thread that still runs is held up. */
#define LATE_NS CLOCK_NS_PER_SEC

const char *http_method_name(enum http_method m)
{
	switch (m) {
	case HTTP_GET: return "GET";
	case HTTP_HEAD: return "HEAD";
	case HTTP_PUT: return "PUT";
	case HTTP_POST: return "POST";
	case HTTP_DELETE: return "DELETE";
	}
	return "";
}

static enum rc check_ca_file(const char *path, struct err *err)
{
	CLEANUP_FD int fd = -1;

	if (!path)
		return RC_OK;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, errno, "certificates %s", path);
	return RC_OK;
}

static struct http *new_client(const struct http_options *o)
{
	struct http *h = xcalloc(1, sizeof(*h));

	h->connections = o->connections ? o->connections : CONNECTIONS;
	h->connect_timeout =
		o->connect_timeout ? o->connect_timeout : CONNECT_TIMEOUT;
	h->stall_timeout = o->stall_timeout ? o->stall_timeout : STALL_TIMEOUT;
	h->ca_file = o->ca_file ? xstrdup(o->ca_file) : NULL;
	h->proxy = o->proxy ? xstrdup(o->proxy) : NULL;
	h->transfers = xcalloc(h->connections, sizeof(*h->transfers));
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->gone, NULL);
	return h;
}

static void free_client(struct http *h)
{
	if (h->multi)
		curl_multi_cleanup(h->multi);
	pthread_cond_destroy(&h->gone);
	pthread_mutex_destroy(&h->lock);
	free(h->transfers);
	free(h->sockets);
	free(h->ca_file);
	free(h->proxy);
	free(h);
}

static bool set_up_multi(struct http *h)
{
	long n = (long)h->connections;

	h->multi = curl_multi_init();
	return h->multi &&
	       !curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, n) &&
	       !curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, n) &&
	       !curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, n);
}

enum rc http_open(struct http **ret, const struct http_options *o,
		  struct err *err)
{
	struct http *h;
	enum rc rc = check_ca_file(o->ca_file, err);

	if (!rc)
		rc = curl_library_load(err);
	if (rc)
		return rc;
	h = new_client(o);
	if (!set_up_multi(h))
		rc = err_set(err, RC_NOMEM, "libcurl: out of memory");
	if (!rc)
		rc = workers_start(&h->thread, "net", 1, 1, err);
	if (rc) {
		free_client(h);
		return rc;
	}
	workers_submit(h->thread, http_loop_run, h);
	*ret = h;
	return RC_OK;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->is_stopping = true;
	pthread_mutex_unlock(&h->lock);
	curl_multi_wakeup(h->multi);
	workers_stop(h->thread);
	pthread_mutex_lock(&h->lock);
	while (h->n_callers)
		pthread_cond_wait(&h->gone, &h->lock);
	pthread_mutex_unlock(&h->lock);
	free_client(h);
}

static bool is_printable(const char *s)
{
	for (; *s; s++)
		if (*s < 0x21 || *s > 0x7e)
			return false;
	return true;
}

/* Check a URL, which unlike those of url_parse may have a query, and write
 * "host:port"; says what is wrong, or NULL.
 */
static const char *find_peer(const char *url, char *ret, size_t size)
{
	bool is_https = !strncasecmp(url, "https://", 8);
	const char *host = url + (is_https ? 8 : 7);
	const char *own = is_https ? ":443" : ":80";
	const char *port;
	size_t len;

	if (!is_https && strncasecmp(url, "http://", 7))
		return "it is not for HTTP";
	if (strnlen(url, URL_MAX + 1) > URL_MAX)
		return "it is too long";
	if (!is_printable(url))
		return "it is not encoded";
	len = strcspn(host, "/?#");
	if (!len || len + sizeof(":443") > size)
		return "its host is missing or too long";
	if (memchr(host, '@', len))
		return "it must not have a user name or a password";
	memcpy(ret, host, len);
	ret[len] = '\0';
	port = strrchr(ret, ':');
	if (!port || strchr(port, ']'))
		memcpy(ret + len, own, strlen(own) + 1);
	return NULL;
}

static bool add_header(struct http_task *task, const char *line)
{
	struct curl_slist *list = curl_slist_append(task->headers, line);

	if (list)
		task->headers = list;
	return list;
}

/* What libcurl would add by itself, and what is to go without. */
static bool add_own_headers(struct http_task *task, bool has_type)
{
	if (!add_header(task, "Accept-Encoding: identity") ||
	    !add_header(task, "Expect:"))
		return false;
	return has_type || add_header(task, "Content-Type:");
}

static enum rc add_headers(struct http_task *task)
{
	const char *const *line = task->rq->headers;
	bool has_type = false;

	for (; line && *line; line++) {
		for (const char *p = *line; *p; p++)
			if ((*p > 0 && *p < 0x20 && *p != '\t') || *p == 0x7f)
				return err_set(task->err, RC_USAGE,
					       "a header for %s has a control "
					       "character",
					       task->peer);
		has_type |= !strncasecmp(*line, "content-type:", 13);
		if (!add_header(task, *line))
			break;
	}
	if ((line && *line) || !add_own_headers(task, has_type))
		return err_set(task->err, RC_NOMEM, "%s: out of memory",
			       task->peer);
	return RC_OK;
}

static enum rc prepare(struct http_task *task)
{
	const char *why =
		find_peer(task->rq->url, task->peer, sizeof(task->peer));

	if (why)
		return err_set(task->err, RC_USAGE, "bad URL: %s", why);
	return add_headers(task);
}

/* With the lock held, which is let go while waiting. */
static void wait_for(struct http *h, struct http_task *task,
		     struct http_task **queue)
{
	while (task->state != TASK_DONE) {
		uint64_t now = clock_mono_ns();
		uint64_t left =
			now < task->rq->deadline ? task->rq->deadline - now : 0;

		if (task->state == TASK_RUNNING) {
			if (!cond_wait_for(&task->done, &h->lock,
					   left + LATE_NS) &&
			    task->state == TASK_RUNNING)
				http_sockets_end(h);
		} else if (!cond_wait_for(&task->done, &h->lock, left) &&
			   task->state == TASK_QUEUED) {
			DL_DELETE(*queue, task);
			task->state = TASK_DONE;
			task->rc = err_set(task->err, RC_TIMEOUT,
					   "%s: no turn in time, all "
					   "connections are busy",
					   task->peer);
		}
	}
}

static enum rc run(struct http *h, struct http_task *task)
{
	struct http_task **queue = task->rq->is_ahead ? &h->ahead : &h->demand;
	bool is_stopping, is_full;

	pthread_mutex_lock(&h->lock);
	is_stopping = h->is_stopping;
	is_full = h->n_running >= h->connections;
	if (!is_stopping) {
		DL_APPEND(*queue, task);
		h->n_callers++;
	}
	pthread_mutex_unlock(&h->lock);
	if (is_stopping)
		return err_set(task->err, RC_STOPPED, "%s: stopped",
			       task->peer);
	/* When all are busy the first that ends looks at the queues. */
	if (!is_full)
		curl_multi_wakeup(h->multi);
	pthread_mutex_lock(&h->lock);
	wait_for(h, task, queue);
	if (!--h->n_callers)
		pthread_cond_signal(&h->gone);
	pthread_mutex_unlock(&h->lock);
	return task->rc;
}

enum rc http_fetch(struct http *h, const struct http_request *rq,
		   struct http_response *ret, struct err *err)
{
	struct http_task task = { .rq = rq, .ret = ret, .err = err };
	enum rc rc;

	*ret = (struct http_response){ .content_length = -1 };
	task.begun = clock_mono_ns();
	cond_init(&task.done);
	rc = prepare(&task);
	if (!rc)
		rc = run(h, &task);
	curl_slist_free_all(task.headers);
	pthread_cond_destroy(&task.done);
	ret->ns = clock_mono_ns() - task.begun;
	return rc;
}

void http_response_release(struct http_response *r)
{
	if (r->is_into)
		r->body.p = NULL;
	r->is_into = false;
	buf_release(&r->body);
}

void http_count(struct http *h, struct http_counters *ret)
{
	*ret = (struct http_counters){
		.requests = atomic_load(&h->n_requests),
		.connections = atomic_load(&h->n_connections),
		.in_flight = atomic_load(&h->in_flight),
		.in_flight_max = atomic_load(&h->in_flight_max),
	};
}
