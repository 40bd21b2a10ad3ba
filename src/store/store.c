/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - finds the backend for a URL, checks keys, counts. */
#include "config.h"

#include "store/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/key.h"
#include "base/mem.h"
#include "net/net-libraries.h"
#include "store/store-backend.h"

#define TAIL_WINDOW_REMOTE (256u << 10)
#define TAIL_WINDOW_LOCAL (32u << 10)

static const struct store_backend *const backends[] = {
	&store_backend_local,
	&store_backend_s3,
	&store_backend_http,
	&store_backend_zone,
};

/* Length of the scheme of a URL; 0 for a path. */
static size_t scheme_len(const char *url)
{
	const char *end = strstr(url, "://");
	size_t len = end ? (size_t)(end - url) : 0;

	return len == strspn(url, "abcdefghijklmnopqrstuvwxyz0123456789+.-")
		       ? len
		       : 0;
}

static bool has_scheme(const struct store_backend *b, const char *scheme,
		       size_t len)
{
	for (const char *const *s = b->schemes; *s; s++) {
		if (strlen(*s) == len && !memcmp(*s, scheme, len))
			return true;
	}
	return false;
}

enum rc store_find_backend(const char *url, const struct store_backend **ret,
			   const char **ret_rest, struct err *err)
{
	size_t len = scheme_len(url);
	const char *scheme = len ? url : "file";

	if (!*url)
		return err_set(err, RC_USAGE, "empty name of an archive");
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		if (!has_scheme(backends[i], scheme, len ? len : 4))
			continue;
		*ret = backends[i];
		*ret_rest = len ? url + len + 3 : url;
		return RC_OK;
	}
	/* The rest may have a password. */
	return err_set(err, RC_USAGE, "no store for %.*s:// is built in",
		       (int)len, url);
}

const struct store_settings store_settings_default;

/* The scheme without "://"; free() it. */
static char *scheme_of(const char *url)
{
	size_t len = scheme_len(url);

	return len ? xmemdup0(url, len) : xstrdup("file");
}

enum rc store_open(struct store **ret, const char *url,
		   const struct store_settings *set, struct err *err)
{
	const struct store_backend *ops = NULL;
	const char *rest = NULL;
	CLEANUP_FREE char *scheme = NULL;
	struct store *st = NULL;

	if (store_find_backend(url, &ops, &rest, err))
		return err->rc;
	scheme = scheme_of(url);
	if (ops->open(&st, scheme, rest, set ? set : &store_settings_default,
		      err))
		return err->rc;
	st->ops = ops;
	st->url = xstrdup(url);
	*ret = st;
	return RC_OK;
}

void store_close(struct store *st)
{
	if (!st)
		return;
	free(st->url);
	free(st->location);
	st->ops->close(st);
}

const char *store_url(const struct store *st)
{
	return st->url;
}

bool store_is_remote(const struct store *st)
{
	return st->ops->is_remote || st->is_remote;
}

/* Where a second read costs next to nothing a first one should not either. */
size_t store_tail_window(const struct store *st)
{
	return store_is_remote(st) ? TAIL_WINDOW_REMOTE : TAIL_WINDOW_LOCAL;
}

bool store_lists_lag(const struct store *st)
{
	return st->lists_lag;
}

unsigned int store_n_bits(const struct store *st)
{
	return st->n_bits;
}

const char *store_location(const struct store *st)
{
	return st->location ? st->location : st->url;
}

bool store_key_is_listed(const char *key)
{
	size_t len = strlen(key);

	return key_is_valid(key) ||
	       (!strncmp(key, STORE_HOLDS, strlen(STORE_HOLDS)) &&
		key[len - 1] != '/');
}

static enum rc check_key(const char *key, struct err *err)
{
	if (key_is_valid(key))
		return RC_OK;
	return err_set(err, RC_USAGE, "%s: not a valid key", key);
}

enum rc store_read_tail(struct store *st, const char *key, size_t max,
			struct buf *ret, struct object_info *ret_info,
			struct err *err)
{
	size_t before = ret->len;

	if (check_key(key, err) ||
	    st->ops->read_tail(st, key, max, ret, ret_info, err))
		return err->rc;
	st->reads++;
	st->bytes_read += ret->len - before;
	return RC_OK;
}

static enum rc read_range(struct store *st, const char *key,
			  const struct object_info *expect, uint64_t off,
			  void *buf, size_t len, bool is_ahead, struct err *err)
{
	if (check_key(key, err) ||
	    st->ops->read(st, key, expect, off, buf, len, is_ahead, err))
		return err->rc;
	st->reads++;
	st->bytes_read += len;
	return RC_OK;
}

enum rc store_read(struct store *st, const char *key,
		   const struct object_info *expect, uint64_t off, void *buf,
		   size_t len, struct err *err)
{
	return read_range(st, key, expect, off, buf, len, false, err);
}

enum rc store_read_ahead(struct store *st, const char *key,
			 const struct object_info *expect, uint64_t off,
			 void *buf, size_t len, struct err *err)
{
	return read_range(st, key, expect, off, buf, len, true, err);
}

enum rc store_check_tail(const struct store_check *check, const struct buf *b,
			 size_t before, const struct object_info *info,
			 struct err *err)
{
	/* For an empty object nothing may have been allocated. */
	const void *p = b->p ? b->p + before : (const uint8_t *)"";

	return check->fn(check->arg, p, b->len - before, info, err);
}

enum rc store_read_tail_checked(struct store *st, const char *key, size_t max,
				struct buf *ret, struct object_info *ret_info,
				store_check_fn *check, void *arg,
				struct err *err)
{
	const struct store_check c = { check, arg };
	size_t before = ret->len;

	if (!st->ops->read_tail_checked) {
		if (store_read_tail(st, key, max, ret, ret_info, err))
			return err->rc;
		return store_check_tail(&c, ret, before, ret_info, err);
	}
	if (check_key(key, err) ||
	    st->ops->read_tail_checked(st, key, max, ret, ret_info, &c, err))
		return err->rc;
	st->reads++;
	st->bytes_read += ret->len - before;
	return RC_OK;
}

enum rc store_read_checked(struct store *st, const char *key,
			   const struct object_info *expect, uint64_t off,
			   void *buf, size_t len, store_check_fn *check,
			   void *arg, struct err *err)
{
	const struct store_check c = { check, arg };

	if (!st->ops->read_checked) {
		if (store_read(st, key, expect, off, buf, len, err))
			return err->rc;
		return check(arg, buf, len, NULL, err);
	}
	if (check_key(key, err) ||
	    st->ops->read_checked(st, key, expect, off, buf, len, &c, err))
		return err->rc;
	st->reads++;
	st->bytes_read += len;
	return RC_OK;
}

enum rc store_read_all(struct store *st, const char *key, size_t max,
		       struct buf *ret, struct err *err)
{
	struct object_info info;
	size_t before = ret->len;

	if (store_read_tail(st, key, max, ret, &info, err))
		return err->rc;
	if (info.size <= max)
		return RC_OK;
	ret->len = before;
	return err_set(err, RC_LIMIT,
		       "%s: has %" PRIu64 " bytes, at most %zu are read", key,
		       info.size, max);
}

enum rc store_list(struct store *st, const char *prefix,
		   const char *start_after, store_list_fn *fn, void *arg,
		   struct err *err)
{
	st->lists++;
	return st->ops->list(st, prefix, start_after ? start_after : "", fn,
			     arg, err);
}

void store_count(struct store *st, struct store_counters *ret)
{
	*ret = (struct store_counters){ .reads = st->reads,
					.bytes_read = st->bytes_read,
					.lists = st->lists };
	if (st->ops->count)
		st->ops->count(st, ret);
}

void store_let_go(struct store *st, const char *key)
{
	if (st->ops->let_go)
		st->ops->let_go(st, key);
}

void store_each_zone(struct store *st, store_zone_fn *fn, void *arg)
{
	if (st->ops->each_zone)
		st->ops->each_zone(st, fn, arg);
}

const char *store_libraries(void)
{
	return net_libraries();
}
