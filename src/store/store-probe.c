/* SPDX-License-Identifier: Apache-2.0 */
/* store-probe.c - whether a store can be used, step by step; for tools. */
#include "config.h"

#include "store/store-probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conf/secret.h"
#include "net/http-date.h"
#include "net/http.h"
#include "net/url.h"
#include "store/store-s3-backend.h"
#include "store/store-write.h"

#define DESCRIPTOR "desfs.json"
#define DESCRIPTOR_SIZE_MAX (1u << 20)
/* S3 refuses what was signed more than 15 minutes ago or ahead. */
#define SKEW_MAX_S 300

struct probe {
	const char *url;
	const struct store_settings *set;
	bool try_write;
	bool is_s3, is_remote;
	bool has_range; /* that step was told */
	store_probe_older_fn *older;
	store_probe_fn *fn;
	void *arg;
	enum rc rc; /* the first failure */
};

static void pass(struct probe *p, const char *step, const char *fmt, ...)
	PRINTF(3, 4);

static void pass(struct probe *p, const char *step, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->fn(p->arg, step, PROBE_OK, text);
}

static bool fail(struct probe *p, const char *step, const struct err *err)
{
	p->fn(p->arg, step, PROBE_FAILED, err->msg);
	if (!p->rc)
		p->rc = err->rc;
	return false;
}

/* What was denied may be what the account has no right to: say which. */
static bool denied(struct probe *p, const char *step, struct err *err,
		   const char *right)
{
	if (p->is_s3 && right && strstr(err->msg, "AccessDenied"))
		(void)!err_prefix(err,
				  "the account needs %s, grant it in a policy "
				  "of the user or the bucket",
				  right);
	return fail(p, step, err);
}

/* --- the server ----------------------------------------------------------- */

static bool has_scheme(const char *url, const char *scheme)
{
	return !strncmp(url, scheme, strlen(scheme));
}

/* Where requests go: the bucket, or the directory of a web server. */
static enum rc find_server(const struct probe *p, struct buf *ret,
			   struct err *err)
{
	const char *regions[] = { p->set->region, getenv("AWS_REGION"),
				  getenv("AWS_DEFAULT_REGION"), "us-east-1" };
	/* Large, and only a part of it is needed. */
	CLEANUP_FREE struct s3_store *s = xcalloc(1, sizeof(*s));
	CLEANUP_FREE char *prefix = NULL;
	const char *region = NULL;
	struct url u;

	if (!p->is_s3) {
		if (url_parse(p->url, &u, err))
			return err->rc;
		url_origin(ret, &u);
		buf_append_str(ret, u.path);
		return RC_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(regions) && !region; i++)
		region = regions[i] && *regions[i] ? regions[i] : NULL;
	if (!s3_region_is_valid(region))
		return err_set(err, RC_USAGE, "'%s' is no region", region);
	if (s3_parse_place(p->url + strlen("s3://"), s->bucket, &prefix, err) ||
	    s3_find_endpoint(s, p->set, err))
		return err->rc;
	s3_server(s, region, &u);
	url_origin(ret, &u);
	buf_append_str(ret, "/");
	return RC_OK;
}

static void check_clock(struct probe *p, const char *date)
{
	int64_t theirs = 0;
	int64_t skew;
	struct err err;

	if (!http_date_parse_now(date, &theirs)) {
		pass(p, "clock", "the server does not tell the time");
		return;
	}
	skew = theirs - clock_wall_ns() / (int64_t)CLOCK_NS_PER_SEC;
	if (llabs(skew) <= SKEW_MAX_S) {
		pass(p, "clock", "%lld s from the server's",
		     (long long)llabs(skew));
		return;
	}
	err_set(&err, RC_IO,
		"this machine's clock is %lld s %s the server's: set it, as "
		"with NTP",
		(long long)llabs(skew), skew > 0 ? "behind" : "ahead of");
	fail(p, "clock", &err);
}

/* Any answer will do. */
static bool check_server(struct probe *p)
{
	static const char *const no_headers[] = { NULL };
	const struct http_options o = { .ca_file = p->set->ca_file,
					.proxy = p->set->proxy };
	unsigned int timeout =
		p->set->timeout ? p->set->timeout : STORE_TIMEOUT_DEFAULT;
	CLEANUP_BUF struct buf url = { .max = URL_MAX };
	struct http_request rq = { .method = HTTP_HEAD,
				   .headers = no_headers,
				   .deadline = clock_mono_ns() +
					       timeout * CLOCK_NS_PER_SEC };
	CLEANUP(http_response_release) struct http_response r = { 0 };
	struct http *h = NULL;
	struct err err;
	enum rc rc;

	rc = find_server(p, &url, &err);
	rq.url = buf_str(&url);
	if (!rc)
		rc = http_open(&h, &o, &err);
	if (!rc)
		rc = http_fetch(h, &rq, &r, &err);
	http_close(h);
	if (rc)
		return fail(p, "server", &err);
	pass(p, "server", "%s answers in %u ms (HTTP/%s)", buf_str(&url),
	     (unsigned int)(r.ns / 1000000), r.protocol);
	check_clock(p, r.date);
	return true;
}

/* --- credentials ---------------------------------------------------------- */

static bool check_credentials(struct probe *p)
{
	CLEANUP(secret_wipe) struct secret s = { .access = "" };
	struct err err;

	if (secret_load(p->set, &s, &err))
		return fail(p, "credentials", &err);
	pass(p, "credentials", "access key %s from %s", s.access, s.source);
	return true;
}

/* --- objects -------------------------------------------------------------- */

/* One key is enough. */
static enum rc stop_list(void *arg, const char *key, uint64_t size,
			 struct err *err)
{
	bool *any = arg;

	(void)key;
	(void)size;
	*any = true;
	return err_set(err, RC_STOPPED, "%s", "");
}

/* False: there is no such bucket. */
static bool check_list(struct probe *p, struct store *st)
{
	bool any = false;
	struct err err;
	enum rc rc = store_list(st, "log/", NULL, stop_list, &any, &err);

	if (rc && !any)
		return denied(p, "list", &err, "s3:ListBucket") ||
		       rc != RC_NOENT || !p->is_s3;
	pass(p, "list",
	     any ? "log/ can be listed"
		 : "log/ can be listed, nothing is there");
	return true;
}

static void on_step(void *arg, const struct store_step *step)
{
	struct probe *p = arg;
	struct err *err = step->err;

	if (!strcmp(step->name, "range")) {
		if (p->has_range)
			return;
		p->has_range = true;
	}
	if (!err) {
		p->fn(p->arg, step->name, step->is_note ? PROBE_NOTE : PROBE_OK,
		      step->text);
		return;
	}
	if (step->text)
		(void)!err_prefix(err, "%s", step->text);
	denied(p, step->name, err, step->right);
}

static void check_range(struct probe *p, struct store *st)
{
	struct store_step step = { .name = "range", .text = STORE_RANGE_WORKS };
	struct err err;
	char first;

	if (store_read(st, DESCRIPTOR, NULL, 0, &first, 1, &err)) {
		step.err = &err;
		step.text = STORE_RANGE_NEEDED;
		step.right = "s3:GetObject";
	}
	on_step(p, &step);
}

/* There is no descriptor. */
static void check_older(struct probe *p, struct store *st, struct err *err)
{
	bool is_there = false;
	struct err why;

	if (p->older(st, &is_there, &why)) {
		denied(p, "read", &why, "s3:ListBucket");
	} else if (is_there) {
		pass(p, "read",
		     "an older program's archive is there, see desfs-legacy(7)");
	} else if (p->try_write) {
		pass(p, "read", "no archive is there yet");
	} else {
		err_set(err, RC_NOENT,
			"no archive is there: no " DESCRIPTOR
			"; desfs-pack makes one");
		fail(p, "read", err);
	}
}

static void check_read(struct probe *p, struct store *st)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_SIZE_MAX };
	struct err err;
	enum rc rc =
		store_read_all(st, DESCRIPTOR, DESCRIPTOR_SIZE_MAX, &b, &err);

	if (!rc)
		pass(p, "read", DESCRIPTOR " can be read");
	else if (rc == RC_NOENT)
		check_older(p, st, &err);
	else
		denied(p, "read", &err, "s3:GetObject");
	/* What was read is the end of an object: servers may do that alone. */
	if (p->is_remote && (!rc || rc == RC_CORRUPT))
		check_range(p, st);
}

static void check_write(struct probe *p)
{
	struct store *st = NULL;
	struct err err;

	if (store_create(&st, p->url, p->set, &err))
		denied(p, "write", &err, "s3:ListBucket");
	else
		store_try_write(st, on_step, p);
	store_close(st);
}

static void check_objects(struct probe *p)
{
	struct store *st = NULL;
	struct err err;
	bool ok;

	if (store_open(&st, p->url, p->set, &err)) {
		fail(p, "open", &err);
		return;
	}
	ok = check_list(p, st);
	if (ok)
		check_read(p, st);
	store_close(st);
	if (ok && p->try_write)
		check_write(p);
}

enum rc store_probe(const char *url, const struct store_settings *set,
		    bool try_write, store_probe_older_fn *older,
		    store_probe_fn *fn, void *arg)
{
	struct probe p = { .url = url,
			   .set = set,
			   .try_write = try_write,
			   .older = older,
			   .is_s3 = has_scheme(url, "s3://"),
			   .fn = fn,
			   .arg = arg };
	bool ok;

	p.is_remote = p.is_s3 || has_scheme(url, "http://") ||
		      has_scheme(url, "https://");
	ok = !p.is_remote || check_server(&p);
	if (p.is_s3)
		ok &= check_credentials(&p);
	if (ok)
		check_objects(&p);
	return p.rc;
}
