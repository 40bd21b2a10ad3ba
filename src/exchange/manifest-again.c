/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-again.c - where the records of an array go on behind a broken one.
 */
#include "config.h"

#include "exchange/manifest-again.h"

#include <string.h>

enum {
	NOTHING,
	BEHIND_BRACE,
	BEHIND_COMMA,
};

/* So far behind a whole object the end of a broken one around it is looked for.
 */
#define NESTED_MAX (64u << 10)

enum kind { WHOLE, BROKEN, CUT };

/* How it goes on. */
enum way {
	WAY_ON,    /* with an object */
	WAY_END,   /* not at all: that was the array */
	WAY_WRONG, /* with what may be around it */
	WAY_SHORT  /* with bytes that are not there */
};

static bool is_blank(char b)
{
	return b == ' ' || b == '\t' || b == '\n' || b == '\r';
}

static char byte(const struct manifest_view *v, uint64_t at)
{
	return v->p[at - v->begin];
}

static uint64_t skip_blanks(const struct manifest_view *v, uint64_t at)
{
	while (at < v->end && is_blank(byte(v, at)))
		at++;
	return at;
}

/* What is at the brace at at, up to *ret_end if it is whole. */
static enum kind object_at(const struct manifest_view *v, uint64_t at,
			   uint64_t *ret_end)
{
	struct json_check check;

	json_check_init(&check);
	while (at < v->end) {
		const char *p = v->p + (at - v->begin);
		const char *brace = memchr(p, '}', (size_t)(v->end - at));
		size_t n =
			brace ? (size_t)(brace + 1 - p) : (size_t)(v->end - at);

		if (!json_check_feed(&check, p, n))
			return BROKEN;
		at += n;
		*ret_end = at;
		if (json_check_end(&check))
			return WHOLE;
	}
	return v->is_all ? BROKEN : CUT;
}

/* At a bracket that ends the array, or another one. */
static enum way end_at(const struct manifest_view *v, uint64_t at)
{
	if (skip_blanks(v, at + 1) < v->end)
		return WAY_WRONG;
	return v->is_all ? WAY_END : WAY_SHORT;
}

/* Behind a whole object; *at is where it goes on, or what is wrong. */
static enum way pass_whole(const struct manifest_view *v, uint64_t *at)
{
	*at = skip_blanks(v, *at);
	if (*at == v->end)
		return WAY_SHORT;
	if (byte(v, *at) == ']')
		return end_at(v, *at);
	if (byte(v, *at) != ',')
		return WAY_WRONG;
	*at = skip_blanks(v, *at + 1);
	if (*at == v->end)
		return WAY_SHORT;
	if (byte(v, *at) == ']')
		return end_at(v, *at);
	return byte(v, *at) == '{' ? WAY_ON : WAY_WRONG;
}

static void note(unsigned int *behind, char b)
{
	if (b == '}')
		*behind = BEHIND_BRACE;
	else if (b == ',' && *behind == BEHIND_BRACE)
		*behind = BEHIND_COMMA;
	else if (!is_blank(b))
		*behind = NOTHING;
}

/* Brackets of a broken object, those in strings as well. */
struct open {
	uint64_t braces, brackets;
};

/* Go on behind b; false if it closes what was not opened. */
static bool count(struct open *o, char b)
{
	uint64_t *n = b == '{' || b == '}' ? &o->braces : &o->brackets;

	if (b == '{' || b == '[')
		++*n;
	else if (b == '}' || b == ']')
		return (*n)--;
	return true;
}

/* Behind a brace at *at with which all brackets match. */
static enum way pass_matching(const struct manifest_view *v, uint64_t *at)
{
	uint64_t next = *at + 1;
	enum way way = pass_whole(v, &next);

	if (way == WAY_ON)
		*at = next;
	return way == WAY_SHORT && v->is_all ? WAY_WRONG : way;
}

/* Over a broken object: to the next one if its brackets match, else to a whole
 * one with the fewest brackets open, since others may be nested.
 */
static enum way pass_broken(const struct manifest_view *v, uint64_t *at)
{
	uint64_t nested = 0, least = UINT64_MAX, i, end;
	struct open open = { .braces = 0 };
	unsigned int behind = NOTHING;

	for (i = *at; i < v->end && (!nested || i - nested < NESTED_MAX); i++) {
		char b = byte(v, i);
		enum kind kind = BROKEN;
		enum way way = WAY_WRONG;

		if (b == '{' && behind == BEHIND_COMMA &&
		    open.braces + open.brackets < least)
			kind = object_at(v, i, &end);
		if (kind == CUT)
			return WAY_SHORT;
		if (kind == WHOLE) {
			nested = i;
			least = open.braces + open.brackets;
		}
		if (least <= 1)
			break;
		note(&behind, b);
		if (!count(&open, b)) {
			*at = nested ? nested : i;
			if (nested)
				return WAY_ON;
			return b == ']' ? end_at(v, i) : WAY_WRONG;
		}
		if (b == '}' && !open.braces && !open.brackets)
			way = pass_matching(v, &i);
		if (way == WAY_WRONG)
			continue;
		*at = i;
		return way;
	}
	if (!nested || (i == v->end && least > 1 && !v->is_all))
		return WAY_SHORT;
	*at = nested;
	return WAY_ON;
}

/* The bytes that decide on an object at from. */
static struct manifest_view ahead_of(const struct manifest_view *v,
				     uint64_t from)
{
	struct manifest_view ret = *v;

	if (v->end - from > MANIFEST_AGAIN_AHEAD) {
		ret.end = from + MANIFEST_AGAIN_AHEAD;
		ret.is_all = false;
	}
	return ret;
}

/* Behind a whole object that is not the first; a brace too many, or a comma too
 * few, is the matter of that one.
 */
static enum way pass_next(const struct manifest_view *v, uint64_t *at)
{
	enum way way = pass_whole(v, at);

	if (way != WAY_WRONG)
		return way;
	if (byte(v, *at) == '{')
		return WAY_ON;
	if (byte(v, *at) != '}')
		return WAY_WRONG;
	++*at;
	return pass_whole(v, at);
}

static enum way pass(const struct manifest_view *v, uint64_t *at)
{
	uint64_t end;

	switch (object_at(v, *at, &end)) {
	case BROKEN: return pass_broken(v, at);
	case CUT: return WAY_SHORT;
	case WHOLE: break;
	}
	*at = end;
	return pass_next(v, at);
}

/* Is the object at from one of the run?  One that is within another is none. */
static bool is_in_run(struct manifest_again *a, const struct manifest_view *v,
		      uint64_t from)
{
	while (a->run_at < from && from < a->run_to) {
		uint64_t next = a->run_at;

		if (a->run_next <= a->run_at) {
			if (next < v->begin || pass(v, &next) != WAY_ON)
				return false;
			a->run_next = next;
		}
		if (from < a->run_next)
			return false;
		a->run_at = a->run_next;
	}
	return a->run_at == from && from < a->run_to;
}

/* What follows an object at from, whole or not; *ret_wrong: what is wrong, not
 * with that object alone.
 */
static enum way go_on(struct manifest_again *a, const struct manifest_view *v,
		      uint64_t from, uint64_t *ret_wrong)
{
	uint64_t to = is_in_run(a, v, from) ? a->run_to : from;
	enum way way = WAY_ON;
	uint64_t next;

	while (way == WAY_ON && to < v->end) {
		next = to;
		way = pass(v, &next);
		if (way == WAY_ON)
			to = next;
	}
	if (way == WAY_WRONG) {
		*ret_wrong = next;
		if (a->run_at == from)
			a->run_at = a->run_to = 0;
		return way;
	}
	if (a->run_at != from)
		a->run_next = 0;
	a->run_at = from;
	a->run_to = to;
	return way == WAY_ON ? WAY_SHORT : way;
}

void manifest_again_begin(struct manifest_again *a, uint64_t at, bool is_behind)
{
	if (is_behind && a->run_at == a->begin && at < a->run_to)
		a->run_at = at;
	a->begin = at;
	a->at = at;
	a->behind = NOTHING;
	json_check_init(&a->check);
}

/* Go on to to. */
static void look_up_to(struct manifest_again *a, const struct manifest_view *v,
		       uint64_t to)
{
	/* Its state says when it is wrong. */
	(void)!json_check_feed(&a->check, v->p + (a->at - v->begin),
			       (size_t)(to - a->at));
	a->at = to;
}

/* Is a brace at a->at where the bad record may have one of its own? */
static bool is_within(const struct manifest_again *a)
{
	struct json_check check = a->check;

	return json_check_feed(&check, "{", 1) && check.depth > a->check.depth;
}

/* It is not there: what is wrong is at wrong. */
static enum manifest_again_found refuse(struct manifest_again *a,
					const struct manifest_view *v,
					uint64_t wrong)
{
	look_up_to(a, v, wrong);
	a->behind = NOTHING;
	return MANIFEST_AGAIN_NONE;
}

/* Is a whole object at a->at the next record?  If not, go on behind it, and
 * behind those that go on as it does.
 */
static enum manifest_again_found try_whole(struct manifest_again *a,
					   const struct manifest_view *v,
					   uint64_t end, bool has_all)
{
	uint64_t wrong = end;
	enum way way = pass_whole(v, &wrong);

	if (way == WAY_ON)
		way = go_on(a, v, a->at, &wrong);
	switch (way) {
	case WAY_ON:
	case WAY_END: return MANIFEST_AGAIN_HERE;
	case WAY_WRONG: return refuse(a, v, wrong);
	case WAY_SHORT: break;
	}
	if (!has_all)
		return MANIFEST_AGAIN_MORE;
	/* Cut short: what was around it may be missing. */
	return v->is_all ? refuse(a, v, v->end) : MANIFEST_AGAIN_HERE;
}

static bool has_all(const struct manifest_view *v, uint64_t from)
{
	return v->is_all || v->end - from == MANIFEST_AGAIN_AHEAD;
}

static enum manifest_again_found try_object(struct manifest_again *a,
					    const struct manifest_view *all)
{
	const struct manifest_view v = ahead_of(all, a->at);
	uint64_t end;

	switch (object_at(&v, a->at, &end)) {
	case BROKEN: break;
	case CUT:
		if (!has_all(&v, a->at))
			return MANIFEST_AGAIN_MORE;
		break;
	case WHOLE: return try_whole(a, &v, end, has_all(&v, a->at));
	}
	note(&a->behind, '{');
	look_up_to(a, &v, a->at + 1);
	return MANIFEST_AGAIN_NONE;
}

enum manifest_again_found manifest_again_may(struct manifest_again *a,
					     const struct manifest_view *all,
					     uint64_t at)
{
	const struct manifest_view v = ahead_of(all, at);
	uint64_t from = at, wrong;
	enum way way = WAY_SHORT;

	if (byte(&v, at) == ',')
		from = skip_blanks(&v, at + 1);
	if (from < v.end && byte(&v, from) != '{')
		return MANIFEST_AGAIN_HERE;
	if (from < v.end)
		way = go_on(a, &v, from, &wrong);
	if (way == WAY_WRONG)
		return MANIFEST_AGAIN_NONE;
	return way == WAY_SHORT && !has_all(&v, at) ? MANIFEST_AGAIN_MORE
						    : MANIFEST_AGAIN_HERE;
}

enum manifest_again_found manifest_again_find(struct manifest_again *a,
					      const struct manifest_view *v,
					      uint64_t *ret)
{
	while (a->at < v->end) {
		enum manifest_again_found found = MANIFEST_AGAIN_NONE;
		char b = byte(v, a->at);

		if (b == '{' && a->behind == BEHIND_COMMA && !is_within(a)) {
			found = try_object(a, v);
		} else {
			note(&a->behind, b);
			look_up_to(a, v, a->at + 1);
		}
		*ret = a->at;
		if (found != MANIFEST_AGAIN_NONE)
			return found;
	}
	return MANIFEST_AGAIN_NONE;
}
