/* SPDX-License-Identifier: Apache-2.0 */
/* wild.c - wildcard patterns as a set of states run along the text.
 *
 * A pattern becomes a list of tokens; state i means that the tokens before i
 * have matched.  All states are moved on together by each byte of the text, so
 * no pattern can make the matcher go back.
 */

#include "config.h"

#include "pack/wild.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum token_kind {
	TOKEN_BYTE,
	TOKEN_ANY,       /* ? */
	TOKEN_CLASS,     /* [...] */
	TOKEN_STAR,      /* * */
	TOKEN_STAR_STAR, /* ** and longer */
};

struct token {
	enum token_kind kind;
	uint8_t byte;
	uint16_t class; /* which of the classes */
};

/* The bytes that a class matches. */
struct class
{
	uint64_t bits[4];
};

struct wild {
	bool is_bad; /* matches nothing */
	size_t n_tokens;
	struct token *tokens;
	size_t n_classes;
	size_t cap;
	struct class *classes;
};

/* The rest of a pattern; 0 is its end. */
struct pattern {
	const uint8_t *p;
};

#define STATE_WORDS ((WILD_LEN_MAX + 1) / 64)

struct states {
	size_t n_words;
	uint64_t bits[STATE_WORDS];
};

static void class_add(struct class *c, unsigned int first, unsigned int last)
{
	for (unsigned int b = first; b <= last; b++)
		c->bits[b / 64] |= UINT64_C(1) << b % 64;
}

static bool class_has(const struct class *c, uint8_t b)
{
	return c->bits[b / 64] >> b % 64 & 1;
}

/* Ranges of ASCII, in pairs, for the names in [:name:]. */
static const struct {
	const char *name;
	const char *ranges;
} named_classes[] = {
	{ "alnum", "09AZaz" },   { "alpha", "AZaz" },
	{ "blank", "\t\t  " },   { "cntrl", "\001\037\177\177" },
	{ "digit", "09" },       { "graph", "!~" },
	{ "lower", "az" },       { "print", " ~" },
	{ "punct", "!/:@[`{~" }, { "space", "\t\r  " },
	{ "upper", "AZ" },       { "xdigit", "09AFaf" },
};

static bool class_add_named(struct class *c, const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(named_classes); i++) {
		const char *r = named_classes[i].ranges;

		if (strlen(named_classes[i].name) != len ||
		    memcmp(named_classes[i].name, name, len) != 0)
			continue;
		for (; *r; r += 2)
			class_add(c, (uint8_t)r[0], (uint8_t)r[1]);
		return true;
	}
	return false;
}

/* What stands at "[:" in a class; p is left on its last byte.  Without a ":]"
 * the '[' is an ordinary member.  False for an unknown name or no end.
 */
static bool parse_named(struct pattern *pat, struct class *c, uint8_t *ret_prev)
{
	const uint8_t *name = pat->p + 2;
	const uint8_t *end = name;

	while (*end && *end != ']')
		end++;
	if (!*end)
		return false;
	if (end == name || end[-1] != ':') {
		class_add(c, '[', '[');
		*ret_prev = '[';
		return true;
	}
	pat->p = end;
	*ret_prev = 0;
	return class_add_named(c, name, (size_t)(end - name) - 1);
}

/* A range, with p on its '-'; p is left on its last byte. */
static bool parse_range(struct pattern *pat, struct class *c, uint8_t first)
{
	pat->p++;
	if (*pat->p == '\\')
		pat->p++;
	if (!*pat->p)
		return false;
	class_add(c, first, *pat->p);
	return true;
}

/* A member of a class; p is left on its last byte.  prev is where a range may
 * begin, 0 for nowhere.
 */
static bool parse_member(struct pattern *pat, struct class *c, uint8_t *prev)
{
	const uint8_t *p = pat->p;

	if (*p == '-' && *prev && p[1] && p[1] != ']') {
		if (!parse_range(pat, c, *prev))
			return false;
		*prev = 0;
		return true;
	}
	if (*p == '[' && p[1] == ':')
		return parse_named(pat, c, prev);
	if (*p == '\\')
		pat->p++;
	*prev = *pat->p;
	class_add(c, *prev, *prev);
	return *prev != 0;
}

/* A class, with p on its '['; p is left on its ']'.  False when malformed. */
static bool parse_class(struct pattern *pat, struct class *c)
{
	uint8_t prev = 0;
	bool negated;

	pat->p++;
	negated = *pat->p == '!' || *pat->p == '^';
	if (negated)
		pat->p++;
	do {
		if (!parse_member(pat, c, &prev))
			return false;
		pat->p++;
	} while (*pat->p != ']');
	for (size_t i = 0; i < ARRAY_LEN(c->bits) && negated; i++)
		c->bits[i] = ~c->bits[i];
	c->bits['/' / 64] &= ~(UINT64_C(1) << '/' % 64);
	return true;
}

static bool add_class(struct wild *w, struct pattern *pat)
{
	struct class c = { 0 };

	if (!parse_class(pat, &c))
		return false;
	w->classes = mem_grow(w->classes, &w->cap, w->n_classes + 1,
			      sizeof(*w->classes));
	w->classes[w->n_classes++] = c;
	return true;
}

/* Read one token, leaving p behind it. */
static bool add_token(struct wild *w, struct pattern *pat)
{
	struct token *t = &w->tokens[w->n_tokens++];

	if (*pat->p == '?') {
		t->kind = TOKEN_ANY;
	} else if (*pat->p == '[') {
		t->kind = TOKEN_CLASS;
		t->class = (uint16_t)w->n_classes;
		if (!add_class(w, pat))
			return false;
	} else if (*pat->p == '*') {
		t->kind = TOKEN_STAR;
		for (; pat->p[1] == '*'; pat->p++)
			t->kind = TOKEN_STAR_STAR;
	} else {
		t->kind = TOKEN_BYTE;
		if (*pat->p == '\\')
			pat->p++;
		t->byte = *pat->p;
		if (!t->byte)
			return false;
	}
	pat->p++;
	return true;
}

struct wild *wild_new(const char *pattern, size_t len)
{
	struct wild *w = xcalloc(1, sizeof(*w));
	struct pattern pat = { .p = (const uint8_t *)pattern };

	assert(len <= WILD_LEN_MAX && strlen(pattern) == len);
	w->tokens = xcalloc(len + 1, sizeof(*w->tokens));
	while (*pat.p && !w->is_bad)
		w->is_bad = !add_token(w, &pat);
	return w;
}

void wild_free(struct wild *w)
{
	if (!w)
		return;
	free(w->tokens);
	free(w->classes);
	free(w);
}

static bool is_star(const struct wild *w, size_t i)
{
	return i < w->n_tokens && (w->tokens[i].kind == TOKEN_STAR ||
				   w->tokens[i].kind == TOKEN_STAR_STAR);
}

/* Enter state i and, since stars match nothing too, the next behind stars. */
static void enter(const struct wild *w, struct states *s, size_t i)
{
	s->bits[i / 64] |= UINT64_C(1) << i % 64;
	for (; is_star(w, i); i++)
		s->bits[(i + 1) / 64] |= UINT64_C(1) << (i + 1) % 64;
}

/* Move on from state i by byte b. */
static void step(const struct wild *w, struct states *next, size_t i, uint8_t b)
{
	const struct token *t = &w->tokens[i];

	if (i == w->n_tokens)
		return;
	switch (t->kind) {
	case TOKEN_BYTE:
		if (b == t->byte)
			enter(w, next, i + 1);
		break;
	case TOKEN_ANY:
		if (b != '/')
			enter(w, next, i + 1);
		break;
	case TOKEN_CLASS:
		if (class_has(&w->classes[t->class], b))
			enter(w, next, i + 1);
		break;
	case TOKEN_STAR:
		if (b != '/')
			enter(w, next, i);
		break;
	case TOKEN_STAR_STAR: enter(w, next, i); break;
	}
}

static void step_all(const struct wild *w, struct states *s, uint8_t b,
		     bool anywhere)
{
	struct states next;
	size_t n_bytes = s->n_words * sizeof(*s->bits);

	memset(next.bits, 0, n_bytes);
	for (size_t k = 0; k < s->n_words; k++) {
		for (uint64_t left = s->bits[k]; left; left &= left - 1)
			step(w, &next, k * 64 + (size_t)__builtin_ctzll(left),
			     b);
	}
	if (anywhere && b == '/')
		enter(w, &next, 0);
	memcpy(s->bits, next.bits, n_bytes);
}

static bool has_states(const struct states *s)
{
	uint64_t any = 0;

	for (size_t k = 0; k < s->n_words; k++)
		any |= s->bits[k];
	return any != 0;
}

bool wild_matches(const struct wild *w, const struct wild_text *text,
		  bool anywhere)
{
	struct states s;
	size_t end = w->n_tokens;

	if (w->is_bad)
		return false;
	s.n_words = end / 64 + 1;
	memset(s.bits, 0, s.n_words * sizeof(*s.bits));
	enter(w, &s, 0);
	if (text->slash_before)
		step_all(w, &s, '/', anywhere);
	for (size_t i = 0; i < text->len && (anywhere || has_states(&s)); i++)
		step_all(w, &s, (uint8_t)text->p[i], anywhere);
	if (text->slash_after)
		step_all(w, &s, '/', anywhere);
	return s.bits[end / 64] >> end % 64 & 1;
}
