/* SPDX-License-Identifier: Apache-2.0 */
/* http-answer.c - what comes back: header fields and body, with their bounds.
 *
 * libcurl calls these functions on the net thread; every byte is hostile.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "net/http-loop-backend.h"

static const struct {
	const char *name;
	size_t off;
} fields[] = {
	{ "etag", offsetof(struct http_response, etag) },
	{ "content-range", offsetof(struct http_response, content_range) },
	{ "content-type", offsetof(struct http_response, content_type) },
	{ "location", offsetof(struct http_response, location) },
	{ "last-modified", offsetof(struct http_response, last_modified) },
	{ "date", offsetof(struct http_response, date) },
	{ "retry-after", offsetof(struct http_response, retry_after) },
	{ "x-amz-request-id", offsetof(struct http_response, request_id) },
	{ "x-amz-version-id", offsetof(struct http_response, version_id) },
	{ "x-amz-bucket-region",
	  offsetof(struct http_response, bucket_region) },
};

/* A callback's way to end the transfer: returns what libcurl takes for it. */
static size_t give_up(struct http_transfer *t, enum rc rc)
{
	t->rc = rc;
	return 0;
}

static char *field(struct http_response *ret, size_t i)
{
	return (char *)ret + fields[i].off;
}

static void set_field(char *to, const char *p, size_t len)
{
	if (len >= HTTP_FIELD_MAX)
		len = HTTP_FIELD_MAX - 1;
	for (size_t i = 0; i < len; i++)
		to[i] = (char)(p[i] < 0x20 || p[i] > 0x7e ? '?' : p[i]);
	to[len] = '\0';
}

/* -1 for what is no length; libcurl has its own opinion on those. */
static int64_t parse_length(const char *p, size_t len)
{
	int64_t v = 0;

	if (!len || len > 18)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

static bool is_named(const char *p, size_t len, const char *name)
{
	return len == strlen(name) && !strncasecmp(p, name, len);
}

/* A content encoding changes the bytes; "aws-chunked" is only what some servers
 * remember of an upload.
 */
static bool is_plain(const char *p, size_t len)
{
	return !len || is_named(p, len, "identity") ||
	       is_named(p, len, "aws-chunked");
}

static size_t take_field(struct http_transfer *t, const char *p, size_t len)
{
	struct http_response *ret = t->task->ret;
	const char *colon = memchr(p, ':', len);
	const char *value;
	size_t name_len, value_len;

	if (!colon)
		return len;
	name_len = (size_t)(colon - p);
	value = colon + 1;
	value_len = len - name_len - 1;
	for (; value_len && (*value == ' ' || *value == '\t'); value++)
		value_len--;
	while (value_len && (unsigned char)value[value_len - 1] <= ' ')
		value_len--;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (is_named(p, name_len, fields[i].name) && !*field(ret, i))
			set_field(field(ret, i), value, value_len);
	if (is_named(p, name_len, "content-length"))
		ret->content_length = parse_length(value, value_len);
	if (is_named(p, name_len, "transfer-encoding"))
		t->is_chunked = true;
	if (is_named(p, name_len, "content-encoding") &&
	    !is_plain(value, value_len))
		t->is_encoded = true;
	return len;
}

/* Another answer begins: what an interim one said does not count. */
static void forget_fields(struct http_transfer *t)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		*field(t->task->ret, i) = '\0';
	t->task->ret->content_length = -1;
	t->is_chunked = false;
	t->is_encoded = false;
}

static bool is_success(const struct http_transfer *t)
{
	return t->task->ret->status / 100 == 2;
}

static size_t body_max(const struct http_transfer *t)
{
	size_t max = t->task->rq->max_body;

	return is_success(t) || max > HTTP_ERROR_BODY_MAX ? max
							  : HTTP_ERROR_BODY_MAX;
}

static size_t too_long(struct http_transfer *t)
{
	const struct http_task *task = t->task;

	return give_up(t, err_set(task->err, RC_LIMIT,
				  "%s: the answer is longer than %zu bytes",
				  task->peer, body_max(t)));
}

/* True: the body goes where the caller wants it in the end. */
static bool write_into(struct http_transfer *t)
{
	const struct http_request *rq = t->task->rq;
	struct http_response *ret = t->task->ret;

	if (!rq->into || ret->status != 206 || ret->content_length <= 0 ||
	    (uint64_t)ret->content_length != rq->max_body)
		return false;
	ret->is_into = true;
	ret->body.p = rq->into;
	ret->body.cap = rq->max_body;
	return true;
}

/* The header is complete; decide whether a body may come. */
static size_t end_header(struct http_transfer *t, size_t len)
{
	struct http_task *task = t->task;
	struct http_response *ret = task->ret;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 100 && status < 200)
		return len;
	ret->status = status > 0 ? (unsigned int)status : 0;
	t->has_header = true;
	if (t->is_chunked)
		ret->content_length = -1;
	if (task->rq->method == HTTP_HEAD)
		return len;
	if (t->is_encoded && is_success(t))
		return give_up(t, err_set(task->err, RC_CORRUPT,
					  "%s: the answer is compressed, which "
					  "was not asked for",
					  task->peer));
	buf_init(&ret->body, body_max(t));
	if (write_into(t))
		return len;
	if (!is_success(t) || ret->content_length <= 0)
		return len;
	if ((uint64_t)ret->content_length > ret->body.max)
		return too_long(t);
	if (!buf_reserve(&ret->body, (size_t)ret->content_length))
		return give_up(t, err_set(task->err, RC_NOMEM,
					  "%s: out of memory", task->peer));
	return len;
}

static void count_in(struct http_transfer *t, size_t len)
{
	t->bytes_in += (int64_t)len;
	if (t->has_answer)
		return;
	/* The wait for it is over, and another time begins. */
	t->has_answer = true;
	t->window = clock_mono_ns();
	t->window_bytes = http_transfer_bytes(t);
}

/* One line of the header, or of trailers. */
size_t http_answer_header(char *p, size_t size, size_t n, void *arg)
{
	struct http_transfer *t = arg;
	size_t len = size * n;

	count_in(t, len);
	t->header_bytes += len;
	if (t->header_bytes > HTTP_HEADER_MAX)
		return give_up(t, err_set(t->task->err, RC_CORRUPT,
					  "%s: the answer's header is longer "
					  "than %d bytes",
					  t->task->peer, HTTP_HEADER_MAX));
	if (t->has_header)
		return len;
	if (len >= 5 && !memcmp(p, "HTTP/", 5))
		forget_fields(t);
	else if (*p == '\r' || *p == '\n')
		return end_header(t, len);
	else
		return take_field(t, p, len);
	return len;
}

size_t http_answer_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_transfer *t = arg;
	struct buf *body = &t->task->ret->body;
	size_t len = size * n;
	size_t room = body->max - body->len;

	count_in(t, len);
	if (len > room && is_success(t))
		return too_long(t);
	buf_append(body, p, len < room ? len : room);
	if (!buf_ok(body))
		return give_up(t, err_set(t->task->err, RC_NOMEM,
					  "%s: out of memory", t->task->peer));
	t->is_cut = len > room;
	return t->is_cut ? 0 : len;
}
