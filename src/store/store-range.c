/* SPDX-License-Identifier: Apache-2.0 */
/* store-range.c - is a reply the part of the object that was asked for?
 *
 * What may be a slip of the server or of something between is worth another
 * try; another object than the one seen before is not.
 */
#include "config.h"

#include "store/store-range.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

void range_format_tail(char out[RANGE_TEXT], uint64_t max)
{
	snprintf(out, RANGE_TEXT, "bytes=-%" PRIu64, max);
}

void range_format(char out[RANGE_TEXT], uint64_t off, uint64_t len)
{
	snprintf(out, RANGE_TEXT, "bytes=%" PRIu64 "-%" PRIu64, off,
		 off + len - 1);
}

/* Digits only, and no more than fit. */
static bool take_number(const char **p, uint64_t *ret)
{
	uint64_t n = 0;
	const char *s = *p;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (n > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*p = s;
	*ret = n;
	return true;
}

static bool take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

bool content_range_parse(const char *text, struct content_range *ret)
{
	struct content_range r = { 0 };
	const char *p = text;

	if (strncmp(p, "bytes ", 6) != 0)
		return false;
	p += 6;
	if (!take_char(&p, '*')) {
		r.has_range = true;
		if (!take_number(&p, &r.first) || !take_char(&p, '-') ||
		    !take_number(&p, &r.last))
			return false;
	}
	if (!take_char(&p, '/') || !take_number(&p, &r.size) || *p)
		return false;
	if (r.has_range && (r.first > r.last || r.last >= r.size))
		return false;
	*ret = r;
	return true;
}

void range_tag(const struct http_response *r,
	       char ret[sizeof(((struct object_info *)0)->tag)])
{
	const size_t room = sizeof(((struct object_info *)0)->tag);
	size_t len = strlen(r->etag);
	uint8_t hash[SHA256_LEN];
	char hex[HEX_TEXT(SHA256_LEN)];

	if (!*r->etag) {
		snprintf(ret, room, "%s%.*s", *r->last_modified ? "@" : "",
			 (int)room - 2, r->last_modified);
		return;
	}
	if (len < room) {
		memcpy(ret, r->etag, len + 1);
		return;
	}
	sha256_of(r->etag, len, hash);
	hex_encode(hash, sizeof(hash), hex);
	snprintf(ret, room, "#%.48s", hex);
}

bool range_tag_is_strong(const char *tag)
{
	size_t len = strlen(tag);

	return len >= 2 && tag[0] == '"' && tag[len - 1] == '"';
}

static enum remote_verdict bad(struct err *err, const struct http_response *r,
			       const char *want)
{
	char range[128];

	snprintf(range, sizeof(range), "%.100s",
		 *r->content_range ? r->content_range : "no Content-Range");
	for (char *p = range; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	err_set(err, RC_CORRUPT,
		"the server answered %u (%s, %zu bytes) when asked for %s",
		r->status, range, r->body.len, want);
	return REMOTE_RETRY;
}

enum remote_verdict range_check_tail(const struct http_response *r, size_t max,
				     struct object_info *ret, struct err *err)
{
	struct content_range cr = { 0 };
	bool has_cr = content_range_parse(r->content_range, &cr);
	struct object_info info = { 0 };
	char want[64];

	snprintf(want, sizeof(want), "the last %zu bytes", max);
	range_tag(r, info.tag);
	/* Of nothing there is no last byte: some answer with all of it, some
	 * that there is no such range, which can be said of nothing only.
	 */
	if ((r->status == 200 && !r->body.len) ||
	    (r->status == 416 &&
	     (!*r->content_range || (has_cr && !cr.has_range && !cr.size)))) {
		*ret = info;
		return REMOTE_DONE;
	}
	if (r->status != 206 || !has_cr || !cr.has_range)
		return bad(err, r, want);
	if (cr.last != cr.size - 1 ||
	    cr.last - cr.first + 1 != (cr.size < max ? cr.size : max))
		return bad(err, r, want);
	if (r->body.len != cr.last - cr.first + 1)
		return bad(err, r, want);
	info.size = cr.size;
	*ret = info;
	return REMOTE_DONE;
}

static enum remote_verdict changed(struct err *err)
{
	err_set(err, RC_CHANGED, "is not the object that was seen first");
	return REMOTE_FAILED;
}

/* The object ends too early, by what the server says. */
static enum remote_verdict too_short(const struct content_range *cr,
				     uint64_t off, size_t len, struct err *err)
{
	if (cr)
		err_set(err, RC_CORRUPT,
			"ends after %" PRIu64 " bytes, %zu at %" PRIu64
			" are wanted",
			cr->size, len, off);
	else
		err_set(err, RC_CORRUPT,
			"ends before %" PRIu64 ", %zu bytes there are wanted",
			off, len);
	return REMOTE_FAILED;
}

enum remote_verdict range_check(const struct http_response *r,
				const struct object_info *expect, uint64_t off,
				size_t len, struct err *err)
{
	struct content_range cr = { 0 };
	bool has_cr = content_range_parse(r->content_range, &cr);
	bool has_tags = false;
	struct object_info now = { 0 };
	char want[80];

	snprintf(want, sizeof(want), "%zu bytes at %" PRIu64, len, off);
	range_tag(r, now.tag);
	if (r->status == 412)
		return changed(err);
	/* What 416 says of the tag is of no weight: often it has none. */
	if (expect && r->status != 416) {
		has_tags = *expect->tag && *now.tag;
		if (has_tags && strcmp(expect->tag, now.tag) != 0)
			return changed(err);
	}
	if (has_cr && expect && !has_tags && cr.size != expect->size)
		return changed(err);
	if (r->status == 416 && (!has_cr || cr.size < off + len))
		return too_short(has_cr ? &cr : NULL, off, len, err);
	if (r->status != 206 || !has_cr || !cr.has_range ||
	    (expect && cr.size != expect->size))
		return bad(err, r, want);
	if (cr.size < off + len && cr.first == off && cr.last == cr.size - 1)
		return too_short(&cr, off, len, err);
	if (cr.first != off || cr.last != off + len - 1 || r->body.len != len)
		return bad(err, r, want);
	return REMOTE_DONE;
}

enum rc range_check_wanted(const char *key, const struct object_info *expect,
			   uint64_t off, size_t len, struct err *err)
{
	uint64_t size = expect ? expect->size : INT64_MAX;

	if (off <= size && len <= size - off)
		return RC_OK;
	return err_set(err, RC_CORRUPT,
		       "%s: ends after %" PRIu64 " bytes, %zu at %" PRIu64
		       " are wanted",
		       key, size, len, off);
}

enum rc range_take_tail(const struct http_response *r, const char *key,
			size_t max, const struct object_info *info,
			struct buf *ret, struct object_info *ret_info,
			struct err *err)
{
	/* A 416 has a body, but that tells of an error. */
	size_t len = info->size < max ? (size_t)info->size : max;

	if (len)
		buf_append(ret, r->body.p + r->body.len - len, len);
	if (!buf_ok(ret))
		return err_set(err, RC_LIMIT, "%s: no room for %zu bytes", key,
			       len);
	*ret_info = *info;
	return RC_OK;
}
