/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - tests of HTTP requests against a server that misbehaves. */
#include "config.h"

#include "net/http.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "net/http-loop-backend.h"
#include "raw-server.h"
#include "unit.h"

#define LONG_MS 60000u /* what a test never waits for when all is well */
#define SHORT_MS 200u  /* what it does wait for */
#define CHUNK_BYTES 3000000u
#define SIPS 256u

/* Requests that are held until the test says so. */
static struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int n_held; /* now */
	bool is_open;
	char order[64]; /* first letters of held paths as they came */
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER,
	   .changed = PTHREAD_COND_INITIALIZER };

static void gate_close(void)
{
	gate.n_held = 0;
	gate.is_open = false;
	memset(gate.order, 0, sizeof(gate.order));
}

static void gate_hold(char letter)
{
	LOCK_SCOPE(&gate.lock);

	gate.order[strlen(gate.order)] = letter;
	gate.n_held++;
	pthread_cond_broadcast(&gate.changed);
	while (!gate.is_open)
		pthread_cond_wait(&gate.changed, &gate.lock);
	gate.n_held--;
}

static void gate_wait_for(unsigned int n)
{
	LOCK_SCOPE(&gate.lock);

	while (gate.n_held < n)
		pthread_cond_wait(&gate.changed, &gate.lock);
}

static void gate_open(void)
{
	LOCK_SCOPE(&gate.lock);

	gate.is_open = true;
	pthread_cond_broadcast(&gate.changed);
}

/* In libcurl's stead of the C library's, which needs a network: names are not
 * found, but not before the gate opens.
 */
static _Atomic unsigned int n_resolving;

__attribute__((visibility("default"))) int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **res)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)res;
	n_resolving++;
	gate_hold('n');
	n_resolving--;
	return EAI_NONAME;
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static bool send_pattern(struct raw_conn *c, size_t n)
{
	CLEANUP_FREE uint8_t *p = mem_array(n, 1);
	bool ok = raw_printf(
		c, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);

	for (size_t i = 0; i < n; i++)
		p[i] = pattern(i);
	return ok && raw_send(c, p, n);
}

static bool send_ok(struct raw_conn *c)
{
	return raw_printf(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static bool drip(struct raw_conn *c, const char *what)
{
	while (raw_printf(c, "%s", what))
		usleep(10000);
	return false;
}

/* The request back as a body: its head, then what it carried. */
static bool send_echo(struct raw_conn *c, const char *head)
{
	const char *field = strstr(head, "Content-Length: ");
	size_t len = field ? strtoul(field + 16, NULL, 10) : 0;
	CLEANUP_FREE char *body = mem_array(len + 1, 1);

	return raw_read(c, body, len) &&
	       raw_printf(c, "HTTP/1.1 201 Made\r\nContent-Length: %zu\r\n\r\n",
			  strlen(head) + len) &&
	       raw_send(c, head, strlen(head)) && raw_send(c, body, len);
}

/* Read so slowly that most of the body lies in the sender's kernel meanwhile.
 */
static bool sip(struct raw_conn *c)
{
	char cup[8192];

	raw_narrow(c);
	for (size_t n = 0; n < SIPS; n++) {
		usleep(7000);
		if (!raw_read(c, cup, sizeof(cup)))
			return false;
	}
	return send_ok(c);
}

static bool reply_and_stop(struct raw_conn *c, const char *what)
{
	raw_printf(c, "%s", what);
	return false;
}

static bool send_flood(struct raw_conn *c, unsigned int status,
		       const char *what)
{
	raw_printf(c, "HTTP/1.1 %u OK\r\nX: ", status);
	while (raw_printf(c, "%s", what))
		;
	return false;
}

static bool reply_badly(struct raw_conn *c, const char *what)
{
	if (!strcmp(what, "nothing"))
		return false;
	if (!strcmp(what, "reset") || !strcmp(what, "reset-inside"))
		raw_reset(c);
	if (!strcmp(what, "reset"))
		return false;
	if (!strcmp(what, "cut") || !strcmp(what, "reset-inside"))
		return reply_and_stop(
			c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour");
	if (!strcmp(what, "cut-chunk"))
		return reply_and_stop(c, "HTTP/1.1 200 OK\r\n"
					 "Transfer-Encoding: chunked\r\n\r\n"
					 "9\r\nfour");
	if (!strcmp(what, "cut-header"))
		return reply_and_stop(c, "HTTP/1.1 200 OK\r\nContent-Le");
	if (!strcmp(what, "garbage"))
		return reply_and_stop(c, "what do you want?\r\n\r\n");
	if (!strcmp(what, "bad-length"))
		return reply_and_stop(
			c,
			"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello");
	if (!strcmp(what, "compressed"))
		return reply_and_stop(c, "HTTP/1.1 200 OK\r\n"
					 "Content-Encoding: gzip\r\n"
					 "Content-Length: 2\r\n\r\nok");
	if (!strcmp(what, "huge"))
		raw_printf(c, "HTTP/1.1 200 OK\r\n"
			      "Content-Length: 1099511627776\r\n\r\n");
	if (!strcmp(what, "stall-inside"))
		raw_printf(c, "HTTP/1.1 200 OK\r\n"
			      "Content-Length: 9\r\n\r\nfour");
	if (!strcmp(what, "flood"))
		return send_flood(c, 200, "x\r\nX: ");
	if (!strcmp(what, "long-line"))
		return send_flood(c, 200,
				  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	if (!strcmp(what, "interim-flood"))
		return send_flood(c, 103, "\r\n\r\nHTTP/1.1 103 Hints\r\nX: ");
	if (!strcmp(what, "endless")) {
		raw_printf(c, "HTTP/1.1 200 OK\r\n"
			      "Transfer-Encoding: chunked\r\n\r\n");
		while (raw_printf(c, "4\r\nmore\r\n"))
			;
		return false;
	}
	if (!strcmp(what, "loris-header"))
		return raw_printf(c, "HTTP/1.1 200 OK\r\n") &&
		       drip(c, "X: x\r\n");
	if (!strcmp(what, "loris-body"))
		return raw_printf(c, "HTTP/1.1 200 OK\r\n"
				     "Content-Length: 4000\r\n\r\n") &&
		       drip(c, "x");
	raw_wait(c);
	return false;
}

static bool reply_oddly(struct raw_conn *c, const char *what)
{
	if (!strcmp(what, "redirect"))
		return raw_printf(c, "HTTP/1.1 302 Found\r\n"
				     "Location: http://127.0.0.1:1/secret\r\n"
				     "Content-Length: 0\r\n\r\n");
	if (!strcmp(what, "interim"))
		return raw_printf(c, "HTTP/1.1 100 Continue\r\n\r\n"
				     "HTTP/1.1 103 Hints\r\nETag: \"no\"\r\n"
				     "Location: no\r\n\r\n"
				     "HTTP/1.1 200 OK\r\nETag: \"yes\"\r\n"
				     "Content-Length: 2\r\n\r\nok");
	if (!strcmp(what, "long-error")) {
		raw_printf(c, "HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\n"
			      "Content-Length: 9999999\r\n\r\n");
		while (raw_printf(c, "0123456789abcdef"))
			;
		return false;
	}
	if (!strcmp(what, "overlong"))
		return reply_and_stop(
			c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay");
	if (!strcmp(what, "chunked"))
		return raw_printf(c, "HTTP/1.1 200 OK\r\n"
				     "Transfer-Encoding: chunked\r\n\r\n"
				     "1\r\no\r\n1\r\nk\r\n0\r\n"
				     "ETag: \"trailer\"\r\n\r\n");
	if (!strcmp(what, "until-close"))
		return reply_and_stop(c, "HTTP/1.0 200 OK\r\n\r\nok");
	if (!strcmp(what, "no-content"))
		return raw_printf(c, "HTTP/1.1 204 No Content\r\n\r\n");
	/* Kept for one request, then closed in the face of the second. */
	if (!strcmp(what, "once"))
		return raw_n_requests(c) == 1 && send_ok(c);
	return raw_printf(
		c, "HTTP/1.1 206 Partial\r\neTaG:  \"tag\" \r\n"
		   "Content-Range: bytes 0-1/9\r\nContent-Type: text/plain\r\n"
		   "Last-Modified: then\r\nDate: now\r\nRetry-After: 3\r\n"
		   "x-amz-request-id: r\001q\r\nx-amz-version-id: v\r\n"
		   "x-amz-bucket-region: b\r\nETag: \"other\"\r\n"
		   "Content-Length: 2\r\n\r\nok");
}

static bool answer(struct raw_conn *c, const char *head, void *arg)
{
	const char *path = strchr(head, '/');
	char what[32] = "";
	size_t len;

	(void)arg;
	if (!path)
		return false;
	path++;
	len = strcspn(path, "? ");
	memcpy(what, path, len < sizeof(what) ? len : sizeof(what) - 1);
	if (!strncmp(head, "HEAD ", 5))
		return raw_printf(
			c,
			"HTTP/1.1 200 OK\r\nContent-Length: 12345678\r\n\r\n");
	if (!strncmp(what, "hold-", 5)) {
		gate_hold(what[5]);
		return send_ok(c);
	}
	if (!strcmp(what, "sip"))
		return sip(c);
	if (!strncmp(what, "bytes-", 6))
		return send_pattern(c, strtoul(what + 6, NULL, 10));
	if (!strncmp(what, "bad-", 4))
		return reply_badly(c, what + 4);
	if (!strncmp(what, "odd-", 4))
		return reply_oddly(c, what + 4);
	return send_echo(c, head);
}

struct fixture {
	struct raw_server *server;
	struct http *h;
	const char *scheme;
};

static struct http *open_client(const struct http_options *o)
{
	struct http *h = NULL;
	struct err err = { 0 };

	assert_int_equal(http_open(&h, o, &err), RC_OK);
	return h;
}

/* A client and a server of its own for one test. */
static void begin(struct fixture *f, unsigned int connections,
		  unsigned int stall_timeout)
{
	const struct http_options o = {
		.connections = connections,
		.connect_timeout = LONG_MS,
		.stall_timeout = stall_timeout,
		.proxy = "",
	};

	gate_close();
	f->server = raw_server_start(answer, NULL, NULL);
	f->h = open_client(&o);
	f->scheme = "http";
}

static void finish(struct fixture *f)
{
	http_close(f->h);
	raw_server_stop(f->server);
}

struct call {
	struct fixture *f;
	enum http_method method;
	const char *path;
	const void *body;
	size_t body_len, max_body;
	unsigned int deadline_ms; /* 0: LONG_MS */
	unsigned int stall_timeout;
	bool is_ahead, ignores_stop;
	/* results */
	enum rc rc;
	struct http_response rsp;
	struct err err;
	pthread_t thread;
};

/* Each request carries a secret where one may be, and no message tells it. */
static void fetch(struct call *c)
{
	static const char *const headers[] = { "Authorization: sesame",
					       "x-amz-date: today", NULL };
	unsigned int ms = c->deadline_ms ? c->deadline_ms : LONG_MS;
	char url[256], peer[64];
	struct http_request rq = {
		.method = c->method,
		.url = url,
		.headers = headers,
		.body = c->body,
		.body_len = c->body_len,
		.max_body = c->max_body ? c->max_body : 4096,
		.is_ahead = c->is_ahead,
		.ignores_stop = c->ignores_stop,
		.stall_timeout = c->stall_timeout,
		.deadline = clock_mono_ns() + ms * CLOCK_NS_PER_MS,
	};

	snprintf(peer, sizeof(peer), "127.0.0.1:%u",
		 raw_server_port(c->f->server));
	snprintf(url, sizeof(url), "%s://%s/%s?token=sesame", c->f->scheme,
		 peer, c->path);
	c->err = (struct err){ 0 };
	c->rc = http_fetch(c->f->h, &rq, &c->rsp, &c->err);
	if (c->rc && (!strstr(c->err.msg, peer) ||
		      strstr(c->err.msg, "sesame") || c->err.rc != c->rc))
		abort();
}

static void *fetch_main(void *arg)
{
	fetch(arg);
	return NULL;
}

static void start(struct call *c)
{
	assert_int_equal(pthread_create(&c->thread, NULL, fetch_main, c), 0);
}

static enum rc join(struct call *c)
{
	pthread_join(c->thread, NULL);
	http_response_release(&c->rsp);
	return c->rc;
}

static void expect_body(struct call *c, const char *body)
{
	if (c->rc)
		fail_msg("%s: %s", c->path, c->err.msg);
	assert_string_equal(buf_str(&c->rsp.body), body);
	assert_int_equal(c->rsp.body.len, strlen(body));
	http_response_release(&c->rsp);
}

static void expect_pattern(struct call *c, size_t n)
{
	if (c->rc)
		fail_msg("%s: %s", c->path, c->err.msg);
	assert_int_equal(c->rsp.body.len, n);
	for (size_t i = 0; i < n; i++)
		if (c->rsp.body.p[i] != pattern(i))
			fail_msg("byte %zu is wrong", i);
	http_response_release(&c->rsp);
}

static void bytes_come_as_they_are(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, CHUNK_BYTES };
	struct http_counters n;
	struct fixture f;

	(void)state;
	begin(&f, 2, LONG_MS);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char path[32];
		struct call c = { .f = &f, .path = path };

		snprintf(path, sizeof(path), "bytes-%zu", sizes[i]);
		c.max_body = sizes[i];
		fetch(&c);
		assert_int_equal(c.rsp.status, 200);
		assert_int_equal(c.rsp.content_length, sizes[i]);
		assert_int_equal(c.rsp.n_sent, 1);
		assert_string_equal(c.rsp.protocol, "1.1");
		assert_true(c.rsp.ns > 0);
		expect_pattern(&c, sizes[i]);
	}
	http_count(f.h, &n);
	assert_int_equal(n.requests, ARRAY_LEN(sizes));
	assert_int_equal(n.connections, 1);
	assert_int_equal(n.in_flight, 0);
	assert_int_equal(n.in_flight_max, 1);
	assert_int_equal(raw_server_n_connections(f.server), 1);
	finish(&f);
}

static void expect_echo(struct call *c, const char *line)
{
	const char *text;

	fetch(c);
	if (c->rc)
		fail_msg("%s", c->err.msg);
	assert_int_equal(c->rsp.status, 201);
	text = buf_str(&c->rsp.body);
	assert_ptr_equal(strstr(text, line), text);
	assert_non_null(strstr(text, "\r\nAccept-Encoding: identity\r\n"));
	assert_non_null(strstr(text, "\r\nAuthorization: sesame\r\n"));
	assert_non_null(strstr(text, "\r\nUser-Agent: desfs/"));
	assert_null(strstr(text, "Expect:"));
	assert_null(strstr(text, "Content-Type:"));
	if (c->body_len) {
		size_t head = c->rsp.body.len - c->body_len;

		assert_memory_equal(c->rsp.body.p + head, c->body, c->body_len);
	}
	http_response_release(&c->rsp);
}

static void all_methods_go_out(void **state)
{
	CLEANUP_FREE uint8_t *body = mem_array(CHUNK_BYTES, 1);
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < CHUNK_BYTES; i++)
		body[i] = pattern(i);
	begin(&f, 2, LONG_MS);
	{
		struct call c = { .f = &f, .path = "a/../b%20c//d" };

		expect_echo(&c, "GET /a/../b%20c//d?token=sesame HTTP/1.1\r\n");
		c.method = HTTP_DELETE;
		expect_echo(&c, "DELETE /a/../b%20c//d?");
		c.method = HTTP_POST;
		expect_echo(&c, "POST /a/");
		c.method = HTTP_PUT;
		c.body = body;
		c.body_len = 1000;
		expect_echo(&c, "PUT /a/");
		c.method = HTTP_POST;
		expect_echo(&c, "POST /a/");
		c.method = HTTP_PUT;
		c.body_len = CHUNK_BYTES;
		c.max_body = CHUNK_BYTES + 4096;
		expect_echo(&c, "PUT /a/");
		c.method = HTTP_HEAD;
		c.body = NULL;
		c.body_len = 0;
		fetch(&c);
		assert_int_equal(c.rsp.content_length, 12345678);
		expect_body(&c, "");
	}
	assert_int_equal(raw_server_n_connections(f.server), 1);
	finish(&f);
}

static void header_fields_are_taken(void **state)
{
	struct fixture f;
	struct call c = { .f = &f, .path = "odd-fields" };

	(void)state;
	begin(&f, 1, LONG_MS);
	fetch(&c);
	assert_int_equal(c.rsp.status, 206);
	assert_string_equal(c.rsp.etag, "\"tag\"");
	assert_string_equal(c.rsp.content_range, "bytes 0-1/9");
	assert_string_equal(c.rsp.content_type, "text/plain");
	assert_string_equal(c.rsp.location, "");
	assert_string_equal(c.rsp.last_modified, "then");
	assert_string_equal(c.rsp.date, "now");
	assert_string_equal(c.rsp.retry_after, "3");
	assert_string_equal(c.rsp.request_id, "r?q");
	assert_string_equal(c.rsp.version_id, "v");
	assert_string_equal(c.rsp.bucket_region, "b");
	expect_body(&c, "ok");
	finish(&f);
}

static void odd_answers_are_understood(void **state)
{
	static const struct {
		const char *path;
		unsigned int status;
		const char *body;
	} rows[] = {
		{ "odd-interim", 200, "ok" },     { "odd-overlong", 200, "ok" },
		{ "odd-chunked", 200, "ok" },     { "odd-redirect", 302, "" },
		{ "odd-until-close", 200, "ok" }, { "odd-no-content", 204, "" },
	};
	struct fixture f;

	(void)state;
	begin(&f, 1, LONG_MS);
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		size_t row = i % ARRAY_LEN(rows);
		struct call c = { .f = &f, .path = rows[row].path };

		fetch(&c);
		assert_int_equal(c.rsp.status, rows[row].status);
		assert_string_equal(
			c.rsp.location,
			c.rsp.status == 302 ? "http://127.0.0.1:1/secret" : "");
		assert_string_equal(c.rsp.etag, row ? "" : "\"yes\"");
		expect_body(&c, rows[row].body);
	}
	finish(&f);
}

static void a_long_error_is_cut_and_its_status_told(void **state)
{
	struct fixture f;
	struct call c = { .f = &f, .path = "odd-long-error", .max_body = 10 };

	(void)state;
	begin(&f, 1, LONG_MS);
	fetch(&c);
	assert_int_equal(c.rc, RC_OK);
	assert_int_equal(c.rsp.status, 503);
	assert_string_equal(c.rsp.retry_after, "7");
	assert_int_equal(c.rsp.body.len, HTTP_ERROR_BODY_MAX);
	http_response_release(&c.rsp);
	finish(&f);
}

static void bad_answers_are_told_apart(void **state)
{
	static const struct {
		const char *path;
		enum rc rc;
	} rows[] = {
		{ "bad-nothing", RC_IO },
		{ "bad-reset", RC_IO },
		{ "bad-reset-inside", RC_IO },
		{ "bad-cut", RC_IO },
		{ "bad-cut-chunk", RC_IO },
		{ "bad-garbage", RC_CORRUPT },
		{ "bad-bad-length", RC_CORRUPT },
		{ "bad-compressed", RC_CORRUPT },
		{ "bad-flood", RC_CORRUPT },
		{ "bad-long-line", RC_CORRUPT },
		{ "bad-interim-flood", RC_CORRUPT },
		{ "bad-huge", RC_LIMIT },
		{ "bad-endless", RC_LIMIT },
		{ "bytes-4097", RC_LIMIT },
	};
	struct fixture f;

	(void)state;
	begin(&f, 1, LONG_MS);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct call c = { .f = &f, .path = rows[i].path };

		fetch(&c);
		if (c.rc != rows[i].rc)
			fail_msg("%s: %s %s", c.path, rc_text(c.rc), c.err.msg);
		assert_true(c.rsp.body.len <= 4096);
		http_response_release(&c.rsp);
		/* And the next is none the worse for it. */
		c.path = "bytes-9";
		fetch(&c);
		expect_pattern(&c, 9);
	}
	finish(&f);
}

static void what_stalls_ends(void **state)
{
	static const char *const paths[] = { "bad-stall", "bad-stall-inside",
					     "bad-loris-header",
					     "bad-loris-body" };
	struct fixture f;

	(void)state;
	begin(&f, 1, SHORT_MS);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct call c = { .f = &f, .path = paths[i] };

		fetch(&c);
		if (c.rc != RC_TIMEOUT)
			fail_msg("%s: %s %s", c.path, rc_text(c.rc), c.err.msg);
		http_response_release(&c.rsp);
	}
	finish(&f);
	/* The same by the deadline. */
	begin(&f, 1, LONG_MS);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct call c = { .f = &f,
				  .path = paths[i],
				  .deadline_ms = SHORT_MS };

		fetch(&c);
		assert_int_equal(c.rc, RC_TIMEOUT);
		http_response_release(&c.rsp);
	}
	finish(&f);
}

/* HTTP/2 frames without bytes of an answer, as long as somebody takes them:
 * priorities, which take longer to read than to write.
 */
static bool flood_2(struct raw_conn *c, const char *head, void *arg)
{
	static const uint8_t settings[9] = { 0, 0, 0, 4 };
	static uint8_t frames[5000][14];
	uint64_t end = clock_mono_ns() + 6 * CLOCK_NS_PER_SEC;
	atomic_uint *n_ended = arg;
	uint8_t rest[64];

	(void)head;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		frames[i][2] = 5;
		frames[i][3] = 2;
		frames[i][8] = 1;
		frames[i][13] = (uint8_t)i;
	}
	if (!raw_read(c, rest, sizeof(rest)) ||
	    !raw_send(c, settings, sizeof(settings)))
		return false;
	while (raw_send(c, frames, sizeof(frames))) {
		if (clock_mono_ns() > end)
			return false;
	}
	atomic_fetch_add(n_ended, 1);
	return false;
}

static void what_says_nothing_without_end_ends(void **state)
{
	char ca_file[] = "/tmp/desfs-http.XXXXXX";
	atomic_uint n_ended = 0;
	struct fixture f = { .scheme = "https" };
	const struct http_options o = { .connections = 2,
					.ca_file = ca_file,
					.proxy = "" };
	struct call c = { .f = &f, .path = "x", .deadline_ms = SHORT_MS };
	int fd = mkstemp(ca_file);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	f.server = raw_server_start(flood_2, &n_ended, ca_file);
	raw_server_speak_2(f.server);
	f.h = open_client(&o);
	fetch(&c);
	if (c.rc != RC_TIMEOUT)
		fail_msg("%s %s", rc_text(c.rc), c.err.msg);
	http_response_release(&c.rsp);
	http_close(f.h);
	raw_server_stop(f.server);
	/* The client had enough, not the server. */
	assert_int_equal(n_ended, 1);
	unlink(ca_file);
}

static void a_request_may_be_given_more_time(void **state)
{
	struct fixture f;
	struct call patient = { .f = &f,
				.path = "hold-x",
				.stall_timeout = LONG_MS };
	struct call usual = { .f = &f, .path = "hold-x" };

	(void)state;
	begin(&f, 2, SHORT_MS);
	start(&patient);
	gate_wait_for(1);
	fetch(&usual);
	assert_int_equal(usual.rc, RC_TIMEOUT);
	gate_open();
	assert_int_equal(join(&patient), RC_OK);
	finish(&f);
}

static void an_upload_that_moves_does_not_stall(void **state)
{
	CLEANUP_FREE uint8_t *body = xcalloc(SIPS, 8192);
	struct fixture f;
	struct call c = { .f = &f,
			  .method = HTTP_PUT,
			  .path = "sip",
			  .body = body,
			  .body_len = SIPS * 8192 };

	(void)state;
	begin(&f, 1, 4 * SHORT_MS);
	fetch(&c);
	expect_body(&c, "ok");
	finish(&f);
}

static void waiting_for_a_turn_counts(void **state)
{
	struct fixture f;
	struct call held = { .f = &f, .path = "hold-x" };
	struct call late = { .f = &f,
			     .path = "bytes-1",
			     .deadline_ms = SHORT_MS };
	struct call past = { .f = &f, .path = "bytes-1", .deadline_ms = 1 };
	struct http_counters n;

	(void)state;
	begin(&f, 1, LONG_MS);
	start(&held);
	gate_wait_for(1);
	fetch(&late);
	assert_int_equal(late.rc, RC_TIMEOUT);
	assert_int_equal(late.rsp.n_sent, 0);
	fetch(&past);
	assert_int_equal(past.rc, RC_TIMEOUT);
	gate_open();
	assert_int_equal(join(&held), RC_OK);
	http_count(f.h, &n);
	assert_int_equal(n.requests, 1);
	finish(&f);
}

#define READERS 64u
#define WIDE 16u

static void many_callers_share_few_connections(void **state)
{
	static struct call calls[READERS];
	struct http_counters n;
	struct fixture f;

	(void)state;
	begin(&f, WIDE, LONG_MS);
	for (unsigned int i = 0; i < READERS; i++) {
		calls[i] = (struct call){ .f = &f, .path = "hold-x" };
		start(&calls[i]);
	}
	/* As many as may be are there at once, */
	gate_wait_for(WIDE);
	gate_open();
	for (unsigned int i = 0; i < READERS; i++)
		assert_int_equal(join(&calls[i]), RC_OK);
	/* and no more. */
	assert_int_equal(raw_server_n_connections(f.server), WIDE);
	http_count(f.h, &n);
	assert_int_equal(n.requests, READERS);
	assert_int_equal(n.connections, WIDE);
	assert_int_equal(n.in_flight_max, WIDE);
	assert_int_equal(n.in_flight, 0);
	finish(&f);
}

static void wait_until_queued(struct http *h, unsigned int want)
{
	unsigned int n = 0;

	while (n < want) {
		struct http_task *task;
		unsigned int demand, ahead;

		usleep(1000);
		pthread_mutex_lock(&h->lock);
		DL_COUNT(h->demand, task, demand);
		DL_COUNT(h->ahead, task, ahead);
		pthread_mutex_unlock(&h->lock);
		n = demand + ahead;
	}
}

static void demand_goes_before_what_is_ahead(void **state)
{
	static const char *const paths[] = { "hold-x", "hold-a", "hold-a",
					     "hold-d", "hold-d", "hold-a" };
	static struct call calls[ARRAY_LEN(paths)];
	struct fixture f;

	(void)state;
	begin(&f, 1, LONG_MS);
	for (unsigned int i = 0; i < ARRAY_LEN(paths); i++) {
		calls[i] = (struct call){ .f = &f, .path = paths[i] };
		calls[i].is_ahead = paths[i][5] == 'a';
		start(&calls[i]);
		if (i)
			wait_until_queued(f.h, i);
		else
			gate_wait_for(1);
	}
	gate_open();
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_int_equal(join(&calls[i]), RC_OK);
	assert_string_equal(gate.order, "xddaaa");
	finish(&f);
}

static void what_is_ahead_leaves_half_of_the_connections(void **state)
{
	static struct call ahead[6];
	struct call demand = { .f = NULL, .path = "bytes-5" };
	struct http_counters n;
	struct fixture f;

	(void)state;
	begin(&f, 4, LONG_MS);
	for (unsigned int i = 0; i < ARRAY_LEN(ahead); i++) {
		ahead[i] = (struct call){ .f = &f,
					  .path = "hold-a",
					  .is_ahead = true };
		start(&ahead[i]);
	}
	gate_wait_for(2);
	wait_until_queued(f.h, 4);
	demand.f = &f;
	for (int i = 0; i < 3; i++) {
		fetch(&demand);
		expect_pattern(&demand, 5);
	}
	http_count(f.h, &n);
	assert_int_equal(n.in_flight, 2);
	assert_int_equal(n.in_flight_max, 3);
	gate_open();
	for (unsigned int i = 0; i < ARRAY_LEN(ahead); i++)
		assert_int_equal(join(&ahead[i]), RC_OK);
	http_count(f.h, &n);
	assert_true(n.in_flight_max <= 3);
	finish(&f);
}

static void closing_ends_what_runs_and_what_waits(void **state)
{
	static struct call calls[6];
	struct fixture f;

	(void)state;
	begin(&f, 2, LONG_MS);
	for (unsigned int i = 0; i < ARRAY_LEN(calls); i++) {
		calls[i] = (struct call){ .f = &f,
					  .path = i < 2 ? "bad-stall" : "x",
					  .is_ahead = i > 3 };
		start(&calls[i]);
		if (i >= 2)
			wait_until_queued(f.h, i - 1);
		while (i == 1 && raw_server_n_connections(f.server) < 2)
			usleep(1000);
	}
	http_close(f.h);
	for (unsigned int i = 0; i < ARRAY_LEN(calls); i++)
		assert_int_equal(join(&calls[i]), RC_STOPPED);
	raw_server_stop(f.server);
	http_close(NULL);
}

static void a_stop_ends_what_runs_and_what_waits(void **state)
{
	static struct call calls[7];
	struct err err;
	struct fixture f;

	(void)state;
	assert_int_equal(stop_init(0, &err), RC_OK);
	begin(&f, 3, LONG_MS);
	for (unsigned int i = 0; i < ARRAY_LEN(calls); i++) {
		calls[i] = (struct call){ .f = &f,
					  .path = i == 2  ? "hold-a"
						  : i < 2 ? "bad-stall"
							  : "x",
					  .is_ahead = i > 4,
					  .ignores_stop = i == 2 };
		start(&calls[i]);
		while (raw_server_n_connections(f.server) < (i < 2 ? i + 1 : 3))
			usleep(1000);
		if (i > 2)
			wait_until_queued(f.h, i - 2);
	}
	gate_wait_for(1);
	raise(SIGTERM);
	for (unsigned int i = 0; i < ARRAY_LEN(calls); i++) {
		if (i != 2)
			assert_int_equal(join(&calls[i]), RC_STOPPED);
	}
	/* Nothing begins any more but what may. */
	calls[0].path = "x";
	fetch(&calls[0]);
	assert_int_equal(calls[0].rc, RC_STOPPED);
	http_response_release(&calls[0].rsp);
	gate_open();
	assert_int_equal(join(&calls[2]), RC_OK);
	stop_release();
	fetch(&calls[0]);
	assert_int_equal(calls[0].rc, RC_OK);
	http_response_release(&calls[0].rsp);
	finish(&f);
}

static void a_kept_connection_that_died_costs_no_failure(void **state)
{
	CLEANUP_FREE uint8_t *body = xcalloc(1, CHUNK_BYTES);
	struct http_counters n;
	struct fixture f;
	struct call c = { .f = &f, .path = "odd-once" };

	(void)state;
	begin(&f, 1, LONG_MS);
	fetch(&c);
	assert_int_equal(c.rsp.n_sent, 1);
	expect_body(&c, "ok");
	fetch(&c);
	assert_int_equal(c.rsp.n_sent, 2);
	expect_body(&c, "ok");
	http_count(f.h, &n);
	assert_int_equal(n.requests, 3);
	assert_int_equal(n.connections, 2);
	assert_int_equal(raw_server_n_connections(f.server), 2);
	/* With a body, which has to go out again from its beginning. */
	c.method = HTTP_PUT;
	c.body = body;
	c.body_len = 5000;
	fetch(&c);
	assert_int_equal(c.rsp.n_sent, 2);
	expect_body(&c, "ok");
	finish(&f);
}

/* A port where nobody listens. */
static unsigned int dead_port(int *ret_fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static enum rc fetch_url_until(struct http *h, const char *url, unsigned int ms,
			       struct err *err)
{
	struct http_request rq = { .url = url, .max_body = 100 };
	struct http_response rsp;
	enum rc rc;

	rq.deadline = clock_mono_ns() + ms * CLOCK_NS_PER_MS;
	rc = http_fetch(h, &rq, &rsp, err);
	http_response_release(&rsp);
	return rc;
}

static enum rc fetch_url(struct http *h, const char *url, struct err *err)
{
	return fetch_url_until(h, url, LONG_MS, err);
}

static void *fetch_unknown(void *arg)
{
	struct call *c = arg;

	c->rc = fetch_url(c->f->h, "http://unknown.test/x", &c->err);
	return NULL;
}

static void a_silent_name_server_holds_up_nobody_else(void **state)
{
	struct fixture f;
	struct call other = { .f = &f, .path = "bytes-9" };
	struct call last = { .f = &f };
	struct err err = { 0 };

	(void)state;
	begin(&f, 2, LONG_MS);
	assert_int_equal(
		fetch_url_until(f.h, "http://unknown.test/x", SHORT_MS, &err),
		RC_TIMEOUT);
	fetch(&other);
	expect_pattern(&other, 9);
	assert_int_equal(
		pthread_create(&last.thread, NULL, fetch_unknown, &last), 0);
	gate_wait_for(2);
	http_close(f.h);
	pthread_join(last.thread, NULL);
	assert_int_equal(last.rc, RC_STOPPED);
	gate_open();
	while (n_resolving)
		usleep(1000);
	f.h = open_client(&(struct http_options){ .proxy = "" });
	assert_int_equal(fetch_url(f.h, "http://unknown.test/x", &err), RC_IO);
	assert_non_null(strstr(err.msg, "unknown.test:80"));
	finish(&f);
}

static void no_connection_is_told_in_words(void **state)
{
	const struct http_options o = { .connect_timeout = SHORT_MS,
					.proxy = "" };
	CLEANUP_FD int fd = -1;
	unsigned int port = dead_port(&fd);
	struct http *h = open_client(&o);
	struct err err = { 0 };
	char url[64], want[128];

	(void)state;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/p?q", port);
	assert_int_equal(fetch_url(h, url, &err), RC_IO);
	snprintf(want, sizeof(want),
		 "cannot connect to 127.0.0.1:%u: Connection refused", port);
	assert_string_equal(err.msg, want);
	/* It accepts and then says nothing, in the middle of TLS. */
	assert_int_equal(listen(fd, 1), 0);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/p?q", port);
	assert_int_equal(fetch_url(h, url, &err), RC_TIMEOUT);
	snprintf(want, sizeof(want),
		 "cannot connect to 127.0.0.1:%u: no answer for 200 ms", port);
	assert_string_equal(err.msg, want);
	http_close(h);
}

static void a_proxy_is_asked(void **state)
{
	static const char line[] = "GET http://archive.test/x?y HTTP/1.1\r\n";
	char proxy[64];
	struct http_options o = { .proxy = proxy };
	struct http_request rq = { .url = "http://archive.test/x?y",
				   .max_body = 4096 };
	struct http_response rsp;
	struct fixture f;
	struct err err = { 0 };

	(void)state;
	begin(&f, 1, LONG_MS);
	http_close(f.h);
	snprintf(proxy, sizeof(proxy), "http://u:p@127.0.0.1:%u",
		 raw_server_port(f.server));
	f.h = open_client(&o);
	rq.deadline = clock_mono_ns() + LONG_MS * CLOCK_NS_PER_MS;
	assert_int_equal(http_fetch(f.h, &rq, &rsp, &err), RC_OK);
	assert_memory_equal(buf_str(&rsp.body), line, strlen(line));
	http_response_release(&rsp);
	finish(&f);
}

static void the_password_of_a_proxy_is_not_told(void **state)
{
	static const char *const bad[] = {
		"http://u:sesame@127.0.0.1:1",
		"http://u:sesame@127.0.0.1:99999",
		"gopher://u:sesame@127.0.0.1",
		"http://u:sesame@[",
		"http://u:sesame@ h",
	};

	(void)state;
	gate_open(); /* for names */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct http_options o = { .proxy = bad[i] };
		struct http *h = open_client(&o);
		struct err err = { 0 };

		assert_int_equal(fetch_url(h, "http://archive.test/", &err),
				 RC_IO);
		assert_non_null(strstr(err.msg, "archive.test:80"));
		assert_null(strstr(err.msg, "sesame"));
		http_close(h);
	}
}

static void bad_requests_never_go_out(void **state)
{
	static const char *const urls[] = {
		"",
		"h",
		"file:///etc/passwd",
		"ftp://127.0.0.1/",
		"http://",
		"http://u:sesame@127.0.0.1/",
		"http://127.0.0.1/a b?sesame",
		"http://127.0.0.1/\r\nsesame: 1",
		"http://127.0.0.1/\xc3\xa9sesame",
	};
	const char *headers[] = { "X: sesame\r\nY: 1", NULL };
	const struct http_options o = { .proxy = "" };
	struct http *h = open_client(&o);
	struct http_request rq = { .url = "http://127.0.0.1:1/",
				   .headers = headers };
	struct http_response rsp;
	struct http_counters n;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		assert_int_equal(fetch_url(h, urls[i], &err), RC_USAGE);
		assert_null(strstr(err.msg, "sesame"));
	}
	rq.deadline = clock_mono_ns() + LONG_MS * CLOCK_NS_PER_MS;
	assert_int_equal(http_fetch(h, &rq, &rsp, &err), RC_USAGE);
	assert_null(strstr(err.msg, "sesame"));
	http_count(h, &n);
	assert_int_equal(n.requests, 0);
	http_close(h);
}

static void certificates_are_verified(void **state)
{
	char ca_file[] = "/tmp/desfs-http-XXXXXX";
	char url[64];
	struct http_options o = { .proxy = "" };
	struct fixture f = { .scheme = "https" };
	struct call c = { .f = &f, .path = "bytes-9" };
	struct err err = { 0 };
	int fd = mkstemp(ca_file);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	f.server = raw_server_start(answer, NULL, ca_file);
	f.h = open_client(&o);
	fetch(&c);
	assert_int_equal(c.rc, RC_ACCESS);
	assert_int_equal(c.rsp.n_sent, 0);
	http_close(f.h);

	o.ca_file = ca_file;
	f.h = open_client(&o);
	for (int i = 0; i < 3; i++) {
		fetch(&c);
		expect_pattern(&c, 9);
	}
	assert_int_equal(raw_server_n_connections(f.server), 2);
	/* A good certificate of another host is none. */
	snprintf(url, sizeof(url), "https://localhost:%u/bytes-9",
		 raw_server_port(f.server));
	assert_int_equal(fetch_url(f.h, url, &err), RC_ACCESS);
	c.path = "bad-cut";
	fetch(&c);
	assert_int_equal(c.rc, RC_IO);
	http_response_release(&c.rsp);
	finish(&f);
	unlink(ca_file);
	assert_int_equal(http_open(&f.h, &o, &err), RC_NOENT);
	assert_non_null(strstr(err.msg, ca_file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_as_they_are),
		cmocka_unit_test(all_methods_go_out),
		cmocka_unit_test(header_fields_are_taken),
		cmocka_unit_test(odd_answers_are_understood),
		cmocka_unit_test(a_long_error_is_cut_and_its_status_told),
		cmocka_unit_test(bad_answers_are_told_apart),
		cmocka_unit_test(what_stalls_ends),
		cmocka_unit_test(what_says_nothing_without_end_ends),
		cmocka_unit_test(a_request_may_be_given_more_time),
		cmocka_unit_test(an_upload_that_moves_does_not_stall),
		cmocka_unit_test(waiting_for_a_turn_counts),
		cmocka_unit_test(many_callers_share_few_connections),
		cmocka_unit_test(demand_goes_before_what_is_ahead),
		cmocka_unit_test(what_is_ahead_leaves_half_of_the_connections),
		cmocka_unit_test(closing_ends_what_runs_and_what_waits),
		cmocka_unit_test(a_stop_ends_what_runs_and_what_waits),
		cmocka_unit_test(a_kept_connection_that_died_costs_no_failure),
		cmocka_unit_test(a_silent_name_server_holds_up_nobody_else),
		cmocka_unit_test(no_connection_is_told_in_words),
		cmocka_unit_test(a_proxy_is_asked),
		cmocka_unit_test(the_password_of_a_proxy_is_not_told),
		cmocka_unit_test(bad_requests_never_go_out),
		cmocka_unit_test(certificates_are_verified),
	};

	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
