/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-judge.c - what the answers of a bucket mean and teach: clocks,
 * regions, credentials, other hosts.
 *
 * What is learned goes into the store's identity under its lock, so that all
 * later calls profit; each lesson is taken once a call.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/http-date.h"
#include "store/store-s3-call-backend.h"
#include "store/store-status.h"

#define REDIRECTS_MAX 3
#define SKEW_TOLD 60 /* seconds */

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
	if (c->had_skew || !http_date_parse_now(r->date, &theirs))
		return false;
	c->had_skew = true;
	if (llabs((long long)(theirs - now)) >= SKEW_TOLD)
		log_warn(
			"the clock of this machine is %lld s %s that of %s, requests "
			"are dated by the latter",
			llabs((long long)(theirs - now)),
			theirs > now ? "behind" : "ahead of", c->peer);
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

/* Credentials in files are made anew from time to time. */
static bool learn_secret(struct s3_call *c)
{
	CLEANUP(secret_wipe) struct secret now = { 0 };
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
	CLEANUP_BUF struct buf origin = { 0 };
	struct url to = { 0 };

	if (!parse_location(r->location, &to)) {
		err_set(err, RC_IO, "%s answered %u without saying where to go",
			c->peer, r->status);
		return REMOTE_FAILED;
	}
	buf_init(&origin, 512);
	url_origin(&origin, &to);
	err_set(err, RC_IO, "%s sends us to %s (%u), which is not followed",
		c->peer, buf_str(&origin), r->status);
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

/* What readers need, and what nobody would guess. */
static void name_rights(const struct s3_request *rq, struct err *err)
{
	const struct err was = *err;
	const char *rights = NULL;

	if (rq->kind == REMOTE_GET)
		rights = "s3:GetObject, and s3:ListBucket, without which an "
			 "object that is missing is denied, too";
	else if (rq->kind == REMOTE_LIST && rq->n_query &&
		 !strcmp(rq->query->name, "list-type"))
		rights = "s3:ListBucket";
	if (rights)
		(void)!err_set(err, was.rc, "%.300s: %s", was.msg, rights);
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
	if (!strcmp(e->code, "AccessDenied"))
		name_rights(c->rq, err);
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

enum remote_verdict s3_judge(void *arg, const struct remote_try *t,
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
