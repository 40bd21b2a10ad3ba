/* SPDX-License-Identifier: Apache-2.0 */
/* store-http.c - objects on a web server: read-only, and without credentials.
 *
 * A web server cannot list: what stands below log/ is told by log/index.json,
 * nothing tells the rest.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "net/url.h"
#include "store/log-index.h"
#include "store/store-backend.h"
#include "store/store-range.h"
#include "store/store-remote-backend.h"
#include "store/store-status.h"

#define REDIRECTS_MAX 3

struct http_store {
	struct store base;
	struct remote rm;
	struct url root; /* its path has no '/' at its end */
};

struct call {
	const struct http_store *s;
	const char *key;
	const char *range;
	const struct object_info *expect; /* NULL: the tail is read */
	struct object_info *info;
	uint64_t off;
	size_t len;
	void *into; /* room for them, or NULL */
	bool is_tail;
	struct url at;           /* of the last try; its path is not kept */
	char moved[URL_MAX / 8]; /* where we were sent to; "": nowhere */
	unsigned int n_moves;
};

static void http_store_close(struct store *st)
{
	struct http_store *s = (struct http_store *)st;

	remote_release(&s->rm);
	free(s);
}

static enum rc http_store_open(struct store **ret, const char *scheme,
			       const char *rest,
			       const struct store_settings *set,
			       struct err *err)
{
	CLEANUP_FREE char *text = xasprintf("%s://%s", scheme, rest);
	CLEANUP_BUF struct buf location = { 0 };
	struct http_store *s = xcalloc(1, sizeof(*s));
	size_t len;

	if (url_parse(text, &s->root, err) || remote_init(&s->rm, set, err)) {
		free(s);
		return err->rc;
	}
	len = strlen(s->root.path);
	while (len && s->root.path[len - 1] == '/')
		s->root.path[--len] = '\0';
	buf_init(&location, URL_MAX);
	url_origin(&location, &s->root);
	buf_append_str(&location, s->root.path);
	s->base.location = xstrdup(buf_str(&location));
	*ret = &s->base;
	return RC_OK;
}

static enum rc prepare(void *arg, struct remote_try *t, struct err *err)
{
	struct call *c = arg;

	(void)err;
	if (*c->moved) {
		buf_append_str(&t->url, c->moved);
	} else {
		c->at = c->s->root;
		url_origin(&t->url, &c->s->root);
		buf_append_str(&t->url, c->s->root.path);
		buf_append_str(&t->url, "/");
		url_encode(&t->url, c->key, true);
	}
	remote_try_header(t, "range", c->range);
	/* All else never changes, this does: no cache on the way may answer
	 * without asking the server.
	 */
	if (!strcmp(c->key, LOG_INDEX_KEY))
		remote_try_header(t, "cache-control", "no-cache");
	if (c->expect && range_tag_is_strong(c->expect->tag))
		remote_try_header(t, "if-match", c->expect->tag);
	return RC_OK;
}

/* A Location with its host, when it was given without one. */
static char *make_absolute(const struct url *at, const char *location)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, URL_MAX);
	if (location[0] == '/' && location[1] == '/')
		buf_append_str(&b, at->is_https ? "https:" : "http:");
	else if (location[0] == '/')
		url_origin(&b, at);
	buf_append_str(&b, location);
	return xstrdup(buf_str(&b));
}

static bool is_same_host(const struct url *a, const struct url *b)
{
	return !strcmp(a->host, b->host) && a->port == b->port;
}

/* What goes over the wire as it is must not hold more than a URL. */
static bool is_plain(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

static enum remote_verdict judge_redirect(struct call *c,
					  const struct http_response *r,
					  struct err *err)
{
	CLEANUP_FREE char *url = make_absolute(&c->at, r->location);
	CLEANUP_FREE char *bare = xmemdup0(url, strcspn(url, "?#"));
	CLEANUP_BUF struct buf origin = { 0 };
	struct err ignored;
	struct url to;

	/* One that is longer was cut. */
	if (!*r->location || strlen(r->location) >= HTTP_FIELD_MAX - 1 ||
	    !is_plain(url) || url_parse(bare, &to, &ignored)) {
		err_set(err, RC_IO,
			"the server answered %u without saying where to go",
			r->status);
		return REMOTE_FAILED;
	}
	buf_init(&origin, 512);
	url_origin(&origin, &to);
	err_set(err, RC_IO,
		"the server sends us to %s (%u), which is not followed",
		buf_str(&origin), r->status);
	if (++c->n_moves > REDIRECTS_MAX || to.is_https != c->at.is_https ||
	    (!to.is_https && !is_same_host(&to, &c->at)))
		return REMOTE_FAILED;
	snprintf(c->moved, sizeof(c->moved), "%.*s", (int)strcspn(url, "#"),
		 url);
	c->at = to;
	return REMOTE_AGAIN;
}

static enum remote_verdict judge(void *arg, const struct remote_try *t,
				 const struct http_response *r, struct err *err)
{
	static const struct s3_error none;
	struct call *c = arg;
	bool is_good = r->status >= 200 && r->status < 300;

	(void)t;
	if (r->status == 301 || r->status == 302 || r->status == 307 ||
	    r->status == 308)
		return judge_redirect(c, r, err);
	if (c->is_tail && (is_good || r->status == 416))
		return range_check_tail(r, c->len, c->info, err);
	if (!c->is_tail && (is_good || r->status == 412 || r->status == 416))
		return range_check(r, c->expect, c->off, c->len, err);
	return status_judge(r->status, &none, err);
}

static enum rc send(struct http_store *s, struct call *c, bool is_ahead,
		    struct http_response *ret, struct err *err)
{
	unsigned int tries;
	const struct remote_call call = {
		.kind = REMOTE_GET,
		.method = HTTP_GET,
		.what = c->key,
		.range = c->range,
		.max_body = c->len,
		.into = c->into,
		.is_ahead = is_ahead,
		.prepare = prepare,
		.judge = judge,
		.arg = c,
	};

	c->s = s;
	return remote_run(&s->rm, &call, ret, &tries, err);
}

static enum rc http_store_read_tail(struct store *st, const char *key,
				    size_t max, struct buf *ret,
				    struct object_info *ret_info,
				    struct err *err)
{
	CLEANUP(http_response_release) struct http_response re = { 0 };
	struct object_info info = { 0 };
	char range[RANGE_TEXT];
	struct call c = { .key = key,
			  .range = range,
			  .is_tail = true,
			  .info = &info,
			  .len = max ? max : 1 };

	range_format_tail(range, c.len);
	if (send((struct http_store *)st, &c, false, &re, err))
		return err->rc;
	return range_take_tail(&re, key, max, &info, ret, ret_info, err);
}

static enum rc http_store_read(struct store *st, const char *key,
			       const struct object_info *expect, uint64_t off,
			       void *buf, size_t len, bool is_ahead,
			       struct err *err)
{
	CLEANUP(http_response_release) struct http_response re = { 0 };
	char range[RANGE_TEXT];
	struct call c = { .key = key,
			  .range = range,
			  .expect = expect,
			  .off = off,
			  .into = buf,
			  .len = len };

	if (range_check_wanted(key, expect, off, len, err))
		return err->rc;
	if (!len)
		return RC_OK;
	range_format(range, off, len);
	if (send((struct http_store *)st, &c, is_ahead, &re, err))
		return err->rc;
	if (!re.is_into)
		memcpy(buf, re.body.p, len);
	return RC_OK;
}

static enum rc get_index(struct store *st, struct log_index *ret,
			 struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct object_info info;

	buf_init(&b, LOG_INDEX_MAX);
	if (http_store_read_tail(st, LOG_INDEX_KEY, LOG_INDEX_MAX, &b, &info,
				 err)) {
		if (err->rc != RC_NOENT)
			return err->rc;
		return err_set(err, RC_NOENT,
			       "%s: not found: no archive is published there "
			       "(desfs publish makes it)",
			       LOG_INDEX_KEY);
	}
	if (info.size > LOG_INDEX_MAX)
		return err_set(err, RC_LIMIT, "%s: longer than %u bytes",
			       LOG_INDEX_KEY, LOG_INDEX_MAX);
	if (log_index_parse(b.p, b.len, ret, err))
		return err_prefix(err, "%s", LOG_INDEX_KEY);
	return RC_OK;
}

static enum rc http_store_list(struct store *st, const char *prefix,
			       const char *start_after, store_list_fn *fn,
			       void *arg, struct err *err)
{
	CLEANUP(log_index_release) struct log_index ix = { 0 };

	if (strncmp(prefix, LOG_INDEX_DIR, strlen(LOG_INDEX_DIR)) != 0)
		return err_set(err, RC_UNSUPPORTED,
			       "%s: a web server cannot list what it has",
			       *prefix ? prefix : "keys");
	if (get_index(st, &ix, err))
		return err->rc;
	for (size_t i = 0; i < ix.n; i++) {
		CLEANUP_FREE char *key =
			xasprintf("%s%s", LOG_INDEX_DIR, ix.names[i]);
		enum rc rc;

		if (strncmp(key, prefix, strlen(prefix)) != 0 ||
		    strcmp(key, start_after) <= 0)
			continue;
		rc = fn(arg, key, 0, err);
		if (rc)
			return rc;
	}
	return RC_OK;
}

static void http_store_count(struct store *st, struct store_counters *ret)
{
	remote_count(&((struct http_store *)st)->rm, ret);
}

static const char *const schemes[] = { "https", "http", NULL };

const struct store_backend store_backend_http = {
	.name = "http",
	.schemes = schemes,
	.is_remote = true,
	.no_writer = "a web server cannot be written to: name the directory or "
		     "the bucket that it serves",
	.open = http_store_open,
	.close = http_store_close,
	.read_tail = http_store_read_tail,
	.read = http_store_read,
	.list = http_store_list,
	.count = http_store_count,
};
