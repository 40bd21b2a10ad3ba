/* SPDX-License-Identifier: Apache-2.0 */
/* store-remote.c - one call to a server with all of its tries. */
#include "config.h"

#include "store/store-remote-backend.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "net/url.h"
#include "store/store-trace.h"

#define RETRIES_DEFAULT 5
/* Nobody waits for what is written, but hours of work may hang on it. */
#define RETRIES_DEFAULT_WRITING 12
#define STALL_MAX_MS 5000
/* Bytes a millisecond of a line that is slow, but worth waiting for. */
#define SLOW_LINE 128

enum rc remote_init(struct remote *rm, const struct store_settings *set,
		    struct err *err)
{
	*rm = (struct remote){ .set = set };
	if (set->trace && trace_open(&rm->trace, set->trace, err))
		return err->rc;
	pthread_mutex_init(&rm->lock, NULL);
	retry_budget_init(&rm->budget);
	rm->seed = clock_mono_ns() ^ (uint64_t)(uintptr_t)rm;
	return RC_OK;
}

void remote_release(struct remote *rm)
{
	if (!rm->set)
		return;
	http_close(rm->http);
	trace_close(rm->trace);
	pthread_mutex_destroy(&rm->lock);
	*rm = (struct remote){ 0 };
}

uint64_t remote_timeout_ms(const struct remote *rm)
{
	return 1000ULL *
	       (rm->set->timeout ? rm->set->timeout : STORE_TIMEOUT_DEFAULT);
}

static enum rc get_http(struct remote *rm, struct http **ret, struct err *err)
{
	/* A connection that says nothing must leave time for another try. */
	uint64_t stall = remote_timeout_ms(rm) / 3;
	struct http_options o = {
		.connections = rm->set->connections,
		.stall_timeout =
			(unsigned int)(stall < STALL_MAX_MS ? stall
							    : STALL_MAX_MS),
		.ca_file = rm->set->ca_file,
		.proxy = rm->set->proxy,
	};
	LOCK_SCOPE(&rm->lock);

	if (!rm->http && http_open(&rm->http, &o, err))
		return err->rc;
	*ret = rm->http;
	return RC_OK;
}

uint64_t remote_grace_ms(uint64_t bytes)
{
	return bytes / SLOW_LINE;
}

bool remote_is_passing(unsigned int status)
{
	return status == 408 || status == 429 || status == 500 ||
	       status == 502 || status == 503 || status == 504;
}

void remote_count(struct remote *rm, struct store_counters *ret)
{
	ret->get += rm->requests[REMOTE_GET];
	ret->get_list += rm->requests[REMOTE_LIST];
	ret->put += rm->requests[REMOTE_PUT];
	ret->post += rm->requests[REMOTE_POST];
	ret->del += rm->requests[REMOTE_DELETE];
	ret->head += rm->requests[REMOTE_HEAD];
	ret->retries += rm->retries;
	ret->timeouts += rm->timeouts;
	ret->throttled += rm->throttled;
	ret->bad_replies += rm->bad_replies;
	ret->wire_bytes_in += rm->bytes_in;
	ret->wire_bytes_out += rm->bytes_out;
}

void remote_try_header(struct remote_try *t, const char *name,
		       const char *value)
{
	assert(t->n_headers < REMOTE_HEADERS_MAX);
	t->headers[t->n_headers++] = xasprintf("%s: %s", name, value);
}

/* Headers hold signatures and session tokens. */
static void try_release(struct remote_try *t)
{
	for (size_t i = 0; i < t->n_headers; i++) {
		explicit_bzero(t->headers[i], strlen(t->headers[i]));
		free(t->headers[i]);
	}
	buf_release(&t->url);
}

/* There was no whole response; is there sense in another try? */
static enum remote_verdict judge_failure(const struct remote_call *c,
					 const struct http_response *r,
					 struct err *err)
{
	switch (err->rc) {
	case RC_IO:
	case RC_TIMEOUT:
	case RC_CORRUPT: return REMOTE_RETRY;
	case RC_LIMIT:
		err_set(err, RC_CORRUPT,
			"answer with status %u has more than the %zu bytes "
			"that were asked for",
			r->status, c->max_body);
		return REMOTE_RETRY;
	case RC_OK:
	case RC_USAGE:
	case RC_NOMEM:
	case RC_NOENT:
	case RC_UNSUPPORTED:
	case RC_EXISTS:
	case RC_CHANGED:
	case RC_PARTIAL:
	case RC_ACCESS:
	case RC_STOPPED:
	case RC_NOTDIR:
	case RC_NOSPACE:
	case RC_STALE:
	case RC_DELETED:
	case RC_COUNT: break;
	}
	return REMOTE_FAILED;
}

static void note(struct remote *rm, const struct remote_call *c,
		 const struct remote_try *t, enum rc rc,
		 const struct http_response *r)
{
	bool is_upload = c->method == HTTP_PUT || c->method == HTTP_POST;
	/* None without a connection, two when a kept one was dead. */
	unsigned int n = r->n_sent;
	struct trace_line line = {
		.method = c->method,
		.is_list = c->kind == REMOTE_LIST,
		.what = c->what,
		.range = c->range,
		.status = rc ? 0 : r->status,
		.rc = rc,
		.bytes = is_upload ? c->body_len : r->body.len,
		.ns = r->ns,
		.n = t->n,
	};

	rm->requests[c->kind] += n;
	rm->retries += n > 1 ? n - 1 : 0;
	rm->bytes_in += r->body.len;
	rm->bytes_out += n * c->body_len;
	if (rc == RC_TIMEOUT)
		rm->timeouts++;
	if (!rc && (r->status == 503 || r->status == 429))
		rm->throttled++;
	if (rm->trace)
		trace_write(rm->trace, &line);
}

static enum remote_verdict one_try(struct remote *rm,
				   const struct remote_call *c, unsigned int n,
				   uint64_t deadline, struct http_response *ret,
				   struct err *err)
{
	CLEANUP(try_release) struct remote_try t = { .n = n };
	struct http *http = NULL;
	struct http_request rq = {
		.method = c->method,
		.body = c->body,
		.body_len = c->body_len,
		.max_body = c->max_body,
		.into = c->into,
		.deadline = deadline,
		.stall_timeout = c->stall_ms,
		.is_ahead = c->is_ahead,
		.ignores_stop = c->ignores_stop || c->is_whole,
	};
	enum remote_verdict v;
	enum rc rc;

	buf_init(&t.url, URL_MAX);
	if (get_http(rm, &http, err) || c->prepare(c->arg, &t, err))
		return REMOTE_FAILED;
	rq.url = buf_str(&t.url);
	rq.headers = (const char *const *)t.headers;
	if (!buf_ok(&t.url)) {
		err_set(err, RC_USAGE, "the URL is longer than %d bytes",
			URL_MAX);
		return REMOTE_FAILED;
	}
	rc = http_fetch(http, &rq, ret, err);
	note(rm, c, &t, rc, ret);
	v = rc ? judge_failure(c, ret, err) : c->judge(c->arg, &t, ret, err);
	if (v != REMOTE_DONE &&
	    (err->rc == RC_CORRUPT || err->rc == RC_CHANGED))
		rm->bad_replies++;
	return v;
}

/* False when a stop is requested meanwhile. */
static bool wait_for(const struct remote_call *c, uint64_t ns)
{
	uint64_t until = clock_mono_ns() + ns;

	for (;;) {
		uint64_t now = clock_mono_ns();

		if (!c->ignores_stop && stop_requested())
			return false;
		if (now >= until)
			return true;
		if (c->ignores_stop && stop_requested()) {
			struct timespec ts = {
				.tv_sec = (time_t)((until - now) /
						   CLOCK_NS_PER_SEC),
				.tv_nsec = (long)((until - now) %
						  CLOCK_NS_PER_SEC),
			};

			nanosleep(&ts, NULL);
		} else {
			stop_sleep(until - now);
		}
	}
}

/* Is there to be another try?  Waits for its time. */
static bool wait_for_next(struct remote *rm, const struct remote_call *c,
			  enum remote_verdict v, struct retry *retry,
			  unsigned int *n_again, const struct http_response *r,
			  struct err *err)
{
	uint64_t now = clock_mono_ns();
	uint64_t wait = 0;

	if (v == REMOTE_FAILED)
		return false;
	if (v == REMOTE_AGAIN) {
		if (++*n_again > REMOTE_AGAIN_MAX || now >= retry->deadline)
			return false;
	} else if (!retry_next(retry, now,
			       *r->retry_after
				       ? retry_after_parse(r->retry_after,
							   clock_wall_ns())
				       : 0,
			       &wait)) {
		return false;
	}
	if (!wait_for(c, wait)) {
		err_set(err, RC_STOPPED, "stopped while waiting to try again");
		return false;
	}
	rm->retries++;
	return true;
}

static enum rc fail(const struct remote_call *c, unsigned int tries,
		    struct err *err)
{
	size_t len = strlen(err->msg);

	if (tries > 1)
		snprintf(err->msg + len, sizeof(err->msg) - len, " (%u tries)",
			 tries);
	return err_prefix(err, "%s", c->what);
}

static unsigned int retries_of(const struct remote *rm,
			       const struct remote_call *c)
{
	bool is_reading = c->method == HTTP_GET || c->method == HTTP_HEAD;

	if (rm->set->retries)
		return rm->set->retries;
	return is_reading ? RETRIES_DEFAULT : RETRIES_DEFAULT_WRITING;
}

enum rc remote_run(struct remote *rm, const struct remote_call *c,
		   struct http_response *ret, unsigned int *ret_tries,
		   struct err *err)
{
	uint64_t ms = remote_timeout_ms(rm) + c->more_ms;
	uint64_t deadline = clock_mono_ns() + ms * CLOCK_NS_PER_MS;
	unsigned int n_again = 0;
	unsigned int n = 0;
	struct retry retry;
	enum remote_verdict v;

	*ret_tries = 0;
	if (!c->ignores_stop && stop_requested())
		return err_set(err, RC_STOPPED, "%s: stopped", c->what);
	retry_init(&retry, &rm->budget, retries_of(rm, c), deadline,
		   rm->seed++);
	do {
		http_response_release(ret);
		*ret = (struct http_response){ 0 };
		v = one_try(rm, c, ++n, deadline, ret, err);
		*ret_tries += ret->n_sent;
		if (v == REMOTE_DONE) {
			retry_budget_success(&rm->budget);
			return RC_OK;
		}
	} while (wait_for_next(rm, c, v, &retry, &n_again, ret, err));
	return fail(c, n, err);
}
