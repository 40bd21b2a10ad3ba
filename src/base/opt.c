/* SPDX-License-Identifier: Apache-2.0 */
/* opt.c - command line options and mount options, driven by rows. */
#include "config.h"

#include "base/opt.h"

#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

/* What getopt_long returns for long option i: no letter is as large. */
#define LONG_BASE 256

static enum rc set_size(const struct opt *o, uint64_t *field, const char *arg,
			struct err *err)
{
	uint64_t max = o->max ? (uint64_t)o->max : INT64_MAX;
	uint64_t v = 0;
	enum rc rc = opt_size(arg, &v, err);

	if (rc)
		return rc;
	if (v < (uint64_t)o->min || v > max)
		return err_set(err, RC_USAGE,
			       "%s is not from %" PRId64 " to %" PRIu64
			       " bytes",
			       arg, o->min, max);
	*field = v;
	return RC_OK;
}

static enum rc set_unsigned(const struct opt *o, unsigned int *field, int base,
			    const char *arg, struct err *err)
{
	int64_t v = 0;
	enum rc rc = opt_number(arg, base, o->min, o->max ? o->max : UINT_MAX,
				&v, err);

	if (!rc)
		*field = (unsigned int)v;
	return rc;
}

static enum rc set_int(const struct opt *o, int *field, const char *arg,
		       struct err *err)
{
	bool is_bounded = o->min || o->max;
	int64_t v = 0;
	enum rc rc = opt_number(arg, 10, is_bounded ? o->min : INT_MIN,
				is_bounded ? o->max : INT_MAX, &v, err);

	if (!rc)
		*field = (int)v;
	return rc;
}

static enum rc set_choice(const struct opt *o, unsigned int *field,
			  const char *arg, struct err *err)
{
	CLEANUP_BUF struct buf all = { .max = ERR_MSG_MAX };

	for (unsigned int i = 0; o->choices[i]; i++) {
		if (!strcmp(o->choices[i], arg)) {
			*field = i;
			return RC_OK;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", o->choices[i]);
	}
	return err_set(err, RC_USAGE, "'%s' is none of %s", arg, buf_str(&all));
}

enum rc opt_set(const struct opt *o, void *options, const char *arg,
		struct err *err)
{
	void *field = (char *)options + o->offset;

	switch (o->kind) {
	case OPT_FLAG: *(bool *)field = true; return RC_OK;
	case OPT_COUNT: ++*(unsigned int *)field; return RC_OK;
	case OPT_STRING: *(const char **)field = arg; return RC_OK;
	case OPT_SIZE: return set_size(o, field, arg, err);
	case OPT_UINT: return set_unsigned(o, field, 10, arg, err);
	case OPT_INT: return set_int(o, field, arg, err);
	case OPT_OCTAL: return set_unsigned(o, field, 8, arg, err);
	case OPT_CHOICE: return set_choice(o, field, arg, err);
	case OPT_CALLBACK: return o->fn(field, arg, err);
	}
	assert(!"no such kind of option");
	return RC_OK;
}

/* The rows in the form that getopt_long wants. */
struct getopt_tables {
	struct option *longs;
	char *letters;
};

static void free_tables(struct getopt_tables *t)
{
	free(t->longs);
	free(t->letters);
}

static void make_tables(struct getopt_tables *t, const struct opt *rows,
			size_t n)
{
	struct option *o = xcalloc(n + 2, sizeof(*o));
	char *s = xcalloc(2 * n + 2, 1);

	t->longs = o;
	t->letters = s;
	/* Missing arguments are told apart from unknown options. */
	*s++ = ':';
	for (size_t i = 0; i < n; i++) {
		if (rows[i].name)
			*o++ = (struct option){
				.name = rows[i].name,
				.has_arg = rows[i].arg ? required_argument
						       : no_argument,
				.val = LONG_BASE + (int)i,
			};
		if (!rows[i].letter)
			continue;
		*s++ = rows[i].letter;
		if (rows[i].arg)
			*s++ = ':';
	}
	*o = (struct option){ .name = "help", .val = LONG_BASE + (int)n };
}

static const struct opt *row_of(const struct opt *rows, size_t n, int val)
{
	if (val >= LONG_BASE)
		return (size_t)(val - LONG_BASE) < n ? &rows[val - LONG_BASE]
						     : NULL;
	for (size_t i = 0; i < n; i++) {
		if (val && rows[i].letter == val)
			return &rows[i];
	}
	return NULL;
}

/* How the user wrote, or could have written, the option. */
static void spell(char ret[64], const struct opt *o, int val)
{
	if (val < LONG_BASE)
		snprintf(ret, 64, "-%c", val);
	else
		snprintf(ret, 64, "--%s", o ? o->name : "help");
}

/* getopt_long returned c, '?' or ':', and left its trouble in optopt. */
static enum rc complain(int c, const struct opt *rows, size_t n, char **argv,
			struct err *err)
{
	char name[64];

	if (!optopt) {
		const char *word = argv[optind - 1];

		return err_set(err, RC_USAGE, "unknown option %.*s, see --help",
			       (int)strcspn(word, "="), word);
	}
	spell(name, row_of(rows, n, optopt), optopt);
	if (c == ':')
		return err_set(err, RC_USAGE, "option %s needs an argument",
			       name);
	if (optopt >= LONG_BASE)
		return err_set(err, RC_USAGE, "option %s takes no argument",
			       name);
	return err_set(err, RC_USAGE, "unknown option %s, see --help", name);
}

enum rc opt_parse(const struct opt *rows, size_t n, void *options, int argc,
		  char **argv, int *ret_first, struct err *err)
{
	CLEANUP(free_tables) struct getopt_tables t = { 0 };

	make_tables(&t, rows, n);
	optind = 0; /* glibc: start anew */
	opterr = 0;
	for (;;) {
		int c = getopt_long(argc, argv, t.letters, t.longs, NULL);
		const struct opt *o;
		char name[64];

		if (c == -1)
			break;
		if (c == '?' || c == ':')
			return complain(c, rows, n, argv, err);
		o = row_of(rows, n, c);
		if (!o) {
			*ret_first = OPT_HELP;
			return RC_OK;
		}
		if (opt_set(o, options, optarg, err)) {
			spell(name, o, c);
			return err_prefix(err, "option %s", name);
		}
	}
	*ret_first = optind;
	return RC_OK;
}

/* The column where the explanations begin, and the last one they may use. */
#define HELP_COLUMN 28
#define HELP_END 79

static void print_wrapped(FILE *to, const char *text, int column)
{
	int at = column;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at > HELP_COLUMN && at + 1 + len > HELP_END) {
			fprintf(to, "\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		} else if (at > HELP_COLUMN) {
			fputc(' ', to);
			at++;
		}
		fprintf(to, "%.*s", len, text);
		at += len;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', to);
}

static void print_row(FILE *to, const struct opt *o)
{
	char left[80];
	int n;

	if (o->letter && o->name)
		n = snprintf(left, sizeof(left), "  -%c, --%s%s%s", o->letter,
			     o->name, o->arg ? "=" : "", o->arg ? o->arg : "");
	else if (o->name)
		n = snprintf(left, sizeof(left), "      --%s%s%s", o->name,
			     o->arg ? "=" : "", o->arg ? o->arg : "");
	else
		n = snprintf(left, sizeof(left), "  -%c%s%s", o->letter,
			     o->arg ? " " : "", o->arg ? o->arg : "");
	if (n > HELP_COLUMN - 2)
		fprintf(to, "%s\n%*s", left, HELP_COLUMN, "");
	else
		fprintf(to, "%-*s", HELP_COLUMN, left);
	print_wrapped(to, o->help, HELP_COLUMN);
}

void opt_print_help(FILE *to, const char *program, const char *usage,
		    const char *summary, const struct opt *rows, size_t n)
{
	static const struct opt help = {
		.name = "help",
		.help = "print this help",
	};

	fprintf(to, "Usage: %s%s%s\n", program, *usage ? " " : "", usage);
	fprintf(to, "%s\n\nOptions:\n", summary);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].help)
			print_row(to, &rows[i]);
	}
	print_row(to, &help);
}

/* Cut the first item off *list, without its escapes; NULL when there is none.
 */
static char *next_item(char **list)
{
	char *from = *list;
	char *item = from;
	char *to = from;

	if (!*from)
		return NULL;
	while (*from && *from != ',') {
		if (*from == '\\' && (from[1] == ',' || from[1] == '\\'))
			from++;
		*to++ = *from++;
	}
	*list = *from ? from + 1 : from;
	*to = '\0';
	return item;
}

static enum rc set_item(const struct opt *o, void *options, const char *key,
			const char *value, struct err *err)
{
	if (o->arg && !value)
		return err_set(err, RC_USAGE, "option %s needs a value: %s=%s",
			       key, key, o->arg);
	if (!o->arg && value)
		return err_set(err, RC_USAGE, "option %s takes no value", key);
	if (opt_set(o, options, value, err))
		return err_prefix(err, "option %s", key);
	return RC_OK;
}

static const struct opt *row_named(const struct opt *rows, size_t n,
				   const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].name && !strcmp(rows[i].name, key))
			return &rows[i];
	}
	return NULL;
}

enum rc opt_parse_list(const struct opt *rows, size_t n, void *options,
		       char *list, opt_unknown_fn *unknown, void *unknown_arg,
		       struct err *err)
{
	char *key;

	for (key = next_item(&list); key; key = next_item(&list)) {
		char *value = strchr(key, '=');
		const struct opt *o;
		enum rc rc;

		if (!*key)
			continue;
		if (value)
			*value++ = '\0';
		o = row_named(rows, n, key);
		if (o)
			rc = set_item(o, options, key, value, err);
		else if (unknown)
			rc = unknown(unknown_arg, key, value, err);
		else
			rc = err_set(err, RC_USAGE, "unknown option %s", key);
		if (rc)
			return rc;
	}
	return RC_OK;
}
