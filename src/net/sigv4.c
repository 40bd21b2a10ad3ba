/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4.c - canonical request, string to sign, signature.
 *
 * The path is signed as it goes over the wire: S3 neither normalizes it nor
 * encodes it again, as other services of AWS do.
 */
#include "config.h"

#include "net/sigv4.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/hmac.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/timestamp.h"
#include "net/url.h"

#define DAY_LEN 8 /* of a date: 20261121 */
#define TEXT_MAX (256u << 10)

void sigv4_date(int64_t time, char ret[SIGV4_DATE_TEXT])
{
	char text[TIMESTAMP_COMPACT_TEXT];
	int64_t us = TIMESTAMP_MAX;

	if (time < TIMESTAMP_MAX / 1000000)
		us = time > 0 ? time * 1000000 : 0;
	timestamp_format_compact(us, text);
	memcpy(ret, text, SIGV4_DATE_TEXT - 2);
	memcpy(ret + SIGV4_DATE_TEXT - 2, "Z", 2);
}

/* Names and values as they are signed, to be sorted. */
struct canon {
	char *name, *value;
	size_t order; /* as given: fields of one name keep it */
};

static int compare_names(const void *a, const void *b)
{
	const struct canon *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

static int compare_parameters(const void *a, const void *b)
{
	const struct canon *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : strcmp(x->value, y->value);
}

static void canon_free(struct canon *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* Headers hold session tokens. */
		explicit_bzero(c[i].value, strlen(c[i].value));
		free(c[i].name);
		free(c[i].value);
	}
	free(c);
}

static char *encoded(const char *s)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, TEXT_MAX);
	url_encode(&b, s, false);
	return xstrdup(buf_str(&b));
}

void sigv4_query(struct buf *out, const struct sigv4_pair *query, size_t n)
{
	struct canon *c = xcalloc(n + 1, sizeof(*c));

	for (size_t i = 0; i < n; i++) {
		c[i].name = encoded(query[i].name);
		c[i].value = encoded(query[i].value ? query[i].value : "");
	}
	qsort(c, n, sizeof(*c), compare_parameters);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%s=%s", i ? "&" : "", c[i].name, c[i].value);
	canon_free(c, n);
}

static char *lower(const char *s)
{
	char *ret = xstrdup(s);

	for (char *p = ret; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return ret;
}

/* Without blanks around it, and single ones inside. */
static char *trimmed(const char *s)
{
	char *ret = xstrdup(s), *to = ret;

	for (; *s; s++) {
		if (*s != ' ' && *s != '\t')
			*to++ = *s;
		else if (to > ret && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > ret && to[-1] == ' ')
		to--;
	*to = '\0';
	return ret;
}

static struct canon *canon_headers(const struct sigv4_request *rq)
{
	struct canon *c = xcalloc(rq->n_headers + 1, sizeof(*c));

	for (size_t i = 0; i < rq->n_headers; i++) {
		c[i].name = lower(rq->headers[i].name);
		c[i].value = trimmed(rq->headers[i].value);
		c[i].order = i;
	}
	qsort(c, rq->n_headers, sizeof(*c), compare_names);
	return c;
}

/* Fields of one name are one field with several values. */
static void append_headers(struct buf *out, const struct canon *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i && !strcmp(c[i].name, c[i - 1].name)) {
			buf_printf(out, ",%s", c[i].value);
			continue;
		}
		buf_printf(out, "%s%s:%s", i ? "\n" : "", c[i].name,
			   c[i].value);
	}
	buf_append_str(out, "\n");
}

static void append_names(struct buf *out, const struct canon *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!i || strcmp(c[i].name, c[i - 1].name) != 0)
			buf_printf(out, "%s%s", i ? ";" : "", c[i].name);
	}
}

/* The digest of the canonical request as text. */
static enum rc hash_request(const struct sigv4_request *rq,
			    const struct canon *headers,
			    char ret[HEX_TEXT(SHA256_LEN)], struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	uint8_t hash[SHA256_LEN];

	buf_init(&b, TEXT_MAX);
	buf_printf(&b, "%s\n%s\n", rq->method, rq->path);
	sigv4_query(&b, rq->query, rq->n_query);
	buf_append_str(&b, "\n");
	append_headers(&b, headers, rq->n_headers);
	buf_append_str(&b, "\n");
	append_names(&b, headers, rq->n_headers);
	buf_printf(&b, "\n%s", rq->payload_hash);
	if (!buf_ok(&b))
		return err_set(err, RC_LIMIT,
			       "request too long to be signed: over %u bytes",
			       TEXT_MAX);
	sha256_of(b.p, b.len, hash);
	hex_encode(hash, sizeof(hash), ret);
	explicit_bzero(b.p, b.len);
	return RC_OK;
}

static void keyed(const void *key, size_t key_len, const char *text,
		  uint8_t ret[HMAC_LEN])
{
	struct hmac h;

	hmac_init(&h, key, key_len);
	hmac_update(&h, text, strlen(text));
	hmac_final(&h, ret);
}

static void sign(const struct sigv4_key *key, const char *day, const char *text,
		 char ret[HEX_TEXT(SHA256_LEN)])
{
	CLEANUP_FREE char *secret = xasprintf("AWS4%s", key->secret);
	uint8_t a[SHA256_LEN], b[SHA256_LEN];

	keyed(secret, strlen(secret), day, a);
	keyed(a, sizeof(a), key->region, b);
	keyed(b, sizeof(b), key->service, a);
	keyed(a, sizeof(a), "aws4_request", b);
	keyed(b, sizeof(b), text, a);
	hex_encode(a, sizeof(a), ret);
	explicit_bzero(secret, strlen(secret));
	explicit_bzero(a, sizeof(a));
	explicit_bzero(b, sizeof(b));
}

static enum rc append_authorization(struct buf *out,
				    const struct sigv4_key *key,
				    const struct sigv4_request *rq,
				    const struct canon *headers,
				    struct err *err)
{
	char hash[HEX_TEXT(SHA256_LEN)], signature[HEX_TEXT(SHA256_LEN)];
	char date[SIGV4_DATE_TEXT], day[DAY_LEN + 1] = "";
	CLEANUP_FREE char *scope = NULL;
	CLEANUP_FREE char *text = NULL;

	sigv4_date(rq->time, date);
	memcpy(day, date, DAY_LEN);
	if (hash_request(rq, headers, hash, err))
		return err->rc;
	scope = xasprintf("%s/%s/%s/aws4_request", day, key->region,
			  key->service);
	text = xasprintf("AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, hash);
	sign(key, day, text, signature);
	buf_printf(out, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=",
		   key->access, scope);
	append_names(out, headers, rq->n_headers);
	buf_printf(out, ", Signature=%s", signature);
	return buf_ok(out) ? RC_OK
			   : err_set(err, RC_LIMIT,
				     "no room for the signature of a request");
}

enum rc sigv4_authorization(struct buf *out, const struct sigv4_key *key,
			    const struct sigv4_request *rq, struct err *err)
{
	struct canon *headers = canon_headers(rq);
	enum rc rc = append_authorization(out, key, rq, headers, err);

	canon_free(headers, rq->n_headers);
	return rc;
}
