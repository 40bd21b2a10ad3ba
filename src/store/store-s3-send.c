/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-send.c - signed requests, and what their answers teach: clocks,
 * regions, credentials, other hosts.
 *
 * What is learned goes into the store's identity under its lock, so that all
 * later calls profit; each lesson is taken once a call.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/key.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "store/http-date.h"
#include "store/store-s3-backend.h"
#include "store/store-status.h"

#define REDIRECTS_MAX 3
#define EMPTY_SHA256 \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct s3_call {
	struct s3_store *s;
	const struct s3_request *rq;
	struct s3_error *error;
	char *full_key; /* NULL: the bucket */
	char body_sha256[HEX_TEXT(SHA256_LEN)];
	unsigned int gen; /* of the identity the last try had */
	char host[256];   /* of the last try */
	char moved[256];  /* the host we were sent to; "": none */
	unsigned int n_moves;
	bool had_skew, had_secret, had_region;
};

static void identity_wipe(struct s3_identity *id)
{
	secret_wipe(&id->secret);
}

/* What stays the same for all tries is signed in the same place each time. */
static size_t fill_headers(const struct s3_call *c,
			   const struct s3_identity *id, const char *authority,
			   const char *date,
			   struct sigv4_pair out[S3_HEADERS_MAX + 4])
{
	size_t n = 0;

	out[n++] = (struct sigv4_pair){ "host", authority };
	out[n++] =
		(struct sigv4_pair){ "x-amz-content-sha256", c->body_sha256 };
	out[n++] = (struct sigv4_pair){ "x-amz-date", date };
	if (*id->secret.token)
		out[n++] = (struct sigv4_pair){ "x-amz-security-token",
						id->secret.token };
	for (size_t i = 0; i < c->rq->n_headers && i < S3_HEADERS_MAX; i++)
		out[n++] = c->rq->headers[i];
	return n;
}

static void wipe_buf(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->len);
	buf_release(b);
}

static enum rc sign(struct s3_call *c, const struct s3_identity *id,
		    const struct url *server, const char *path,
		    struct remote_try *t, struct err *err)
{
	CLEANUP(wipe_buf) struct buf auth = { 0 };
	CLEANUP_BUF struct buf authority = { 0 };
	struct sigv4_pair headers[S3_HEADERS_MAX + 4];
	char date[SIGV4_DATE_TEXT];
	const struct sigv4_key key = { .access = id->secret.access,
				       .secret = id->secret.key,
				       .region = id->region,
				       .service = "s3" };
	struct sigv4_request rq = {
		.method = http_method_name(c->rq->method),
		.path = path,
		.query = c->rq->query,
		.n_query = c->rq->n_query,
		.headers = headers,
		.payload_hash = c->body_sha256,
		.time = clock_wall_ns() / (int64_t)CLOCK_NS_PER_SEC +
			id->skew_s,
	};

	buf_init(&auth, 8192);
	buf_init(&authority, 512);
	url_authority(&authority, server);
	sigv4_date(rq.time, date);
	rq.n_headers = fill_headers(c, id, buf_str(&authority), date, headers);
	if (sigv4_authorization(&auth, &key, &rq, err))
		return err->rc;
	for (size_t i = 0; i < rq.n_headers; i++)
		remote_try_header(t, headers[i].name, headers[i].value);
	remote_try_header(t, "authorization", buf_str(&auth));
	if (!buf_ok(&auth) || !buf_ok(&authority))
		return err_set(err, RC_LIMIT, "headers are too long");
	return RC_OK;
}

static enum rc prepare(void *arg, struct remote_try *t, struct err *err)
{
	struct s3_call *c = arg;
	CLEANUP(identity_wipe) struct s3_identity id = { 0 };
	CLEANUP_BUF struct buf path = { 0 };
	struct url server;

	pthread_mutex_lock(&c->s->lock);
	id = c->s->id;
	pthread_mutex_unlock(&c->s->lock);
	c->gen = id.gen;
	s3_server(c->s, id.region, &server);
	if (*c->moved)
		snprintf(server.host, sizeof(server.host), "%s", c->moved);
	snprintf(c->host, sizeof(c->host), "%s", server.host);
	buf_init(&path, URL_MAX);
	s3_path(c->s, c->full_key, &path);
	url_origin(&t->url, &server);
	buf_append_str(&t->url, buf_str(&path));
	if (c->rq->n_query) {
		buf_append_str(&t->url, "?");
		sigv4_query(&t->url, c->rq->query, c->rq->n_query);
	}
	return sign(c, &id, &server, buf_str(&path), t, err);
}

/* Did somebody else learn something since our last try? */
static bool has_new_identity(struct s3_call *c)
{
	LOCK_SCOPE(&c->s->lock);

	return c->s->id.gen != c->gen;
}

static bool learn_time(struct s3_call *c, const struct http_response *r)
{
	int64_t now = clock_wall_ns() / (int64_t)CLOCK_NS_PER_SEC;
	int64_t theirs;

	if (has_new_identity(c))
		return true;
	if (c->had_skew || !http_date_parse(r->date, &theirs))
		return false;
	c->had_skew = true;
	log_warn("the clock of this machine is %lld s %s that of %s, requests "
		 "are dated by the latter",
		 llabs((long long)(theirs - now)),
		 theirs > now ? "behind" : "ahead of", c->host);
	LOCK_SCOPE(&c->s->lock);

	c->s->id.skew_s = theirs - now;
	c->s->id.gen++;
	return true;
}

static bool learn_region(struct s3_call *c, const char *region)
{
	if (has_new_identity(c))
		return true;
	if (c->had_region || !s3_region_is_valid(region))
		return false;
	c->had_region = true;
	LOCK_SCOPE(&c->s->lock);

	if (!strcmp(c->s->id.region, region))
		return false;
	snprintf(c->s->id.region, sizeof(c->s->id.region), "%.63s", region);
	c->s->id.gen++;
	*c->moved = '\0';
	return true;
}

static void secret_wipe_p(struct secret *s)
{
	secret_wipe(s);
}

/* Credentials in files are made anew from time to time. */
static bool learn_secret(struct s3_call *c)
{
	CLEANUP(secret_wipe_p) struct secret now = { 0 };
	struct err err;

	if (has_new_identity(c))
		return true;
	if (c->had_secret)
		return false;
	c->had_secret = true;
	if (secret_load(c->s->set, &now, &err))
		return false;
	LOCK_SCOPE(&c->s->lock);

	if (!strcmp(now.access, c->s->id.secret.access) &&
	    !strcmp(now.key, c->s->id.secret.key) &&
	    !strcmp(now.token, c->s->id.secret.token))
		return false;
	c->s->id.secret = now;
	c->s->id.gen++;
	return true;
}

/* Where a Location leads: only its host counts, since what is asked for stays
 * the same.
 */
static bool parse_location(const char *text, struct url *ret)
{
	CLEANUP_FREE char *bare = xmemdup0(text, strcspn(text, "?#"));
	struct err err;

	return strlen(text) < HTTP_FIELD_MAX - 1 && !url_parse(bare, ret, &err);
}

/* Follow to another host of AWS, never elsewhere: the signature goes along. */
static enum remote_verdict judge_redirect(struct s3_call *c,
					  const struct http_response *r,
					  struct err *err)
{
	struct url to = { 0 };

	if (!parse_location(r->location, &to)) {
		err_set(err, RC_IO, "%s answered %u without saying where to go",
			c->host, r->status);
		return REMOTE_FAILED;
	}
	err_set(err, RC_IO,
		"%s sends us to %s://%s (%u), which is not followed", c->host,
		to.is_https ? "https" : "http", to.host, r->status);
	if (++c->n_moves > REDIRECTS_MAX || !s3_host_is_aws(c->host) ||
	    !s3_host_is_aws(to.host) || !strcmp(c->host, to.host) ||
	    to.port != (c->s->is_aws ? 0 : c->s->endpoint.port) ||
	    to.is_https != (c->s->is_aws || c->s->endpoint.is_https))
		return REMOTE_FAILED;
	snprintf(c->moved, sizeof(c->moved), "%s", to.host);
	return REMOTE_AGAIN;
}

/* Only what is about credentials; AccessDenied may be about a session as well.
 */
static bool is_about_credentials(unsigned int status, const char *code)
{
	return status == 401 || status == 403 ||
	       !strcmp(code, "ExpiredToken") || !strcmp(code, "InvalidToken") ||
	       !strcmp(code, "TokenRefreshRequired");
}

static enum remote_verdict judge_error(struct s3_call *c, unsigned int status,
				       const struct http_response *r,
				       struct err *err)
{
	const struct s3_error *e = c->error;
	const char *region = *r->bucket_region ? r->bucket_region : e->region;
	bool is_redirect = status == 301 || status == 302 || status == 307 ||
			   status == 308;
	enum remote_verdict v;

	if (!strcmp(e->code, "RequestTimeTooSkewed") && learn_time(c, r)) {
		err_set(err, RC_ACCESS, "this machine's clock is wrong");
		return REMOTE_AGAIN;
	}
	if ((is_redirect || status == 400 || status == 403) && *region &&
	    learn_region(c, region)) {
		err_set(err, RC_IO, "the bucket is in the region %s", region);
		return REMOTE_AGAIN;
	}
	if (is_redirect)
		return judge_redirect(c, r, err);
	v = status_judge(status, e, err);
	if (v == REMOTE_FAILED && is_about_credentials(status, e->code) &&
	    learn_secret(c))
		return REMOTE_AGAIN;
	return v;
}

static bool has_header(const struct s3_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->n_headers; i++) {
		if (!strcasecmp(rq->headers[i].name, name))
			return true;
	}
	return false;
}

static enum remote_verdict judge(void *arg, const struct remote_try *t,
				 const struct http_response *r, struct err *err)
{
	struct s3_call *c = arg;
	bool is_good = r->status >= 200 && r->status < 300;
	bool may_hide = c->rq->kind == REMOTE_PUT || c->rq->kind == REMOTE_POST;

	(void)t;
	*c->error = (struct s3_error){ 0 };
	if ((!is_good || may_hide) && r->body.len &&
	    !s3_xml_error(r->body.p, r->body.len, c->error))
		*c->error->code = '\0';
	/* Long work begins to answer before it knows how it ends. */
	if (is_good && *c->error->code)
		return judge_error(c, 500, r, err);
	if (is_good || (r->status == 416 && c->rq->check) ||
	    (r->status == 412 && c->rq->check && c->rq->range))
		return c->rq->check ? c->rq->check(c->rq->arg, r, err)
				    : REMOTE_DONE;
	if (r->status == 412 && has_header(c->rq, "if-none-match")) {
		err_set(err, RC_EXISTS, "exists already");
		return REMOTE_FAILED;
	}
	return judge_error(c, r->status, r, err);
}

/* Words that say where, for what is wrong with the place and not the key. */
static void add_place(const struct s3_call *c, struct err *err)
{
	size_t len = strlen(err->msg);
	char source[sizeof(c->s->id.secret.source)];

	if (err->rc != RC_ACCESS && strcmp(c->error->code, "NoSuchBucket") != 0)
		return;
	pthread_mutex_lock(&c->s->lock);
	snprintf(source, sizeof(source), "%s", c->s->id.secret.source);
	pthread_mutex_unlock(&c->s->lock);
	snprintf(err->msg + len, sizeof(err->msg) - len,
		 ", bucket %s, prefix %s, server %s, credentials from %s",
		 c->s->bucket, *c->s->prefix ? c->s->prefix : "none", c->host,
		 source);
}

enum rc s3_send(struct s3_store *s, const struct s3_request *rq,
		struct s3_reply *ret, struct err *err)
{
	CLEANUP_FREE char *full =
		rq->is_bucket ? NULL : s3_full_key(s, rq->key);
	struct s3_call c = {
		.s = s, .rq = rq, .error = &ret->error, .full_key = full
	};
	struct remote_call call = {
		.kind = rq->kind,
		.method = rq->method,
		.what = rq->key,
		.range = rq->range,
		.body = rq->body,
		.body_len = rq->body_len,
		.max_body = rq->max_body ? rq->max_body : REMOTE_ERROR_BODY_MAX,
		.more_ms = rq->more_ms + remote_grace_ms(rq->body_len),
		.is_ahead = rq->is_ahead,
		.ignores_stop = rq->ignores_stop,
		.prepare = prepare,
		.judge = judge,
		.arg = &c,
	};
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	if (full && strlen(full) > KEY_MAX)
		return err_set(err, RC_USAGE,
			       "%s: longer than %d bytes with its prefix",
			       rq->key, KEY_MAX);
	if (rq->body_sha256) {
		snprintf(c.body_sha256, sizeof(c.body_sha256), "%s",
			 rq->body_sha256);
	} else if (rq->body_len) {
		sha256_of(rq->body, rq->body_len, hash);
		hex_encode(hash, sizeof(hash), c.body_sha256);
	} else {
		snprintf(c.body_sha256, sizeof(c.body_sha256), EMPTY_SHA256);
	}
	rc = remote_run(&s->rm, &call, &ret->http, &ret->tries, err);
	if (rc)
		add_place(&c, err);
	return rc;
}

void s3_reply_release(struct s3_reply *r)
{
	http_response_release(&r->http);
}
