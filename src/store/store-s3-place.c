/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-place.c - from s3://bucket/prefix and settings to hosts and paths.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/key.h"
#include "base/mem.h"
#include "store/store-s3-backend.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define HOST_MAX 253
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* AWS's rules, and what other servers and old buckets have beyond them. */
static bool bucket_is_valid(const char *b)
{
	size_t len = strlen(b);

	return len >= 3 && len <= 63 &&
	       strspn(b, LOWER UPPER DIGITS "._-") == len &&
	       strspn(b, LOWER UPPER DIGITS) && b[len - 1] != '.' &&
	       b[len - 1] != '-' && !strstr(b, "..");
}

/* May it be the first part of a host name, also for a certificate? */
static bool bucket_is_label(const char *b)
{
	return strspn(b, LOWER DIGITS "-") == strlen(b);
}

enum rc s3_parse_place(const char *rest, char bucket[64], char **ret_prefix,
		       struct err *err)
{
	size_t len = strcspn(rest, "/");
	CLEANUP_FREE char *name = xmemdup0(rest, len);
	CLEANUP_FREE char *prefix = NULL;

	/* KEY:SECRET@BUCKET is how other programs take credentials. */
	if (strchr(name, '@') || strchr(name, ':'))
		return err_set(err, RC_USAGE,
			       "s3://BUCKET must not have a user name, a key "
			       "or a port: see CREDENTIALS in desfs.conf(5)");
	if (!bucket_is_valid(name))
		return err_set(err, RC_USAGE,
			       "s3://%s: '%s' cannot be the name of a bucket",
			       rest, name);
	rest += len;
	rest += strspn(rest, "/");
	len = strlen(rest);
	while (len && rest[len - 1] == '/')
		len--;
	prefix = xmemdup0(rest, len);
	if (len && !key_is_valid(prefix))
		return err_set(err, RC_USAGE,
			       "s3://%s/%s: not a valid prefix for keys", name,
			       prefix);
	snprintf(bucket, 64, "%s", name);
	*ret_prefix = xasprintf("%s%s", prefix, len ? "/" : "");
	return RC_OK;
}

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static bool host_is_address(const char *host)
{
	struct in6_addr a;

	return inet_pton(AF_INET, host, &a) == 1 ||
	       inet_pton(AF_INET6, host, &a) == 1;
}

enum rc s3_find_endpoint(struct s3_store *s, const struct store_settings *set,
			 struct err *err)
{
	const char *text = set->endpoint;
	size_t len;

	if (!text || !*text)
		text = env("AWS_ENDPOINT_URL_S3");
	if (!text)
		text = env("AWS_ENDPOINT_URL");
	s->is_aws = !text;
	s->is_path_style = set->path_style == PATH_STYLE_YES ||
			   (set->path_style == PATH_STYLE_AUTO &&
			    (text || !bucket_is_label(s->bucket)));
	if (text && url_parse(text, &s->endpoint, err))
		return err_prefix(err, "endpoint");
	if (!s->is_path_style && !bucket_is_label(s->bucket))
		return err_set(err, RC_USAGE,
			       "bucket %s cannot be a part of a host's name: "
			       "use path_style=yes",
			       s->bucket);
	if (!s->is_path_style && text && host_is_address(s->endpoint.host))
		return err_set(err, RC_USAGE,
			       "endpoint %s is an address, which cannot have "
			       "the bucket in front: use path_style=yes",
			       s->endpoint.host);
	/* Cut, it would be the name of another server. */
	if (!s->is_path_style &&
	    strlen(s->bucket) + 1 + strlen(s->endpoint.host) > HOST_MAX)
		return err_set(err, RC_USAGE,
			       "endpoint: its host has no room for the bucket "
			       "in front: use path_style=yes");
	len = strlen(s->endpoint.path);
	while (len && s->endpoint.path[len - 1] == '/')
		s->endpoint.path[--len] = '\0';
	return RC_OK;
}

bool s3_region_is_valid(const char *region)
{
	size_t len = strlen(region);

	return len && len < 64 && strspn(region, LOWER DIGITS "-") == len;
}

static bool ends_with(const char *s, const char *with)
{
	size_t a = strlen(s);
	size_t b = strlen(with);

	return a > b && !strcmp(s + a - b, with);
}

bool s3_host_is_aws(const char *host)
{
	return ends_with(host, ".amazonaws.com") ||
	       ends_with(host, ".amazonaws.com.cn");
}

void s3_server(const struct s3_store *s, const char *region, struct url *ret)
{
	struct url u = { .is_https = true };

	if (!s->is_aws)
		u = s->endpoint;
	else
		snprintf(u.host, sizeof(u.host), "s3.%s.amazonaws.com%s",
			 region, strncmp(region, "cn-", 3) != 0 ? "" : ".cn");
	*ret = u;
	if (!s->is_path_style)
		snprintf(ret->host, sizeof(ret->host), "%s.%.191s", s->bucket,
			 u.host);
}

void s3_path(const struct s3_store *s, const char *full_key, struct buf *out)
{
	buf_append_str(out, s->is_aws ? "" : s->endpoint.path);
	if (s->is_path_style) {
		buf_append_str(out, "/");
		url_encode(out, s->bucket, false);
	}
	if (full_key) {
		buf_append_str(out, "/");
		url_encode(out, full_key, true);
	} else if (!s->is_path_style) {
		buf_append_str(out, "/");
	}
}

char *s3_full_key(const struct s3_store *s, const char *key)
{
	return xasprintf("%s%s", s->prefix, key);
}
