/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - JSON by jansson, which no other file but json-write.c includes. */
#include "config.h"

#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/percent.h"
#include "base/timestamp.h"

enum rc json_parse(const void *p, size_t len, size_t max, struct json_t **ret,
		   struct err *err)
{
	json_error_t why;
	json_t *j;

	if (len > max)
		return err_set(err, RC_LIMIT,
			       "document has %zu bytes, at most %zu are read",
			       len, max);
	/* jansson wants a pointer even for nothing. */
	j = json_loadb(len ? p : "", len,
		       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (j) {
		*ret = j;
		return RC_OK;
	}
	if (json_error_code(&why) == json_error_out_of_memory)
		return err_set(err, RC_NOMEM, "document: out of memory");
	return err_set(err, RC_CORRUPT, "line %d, column %d: %s", why.line,
		       why.column, why.text);
}

void json_free(struct json_t *j)
{
	json_decref(j);
}

void json_free_p(struct json_t **j)
{
	json_decref(*j);
}

bool json_has(const struct json_t *obj, const char *name)
{
	return json_object_get(obj, name);
}

bool json_is_obj(const struct json_t *j)
{
	return json_is_object(j);
}

/* The member name, which must be of that type (JSON_TRUE: of either truth). */
static enum rc get(const json_t *obj, const char *name, json_type type,
		   const char *what, json_t **ret, struct err *err)
{
	json_t *j = json_object_get(obj, name);

	if (!j)
		return err_set(err, RC_CORRUPT, "no member %s", name);
	if (json_typeof(j) != type &&
	    !(type == JSON_TRUE && json_typeof(j) == JSON_FALSE))
		return err_set(err, RC_CORRUPT, "%s is not %s", name, what);
	*ret = j;
	return RC_OK;
}

enum rc json_get_i64(const struct json_t *obj, const char *name, int64_t min,
		     int64_t max, int64_t *ret, struct err *err)
{
	json_t *j = NULL;
	int64_t v;

	if (get(obj, name, JSON_INTEGER, "an integer", &j, err))
		return err->rc;
	v = json_integer_value(j);
	if (v < min || v > max)
		return err_set(err, RC_CORRUPT,
			       "%s is %" PRId64 ", not %" PRId64 " to %" PRId64,
			       name, v, min, max);
	*ret = v;
	return RC_OK;
}

enum rc json_get_u64(const struct json_t *obj, const char *name, uint64_t max,
		     uint64_t *ret, struct err *err)
{
	int64_t v = 0;

	if (max > JSON_INT_MAX)
		max = JSON_INT_MAX;
	if (json_get_i64(obj, name, 0, (int64_t)max, &v, err))
		return err->rc;
	*ret = (uint64_t)v;
	return RC_OK;
}

enum rc json_get_bool(const struct json_t *obj, const char *name, bool *ret,
		      struct err *err)
{
	json_t *j = NULL;

	if (get(obj, name, JSON_TRUE, "true or false", &j, err))
		return err->rc;
	*ret = json_is_true(j);
	return RC_OK;
}

enum rc json_get_str(const struct json_t *obj, const char *name, size_t max,
		     const char **ret, struct err *err)
{
	json_t *j = NULL;
	size_t len;

	if (get(obj, name, JSON_STRING, "a string", &j, err))
		return err->rc;
	len = json_string_length(j);
	if (len > max)
		return err_set(err, RC_CORRUPT,
			       "%s has %zu bytes, not at most %zu", name, len,
			       max);
	*ret = json_string_value(j);
	return RC_OK;
}

enum rc json_get_hex(const struct json_t *obj, const char *name, void *out,
		     size_t n, struct err *err)
{
	const char *text = "";

	if (json_get_str(obj, name, SIZE_MAX, &text, err))
		return err->rc;
	if (!hex_decode(text, strlen(text), out, n))
		return err_set(err, RC_CORRUPT, "%s is not %zu hex digits",
			       name, 2 * n);
	return RC_OK;
}

enum rc json_get_bytes(const struct json_t *obj, const char *name, size_t max,
		       char **ret, size_t *ret_len, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	const char *text = "";
	size_t len;

	if (json_get_str(obj, name, 3 * max, &text, err))
		return err->rc;
	len = strlen(text);
	buf_init(&b, len);
	if (!percent_decode(text, len, &b))
		return err_set(err, RC_CORRUPT, "%s is not percent-encoded",
			       name);
	if (b.len > max)
		return err_set(err, RC_CORRUPT,
			       "%s stands for %zu bytes, not at most %zu", name,
			       b.len, max);
	*ret_len = b.len;
	*ret = xmemdup0(b.p, b.len);
	return RC_OK;
}

enum rc json_get_time(const struct json_t *obj, const char *name, int64_t *ret,
		      struct err *err)
{
	struct timestamp t = { 0 };
	char again[TIMESTAMP_TEXT];
	const char *text = "";
	struct err why;

	if (json_get_str(obj, name, TIMESTAMP_TEXT - 1, &text, err))
		return err->rc;
	if (timestamp_parse(text, &t, &why))
		return err_set(err, RC_CORRUPT, "%s: %s", name, why.msg);
	timestamp_format(t.us, again);
	if (strcmp(text, again) != 0)
		return err_set(err, RC_CORRUPT, "%s is %s and not written %s",
			       name, text, again);
	*ret = t.us;
	return RC_OK;
}

enum rc json_get_obj(const struct json_t *obj, const char *name,
		     struct json_t **ret, struct err *err)
{
	return get(obj, name, JSON_OBJECT, "an object", ret, err);
}

enum rc json_get_array(const struct json_t *obj, const char *name, size_t max,
		       struct json_t **ret, size_t *ret_n, struct err *err)
{
	json_t *j = NULL;

	if (get(obj, name, JSON_ARRAY, "an array", &j, err))
		return err->rc;
	if (json_array_size(j) > max)
		return err_set(err, RC_CORRUPT,
			       "%s has %zu elements, not at most %zu", name,
			       json_array_size(j), max);
	*ret = j;
	*ret_n = json_array_size(j);
	return RC_OK;
}

struct json_t *json_at(const struct json_t *array, size_t i)
{
	return json_array_get(array, i);
}

const char *json_text(const struct json_t *j)
{
	return json_string_value(j);
}

/* jansson fails only for want of memory and for text that is not UTF-8. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static json_t *made(json_t *j)
{
	must(j);
	return j;
}

struct json_t *json_new_obj(void)
{
	return made(json_object());
}

struct json_t *json_new_array(void)
{
	return made(json_array());
}

void json_set(struct json_t *obj, const char *name, struct json_t *v)
{
	must(!json_object_set_new(obj, name, v));
}

void json_set_i64(struct json_t *obj, const char *name, int64_t v)
{
	json_set(obj, name, made(json_integer(v)));
}

void json_set_u64(struct json_t *obj, const char *name, uint64_t v)
{
	assert(v <= JSON_INT_MAX);
	json_set_i64(obj, name, (int64_t)v);
}

void json_set_bool(struct json_t *obj, const char *name, bool v)
{
	json_set(obj, name, json_boolean(v));
}

void json_set_str(struct json_t *obj, const char *name, const char *s)
{
	json_set(obj, name, made(json_string(s)));
}

void json_set_hex(struct json_t *obj, const char *name, const void *p, size_t n)
{
	CLEANUP_FREE char *text = xcalloc(HEX_TEXT(n), 1);

	hex_encode(p, n, text);
	json_set_str(obj, name, text);
}

void json_set_bytes(struct json_t *obj, const char *name, const void *p,
		    size_t len)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, SIZE_MAX - 1);
	percent_encode(p, len, &b);
	must(buf_ok(&b));
	json_set_str(obj, name, buf_str(&b));
}

void json_set_time(struct json_t *obj, const char *name, int64_t us)
{
	char text[TIMESTAMP_TEXT];

	timestamp_format(us, text);
	json_set_str(obj, name, text);
}

void json_add(struct json_t *array, struct json_t *v)
{
	must(!json_array_append_new(array, v));
}

struct json_t *json_new_str(const char *s)
{
	return made(json_string(s));
}

void json_add_str(struct json_t *array, const char *s)
{
	json_add(array, made(json_string(s)));
}

void json_unset(struct json_t *obj, const char *name)
{
	json_object_del(obj, name);
}
