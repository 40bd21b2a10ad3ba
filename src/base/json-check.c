/* SPDX-License-Identifier: Apache-2.0 */
/* json-check.c - a state machine over JSON (RFC 8259), one byte at a time. */
#include "config.h"

#include "base/json-check.h"

#include <string.h>

enum state {
	BEGIN,       /* before the object */
	NAME_OR_END, /* after '{' */
	NAME,        /* after ',' in an object */
	COLON,
	VALUE_OR_END, /* after '[' */
	VALUE,
	AFTER, /* after a value */
	STRING,
	CHARACTER, /* within one of several bytes */
	ESCAPE,
	HEX,
	LITERAL,
	MINUS,
	ZERO,
	INTEGER,
	POINT,
	FRACTION,
	EXPONENT,
	EXPONENT_SIGN,
	EXPONENT_DIGIT,
	DONE,
	BAD,
};

void json_check_init(struct json_check *c)
{
	*c = (struct json_check){ .state = BEGIN };
}

static bool is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

static bool is_hex(uint8_t b)
{
	return is_digit(b) || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F');
}

static bool is_blank(uint8_t b)
{
	return b == ' ' || b == '\t' || b == '\n' || b == '\r';
}

static bool in_array(const struct json_check *c)
{
	unsigned int i = c->depth - 1;

	return c->is_array[i / 8] >> i % 8 & 1;
}

static enum state open_one(struct json_check *c, bool is_array)
{
	unsigned int i = c->depth;

	if (i == JSON_CHECK_DEPTH)
		return BAD;
	c->depth++;
	c->is_array[i / 8] &= (uint8_t) ~(1u << i % 8);
	c->is_array[i / 8] |= (uint8_t)((unsigned int)is_array << i % 8);
	return is_array ? VALUE_OR_END : NAME_OR_END;
}

static enum state close_one(struct json_check *c)
{
	return --c->depth ? AFTER : DONE;
}

static enum state literal(struct json_check *c, const char *rest)
{
	c->literal = rest;
	return LITERAL;
}

static enum state value(struct json_check *c, uint8_t b)
{
	switch (b) {
	case '{': return open_one(c, false);
	case '[': return open_one(c, true);
	case '"': c->is_name = false; return STRING;
	case '-': return MINUS;
	case '0': return ZERO;
	case 't': return literal(c, "rue");
	case 'f': return literal(c, "alse");
	case 'n': return literal(c, "ull");
	case 'N': return literal(c, "aN");
	case 'I': return literal(c, "nfinity");
	default: return is_digit(b) ? INTEGER : BAD;
	}
}

static enum state name(struct json_check *c, uint8_t b)
{
	c->is_name = true;
	return b == '"' ? STRING : BAD;
}

static enum state after(struct json_check *c, uint8_t b)
{
	if (b == ',')
		return in_array(c) ? VALUE : NAME;
	return b == (in_array(c) ? ']' : '}') ? close_one(c) : BAD;
}

/* The first byte of a character of several (RFC 3629). */
static enum state character(struct json_check *c, uint8_t b)
{
	if (b < 0xc2 || b > 0xf4)
		return BAD;
	c->more = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
	c->low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
	c->high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
	return CHARACTER;
}

static enum state next_of_character(struct json_check *c, uint8_t b)
{
	if (b < c->low || b > c->high)
		return BAD;
	c->low = 0x80;
	c->high = 0xbf;
	return --c->more ? CHARACTER : STRING;
}

static enum state string(struct json_check *c, uint8_t b)
{
	if (b == '"')
		return c->is_name ? COLON : AFTER;
	if (b == '\\')
		return ESCAPE;
	if (b >= 0x80)
		return character(c, b);
	return b < 0x20 ? BAD : STRING;
}

static enum state escape(struct json_check *c, uint8_t b)
{
	if (b == 'u') {
		c->more = 4;
		return HEX;
	}
	return b && strchr("\"\\/bfnrt", b) ? STRING : BAD;
}

/* Within a number; AFTER when b is no more part of it. */
static enum state number(struct json_check *c, uint8_t b)
{
	bool is_e = b == 'e' || b == 'E';

	switch (c->state) {
	case MINUS:
		if (b == 'I')
			return literal(c, "nfinity");
		return b == '0' ? ZERO : is_digit(b) ? INTEGER : BAD;
	case POINT: return is_digit(b) ? FRACTION : BAD;
	case EXPONENT:
		if (b == '+' || b == '-')
			return EXPONENT_SIGN;
		return is_digit(b) ? EXPONENT_DIGIT : BAD;
	case EXPONENT_SIGN: return is_digit(b) ? EXPONENT_DIGIT : BAD;
	case EXPONENT_DIGIT: return is_digit(b) ? EXPONENT_DIGIT : AFTER;
	case FRACTION: return is_digit(b) ? FRACTION : is_e ? EXPONENT : AFTER;
	default:
		if (c->state == INTEGER && is_digit(b))
			return INTEGER;
		return b == '.' ? POINT : is_e ? EXPONENT : AFTER;
	}
}

/* Between the parts, blanks are skipped. */
static enum state between(struct json_check *c, uint8_t b)
{
	if (is_blank(b))
		return c->state;
	switch (c->state) {
	case BEGIN: return b == '{' ? open_one(c, false) : BAD;
	case NAME_OR_END: return b == '}' ? close_one(c) : name(c, b);
	case NAME: return name(c, b);
	case COLON: return b == ':' ? VALUE : BAD;
	case VALUE_OR_END: return b == ']' ? close_one(c) : value(c, b);
	case VALUE: return value(c, b);
	case AFTER: return after(c, b);
	default: return BAD;
	}
}

static enum state step(struct json_check *c, uint8_t b)
{
	enum state s = c->state;

	if (s >= MINUS && s <= EXPONENT_DIGIT) {
		s = number(c, b);
		if (s != AFTER)
			return s;
		c->state = AFTER;
	}
	if (s <= AFTER || s >= DONE)
		return between(c, b);
	if (s == STRING)
		return string(c, b);
	if (s == CHARACTER)
		return next_of_character(c, b);
	if (s == ESCAPE)
		return escape(c, b);
	if (s == HEX)
		return !is_hex(b) ? BAD : --c->more ? HEX : STRING;
	if (b != (uint8_t)*c->literal)
		return BAD;
	return *++c->literal ? LITERAL : AFTER;
}

bool json_check_feed(struct json_check *c, const void *p, size_t len)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < len && c->state != BAD; i++) {
		c->state = (uint8_t)step(c, bytes[i]);
		c->at += c->state != BAD;
	}
	return c->state != BAD;
}

bool json_check_end(const struct json_check *c)
{
	return c->state == DONE;
}
