/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-json.c - the members of an object that is known to be JSON. */
#include "config.h"

#include <string.h>

#include "exchange/manifest-fields.h"

/* What is left of the object. */
struct scan {
	const char *p, *end;
};

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' ||
				 *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool take(struct scan *s, char b)
{
	skip_blanks(s);
	if (s->p >= s->end || *s->p != b)
		return false;
	s->p++;
	return true;
}

/* From behind one quote to behind the next. */
static void skip_string(struct scan *s)
{
	while (s->p < s->end && *s->p != '"')
		s->p += *s->p == '\\' ? 2 : 1;
	s->p++;
}

/* From behind one bracket to behind the one that belongs to it. */
static void skip_nested(struct scan *s)
{
	for (size_t depth = 1; depth && s->p < s->end;) {
		char b = *s->p++;

		if (b == '"')
			skip_string(s);
		else if (b == '{' || b == '[')
			depth++;
		else if (b == '}' || b == ']')
			depth--;
	}
}

static struct span value(struct scan *s)
{
	const char *from;

	skip_blanks(s);
	from = s->p;
	if (s->p >= s->end)
		return span_of(from, 0);
	switch (*s->p++) {
	case '"': skip_string(s); break;
	case '{':
	case '[': skip_nested(s); break;
	default:
		while (s->p < s->end && !strchr(",}] \t\r\n", *s->p))
			s->p++;
	}
	return span_of(from, (size_t)(s->p - from));
}

/* --- strings -------------------------------------------------------------- */

static uint32_t hex4(const char *p)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 4; i++) {
		char b = p[i];
		int digit = b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10;

		v = v << 4 | (uint32_t)digit;
	}
	return v;
}

static char *put_utf8(char *to, uint32_t c)
{
	static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	unsigned int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (unsigned int i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(first[n == 1 ? 0 : n] | c);
	return to + n;
}

/* The character of an escape \u, p being behind the u; NULL: of none. */
static const char *unescape_u(const char *p, const char *end, char **to)
{
	uint32_t c = hex4(p), low;

	p += 4;
	if (c >= 0xd800 && c < 0xe000) {
		if (c >= 0xdc00 || end - p < 6 || p[0] != '\\' || p[1] != 'u')
			return NULL;
		low = hex4(p + 2);
		if (low < 0xdc00 || low >= 0xe000)
			return NULL;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	*to = put_utf8(*to, c);
	return p;
}

/* The bytes of a string, which is without its quotes. */
static bool unescape(struct span text, struct buf *bytes, struct span *ret)
{
	static const char from[] = "\"\\/bfnrt", as[] = "\"\\/\b\f\n\r\t";
	const char *p = text.p, *end = text.p + text.len;
	char *begin, *to;

	*ret = text;
	if (!text.len || !memchr(text.p, '\\', text.len))
		return true;
	begin = (char *)buf_reserve(bytes, text.len);
	if (!begin)
		return false;
	for (to = begin; p < end;) {
		if (*p != '\\') {
			*to++ = *p++;
		} else if (p[1] != 'u') {
			*to++ = as[strchr(from, p[1]) - from];
			p += 2;
		} else {
			p = unescape_u(p + 2, end, &to);
			if (!p)
				return false;
		}
	}
	bytes->len += (size_t)(to - begin);
	*ret = span_of(begin, (size_t)(to - begin));
	return true;
}

/* --- members -------------------------------------------------------------- */

static bool is_integer(struct span s)
{
	size_t i = s.len && *s.p == '-';

	if (i == s.len)
		return false;
	for (; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static enum rc set_value(struct manifest_value *v, struct span raw,
			 struct buf *bytes, struct err *err)
{
	v->text = raw;
	if (*raw.p == '"') {
		v->kind = MANIFEST_TEXT;
		raw = span_of(raw.p + 1, raw.len - 2);
		if (!unescape(raw, bytes, &v->text))
			return err_set(err, RC_CORRUPT,
				       "%s has half of a surrogate pair",
				       v->name);
		return RC_OK;
	}
	if (*raw.p == '{')
		v->kind = MANIFEST_OBJECT;
	else if (*raw.p == 'n')
		v->kind = MANIFEST_NONE;
	else
		v->kind = is_integer(raw) ? MANIFEST_INTEGER : MANIFEST_OTHER;
	return RC_OK;
}

/* Names of members, as bits. */
static enum rc add_member(struct span quoted_name, struct span raw,
			  struct buf *bytes, struct manifest_fields *ret,
			  uint32_t *seen, struct err *err)
{
	struct manifest_value v = { .kind = MANIFEST_NONE };
	enum manifest_field field;
	struct span name;

	if (!unescape(span_of(quoted_name.p + 1, quoted_name.len - 2), bytes,
		      &name))
		return RC_OK;
	field = manifest_field_of(name, &v.name, &v.rank);
	if (field == MANIFEST_FIELDS)
		return RC_OK;
	if (*seen >> v.rank & 1)
		return err_set(err, RC_CORRUPT, "%s occurs twice", v.name);
	*seen |= UINT32_C(1) << v.rank;
	if (set_value(&v, raw, bytes, err))
		return err->rc;
	if (v.kind != MANIFEST_NONE && (ret->v[field].kind == MANIFEST_NONE ||
					v.rank < ret->v[field].rank))
		ret->v[field] = v;
	return RC_OK;
}

enum rc manifest_json_fields(struct span object, struct buf *bytes,
			     struct manifest_fields *ret, struct err *err)
{
	struct scan s = { .p = object.p, .end = object.p + object.len };
	uint32_t seen = 0;

	*ret = (struct manifest_fields){ .v = { { .kind = MANIFEST_NONE } } };
	buf_clear(bytes);
	/* Where it is stays the same from now on. */
	if (!buf_reserve(bytes, object.len + 1))
		return err_set(err, RC_NOMEM, "record: out of memory");
	if (!take(&s, '{'))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	while (!take(&s, '}')) {
		struct span name = value(&s), raw;

		if (name.len < 2 || !take(&s, ':'))
			return err_set(err, RC_CORRUPT, "not JSON");
		raw = value(&s);
		if (!raw.len)
			return err_set(err, RC_CORRUPT, "not JSON");
		if (add_member(name, raw, bytes, ret, &seen, err))
			return err->rc;
		(void)take(&s, ',');
	}
	return RC_OK;
}
