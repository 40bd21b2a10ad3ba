/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3.c - objects in an S3 bucket: the reading half. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store-range.h"
#include "store/store-s3-backend.h"

static void s3_close(struct store *st)
{
	struct s3_store *s = (struct s3_store *)st;

	remote_release(&s->rm);
	secret_wipe(&s->id.secret);
	pthread_mutex_destroy(&s->lock);
	free(s->prefix);
	free(s);
}

static void set_region(struct s3_store *s, const struct store_settings *set)
{
	const char *names[] = { set->region, getenv("AWS_REGION"),
				getenv("AWS_DEFAULT_REGION"),
				s->id.secret.region, "us-east-1" };

	for (size_t i = 0; i < ARRAY_LEN(names) && !*s->id.region; i++) {
		if (names[i])
			snprintf(s->id.region, sizeof(s->id.region), "%s",
				 names[i]);
	}
}

/* The same place by whatever settings it was reached; AWS has each bucket once.
 */
static char *make_location(const struct s3_store *s)
{
	CLEANUP_BUF struct buf origin = { 0 };
	int len = (int)strlen(s->prefix);

	buf_init(&origin, 512);
	if (s->is_aws) {
		buf_append_str(&origin, "https://s3.amazonaws.com");
	} else {
		url_origin(&origin, &s->endpoint);
		buf_append_str(&origin, s->endpoint.path);
	}
	return xasprintf("s3://%s%s%.*s at %s", s->bucket, len ? "/" : "",
			 len ? len - 1 : 0, s->prefix, buf_str(&origin));
}

static enum rc fill(struct s3_store *s, const char *rest,
		    const struct store_settings *set, struct err *err)
{
	if (s3_parse_place(rest, s->bucket, &s->prefix, err) ||
	    s3_find_endpoint(s, set, err) ||
	    secret_load(set, &s->id.secret, err) ||
	    remote_init(&s->rm, set, err))
		return err->rc;
	set_region(s, set);
	if (!s3_region_is_valid(s->id.region))
		return err_set(err, RC_USAGE,
			       "'%s' cannot be the name of a region",
			       s->id.region);
	s->base.location = make_location(s);
	return RC_OK;
}

static enum rc s3_open(struct store **ret, const char *scheme, const char *rest,
		       const struct store_settings *set, struct err *err)
{
	struct s3_store *s = xcalloc(1, sizeof(*s));

	(void)scheme;
	s->set = set;
	pthread_mutex_init(&s->lock, NULL);
	if (fill(s, rest, set, err)) {
		free(s->base.location);
		s3_close(&s->base);
		return err->rc;
	}
	*ret = &s->base;
	return RC_OK;
}

struct want {
	const struct object_info *expect;
	struct object_info *info;
	uint64_t off;
	size_t len;
};

static enum remote_verdict check_tail(void *arg, const struct http_response *r,
				      struct err *err)
{
	const struct want *w = arg;

	return range_check_tail(r, w->len, w->info, err);
}

static enum remote_verdict check_range(void *arg, const struct http_response *r,
				       struct err *err)
{
	const struct want *w = arg;

	return range_check(r, w->expect, w->off, w->len, err);
}

static enum rc s3_read_tail(struct store *st, const char *key, size_t max,
			    struct buf *ret, struct object_info *ret_info,
			    struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	struct object_info info = { 0 };
	struct want w = { .info = &info, .len = max ? max : 1 };
	char range[RANGE_TEXT];
	const struct sigv4_pair header = { "range", range };
	const struct s3_request rq = { .kind = REMOTE_GET,
				       .method = HTTP_GET,
				       .key = key,
				       .headers = &header,
				       .n_headers = 1,
				       .range = range,
				       .max_body = w.len,
				       .check = check_tail,
				       .arg = &w };

	range_format_tail(range, w.len);
	if (s3_send((struct s3_store *)st, &rq, &re, err))
		return err->rc;
	return range_take_tail(&re.http, key, max, &info, ret, ret_info, err);
}

static enum rc s3_read(struct store *st, const char *key,
		       const struct object_info *expect, uint64_t off,
		       void *buf, size_t len, bool is_ahead, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	struct want w = { .expect = expect, .off = off, .len = len };
	char range[RANGE_TEXT];
	struct sigv4_pair headers[2] = { { "range", range } };
	struct s3_request rq = { .kind = REMOTE_GET,
				 .method = HTTP_GET,
				 .key = key,
				 .headers = headers,
				 .n_headers = 1,
				 .range = range,
				 .max_body = len,
				 .into = buf,
				 .is_ahead = is_ahead,
				 .check = check_range,
				 .arg = &w };

	if (range_check_wanted(key, expect, off, len, err))
		return err->rc;
	if (!len)
		return RC_OK;
	range_format(range, off, len);
	if (expect && range_tag_is_strong(expect->tag))
		headers[rq.n_headers++] =
			(struct sigv4_pair){ "if-match", expect->tag };
	if (s3_send((struct s3_store *)st, &rq, &re, err))
		return err->rc;
	if (!re.http.is_into)
		memcpy(buf, re.http.body.p, len);
	return RC_OK;
}

static enum rc s3_list(struct store *st, const char *prefix,
		       const char *start_after, store_list_fn *fn, void *arg,
		       struct err *err)
{
	return s3_list_keys((struct s3_store *)st, prefix, start_after, fn, arg,
			    err);
}

static void s3_count(struct store *st, struct store_counters *ret)
{
	remote_count(&((struct s3_store *)st)->rm, ret);
}

static const char *const schemes[] = { "s3", NULL };

const struct store_backend store_backend_s3 = {
	.name = "s3",
	.schemes = schemes,
	.is_remote = true,
	.open = s3_open,
	.close = s3_close,
	.read_tail = s3_read_tail,
	.read = s3_read,
	.list = s3_list,
	.count = s3_count,
};
