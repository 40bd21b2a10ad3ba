/* SPDX-License-Identifier: Apache-2.0 */
/* json-members.c - brackets and strings are followed; json-check does the rest.
 */
#include "config.h"

#include "base/json-members.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compiler.h"

void json_members_init(struct json_members *m,
		       const struct json_members_handler *handler, size_t max)
{
	*m = (struct json_members){
		.handler = *handler,
		.level = 1,
	};
	json_check_init(&m->check);
	buf_init(&m->name, max);
	buf_init(&m->value, max);
}

void json_members_release(struct json_members *m)
{
	buf_release(&m->name);
	buf_release(&m->value);
}

static struct json_piece piece_of(const struct buf *b)
{
	return (struct json_piece){ b->p ? (const char *)b->p : "", b->len };
}

static bool is_blank(uint8_t b)
{
	return b == ' ' || b == '\t' || b == '\n' || b == '\r';
}

/* The value of a member is over: its ',' or the '}' of the object. */
static enum rc end_member(struct json_members *m, struct err *err)
{
	enum rc rc = RC_OK;

	/* An object without members has none to end. */
	if (m->use != JSON_MEMBER_SKIP && !m->is_name)
		rc = m->handler.value(m->handler.arg, m->level,
				      piece_of(&m->name), piece_of(&m->value),
				      err);
	m->use = JSON_MEMBER_SKIP;
	m->is_name = true;
	return rc;
}

/* A byte that is in no string. */
static enum rc step(struct json_members *m, uint8_t b, struct err *err)
{
	bool at_level = m->depth == m->level;
	bool is_kept = m->use != JSON_MEMBER_SKIP && !m->is_name;
	enum rc rc = RC_OK;

	switch (b) {
	case '{':
	case '[':
		m->depth++;
		if (m->depth == 1) {
			m->is_name = true;
			return RC_OK;
		}
		if (at_level && b == '{' && m->use == JSON_MEMBER_ENTER) {
			m->level++;
			m->use = JSON_MEMBER_SKIP;
			m->is_name = true;
			return RC_OK;
		}
		break;
	case '}':
	case ']':
		if (at_level)
			rc = end_member(m, err);
		m->depth--;
		if (at_level && m->level > 1) {
			/* Back in the member that was entered: no value. */
			m->level--;
			m->is_name = false;
		}
		if (at_level)
			return rc;
		break;
	case ',':
		if (at_level)
			return end_member(m, err);
		break;
	case ':':
		if (!at_level)
			break;
		m->is_name = false;
		m->use = m->handler.use(m->handler.arg, m->level,
					piece_of(&m->name));
		buf_clear(&m->value);
		return RC_OK;
	case '"':
		m->in_string = true;
		if (at_level && m->is_name) {
			buf_clear(&m->name);
			return RC_OK;
		}
		break;
	default: break;
	}
	if (is_kept && !(at_level && is_blank(b)))
		buf_append(&m->value, &b, 1);
	return RC_OK;
}

static void step_string(struct json_members *m, uint8_t b)
{
	bool is_name = m->depth == m->level && m->is_name;
	bool is_end = b == '"' && !m->is_escaped;

	m->is_escaped = b == '\\' && !m->is_escaped;
	if (is_end)
		m->in_string = false;
	if (is_name && !is_end)
		buf_append(&m->name, &b, 1);
	else if (!is_name && m->use != JSON_MEMBER_SKIP)
		buf_append(&m->value, &b, 1);
}

enum rc json_members_feed(struct json_members *m, const void *p, size_t len,
			  struct err *err)
{
	const uint8_t *bytes = p;
	enum rc rc = RC_OK;

	/* What follows relies on that. */
	if (!json_check_feed(&m->check, p, len))
		return err_set(err, RC_CORRUPT,
			       "no JSON object, at byte %" PRIu64, m->check.at);
	for (size_t i = 0; i < len && !rc; i++) {
		if (m->in_string)
			step_string(m, bytes[i]);
		else
			rc = step(m, bytes[i], err);
		if (!buf_ok(&m->name) || !buf_ok(&m->value))
			return err_set(err, RC_LIMIT,
				       "JSON has a name or value of more than "
				       "%zu bytes",
				       m->value.max);
	}
	return rc;
}

enum rc json_members_end(struct json_members *m, struct err *err)
{
	if (!json_check_end(&m->check))
		return err_set(err, RC_CORRUPT,
			       "JSON object ends too early, at byte %" PRIu64,
			       m->check.at);
	return RC_OK;
}

static uint32_t hex4(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned int c = (uint8_t)p[i];

		/* 'A' and 'a' differ in a bit that digits have set. */
		v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return v;
}

static void append_character(uint32_t c, struct buf *out)
{
	uint8_t b[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		b[i] = (uint8_t)(0x80 | (c & 0x3f));
	b[0] = (uint8_t)(first[n] | c);
	buf_append(out, b, n);
}

/* What follows "\u"; 0: half of a pair, else how many bytes it takes. */
static size_t take_unicode(const char *p, size_t len, struct buf *out)
{
	uint32_t c = hex4(p);
	uint32_t low;

	if (c < 0xd800 || c > 0xdfff) {
		append_character(c, out);
		return 4;
	}
	if (c > 0xdbff || len < 10 || p[4] != '\\' || p[5] != 'u')
		return 0;
	low = hex4(p + 6);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	append_character(0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00), out);
	return 10;
}

static char control(char c)
{
	switch (c) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return c;
	}
}

bool json_unescape(struct json_piece string, struct buf *out)
{
	const char *p = string.p;
	const char *end = string.p + string.len;

	while (p < end) {
		const char *from = p;
		size_t n = 1;
		char c;

		while (p < end && *p != '\\')
			p++;
		buf_append(out, from, (size_t)(p - from));
		if (p == end)
			break;
		c = control(p[1]);
		if (p[1] == 'u') {
			n = take_unicode(p + 2, (size_t)(end - p) - 2, out);
			if (!n)
				return false;
			n++;
		} else {
			buf_append(out, &c, 1);
		}
		p += 1 + n;
	}
	return buf_ok(out);
}

bool json_string_is(struct json_piece string, const char *text)
{
	CLEANUP_BUF struct buf b = { .max = string.len };
	size_t len = strlen(text);

	if (string.len < len)
		return false;
	if (!memchr(string.p, '\\', string.len))
		return string.len == len && !memcmp(string.p, text, len);
	return json_unescape(string, &b) && b.len == len &&
	       !memcmp(b.p, text, len);
}

/* --- one member -----------------------------------------------------------
 */

struct wanted {
	const char *name;
	char *ret;
	size_t cap;
};

static enum json_member_use use_wanted(void *arg, unsigned int level,
				       struct json_piece name)
{
	const struct wanted *w = arg;

	(void)level;
	return json_string_is(name, w->name) ? JSON_MEMBER_TAKE
					     : JSON_MEMBER_SKIP;
}

static enum rc take_wanted(void *arg, unsigned int level,
			   struct json_piece name, struct json_piece value,
			   struct err *err)
{
	const struct wanted *w = arg;
	CLEANUP_BUF struct buf b = { .max = value.len };

	(void)level;
	(void)name;
	(void)err;
	*w->ret = '\0';
	if (value.len < 2 || *value.p != '"')
		return RC_OK;
	value = (struct json_piece){ value.p + 1, value.len - 2 };
	if (!json_unescape(value, &b) || b.len >= w->cap ||
	    (b.len && memchr(b.p, '\0', b.len)))
		return RC_OK;
	if (b.len)
		memcpy(w->ret, b.p, b.len);
	w->ret[b.len] = '\0';
	return RC_OK;
}

bool json_members_text(struct json_piece doc, const char *name, char *ret,
		       size_t cap)
{
	struct wanted w = { name, ret, cap };
	const struct json_members_handler handler = { use_wanted, take_wanted,
						      &w };
	struct json_members m;
	struct err ignored;
	bool is_ok;

	*ret = '\0';
	/* Most have no such name, in whatever form, and are not looked at. */
	if (!doc.len || (!memchr(doc.p, '\\', doc.len) &&
			 !memmem(doc.p, doc.len, name, strlen(name))))
		return false;
	json_members_init(&m, &handler, doc.len);
	is_ok = !json_members_feed(&m, doc.p, doc.len, &ignored) &&
		!json_members_end(&m, &ignored);
	json_members_release(&m);
	if (!is_ok)
		*ret = '\0';
	return *ret;
}
