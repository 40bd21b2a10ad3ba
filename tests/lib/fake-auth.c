/* SPDX-License-Identifier: Apache-2.0 */
/* fake-auth.c - is a request signed as AWS Signature Version 4 wants it?
 *
 * Written from AWS's description of the server's side, apart from net/sigv4.c,
 * so that the two check each other.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/hmac.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "fake-s3.h"

#define SKEW_MAX 900

struct credential {
	char *access, *day, *region, *service; /* in scope */
	char *scope;
	char *signed_headers, *signature;
};

static void credential_free(struct credential *c)
{
	free(c->access);
	free(c->day);
	free(c->region);
	free(c->service);
	free(c->scope);
	free(c->signed_headers);
	free(c->signature);
}

/* The value of "name=" in "AWS4-HMAC-SHA256 a=x, b=y". */
static char *field(const char *header, const char *name)
{
	const char *at = strstr(header, name);

	if (!at)
		return NULL;
	at += strlen(name);
	return xmemdup0(at, strcspn(at, ", "));
}

static char *between(const char **s)
{
	size_t len = strcspn(*s, "/");
	char *ret = xmemdup0(*s, len);

	*s += len + ((*s)[len] == '/');
	return ret;
}

static bool credential_parse(struct credential *c, const char *header)
{
	static const char begin[] = "AWS4-HMAC-SHA256 ";
	CLEANUP_FREE char *all = NULL;
	const char *s;

	if (strncmp(header, begin, sizeof(begin) - 1) != 0)
		return false;
	all = field(header, "Credential=");
	c->signed_headers = field(header, "SignedHeaders=");
	c->signature = field(header, "Signature=");
	if (!all || !c->signed_headers || !c->signature)
		return false;
	s = all;
	c->access = between(&s);
	c->scope = xstrdup(s);
	c->day = between(&s);
	c->region = between(&s);
	c->service = between(&s);
	return !strcmp(s, "aws4_request") && strlen(c->signature) == 64;
}

static int by_name(const void *a, const void *b)
{
	const struct fake_pair *x = a, *y = b;
	int cmp = strcmp(x->name, y->name);

	return cmp ? cmp : strcmp(x->value, y->value);
}

static char *encoded(const char *s)
{
	struct buf b = { 0 };
	char *ret;

	buf_init(&b, 1 << 20);
	fake_encode(&b, s, false);
	ret = xstrdup(buf_str(&b));
	buf_release(&b);
	return ret;
}

static void canonical_query(struct buf *out, const struct fake_request *rq)
{
	struct fake_pair *q = xcalloc(rq->n_query + 1, sizeof(*q));

	for (size_t i = 0; i < rq->n_query; i++) {
		q[i].name = encoded(rq->query[i].name);
		q[i].value = encoded(rq->query[i].value);
	}
	qsort(q, rq->n_query, sizeof(*q), by_name);
	for (size_t i = 0; i < rq->n_query; i++) {
		buf_printf(out, "%s%s=%s", i ? "&" : "", q[i].name, q[i].value);
		free(q[i].name);
		free(q[i].value);
	}
	free(q);
}

/* Without blanks at the ends, one blank for several. */
static void canonical_value(struct buf *out, const char *s)
{
	bool blank = false, first = true;

	for (; *s; s++) {
		if (*s == ' ' || *s == '\t') {
			blank = true;
			continue;
		}
		if (blank && !first)
			buf_append_str(out, " ");
		blank = false;
		first = false;
		buf_append(out, s, 1);
	}
}

/* False when the list is not sorted or names what was not sent. */
static bool canonical_headers(struct buf *out, const struct fake_request *rq,
			      const char *list)
{
	CLEANUP_FREE char *last = xstrdup("");

	while (*list) {
		size_t len = strcspn(list, ";");
		char *name = xmemdup0(list, len);
		const char *value = fake_header(rq, name);
		bool is_good = value && strcmp(last, name) < 0;

		free(last);
		last = name;
		if (!is_good)
			return false;
		buf_printf(out, "%s:", name);
		canonical_value(out, value);
		buf_append_str(out, "\n");
		list += len + (list[len] == ';');
	}
	return true;
}

static bool is_listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (*list) {
		size_t len = strcspn(list, ";");

		if (len == n && !strncasecmp(list, name, n))
			return true;
		list += len + (list[len] == ';');
	}
	return false;
}

static enum MHD_Result must_be_signed(void *arg, enum MHD_ValueKind kind,
				      const char *name, const char *value)
{
	const char **list = arg;

	(void)kind;
	(void)value;
	if (*list &&
	    (!strncasecmp(name, "x-amz-", 6) || !strcasecmp(name, "host") ||
	     !strcasecmp(name, "content-md5")) &&
	    !is_listed(*list, name))
		*list = NULL;
	return MHD_YES;
}

static void hmac(uint8_t key[32], size_t key_len, const char *text)
{
	unsigned int len = 32;
	uint8_t out[32];

	if (!HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text,
		  strlen(text), out, &len))
		abort();
	memcpy(key, out, sizeof(out));
}

static void sign(const struct fake *fake, const struct credential *c,
		 const char *date, const char *canonical, char ret[65])
{
	uint8_t key[260], digest[SHA256_LEN];
	char hex[65];
	CLEANUP_FREE char *text = NULL;
	size_t len = (size_t)snprintf((char *)key, sizeof(key), "AWS4%s",
				      fake->secret);

	if (len >= sizeof(key))
		abort();
	hmac(key, len, c->day);
	hmac(key, 32, c->region);
	hmac(key, 32, c->service);
	hmac(key, 32, "aws4_request");
	sha256_of(canonical, strlen(canonical), digest);
	hex_encode(digest, sizeof(digest), hex);
	text = xasprintf("AWS4-HMAC-SHA256\n%s\n%s\n%s", date, c->scope, hex);
	hmac(key, 32, text);
	hex_encode(key, 32, ret);
}

static bool is_skewed(const struct fake *fake, const char *date)
{
	struct tm tm = { 0 };
	const char *end = strptime(date, "%Y%m%dT%H%M%SZ", &tm);
	int64_t ahead;

	if (!end || *end)
		return true;
	ahead = (int64_t)timegm(&tm) - fake_now(fake);
	return ahead > SKEW_MAX || ahead < -SKEW_MAX;
}

static bool refuse(struct fake_request *rq, unsigned int status,
		   const char *code, const char *text)
{
	fake_reply_error(rq, status, code, "%s", text);
	return false;
}

static bool signature_ok(struct fake_request *rq, const struct credential *c,
			 const char *date, const char *hash)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_FREE char *path = fake_decode(rq->path, strlen(rq->path));
	char want[65];

	buf_init(&b, 1 << 20);
	buf_printf(&b, "%s\n", rq->method);
	fake_encode(&b, path, true);
	buf_append_str(&b, "\n");
	canonical_query(&b, rq);
	buf_append_str(&b, "\n");
	if (!canonical_headers(&b, rq, c->signed_headers))
		return refuse(rq, 403, "SignatureDoesNotMatch",
			      "signed headers are not sorted, or not there");
	buf_printf(&b, "\n%s\n%s", c->signed_headers, hash);
	sign(rq->fake, c, date, buf_str(&b), want);
	if (!strcmp(want, c->signature))
		return true;
	return refuse(rq, 403, "SignatureDoesNotMatch", buf_str(&b));
}

static bool credential_ok(struct fake_request *rq, const struct credential *c,
			  const char *date)
{
	const struct fake *fake = rq->fake;
	const char *token = fake_header(rq, "x-amz-security-token");

	if (strcmp(c->region, fake->region) != 0 ||
	    strcmp(c->service, "s3") != 0 || strncmp(date, c->day, 8) != 0)
		return refuse(rq, 400, "AuthorizationHeaderMalformed",
			      "the region, service or date is wrong");
	if (strcmp(c->access, fake->access) != 0)
		return refuse(rq, 403, "InvalidAccessKeyId",
			      "The access key does not exist in our records");
	if (strcmp(fake->token ? fake->token : "", token ? token : "") != 0)
		return refuse(rq, 403, "InvalidToken", "not the token");
	if (is_skewed(fake, date))
		return refuse(rq, 403, "RequestTimeTooSkewed",
			      "The difference between the request time and "
			      "the current time is too large");
	return true;
}

static bool body_ok(struct fake_request *rq)
{
	const char *hash = fake_header(rq, "x-amz-content-sha256");
	const char *md5 = fake_header(rq, "Content-MD5");
	uint8_t raw[16];
	char want[32];

	if (hash && strcmp(hash, "UNSIGNED-PAYLOAD") != 0 &&
	    strcmp(hash, rq->sha256) != 0)
		return refuse(rq, 400, "XAmzContentSHA256Mismatch",
			      "The body is not what its SHA-256 says");
	if (!md5)
		return true;
	fake_md5_raw(rq->body.p, rq->body.len, raw);
	EVP_EncodeBlock((uint8_t *)want, raw, sizeof(raw));
	if (strcmp(want, md5) != 0)
		return refuse(rq, 400, "BadDigest",
			      "The Content-MD5 you specified did not match");
	return true;
}

struct search {
	const char *secret;
	bool is_found;
};

static enum MHD_Result search(void *arg, enum MHD_ValueKind kind,
			      const char *name, const char *value)
{
	struct search *s = arg;

	(void)kind;
	(void)name;
	if (value && strstr(value, s->secret))
		s->is_found = true;
	return MHD_YES;
}

/* The secret itself has no place in a request. */
static bool leaks(struct fake_request *rq)
{
	struct search s = { .secret = rq->fake->secret };

	if (!*s.secret)
		return false;
	MHD_get_connection_values(rq->conn, MHD_HEADER_KIND, search, &s);
	return s.is_found || strstr(rq->target, s.secret) ||
	       memmem(buf_str(&rq->body), rq->body.len, s.secret,
		      strlen(s.secret));
}

static bool auth(struct fake_request *rq, struct credential *c)
{
	const char *header = fake_header(rq, "Authorization");
	const char *date = fake_header(rq, "x-amz-date");
	const char *hash = fake_header(rq, "x-amz-content-sha256");
	const char *list;

	if (leaks(rq))
		return refuse(rq, 400, "SecretLeaked",
			      "the request shows the secret key");
	if (!header && rq->fake->is_open)
		return body_ok(rq);
	if (!header)
		return refuse(rq, 403, "AccessDenied", "Access Denied");
	if (!date || !hash)
		return refuse(rq, 400, "MissingSecurityHeader",
			      "x-amz-date or x-amz-content-sha256 is missing");
	if (!credential_parse(c, header))
		return refuse(rq, 400, "AuthorizationHeaderMalformed",
			      "the header is no signature of version 4");
	if (!credential_ok(rq, c, date))
		return false;
	list = c->signed_headers;
	MHD_get_connection_values(rq->conn, MHD_HEADER_KIND, must_be_signed,
				  &list);
	if (!list)
		return refuse(rq, 403, "AccessDenied",
			      "There were headers present in the request which "
			      "were not signed");
	return signature_ok(rq, c, date, hash) && body_ok(rq);
}

bool fake_auth(struct fake_request *rq)
{
	struct credential c = { 0 };
	bool ret = auth(rq, &c);

	credential_free(&c);
	return ret;
}
