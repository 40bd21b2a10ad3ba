/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-name.c - keys of older archives, taken apart from left to right. */
#include "config.h"

#include "legacy/legacy-name.h"

#include <string.h>

#include "base/compiler.h"
#include "shard/legacy-entry.h"
#include "shard/route.h"

/* So that a number fits 64 bits. */
#define NUMBER_DIGITS_MAX 18
#define NUMBER_DIGITS_MIN 4

/* Slots of Datavision have up to 32 bits. */
#define CONTAINER_DIGITS_MAX 8

#define SHARD_PREFIX "shard_"

/* What is left of the key. */
struct scan {
	const char *p;
	size_t left;
};

static bool take(struct scan *s, const char *text)
{
	size_t len = strlen(text);

	if (s->left < len || memcmp(s->p, text, len) != 0)
		return false;
	s->p += len;
	s->left -= len;
	return true;
}

static bool ends(struct scan *s, const char *text)
{
	return take(s, text) && !s->left;
}

static int digit_of(char c, char ten)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= ten && c <= ten + 5)
		return c - ten + 10;
	return -1;
}

/* Digits to the base of 16, where ten is 'A' or 'a', or of 10, where it is 0;
 * at most max of them, which must fit.  Returns how many there are.
 */
static unsigned int take_number(struct scan *s, char ten, unsigned int max,
				uint64_t *ret)
{
	uint64_t v = 0;
	unsigned int n = 0;

	for (; n < max && s->left; n++, s->p++, s->left--) {
		int d = digit_of(*s->p, ten ? ten : 'a');

		if (d < 0 || (!ten && d > 9))
			break;
		v = v * (ten ? 16 : 10) + (unsigned int)d;
	}
	*ret = v;
	return n;
}

static unsigned int days_in_month(unsigned int year, unsigned int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool is_date(uint32_t day)
{
	unsigned int year = day / 10000;
	unsigned int month = day / 100 % 100;
	unsigned int d = day % 100;

	return year >= 1 && year <= 9999 && month >= 1 && month <= 12 &&
	       d >= 1 && d <= days_in_month(year, month);
}

/* YYYYMMDD.  The C library of the original writes years below 1000 without
 * leading zeros, others with.
 */
static bool take_day(struct scan *s, uint32_t *ret)
{
	uint64_t v;
	bool has_zero = s->left && *s->p == '0';
	unsigned int n = take_number(s, 0, 8, &v);

	*ret = (uint32_t)v;
	return (n == 8 || (n >= 5 && !has_zero)) && is_date(*ret);
}

/* YYYY-MM-DD. */
static bool take_dashed_day(struct scan *s, uint32_t *ret)
{
	uint64_t year, month, day;

	if (take_number(s, 0, 4, &year) != 4 || !take(s, "-") ||
	    take_number(s, 0, 2, &month) != 2 || !take(s, "-") ||
	    take_number(s, 0, 2, &day) != 2)
		return false;
	*ret = (uint32_t)(year * 10000 + month * 100 + day);
	return is_date(*ret);
}

/* Digits that the slot of some n_bits is written with. */
static bool slot_is_possible(uint64_t slot, unsigned int width)
{
	for (unsigned int n = ROUTE_BITS_MIN; n <= ROUTE_BITS_MAX; n++) {
		if (legacy_name_slot_fits(slot, width, n))
			return true;
	}
	return false;
}

bool legacy_name_slot_fits(uint64_t slot, unsigned int width,
			   unsigned int n_bits)
{
	unsigned int least = n_bits / 4;

	if (slot >> n_bits || width < least)
		return false;
	return width == least || slot >> 4 * (width - 1);
}

/* YYYYMMDD_HEX_NNNN.des or .meta */
static bool parse_shard(struct scan s, struct legacy_name *ret)
{
	uint64_t slot;
	unsigned int n;
	bool has_zero;

	if (!take_day(&s, &ret->day) || !take(&s, "_"))
		return false;
	ret->hex_width = take_number(&s, 'A', ROUTE_BITS_MAX / 4, &slot);
	if (!ret->hex_width || !slot_is_possible(slot, ret->hex_width) ||
	    !take(&s, "_"))
		return false;
	ret->slot = (uint32_t)slot;
	has_zero = s.left && *s.p == '0';
	n = take_number(&s, 0, NUMBER_DIGITS_MAX, &ret->number);
	if (n < NUMBER_DIGITS_MIN || (n > NUMBER_DIGITS_MIN && has_zero))
		return false;
	if (ends(&s, LEGACY_SHARD_SUFFIX))
		ret->kind = LEGACY_NAME_SHARD;
	else if (ends(&s, LEGACY_META_SUFFIX))
		ret->kind = LEGACY_NAME_META;
	return ret->kind != LEGACY_NAME_NONE;
}

/* _bigFiles/HASH */
static bool parse_big_file(struct scan s, struct legacy_name *ret)
{
	if (!take(&s, LEGACY_BIG_FILES "/") || s.left != LEGACY_HASH_DIGITS)
		return false;
	for (size_t i = 0; i < s.left; i++) {
		if (digit_of(s.p[i], 'a') < 0)
			return false;
	}
	ret->kind = LEGACY_NAME_BIG_FILE;
	ret->file = span_of(s.p, s.left);
	return true;
}

static bool parse_external(struct scan s, struct legacy_name *ret)
{
	if (!take(&s, LEGACY_BIG_FILES "/") || !s.left ||
	    memchr(s.p, '/', s.left))
		return false;
	ret->kind = LEGACY_NAME_EXTERNAL;
	ret->file = span_of(s.p, s.left);
	return true;
}

static bool parse_numbered(struct scan s, struct legacy_name *ret)
{
	uint64_t slot;
	unsigned int n;
	bool has_zero;

	if (!take(&s, SHARD_PREFIX))
		return false;
	has_zero = s.left && *s.p == '0';
	n = take_number(&s, 0, 10, &slot);
	if (n < 2 || (n > 2 && has_zero) || slot > UINT32_MAX ||
	    !ends(&s, LEGACY_SHARD_SUFFIX))
		return false;
	ret->kind = LEGACY_NAME_CONTAINER_NUMBER;
	ret->slot = (uint32_t)slot;
	ret->hex_width = n;
	return true;
}

/* What is below YYYY-MM-DD/. */
static bool parse_container(struct scan s, struct legacy_name *ret)
{
	uint64_t slot;

	if (!take_dashed_day(&s, &ret->day) || !take(&s, "/"))
		return false;
	if (parse_external(s, ret) || parse_numbered(s, ret))
		return true;
	ret->hex_width = take_number(&s, 'a', CONTAINER_DIGITS_MAX, &slot);
	if (!ret->hex_width || !ends(&s, LEGACY_SHARD_SUFFIX))
		return false;
	ret->kind = LEGACY_NAME_CONTAINER;
	ret->slot = (uint32_t)slot;
	return true;
}

bool legacy_name_parse(const char *key, size_t len, struct legacy_name *ret)
{
	static bool (*const parsers[])(struct scan, struct legacy_name *) = {
		parse_shard,
		parse_big_file,
		parse_container,
	};

	for (size_t i = 0; i < ARRAY_LEN(parsers); i++) {
		*ret = (struct legacy_name){ 0 };
		if (parsers[i]((struct scan){ key, len }, ret))
			return true;
	}
	*ret = (struct legacy_name){ 0 };
	return false;
}

const char *legacy_name_kind_text(enum legacy_name_kind kind)
{
	switch (kind) {
	case LEGACY_NAME_NONE: break;
	case LEGACY_NAME_SHARD: return "shard";
	case LEGACY_NAME_META: return "sidecar";
	case LEGACY_NAME_BIG_FILE: return "big file";
	case LEGACY_NAME_CONTAINER: return "container";
	case LEGACY_NAME_CONTAINER_NUMBER: return "container";
	case LEGACY_NAME_EXTERNAL: return "external file";
	}
	return "object of no older archive";
}

bool legacy_name_is_of(const struct legacy_name *n, uint32_t day, uint32_t slot)
{
	return (legacy_name_is_shard(n) || n->kind == LEGACY_NAME_META) &&
	       n->day == day && n->slot == slot;
}

int legacy_name_compare(struct span key_a, struct span key_b)
{
	return span_compare(key_a, key_b);
}
