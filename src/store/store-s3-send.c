/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-send.c - signed requests to a bucket. */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/key.h"
#include "base/sha256.h"
#include "store/store-s3-call-backend.h"

#define MUCH (1u << 20)
#define EMPTY_SHA256 \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

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
	for (size_t i = 0; i < c->rq->n_headers; i++)
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
	snprintf(c->peer, sizeof(c->peer), "%s", buf_str(&authority));
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
		 c->s->bucket, *c->s->prefix ? c->s->prefix : "none", c->peer,
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
		.max_body = rq->max_body ? rq->max_body : HTTP_ERROR_BODY_MAX,
		.into = rq->into,
		.more_ms = rq->more_ms + remote_grace_ms(rq->body_len),
		.stall_ms = rq->stall_ms,
		.is_ahead = rq->is_ahead,
		.ignores_stop = rq->ignores_stop,
		.is_whole = rq->is_whole,
		.prepare = prepare,
		.judge = s3_judge,
		.arg = &c,
	};
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	assert(rq->n_headers <= S3_HEADERS_MAX);
	/* A server may be silent while it puts much away. */
	if (!call.stall_ms && rq->body_len >= MUCH)
		call.stall_ms = 5000 + (unsigned int)(call.more_ms / 8);
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
