/* SPDX-License-Identifier: Apache-2.0 */
/* fake-request.c - a request taken apart: see fake-s3.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "fake-s3.h"

#define BODY_MAX ((size_t)2 << 30)

#define FAKE_KIND_TEXT(name) #name,
const char *fake_kind_name(enum fake_kind kind)
{
	static const char *const names[] = { FAKE_KINDS(FAKE_KIND_TEXT) };

	return names[kind];
}

int64_t fake_now(const struct fake *fake)
{
	return clock_wall_ns() / (int64_t)CLOCK_NS_PER_SEC + fake->clock;
}

static int digit(char c)
{
	const char *all = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(all, c) : NULL;

	return at ? (int)((at - all) % 16) : -1;
}

/* '+' stands for itself: S3 wants %20 for a space. */
char *fake_decode(const char *s, size_t len)
{
	char *out = xcalloc(len + 1, 1), *o = out;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%' && i + 2 < len && digit(s[i + 1]) >= 0 &&
		    digit(s[i + 2]) >= 0) {
			*o++ = (char)(digit(s[i + 1]) * 16 + digit(s[i + 2]));
			i += 2;
		} else {
			*o++ = s[i];
		}
	}
	return out;
}

void fake_encode(struct buf *out, const char *s, bool keep_slash)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-_.~";

	for (; *s; s++) {
		if (strchr(plain, *s) || (keep_slash && *s == '/'))
			buf_append(out, s, 1);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

static void parse_query(struct fake_request *rq, const char *s)
{
	size_t cap = 0;

	while (*s) {
		size_t len = strcspn(s, "&"), name = strcspn(s, "=&");

		if (len) {
			rq->query = mem_grow(rq->query, &cap, rq->n_query + 1,
					     sizeof(*rq->query));
			rq->query[rq->n_query++] = (struct fake_pair){
				.name = fake_decode(s, name),
				.value = name < len
						 ? fake_decode(s + name + 1,
							       len - name - 1)
						 : xstrdup(""),
			};
		}
		s += len + (s[len] == '&');
	}
}

struct fake_request *fake_request_new(struct fake *fake, const char *uri)
{
	struct fake_request *rq = xcalloc(1, sizeof(*rq));
	size_t len = strcspn(uri, "?");

	rq->fake = fake;
	rq->target = xstrdup(uri);
	rq->path = xmemdup0(uri, len);
	if (uri[len])
		parse_query(rq, uri + len + 1);
	buf_init(&rq->body, BODY_MAX);
	rq->reply = fake_reply_new();
	fake_fault_init(&rq->fault);
	return rq;
}

void fake_request_free(struct fake_request *rq)
{
	if (!rq)
		return;
	for (size_t i = 0; i < rq->n_query; i++) {
		free(rq->query[i].name);
		free(rq->query[i].value);
	}
	free(rq->query);
	free(rq->target);
	free(rq->path);
	free(rq->bucket);
	free(rq->key);
	buf_release(&rq->body);
	fake_reply_free(rq->reply);
	free(rq);
}

const char *fake_header(const struct fake_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->conn, MHD_HEADER_KIND, name);
}

const char *fake_query(const struct fake_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->n_query; i++)
		if (!strcmp(rq->query[i].name, name))
			return rq->query[i].value;
	return NULL;
}

uint64_t fake_query_number(const struct fake_request *rq, const char *name,
			   uint64_t otherwise)
{
	const char *s = fake_query(rq, name);

	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

/* "bucket.host:port" when host is the server's; NULL otherwise. */
static char *virtual_host(const struct fake_request *rq)
{
	const char *host = fake_header(rq, "Host");
	const char *below = rq->fake->host;
	size_t len, skip;

	if (!host || !below)
		return NULL;
	len = strcspn(host, ":");
	skip = strlen(below) + 1;
	if (len <= skip || host[len - skip] != '.' ||
	    strncasecmp(host + len - skip + 1, below, skip - 1) != 0)
		return NULL;
	return xmemdup0(host, len - skip);
}

static void find_object(struct fake_request *rq)
{
	const char *s = rq->path + (*rq->path == '/');

	if (rq->fake->web) {
		rq->key = fake_decode(s, strlen(s));
		return;
	}
	rq->bucket = virtual_host(rq);
	if (!rq->bucket) {
		size_t len = strcspn(s, "/");

		if (len)
			rq->bucket = fake_decode(s, len);
		s += len + (s[len] == '/');
	}
	if (*s)
		rq->key = fake_decode(s, strlen(s));
}

static enum fake_kind kind_of_bucket(const struct fake_request *rq)
{
	if (!rq->bucket || strcmp(rq->method, "GET") != 0 ||
	    fake_query(rq, "location") || fake_query(rq, "versioning") ||
	    fake_query(rq, "object-lock"))
		return KIND_BUCKET;
	if (fake_query(rq, "versions"))
		return KIND_VERSIONS;
	return fake_query(rq, "uploads") ? KIND_UPLOADS : KIND_LIST;
}

static enum fake_kind kind_of(const struct fake_request *rq)
{
	const char *m = rq->method;
	bool is_upload = fake_query(rq, "uploadId");

	if (!rq->key)
		return kind_of_bucket(rq);
	if (!strcmp(m, "GET"))
		return KIND_GET;
	if (!strcmp(m, "HEAD"))
		return KIND_HEAD;
	if (!strcmp(m, "DELETE"))
		return is_upload ? KIND_ABORT : KIND_DELETE;
	if (!strcmp(m, "POST") && fake_query(rq, "uploads"))
		return KIND_CREATE;
	if (!strcmp(m, "POST") && is_upload)
		return KIND_COMPLETE;
	if (strcmp(m, "PUT") != 0)
		return KIND_OTHER;
	if (fake_header(rq, "x-amz-copy-source"))
		return is_upload ? KIND_PARTCOPY : KIND_COPY;
	return is_upload ? KIND_PART : KIND_PUT;
}

void fake_request_complete(struct fake_request *rq)
{
	uint8_t raw[SHA256_LEN];
	const char *p = buf_str(&rq->body);

	find_object(rq);
	rq->kind = kind_of(rq);
	sha256_of(p, rq->body.len, raw);
	hex_encode(raw, sizeof(raw), rq->sha256);
	fake_md5(p, rq->body.len, rq->md5);
}
