/* SPDX-License-Identifier: Apache-2.0 */
/* fake-rule.c - see fake-rule.h. */
#include "config.h"

#include "fake-rule.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "fake-s3.h"

struct fake_rule {
	struct fake_rule *next;
	char *text;
	char *method, *kind, *key, *query, *range; /* NULL: any */
	uint64_t nth, from, every, count;
	double p;
	uint64_t random;
	uint64_t seen, used;
	struct fake_fault fault; /* what of it is set, see add */
	char *set;               /* for each row of actions: whether */
};

enum action_kind { AS_NUMBER, AS_SIGNED, AS_UINT, AS_TEXT, AS_FLAG, AS_DROP };
struct action {
	const char *name;
	enum action_kind kind;
	size_t offset, size;
};
#define ROW(name, kind, field)                                     \
	{                                                          \
		name, kind, offsetof(struct fake_fault, field),    \
			sizeof(((struct fake_fault *)NULL)->field) \
	}
static const struct action actions[] = {
	ROW("status", AS_UINT, status),
	ROW("code", AS_TEXT, code),
	ROW("retry-after", AS_TEXT, retry_after),
	ROW("redirect", AS_TEXT, redirect),
	ROW("applied", AS_FLAG, applied),
	ROW("full", AS_FLAG, full),
	ROW("drop", AS_DROP, drop),
	ROW("latency", AS_NUMBER, latency),
	ROW("stall", AS_NUMBER, stall),
	ROW("stall-after", AS_NUMBER, stall_after),
	ROW("reset-after", AS_NUMBER, reset_after),
	ROW("cut-after", AS_NUMBER, cut_after),
	ROW("trickle", AS_NUMBER, trickle),
	ROW("overlong", AS_NUMBER, overlong),
	ROW("longer", AS_SIGNED, longer),
	ROW("shift", AS_SIGNED, shift),
	ROW("content-range", AS_TEXT, content_range),
	ROW("etag", AS_TEXT, etag),
	ROW("xml", AS_TEXT, xml),
	ROW("endless", AS_TEXT, endless),
	ROW("flip", AS_SIGNED, flip),
	ROW("flip-object", AS_SIGNED, flip_object),
	ROW("has-flip", AS_FLAG, has_flip),
	ROW("has-flip-object", AS_FLAG, has_flip_object),
};
#define N_ACTIONS ARRAY_LEN(actions)

/* Words that stand for others. */
static const char *const short_forms[][3] = {
	{ "expired", "status=400", "code=ExpiredToken" },
	{ "skewed", "status=403", "code=RequestTimeTooSkewed" },
	{ "denied", "status=403", "code=AccessDenied" },
};

void fake_fault_init(struct fake_fault *f)
{
	*f = (struct fake_fault){ .stall = FAKE_NEVER,
				  .stall_after = FAKE_NEVER,
				  .reset_after = FAKE_NEVER,
				  .cut_after = FAKE_NEVER };
}

bool fake_fault_replaces(const struct fake_fault *f)
{
	return f->status || *f->redirect || f->drop;
}

static bool number(const char *s, bool is_signed, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(s, &end, 10);
	return *s && !*end && !errno && (is_signed || *ret >= 0);
}

static bool drop_of(const char *s, enum fake_drop *ret)
{
	static const char *const names[] = { "", "fin", "rst", "garbage" };

	for (size_t i = 1; i < ARRAY_LEN(names); i++)
		if (!strcmp(s, names[i])) {
			*ret = (enum fake_drop)i;
			return true;
		}
	return false;
}

static bool action_set(struct fake_rule *r, size_t i, const char *value)
{
	const struct action *a = &actions[i];
	char *at = (char *)&r->fault + a->offset;
	int64_t n = 0;

	r->set[i] = 1;
	if (a->kind == AS_FLAG)
		return !*value && (*(bool *)at = true);
	if (a->kind == AS_DROP)
		return drop_of(value, (enum fake_drop *)(void *)at);
	if (a->kind == AS_TEXT) {
		snprintf(at, a->size, "%s", value);
		return *value && strlen(value) < a->size;
	}
	if (!number(value, a->kind == AS_SIGNED, &n))
		return false;
	if (a->kind == AS_UINT)
		*(unsigned int *)(void *)at = (unsigned int)n;
	else
		memcpy(at, &n, sizeof(n));
	return true;
}

static bool action_word(struct fake_rule *r, const char *name,
			const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(short_forms); i++)
		if (!strcmp(name, short_forms[i][0]))
			return action_word(r, "status",
					   strchr(short_forms[i][1], '=') +
						   1) &&
			       action_word(r, "code",
					   strchr(short_forms[i][2], '=') + 1);
	if (!strcmp(name, "shorter")) {
		CLEANUP_FREE char *less = xasprintf("-%s", value);

		return action_word(r, "longer", less);
	}
	if (!strcmp(name, "flip") && !action_word(r, "has-flip", ""))
		return false;
	if (!strcmp(name, "flip-object") &&
	    !action_word(r, "has-flip-object", ""))
		return false;
	for (size_t i = 0; i < N_ACTIONS; i++)
		if (!strcmp(name, actions[i].name))
			return action_set(r, i, value);
	return false;
}

static bool match_text(struct fake_rule *r, const char *name, const char *value)
{
	const struct {
		const char *name;
		char **field;
	} rows[] = { { "method", &r->method },
		     { "kind", &r->kind },
		     { "key", &r->key },
		     { "query", &r->query },
		     { "range", &r->range } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(name, rows[i].name)) {
			free(*rows[i].field);
			*rows[i].field = xstrdup(value);
			return true;
		}
	return false;
}

/* 1: it was such a word, 0: it is none, -1: its number is bad. */
static int match_number(struct fake_rule *r, const char *name,
			const char *value)
{
	const struct {
		const char *name;
		uint64_t *field;
	} rows[] = { { "nth", &r->nth },
		     { "from", &r->from },
		     { "every", &r->every },
		     { "count", &r->count },
		     { "seed", &r->random } };
	int64_t n;

	if (!strcmp(name, "p")) {
		r->p = strtod(value, NULL);
		return r->p > 0 && r->p <= 1 ? 1 : -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(name, rows[i].name)) {
			if (!number(value, false, &n))
				return -1;
			*rows[i].field = (uint64_t)n;
			return 1;
		}
	return 0;
}

static bool word(struct fake_rule *r, const char *w, size_t len)
{
	const char *eq = memchr(w, '=', len);
	CLEANUP_FREE char *name = xmemdup0(w, eq ? (size_t)(eq - w) : len);
	CLEANUP_FREE char *value =
		eq ? fake_decode(eq + 1, (size_t)(w + len - eq - 1))
		   : xstrdup("");
	int n;

	if (match_text(r, name, value))
		return true;
	n = match_number(r, name, value);
	return n ? n > 0 : action_word(r, name, value);
}

static struct fake_rule *rule_new(const char *line, size_t len)
{
	struct fake_rule *r = xcalloc(1, sizeof(*r));

	r->text = xmemdup0(line, len);
	r->set = xcalloc(N_ACTIONS, 1);
	r->p = 1;
	r->random = 1;
	fake_fault_init(&r->fault);
	return r;
}

static bool rule_parse(struct fake_rule *r)
{
	const char *s = r->text;

	for (;;) {
		size_t len;

		s += strspn(s, " \t");
		len = strcspn(s, " \t");
		if (!len)
			return true;
		if (!word(r, s, len))
			return false;
		s += len;
	}
}

void fake_rules_free(struct fake_rule *rules)
{
	while (rules) {
		struct fake_rule *r = rules;

		rules = r->next;
		free(r->text);
		free(r->method);
		free(r->kind);
		free(r->key);
		free(r->query);
		free(r->range);
		free(r->set);
		free(r);
	}
}

bool fake_rules_set(struct fake_rule **rules, const char *text,
		    const char **ret_bad)
{
	struct fake_rule *all = NULL, **at = &all;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > strspn(text, " \t") && *text != '#') {
			*at = rule_new(text, len);
			if (!rule_parse(*at)) {
				*ret_bad = text;
				fake_rules_free(all);
				return false;
			}
			at = &(*at)->next;
		}
		text += len + (text[len] == '\n');
	}
	fake_rules_free(*rules);
	*rules = all;
	return true;
}

static bool by_chance(struct fake_rule *r)
{
	if (r->p >= 1)
		return true;
	/* splitmix64 */
	r->random += 0x9e3779b97f4a7c15u;
	uint64_t z = r->random;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (double)(z >> 11) / (double)(1ull << 53) < r->p;
}

static bool like(const char *pattern, const char *s)
{
	return !pattern || !fnmatch(pattern, s ? s : "", 0);
}

static bool is_match(struct fake_rule *r, const struct fake_request *rq)
{
	const char *query = strchr(rq->target, '?');

	if (!like(r->method, rq->method) ||
	    !like(r->kind, fake_kind_name(rq->kind)) ||
	    !like(r->key, rq->key) || !like(r->query, query ? query + 1 : "") ||
	    !like(r->range, fake_header(rq, "Range")))
		return false;
	r->seen++;
	if ((r->nth && r->seen != r->nth) || (r->from && r->seen < r->from) ||
	    (r->every && r->seen % r->every) ||
	    (r->count && r->used >= r->count))
		return false;
	if (!by_chance(r))
		return false;
	r->used++;
	return true;
}

void fake_rules_match(struct fake_rule *rules, struct fake_request *rq)
{
	fake_fault_init(&rq->fault);
	for (struct fake_rule *r = rules; r; r = r->next) {
		if (!is_match(r, rq))
			continue;
		rq->fault.is_any = true;
		for (size_t i = 0; i < N_ACTIONS; i++)
			if (r->set[i])
				memcpy((char *)&rq->fault + actions[i].offset,
				       (const char *)&r->fault +
					       actions[i].offset,
				       actions[i].size);
	}
}

void fake_rules_print(const struct fake_rule *rules, struct buf *out)
{
	for (; rules; rules = rules->next)
		buf_printf(out, "%" PRIu64 " %s\n", rules->used, rules->text);
}
