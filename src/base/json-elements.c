/* SPDX-License-Identifier: Apache-2.0 */
/* json-elements.c - the elements of a long array in a JSON document. */
#include "config.h"

#include "base/json-elements.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

/* Behind the string that begins at p; end when it has no end. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return end;
}

/* The first ',', ']' or '}' from p on that is not within an array or an object
 * that begins there; end when there is none.
 */
static const char *skip_value(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		switch (*p) {
		case '"': p = skip_string(p, end); continue;
		case '[':
		case '{': depth++; break;
		case ']':
		case '}':
			if (!depth)
				return p;
			depth--;
			break;
		case ',':
			if (!depth)
				return p;
			break;
		default: break;
		}
		p++;
	}
	return end;
}

/* Is the string from p to end, with its quotes, written as name? */
static bool is_name(const char *p, const char *end, const char *name)
{
	size_t len = strlen(name);

	return (size_t)(end - p) == len + 2 && !memcmp(p + 1, name, len);
}

/* The value of the member name, from behind the '{' on. */
static const char *find_member(const char *p, const char *end, const char *name)
{
	for (;;) {
		const char *key = skip_blanks(p, end);

		if (key == end || *key != '"')
			return NULL;
		p = skip_string(key, end);
		if (is_name(key, p, name)) {
			p = skip_blanks(p, end);
			if (p == end || *p != ':')
				return NULL;
			return skip_blanks(p + 1, end);
		}
		p = skip_value(p, end);
		if (p == end || *p != ',')
			return NULL;
		p++;
	}
}

/* The ']' that ends the array behind whose '[' p is. */
static const char *find_end(const char *p, const char *end)
{
	for (;;) {
		p = skip_value(p, end);
		if (p == end || *p != ',')
			return p;
		p++;
	}
}

bool json_elements_find(struct json_elements *ret, const void *p, size_t len,
			const char *name)
{
	const char *text = p, *end, *first, *last;

	if (!len)
		return false;
	end = text + len;
	first = skip_blanks(text, end);
	if (first == end || *first != '{')
		return false;
	first = find_member(first + 1, end, name);
	if (!first || first == end || *first != '[')
		return false;
	first = skip_blanks(first + 1, end);
	last = find_end(first, end);
	if (last == end || *last != ']')
		return false;
	*ret = (struct json_elements){
		.before = { text, (size_t)(first - text) },
		.rest = { first, (size_t)(last - first) },
		.after = { last, (size_t)(end - last) },
	};
	return true;
}

bool json_elements_next(struct json_elements *e, struct json_piece *ret)
{
	const char *p = e->rest.p, *end = p + e->rest.len;

	if (!e->is_begun && !e->rest.len)
		return false; /* an array of nothing */
	if (e->is_begun) {
		if (p == end)
			return false;
		p++; /* the ',' */
	}
	e->is_begun = true;
	ret->p = p;
	p = skip_value(p, end);
	ret->len = (size_t)(p - ret->p);
	e->rest = (struct json_piece){ p, (size_t)(end - p) };
	return true;
}
