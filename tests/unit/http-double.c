/* SPDX-License-Identifier: Apache-2.0 */
/* http-double.c - stands in for net/http.h and net/retry.h. */
#include "config.h"

#include "http-double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/retry.h"
#include "unit.h"

#define MAX 64

struct http {
	int unused;
};

static struct http the_client;
static struct http_answer answers[MAX];
static struct http_sent sent[MAX];
static size_t n_answers, n_sent;

enum rc http_open(struct http **ret, const struct http_options *o,
		  struct err *err)
{
	(void)o;
	(void)err;
	*ret = &the_client;
	return RC_OK;
}

void http_close(struct http *h)
{
	(void)h;
}

const char *http_method_name(enum http_method m)
{
	static const char *const names[] = { "GET", "HEAD", "PUT", "POST",
					     "DELETE" };

	return names[m];
}

static void remember(const struct http_request *rq)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct http_sent *s = &sent[n_sent];

	buf_init(&b, 1u << 20);
	for (const char *const *h = rq->headers; *h; h++)
		buf_printf(&b, "%s\n", *h);
	s->method = xstrdup(http_method_name(rq->method));
	s->url = xstrdup(rq->url);
	s->headers = xstrdup(buf_str(&b));
	s->body_len = rq->body_len;
	s->is_ahead = rq->is_ahead;
	n_sent++;
}

static void set(char to[HTTP_FIELD_MAX], const char *from)
{
	snprintf(to, HTTP_FIELD_MAX, "%s", from ? from : "");
}

enum rc http_fetch(struct http *h, const struct http_request *rq,
		   struct http_response *ret, struct err *err)
{
	const struct http_answer *a;
	size_t len;

	assert_ptr_equal(h, &the_client);
	if (n_sent == n_answers)
		fail_msg("no answer left for %s", rq->url);
	a = &answers[n_sent];
	remember(rq);
	ret->n_sent = 1;
	if (a->rc)
		return err_set(err, a->rc, "no answer from the double");
	ret->status = a->status;
	set(ret->etag, a->etag);
	set(ret->content_range, a->content_range);
	set(ret->location, a->location);
	set(ret->date, a->date);
	set(ret->retry_after, a->retry_after);
	set(ret->bucket_region, a->bucket_region);
	set(ret->last_modified, a->last_modified);
	set(ret->version_id, a->version_id);
	buf_init(&ret->body, rq->max_body > HTTP_ERROR_BODY_MAX
				     ? rq->max_body
				     : HTTP_ERROR_BODY_MAX);
	len = !a->body ? 0 : a->len ? a->len : strlen(a->body);
	if (len > rq->max_body && a->status / 100 == 2)
		return err_set(err, RC_LIMIT, "the double's body is too long");
	if (len)
		buf_append(&ret->body, a->body, len);
	return RC_OK;
}

void http_response_release(struct http_response *r)
{
	buf_release(&r->body);
}

void http_count(struct http *h, struct http_counters *ret)
{
	(void)h;
	*ret = (struct http_counters){ 0 };
}

void retry_budget_init(struct retry_budget *b)
{
	b->tokens = 0;
}

void retry_budget_success(struct retry_budget *b)
{
	(void)b;
}

void retry_init(struct retry *r, struct retry_budget *budget, unsigned int max,
		uint64_t deadline, uint64_t seed)
{
	*r = (struct retry){ .budget = budget,
			     .max = max,
			     .deadline = deadline,
			     .random = seed };
}

bool retry_next(struct retry *r, uint64_t now, uint64_t retry_after,
		uint64_t *ret_wait)
{
	*ret_wait = 0;
	return r->n++ < r->max && now + retry_after < r->deadline;
}

uint64_t retry_after_parse(const char *text, int64_t wall_now)
{
	(void)wall_now;
	return strtoull(text, NULL, 10) * 1000000000ULL;
}

static void forget(void)
{
	while (n_sent) {
		struct http_sent *s = &sent[--n_sent];

		free(s->method);
		free(s->url);
		free(s->headers);
	}
	n_answers = 0;
}

void double_answers(const struct http_answer *a, size_t n)
{
	assert_true(n <= MAX);
	forget();
	memcpy(answers, a, n * sizeof(*a));
	n_answers = n;
}

size_t double_n_sent(void)
{
	return n_sent;
}

const struct http_sent *double_sent(size_t i)
{
	assert_true(i < n_sent);
	return &sent[i];
}

bool double_has_header(size_t i, const char *line)
{
	const char *p = double_sent(i)->headers;
	size_t len = strlen(line);

	for (; *p; p = strchr(p, '\n') + 1) {
		if (!strncmp(p, line, len) && p[len] == '\n')
			return true;
	}
	return false;
}

void double_end(void)
{
	assert_int_equal(n_sent, n_answers);
	forget();
}
