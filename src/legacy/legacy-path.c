/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-path.c - uids as paths: cut into parts, escaped, long parts cut again.
 *
 * Going back, pieces of long parts are joined first and escapes are read then,
 * so it does not matter where a part was cut.  Whatever comes out is made a
 * path again and compared: that keeps each uid to one path.
 */
#include "config.h"

#include "legacy/legacy-path.h"

#include <string.h>

#include "base/cleanup.h"

#define MORE "%more"
#define MARK "%file"
#define EMPTY "%empty"
#define ESCAPE_LEN 3

/* The control directory would hide it. */
#define RESERVED ".des"

#define PIECE_MAX (LEGACY_PATH_PART_MAX - (sizeof(MORE) - 1))

/* A part of a uid.  It may have slashes: those that separate nothing. */
struct part {
	const char *p;
	size_t len;
	bool is_first;
};

/* At first *pos and *n are 0; false at the end. */
static bool next_part(struct span uid, size_t *pos, unsigned int *n,
		      struct part *ret)
{
	size_t start = *pos;
	size_t i = start;

	if (start >= uid.len)
		return false;
	(*n)++;
	/* The first byte is of the part, whatever it is, and so is the last. */
	if (*n == LEGACY_PATH_DEPTH) {
		i = uid.len;
	} else {
		for (i++; i < uid.len; i++) {
			if (uid.p[i] == '/' && i + 1 < uid.len)
				break;
		}
	}
	*ret = (struct part){ uid.p + start, i - start, start == 0 };
	*pos = i + 1;
	return true;
}

static bool text_is(const char *p, size_t len, const char *text)
{
	return len == strlen(text) && !memcmp(p, text, len);
}

static bool is_escape(const char *p, size_t len)
{
	static const char *const known[] = { "%00", "%25", "%2E", "%2F" };

	for (size_t i = 0; len >= ESCAPE_LEN && i < ARRAY_LEN(known); i++) {
		if (!memcmp(p, known[i], ESCAPE_LEN))
			return true;
	}
	return false;
}

/* Would '%' and what follows be taken for one of our own? */
static bool is_ambiguous(const struct part *part, size_t i)
{
	const char *p = part->p + i;
	size_t len = part->len - i;

	return is_escape(p, len) || text_is(p, len, MORE) ||
	       text_is(p, len, MARK) ||
	       (part->is_first && i == 0 && text_is(p, len, EMPTY));
}

static bool is_hidden(const struct part *part)
{
	return text_is(part->p, part->len, ".") ||
	       text_is(part->p, part->len, "..") ||
	       (part->is_first && text_is(part->p, part->len, RESERVED));
}

/* How the byte is written; NULL: as it is. */
static const char *escape_at(const struct part *part, size_t i)
{
	switch (part->p[i]) {
	case '\0': return "%00";
	case '/': return "%2F";
	case '%': return is_ambiguous(part, i) ? "%25" : NULL;
	case '.': return is_hidden(part) ? "%2E" : NULL;
	default: return NULL;
	}
}

static bool part_is_plain(const struct part *part)
{
	if (part->len > LEGACY_PATH_PART_MAX)
		return false;
	for (size_t i = 0; i < part->len; i++) {
		if (escape_at(part, i))
			return false;
	}
	return true;
}

bool legacy_path_is_uid(struct span uid)
{
	struct part part;
	size_t pos = 0;
	unsigned int n = 0;

	if (!uid.len || uid.len > LEGACY_PATH_MAX)
		return false;
	while (next_part(uid, &pos, &n, &part)) {
		if (!part_is_plain(&part))
			return false;
	}
	return true;
}

static void escape_part(const struct part *part, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < part->len; i++) {
		const char *escape = escape_at(part, i);

		if (!escape)
			continue;
		buf_append(out, part->p + from, i - from);
		buf_append_str(out, escape);
		from = i + 1;
	}
	buf_append(out, part->p + from, part->len - from);
}

/* Where to cut at PIECE_MAX or before: not in an escape or a character. */
static size_t cut_of(const char *p)
{
	size_t cut = PIECE_MAX;

	for (size_t back = 0; back < 3; back++) {
		if (((uint8_t)p[cut] & 0xc0) != 0x80)
			break;
		cut--;
	}
	for (size_t back = 1; back < ESCAPE_LEN; back++) {
		if (is_escape(p + cut - back, ESCAPE_LEN))
			return cut - back;
	}
	return cut;
}

/* Append what escape_part made, in pieces if need be. */
static void append_pieces(const struct buf *text, struct buf *out)
{
	const char *p = (const char *)text->p;
	size_t left = text->len;

	while (left > LEGACY_PATH_PART_MAX) {
		size_t cut = cut_of(p);

		buf_append(out, p, cut);
		buf_append_str(out, MORE "/");
		p += cut;
		left -= cut;
	}
	buf_append(out, p, left);
}

static void append_parts(struct span uid, enum legacy_path_form form,
			 struct buf *text, struct buf *out)
{
	bool is_marked = form == LEGACY_PATH_MARKED;
	struct part part;
	size_t pos = 0;
	unsigned int n = 0;

	if (!uid.len)
		buf_append_str(out, is_marked ? EMPTY MARK : EMPTY);
	while (buf_ok(out) && next_part(uid, &pos, &n, &part)) {
		buf_clear(text);
		escape_part(&part, text);
		if (is_marked && pos >= uid.len)
			buf_append_str(text, MARK);
		if (n > 1)
			buf_append_str(out, "/");
		append_pieces(text, out);
	}
}

enum rc legacy_path_of(struct span uid, enum legacy_path_form form,
		       struct buf *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = { 0 };
	size_t max = ret->max;

	buf_clear(ret);
	if (uid.len > UID_MAX_LEN)
		return err_set(err, RC_LIMIT, "uid has %zu bytes, more than %u",
			       uid.len, UID_MAX_LEN);
	if (form == LEGACY_PATH_PLAIN && legacy_path_is_uid(uid)) {
		buf_append(ret, uid.p, uid.len);
	} else {
		buf_init(&text, ESCAPE_LEN * UID_MAX_LEN + sizeof(MARK));
		/* With room for more, so that a limit is told from a want. */
		ret->max = 2 * text.max;
		append_parts(uid, form, &text, ret);
		ret->max = max;
	}
	if (!buf_ok(ret) || !buf_ok(&text))
		return err_set(err, RC_NOMEM, "no memory for a path");
	if (ret->len > LEGACY_PATH_MAX)
		return err_set(err, RC_LIMIT,
			       "uid has a path of %zu bytes, more than %u: "
			       "'%.80s...'",
			       ret->len, LEGACY_PATH_MAX, buf_str(ret));
	return RC_OK;
}

/* The path without the cuts of long parts. */
static void join(struct span path, struct buf *out)
{
	const char *p = path.p;
	const char *end = path.p + path.len;
	size_t len = sizeof(MORE "/") - 1;

	while (p < end) {
		const char *cut = memmem(p, (size_t)(end - p), MORE "/", len);

		buf_append(out, p, (size_t)((cut ? cut : end) - p));
		p = cut ? cut + len : end;
	}
}

static void unescape(const char *p, size_t len, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		char byte;

		if (p[i] != '%' || !is_escape(p + i, len - i))
			continue;
		buf_append(out, p + from, i - from);
		byte = (char)((strchr(digits, p[i + 1]) - digits) * 16 +
			      (strchr(digits, p[i + 2]) - digits));
		buf_append(out, &byte, 1);
		i += ESCAPE_LEN - 1;
		from = i + 1;
	}
	buf_append(out, p + from, len - from);
}

bool legacy_path_uid(struct span path, struct buf *ret,
		     enum legacy_path_form *ret_form)
{
	CLEANUP_BUF struct buf text = { 0 };
	size_t mark = sizeof(MARK) - 1;
	enum legacy_path_form form = LEGACY_PATH_PLAIN;
	size_t len;
	struct err err;

	buf_clear(ret);
	if (!path.len || path.len > LEGACY_PATH_MAX)
		return false;
	buf_init(&text, LEGACY_PATH_MAX);
	join(path, &text);
	if (!buf_ok(&text))
		return false;
	len = text.len;
	if (len >= mark && !memcmp(text.p + len - mark, MARK, mark)) {
		form = LEGACY_PATH_MARKED;
		len -= mark;
	}
	if (!text_is((const char *)text.p, len, EMPTY))
		unescape((const char *)text.p, len, ret);
	buf_clear(&text);
	if (!buf_ok(ret) ||
	    legacy_path_of(span_of(ret->p, ret->len), form, &text, &err) ||
	    text.len != path.len || memcmp(text.p, path.p, path.len) != 0)
		return false;
	*ret_form = form;
	return true;
}
