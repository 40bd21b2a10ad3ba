/* SPDX-License-Identifier: Apache-2.0 */
/* filter.c - the list of rules, and what of a path each is held against. */

#include "config.h"

#include "pack/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/wild.h"

struct rule {
	char *pattern; /* without a '/' at either end */
	size_t len;
	struct wild *wild; /* NULL when the pattern is plain text */
	size_t n_slashes;  /* in the pattern, with one that anchors it */
	bool include;
	bool dirs_only;
	bool anchored;
	bool has_wild2;   /* holds "**" */
	bool wild2_first; /* begins with "**" */
	bool wild3_last;  /* ends in "***" */
};

struct filter {
	struct rule *rules;
	size_t n_rules;
	size_t cap;
};

struct filter *filter_new(void)
{
	return xcalloc(1, sizeof(struct filter));
}

static void clear_rules(struct filter *f)
{
	for (size_t i = 0; i < f->n_rules; i++) {
		free(f->rules[i].pattern);
		wild_free(f->rules[i].wild);
	}
	f->n_rules = 0;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	clear_rules(f);
	free(f->rules);
	free(f);
}

static void note_wildcards(struct rule *r)
{
	const char *p = r->pattern;
	const char *wild2 = strstr(p, "**");

	if (!strpbrk(p, "*[?"))
		return;
	r->has_wild2 = !!wild2;
	r->wild2_first = wild2 == p && !r->anchored;
	r->wild3_last = r->len >= 3 && !strcmp(p + r->len - 3, "***");
	r->wild = wild_new(p, r->len);
}

static void add_pattern(struct filter *f, const char *text, size_t len,
			bool include)
{
	struct rule r = { .include = include };

	if (len > 1 && text[len - 1] == '/') {
		r.dirs_only = true;
		len--;
	}
	for (size_t i = 0; i < len; i++)
		r.n_slashes += text[i] == '/';
	if (text[0] == '/') {
		r.anchored = true;
		text++;
		len--;
	}
	r.pattern = xmemdup0(text, len);
	r.len = len;
	note_wildcards(&r);
	f->rules =
		mem_grow(f->rules, &f->cap, f->n_rules + 1, sizeof(*f->rules));
	f->rules[f->n_rules++] = r;
}

enum rc filter_add_rule(struct filter *f, const char *text, struct err *err)
{
	bool include = false;
	size_t len;

	if (!strcmp(text, "!"))
		clear_rules(f);
	if (!strcmp(text, "!") || !*text)
		return RC_OK;
	if ((text[0] == '+' || text[0] == '-') && text[1] == ' ') {
		include = text[0] == '+';
		text += 2;
	}
	len = strlen(text);
	if (!len)
		return err_set(err, RC_USAGE, "filter rule has no pattern");
	if (len > FILTER_RULE_MAX)
		return err_set(err, RC_USAGE,
			       "filter pattern has more than %d bytes",
			       FILTER_RULE_MAX);
	add_pattern(f, text, len, include);
	return RC_OK;
}

static enum rc add_line(struct filter *f, const char *line, size_t len,
			struct err *err)
{
	if (memchr(line, '\0', len))
		return err_set(err, RC_USAGE, "filter rule holds a NUL byte");
	if (*line == '#' || *line == ';')
		return RC_OK;
	return filter_add_rule(f, line, err);
}

/* Lines end in a newline or carriage return, as in rsync.  The bytes of a line
 * that is too long are dropped but for enough to have it refused.
 */
static enum rc add_lines(struct filter *f, FILE *in, const char *name,
			 struct err *err)
{
	char line[FILTER_RULE_MAX + 4];
	size_t len = 0;
	unsigned long n = 1;
	int c;

	do {
		enum rc rc;

		c = getc(in);
		if (c != EOF && c != '\n' && c != '\r') {
			if (len < sizeof(line) - 1)
				line[len++] = (char)c;
			continue;
		}
		line[len] = '\0';
		rc = add_line(f, line, len, err);
		if (rc)
			return err_prefix(err, "%s: line %lu", name, n);
		n += c == '\n';
		len = 0;
	} while (c != EOF);
	if (ferror(in))
		return err_set_errno(err, errno, "%s", name);
	return RC_OK;
}

static void close_file(FILE **in)
{
	if (*in)
		fclose(*in);
}

enum rc filter_add_file(struct filter *f, const char *path, struct err *err)
{
	CLEANUP(close_file) FILE *in = NULL;

	if (!strcmp(path, "-"))
		return add_lines(f, stdin, "standard input", err);
	in = fopen(path, "re");
	if (!in)
		return err_set_errno(err, errno, "%s", path);
	return add_lines(f, in, path, err);
}

/* The last n components, or NULL when there are fewer. */
static const char *last_components(const char *path, size_t len, size_t n)
{
	for (const char *p = path + len; p > path; p--) {
		if (p[-1] == '/' && !--n)
			return p;
	}
	return n == 1 ? path : NULL;
}

/* A plain pattern: the whole path when anchored, else its last components. */
static bool text_matches(const struct rule *r, const char *path, size_t len)
{
	size_t skip;

	if (r->anchored)
		return len == r->len && !memcmp(path, r->pattern, len);
	if (r->len > len)
		return false;
	skip = len - r->len;
	return !memcmp(path + skip, r->pattern, r->len) &&
	       (!skip || path[skip - 1] == '/');
}

static bool wildcard_matches(const struct rule *r, const char *path, size_t len,
			     bool is_dir)
{
	const char *name = path;
	struct wild_text text = {
		.slash_before = r->wild2_first,
		.slash_after = r->wild3_last && is_dir,
	};

	if (!r->anchored && !r->has_wild2)
		name = last_components(path, len, r->n_slashes + 1);
	if (!name)
		return false;
	text.p = name;
	text.len = len - (size_t)(name - path);
	return wild_matches(r->wild, &text,
			    r->has_wild2 && !r->wild2_first && !r->anchored);
}

bool filter_excludes(const struct filter *f, const char *path, size_t len,
		     bool is_dir)
{
	if (!len)
		return false;
	for (size_t i = 0; i < f->n_rules; i++) {
		const struct rule *r = &f->rules[i];

		if (r->dirs_only && !is_dir)
			continue;
		if (r->wild ? wildcard_matches(r, path, len, is_dir)
			    : text_matches(r, path, len))
			return !r->include;
	}
	return false;
}

bool filter_excludes_below(const struct filter *f, const char *path, size_t len,
			   bool is_dir)
{
	if (!f)
		return false;
	for (size_t i = 0; i < len; i++)
		if (path[i] == '/' && filter_excludes(f, path, i, true))
			return true;
	return filter_excludes(f, path, len, is_dir);
}

void filter_describe(const struct filter *f, struct buf *out)
{
	for (size_t i = 0; i < f->n_rules; i++) {
		const struct rule *r = &f->rules[i];

		buf_printf(out, "%c%c%c", r->include ? '+' : '-',
			   r->anchored ? '/' : ' ', r->dirs_only ? '/' : ' ');
		buf_append(out, r->pattern, r->len + 1);
	}
}
