/* SPDX-License-Identifier: Apache-2.0 */
/* http-transfer.c - one request on one libcurl handle: options, progress, and
 * what to call its end.
 */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/version.h"
#include "net/http-loop-backend.h"

#define BUFFER_BYTES (128L * 1024)
#define UNSENT_BYTES (64 * 1024)
#define STALL_BYTES 1024 /* a second */
#define SENT_MAX 2

/* The connection is there, and the request goes out next. */
static int on_send(void *arg, char *ip, char *own_ip, int port, int own_port)
{
	struct http_transfer *t = arg;

	(void)ip;
	(void)own_ip;
	(void)port;
	(void)own_port;
	if (t->n_sent >= SENT_MAX) {
		t->rc = err_set(t->task->err, RC_IO,
				"%s: connections end again and again",
				t->task->peer);
		return CURL_PREREQFUNC_ABORT;
	}
	t->n_sent++;
	atomic_fetch_add(&t->h->n_requests, 1);
	t->window = clock_mono_ns();
	t->window_bytes = 0;
	return CURL_PREREQFUNC_OK;
}

/* The kernel would take megabytes, and on a slow line be silent for long after
 * the last of them: that must not look like a server that stalls.
 */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const int max = UNSENT_BYTES;

	(void)purpose;
	http_sockets_add(arg, fd);
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &max, sizeof(max));
	return CURL_SOCKOPT_OK;
}

/* True when all options were taken.  Whatever the handle did before, it is for
 * this method afterwards.
 */
static bool set_method(CURL *easy, const struct http_request *rq)
{
	const char *name = http_method_name(rq->method);
	const char *body = rq->body ? rq->body : "";
	curl_off_t len = (curl_off_t)rq->body_len;

	if (curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL) ||
	    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL) ||
	    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L))
		return false;
	switch (rq->method) {
	case HTTP_GET: return true;
	case HTTP_HEAD: return !curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	case HTTP_DELETE:
		return !curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, name);
	case HTTP_PUT:
	case HTTP_POST: break;
	}
	/* In memory, so libcurl can send it again over another connection. */
	return !curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, len) &&
	       !curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) &&
	       !curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, name);
}

static bool set_callbacks(struct http_transfer *t)
{
	CURL *e = t->easy;

	return !curl_easy_setopt(e, CURLOPT_PRIVATE, t) &&
	       !curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->text) &&
	       !curl_easy_setopt(e, CURLOPT_HEADERFUNCTION,
				 http_answer_header) &&
	       !curl_easy_setopt(e, CURLOPT_HEADERDATA, t) &&
	       !curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, http_answer_body) &&
	       !curl_easy_setopt(e, CURLOPT_WRITEDATA, t) &&
	       !curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_send) &&
	       !curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket) &&
	       !curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, t->h) &&
	       !curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION,
				 http_sockets_close) &&
	       !curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, t->h) &&
	       !curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
}

/* No PIPEWAIT: over HTTP/2 the first requests of a burst open connections of
 * their own rather than wait for the first handshake; bulk data comes faster
 * over several.  QUICK_EXIT: or a name server that does not answer would hold
 * up the thread, and all others with it, when a request to it is given up.
 */
static bool set_connection(const struct http *h, CURL *e)
{
	return !curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
				 (long)CURL_HTTP_VERSION_2TLS) &&
	       !curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
				 (long)h->connect_timeout) &&
	       !curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_BUFFERSIZE, BUFFER_BYTES) &&
	       (!h->proxy || !curl_easy_setopt(e, CURLOPT_PROXY, h->proxy));
}

static bool set_trust(const struct http *h, CURL *e)
{
	long version = CURL_SSLVERSION_TLSv1_2;

	if (curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) ||
	    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) ||
	    curl_easy_setopt(e, CURLOPT_SSLVERSION, version))
		return false;
	/* Whoever names authorities trusts these and no others. */
	return !h->ca_file ||
	       (!curl_easy_setopt(e, CURLOPT_CAINFO, h->ca_file) &&
		!curl_easy_setopt(e, CURLOPT_CAPATH, NULL));
}

static bool set_protocol(CURL *e)
{
	char agent[64];

	snprintf(agent, sizeof(agent), "desfs/%s", version_text());
	return !curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_USERAGENT, agent) &&
	       !curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L);
}

static bool set_request(struct http_transfer *t)
{
	const struct http_task *task = t->task;

	return set_method(t->easy, task->rq) &&
	       !curl_easy_setopt(t->easy, CURLOPT_URL, task->rq->url) &&
	       !curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, task->headers);
}

/* What is the same for all requests is set once: some of it may not be set
 * again, and a handle that is not reset keeps its TLS sessions.
 */
static bool make_handle(struct http_transfer *t)
{
	t->easy = curl_easy_init();
	if (!t->easy)
		return false;
	if (set_connection(t->h, t->easy) && set_trust(t->h, t->easy) &&
	    set_protocol(t->easy) && set_callbacks(t))
		return true;
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
	return false;
}

enum rc http_transfer_begin(struct http_transfer *t, struct http_task *task)
{
	*t = (struct http_transfer){
		.h = t->h,
		.easy = t->easy,
		.task = task,
		.begun = clock_mono_ns(),
	};
	t->window = t->begun;
	if ((!t->easy && !make_handle(t)) || !set_request(t))
		return err_set(task->err, RC_NOMEM, "%s: cannot set up libcurl",
			       task->peer);
	return RC_OK;
}

/* What went, went to the kernel; see on_socket. */
int64_t http_transfer_bytes(struct http_transfer *t)
{
	curl_off_t sent = 0;

	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	return t->bytes_in + sent;
}

static unsigned int stall_timeout(const struct http_transfer *t)
{
	unsigned int own = t->task->rq->stall_timeout;

	return own ? own : t->h->stall_timeout;
}

/* True while enough came and went in the time since the window began. */
static bool is_moving(struct http_transfer *t, uint64_t now, uint64_t *ret_when)
{
	uint64_t ms = stall_timeout(t);
	int64_t bytes;

	if (now - t->window >= ms * CLOCK_NS_PER_MS) {
		bytes = http_transfer_bytes(t);
		if (bytes - t->window_bytes <
		    (int64_t)(STALL_BYTES * ms / 1000))
			return false;
		t->window = now;
		t->window_bytes = bytes;
	}
	if (*ret_when > t->window + ms * CLOCK_NS_PER_MS)
		*ret_when = t->window + ms * CLOCK_NS_PER_MS;
	return true;
}

static bool is_connecting(const struct http_transfer *t)
{
	return !t->n_sent;
}

bool http_task_is_stopped(const struct http_task *task)
{
	if (task->rq->ignores_stop || !stop_requested())
		return false;
	err_set(task->err, RC_STOPPED, "%s: stopped", task->peer);
	return true;
}

static enum rc too_late(const struct http_transfer *t)
{
	return err_set(t->task->err, RC_TIMEOUT, "%s: %s in time",
		       t->task->peer,
		       is_connecting(t) ? "no connection"
		       : !t->has_answer ? "no answer"
					: "the answer did not end");
}

bool http_transfer_may_go_on(struct http_transfer *t, uint64_t now,
			     uint64_t *ret_when)
{
	const struct http_task *task = t->task;
	uint64_t until;

	if (http_task_is_stopped(task))
		return false;
	if (now >= task->rq->deadline) {
		too_late(t);
		return false;
	}
	if (*ret_when > task->rq->deadline)
		*ret_when = task->rq->deadline;
	if (!is_connecting(t)) {
		if (is_moving(t, now, ret_when))
			return true;
		err_set(task->err, RC_TIMEOUT,
			t->has_answer ? "%s: the answer stalled for %u ms"
				      : "%s: no answer for %u ms",
			task->peer, stall_timeout(t));
		return false;
	}
	until = t->begun + t->h->connect_timeout * CLOCK_NS_PER_MS;
	if (now >= until) {
		err_set(task->err, RC_TIMEOUT,
			"cannot connect to %s: no answer for %u ms", task->peer,
			t->h->connect_timeout);
		return false;
	}
	if (*ret_when > until)
		*ret_when = until;
	return true;
}

static enum rc cannot_connect(const struct http_transfer *t, CURLcode code)
{
	const struct http_task *task = t->task;
	long errnum = 0;

	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &errnum);
	if (errnum > 0)
		err_set_errno(task->err, (int)errnum, "cannot connect to %s",
			      task->peer);
	else
		err_set(task->err, RC_IO, "cannot connect to %s: %s",
			task->peer, curl_easy_strerror(code));
	task->err->rc = RC_IO;
	return RC_IO;
}

/* libcurl's own words name the host at most.  Those about proxies may have the
 * proxy's password, and are not asked for.
 */
static enum rc failed(const struct http_transfer *t, enum rc rc, CURLcode code)
{
	return err_set(t->task->err, rc, "%s: %s", t->task->peer,
		       *t->text ? t->text : curl_easy_strerror(code));
}

/* A line of the header that is too long looks like this as well. */
static enum rc no_memory(const struct http_transfer *t)
{
	bool in_header = t->n_sent && !t->has_header;

	return err_set(t->task->err, in_header ? RC_CORRUPT : RC_NOMEM,
		       in_header ? "%s: the answer's header is too long"
				 : "%s: out of memory",
		       t->task->peer);
}

static enum rc classify(const struct http_transfer *t, CURLcode code)
{
	const struct http_task *task = t->task;

	/* Hundreds of codes are of other protocols and mean nothing here. */
	switch ((int)code) {
	case CURLE_COULDNT_CONNECT: return cannot_connect(t, code);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return err_set(task->err, RC_IO, "cannot connect to %s: %s",
			       task->peer, curl_easy_strerror(code));
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(task->err, RC_TIMEOUT,
			       "cannot connect to %s: no answer for %u ms",
			       task->peer, t->h->connect_timeout);
	case CURLE_OUT_OF_MEMORY: return no_memory(t);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_ISSUER_ERROR: return failed(t, RC_ACCESS, code);
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING: return failed(t, RC_CORRUPT, code);
	case CURLE_URL_MALFORMAT: return failed(t, RC_USAGE, code);
	default: return failed(t, RC_IO, code);
	}
}

enum rc http_transfer_result(struct http_transfer *t, CURLcode code)
{
	const struct http_task *task = t->task;

	if (t->rc)
		return t->rc;
	/* Whatever it was then, time was over before. */
	if (code && !t->is_cut && clock_mono_ns() >= task->rq->deadline)
		return too_late(t);
	if (code && !t->is_cut)
		return classify(t, code);
	if (!t->has_header || !task->ret->status)
		return err_set(task->err, RC_CORRUPT, "%s: no HTTP answer",
			       task->peer);
	return RC_OK;
}

void http_transfer_end(struct http_transfer *t)
{
	static const char *const names[] = {
		[CURL_HTTP_VERSION_1_0] = "1.0",
		[CURL_HTTP_VERSION_1_1] = "1.1",
		[CURL_HTTP_VERSION_2_0] = "2",
	};
	struct http_response *ret = t->task->ret;
	long version = 0, n = 0;

	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	if (t->has_header && version > 0 && version < (long)ARRAY_LEN(names))
		snprintf(ret->protocol, sizeof(ret->protocol), "%s",
			 names[version]);
	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &n);
	atomic_fetch_add(&t->h->n_connections, (uint64_t)(n > 0 ? n : 0));
	ret->n_sent = t->n_sent;
}
