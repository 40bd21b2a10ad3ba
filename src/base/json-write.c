/* SPDX-License-Identifier: Apache-2.0 */
/* json-write.c - the canonical form of JSON values.
 *
 * All that is read of a log is written again for its digest.  jansson's own
 * writer sorts what mostly is in order, looks each member up again and gives
 * its output away a few bytes at a time: it takes four times as long.
 */
#include "config.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"

/* --- strings -------------------------------------------------------------- */

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static void write_escape(uint8_t c, struct buf *out)
{
	static const char special[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; special[i]; i += 2) {
		if ((uint8_t)special[i] == c) {
			const char text[] = { '\\', special[i + 1] };

			buf_append(out, text, sizeof(text));
			return;
		}
	}
	buf_printf(out, "\\u%04X", c);
}

/* UTF-8 is written as it is. */
static void write_string(const char *s, size_t len, struct buf *out)
{
	size_t from = 0;

	buf_append(out, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		if (is_plain((uint8_t)s[i]))
			continue;
		buf_append(out, s + from, i - from);
		write_escape((uint8_t)s[i], out);
		from = i + 1;
	}
	buf_append(out, s + from, len - from);
	buf_append(out, "\"", 1);
}

/* --- members -------------------------------------------------------------- */

struct member {
	const char *key;
	size_t len;
	const json_t *value;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

/* In order, which they mostly are already. */
static struct member *members_of(const json_t *obj, size_t *ret_n)
{
	json_t *o = (json_t *)(uintptr_t)obj;
	struct member *m =
		xcalloc(json_object_size(obj) + 1, sizeof(struct member));
	bool is_sorted = true;
	size_t n = 0;

	for (void *at = json_object_iter(o); at;
	     at = json_object_iter_next(o, at)) {
		m[n] = (struct member){ json_object_iter_key(at),
					json_object_iter_key_len(at),
					json_object_iter_value(at) };
		is_sorted &= !n || compare_members(&m[n - 1], &m[n]) < 0;
		n++;
	}
	if (!is_sorted)
		qsort(m, n, sizeof(*m), compare_members);
	*ret_n = n;
	return m;
}

static void write_members(const struct member *m, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_append(out, ",", 1);
		write_string(m[i].key, m[i].len, out);
		buf_append(out, ":", 1);
		json_write(m[i].value, out);
	}
}

static void write_object(const json_t *obj, struct buf *out)
{
	size_t n;
	CLEANUP_FREE struct member *m = members_of(obj, &n);

	buf_append(out, "{", 1);
	write_members(m, n, out);
	buf_append(out, "}", 1);
}

/* --- values --------------------------------------------------------------- */

static void write_array(const json_t *array, struct buf *out)
{
	buf_append(out, "[", 1);
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i)
			buf_append(out, ",", 1);
		json_write(json_array_get(array, i), out);
	}
	buf_append(out, "]", 1);
}

static void write_integer(int64_t v, struct buf *out)
{
	char text[24], *at = text + sizeof(text);
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		*--at = (char)('0' + left % 10);
	} while (left /= 10);
	if (v < 0)
		*--at = '-';
	buf_append(out, at, (size_t)(text + sizeof(text) - at));
}

static int append(const char *p, size_t len, void *arg)
{
	buf_append(arg, p, len);
	return 0;
}

/* Nothing of ours has one, but what is read may. */
static void write_real(const json_t *j, struct buf *out)
{
	if (json_dump_callback(j, append, out, JSON_COMPACT | JSON_ENCODE_ANY))
		abort();
}

/* As deep as jansson reads, which is 2048. */
void json_write(const struct json_t *j, struct buf *out)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT: write_object(j, out); break;
	case JSON_ARRAY: write_array(j, out); break;
	case JSON_STRING:
		write_string(json_string_value(j), json_string_length(j), out);
		break;
	case JSON_INTEGER: write_integer(json_integer_value(j), out); break;
	case JSON_REAL: write_real(j, out); break;
	case JSON_TRUE: buf_append_str(out, "true"); break;
	case JSON_FALSE: buf_append_str(out, "false"); break;
	case JSON_NULL: buf_append_str(out, "null"); break;
	}
}

void json_write_around(const struct json_t *obj, const char *name,
		       struct buf *before, struct buf *after)
{
	const struct member like = { .key = name, .len = strlen(name) };
	size_t n, low = 0;
	CLEANUP_FREE struct member *m = members_of(obj, &n);

	while (low < n && compare_members(&m[low], &like) < 0)
		low++;
	buf_append(before, "{", 1);
	write_members(m, low, before);
	buf_printf(before, "%s\"%s\":[", low ? "," : "", name);
	buf_append_str(after, low < n ? "]," : "]");
	write_members(m + low, n - low, after);
	buf_append(after, "}", 1);
}
