/* SPDX-License-Identifier: Apache-2.0 */
/* filter.c - tests of the include and exclude rules; what the table of patterns
 * expects was compared with rsync.
 */
#include "config.h"

#include "pack/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

/* One pattern, and paths each followed by whether it is left out.  A path that
 * ends in '/' is a directory.
 */
struct pattern_case {
	const char *pattern;
	const char *excluded[5];
	const char *included[5];
};

static const struct pattern_case patterns[] = {
	/* Without a slash: the last component, wherever it is. */
	{ "foo", { "foo", "foo/", "a/foo", "a/b/foo/" }, { "afoo", "foob" } },
	{ "foo/", { "foo/", "a/foo/" }, { "foo", "a/foo" } },
	{ "*.o", { "x.o", ".o", "a/x.o", "d.o/" }, { "x.oo", "xo", "x.o~" } },
	{ "*", { "a", "a/", ".x" }, { NULL } },
	{ "?", { "a", "d/b", "\xff" }, { "ab", "\xc3\xa9" } },
	{ "a*b*c", { "abc", "axbxbc", "d/a-b-c" }, { "acb", "ab/c" } },
	{ "x*", { "x", "xy", "d/x" }, { "yx" } },
	/* A leading slash anchors at the root. */
	{ "/foo", { "foo", "foo/" }, { "a/foo", "a/b/foo" } },
	{ "/foo/", { "foo/" }, { "foo", "a/foo/" } },
	{ "/*", { "a", "a/" }, { "d/x" } },
	{ "/*/x", { "d/x", "e/x/" }, { "x", "d/e/x" } },
	{ "/a/b", { "a/b" }, { "b", "x/a/b" } },
	/* With a slash inside: the last components. */
	{ "a/b", { "a/b", "x/a/b", "y/x/a/b/" }, { "b", "xa/b", "a/x/b" } },
	{ "a/*", { "a/b", "x/a/c", "a/d/" }, { "a/", "a" } },
	{ "a/*/c", { "a/b/c", "x/a/b/c" }, { "a/c", "a/b/d/c" } },
	{ "*/b", { "a/b", "x/a/b" }, { "b", "a/bb" } },
	{ "a?/b", { "ax/b", "d/ay/b" }, { "a/b", "axx/b" } },
	{ "a?b", { "axb" }, { "a/b" } },
	{ "a/b/", { "a/b/", "x/a/b/" }, { "a/b" } },
	/* Two stars cross slashes and are held against the whole path. */
	{ "/d/**", { "d/x", "d/e/" }, { "d/", "d", "e/x", "a/d/x" } },
	{ "d/**", { "d/x", "a/d/x", "d/e/" }, { "d/", "ad/x" } },
	{ "**/x", { "x", "d/x", "d/e/x/" }, { "dx", "xx" } },
	{ "**x", { "x", "dx", "d/x", "d/ex" }, { "xy", "x/y" } },
	{ "a**z", { "az", "axz", "a/z", "d/a/b/z" }, { "ba/bz", "azb" } },
	{ "a/**/z", { "a/b/z", "a/b/c/z", "d/a/b/z" }, { "a/z", "az" } },
	{ "/a**z", { "az", "a/b/z" }, { "d/az" } },
	{ "**", { "a", "a/", "..." }, { NULL } },
	{ "/**/z", { "a/z", "a/b/z" }, { "z" } },
	{ "*/x**", { "a/x", "a/xy" }, { "x", "xy" } },
	{ "**/d/*", { "d/x", "a/d/y" }, { "d/", "a/d/" } },
	{ "x***y", { "xy", "x/y", "x/a/y" }, { "xyz" } },
	/* Three stars behind a slash match the directory too. */
	{ "d/***", { "d/", "a/d/" }, { "d", "ad/" } },
	{ "/d/***", { "d/" }, { "d", "a/d/" } },
	{ "/d/e/***", { "d/e/" }, { "d/e", "d/" } },
	{ "d/***/", { "d/" }, { "d" } },
	{ "***", { "a", "a/" }, { NULL } },
	/* Classes. */
	{ "[abc]", { "a", "c", "d/b" }, { "d", "ab" } },
	{ "[!abc]", { "d", "-" }, { "a", "dd" } },
	{ "[^abc]", { "d" }, { "b" } },
	{ "[a-c]x", { "ax", "bx", "cx" }, { "dx", "-x" } },
	{ "[c-a]", { "c" }, { "a", "b", "-" } },
	{ "[a-]", { "a", "-" }, { "b" } },
	{ "[-a]", { "a", "-" }, { "b" } },
	{ "[]a]", { "]", "a" }, { "b" } },
	{ "[!]a]", { "b" }, { "]", "a" } },
	{ "[]-a]", { "]", "^", "_", "a" }, { "-", "b" } },
	{ "[\\]a]", { "]", "a" }, { "\\" } },
	{ "[\\a-c]", { "a", "b", "c" }, { "\\", "-" } },
	{ "[a-\\c]", { "a", "b", "c" }, { "\\" } },
	{ "[[:digit:]]*", { "1", "9x" }, { "x", "a1" } },
	{ "[[:alpha:]]", { "a", "Z" }, { "1", "_" } },
	{ "[[:upper:][:digit:]]", { "A", "1" }, { "a" } },
	{ "[![:space:]]", { "a", "_" }, { " ", "\t" } },
	{ "[[:xdigit:]]", { "f", "F", "0" }, { "g" } },
	{ "[[:punct:]]", { "!", "_", "~" }, { "a", "1" } },
	{ "[[:alpha]", { "[", ":", "a", "l" }, { "b", "]" } },
	{ "[[:]", { "[", ":" }, { "a" } },
	{ "[[]", { "[" }, { "]" } },
	{ "[\x80-\xff]", { "\x80", "\xe9", "\xff" }, { "a" } },
	{ "a[/]b", { NULL }, { "a/b" } },
	{ "a[!x]b", { "ayb" }, { "axb", "a/b" } },
	/* Malformed classes match nothing. */
	{ "[a", { NULL }, { "a", "[a" } },
	{ "[", { NULL }, { "[" } },
	{ "[]", { NULL }, { "[]", "]" } },
	{ "[[:nope:]a]", { NULL }, { "a", "n" } },
	{ "[a\\", { NULL }, { "a", "\\" } },
	/* A backslash escapes only where there are wildcards. */
	{ "a\\*", { "a*" }, { "ab", "a\\*" } },
	{ "\\a*", { "ab" }, { "\\ab" } },
	{ "a\\b", { "a\\b" }, { "ab" } },
	{ "\\[x]", { "[x]" }, { "x", "\\x" } },
	{ "*\\", { NULL }, { "a\\", "a" } },
	{ "a\\\\?", { "a\\x" }, { "ax" } },
	/* Odd ones. */
	{ "/", { NULL }, { "a", "a/" } },
	{ "//", { NULL }, { "a", "a/" } },
	{ "a//", { NULL }, { "a", "a/" } },
	{ "!x", { "!x" }, { "x" } },
	{ "-x", { "-x" }, { "x" } },
	{ "- x", { "x" }, { "- x" } },
	{ " x", { " x" }, { "x" } },
	{ "#x", { "#x" }, { "x" } },
};

static bool is_excluded(const struct filter *f, const char *path)
{
	size_t len = strlen(path);
	bool is_dir = len > 0 && path[len - 1] == '/';

	return filter_excludes(f, path, len - is_dir, is_dir);
}

static struct filter *with_rules(const char *const *rules)
{
	struct filter *f = filter_new();
	struct err err;

	for (; *rules; rules++) {
		if (filter_add_rule(f, *rules, &err))
			fail_msg("%s: %s", *rules, err.msg);
	}
	return f;
}

static void patterns_match_as_in_rsync(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		const struct pattern_case *c = &patterns[i];
		const char *rules[] = { c->pattern, NULL };
		struct filter *f = with_rules(rules);

		for (size_t k = 0; k < 5 && c->excluded[k]; k++) {
			if (!is_excluded(f, c->excluded[k]))
				fail_msg("%s leaves in %s", c->pattern,
					 c->excluded[k]);
		}
		for (size_t k = 0; k < 5 && c->included[k]; k++) {
			if (is_excluded(f, c->included[k]))
				fail_msg("%s leaves out %s", c->pattern,
					 c->included[k]);
		}
		filter_free(f);
	}
}

static void the_first_rule_that_matches_decides(void **state)
{
	static const char *const rules[] = { "+ keep.o", "*.o", "+ */",
					     "+ *.c",    "*",   NULL };
	struct filter *f = with_rules(rules);

	(void)state;
	assert_false(is_excluded(f, "d/keep.o"));
	assert_true(is_excluded(f, "d/lose.o"));
	assert_false(is_excluded(f, "d/"));
	assert_true(is_excluded(f, "d.o/"));
	assert_false(is_excluded(f, "d/a.c"));
	assert_true(is_excluded(f, "d/a.h"));
	filter_free(f);
}

static void without_rules_all_is_included(void **state)
{
	static const char *const rules[] = { "", NULL };
	struct filter *f = with_rules(rules);

	(void)state;
	assert_false(is_excluded(f, "a"));
	assert_false(is_excluded(f, "a/"));
	filter_free(f);
	filter_free(NULL);
}

static void the_root_is_never_left_out(void **state)
{
	static const char *const rules[] = { "*", "**", "***", NULL };
	struct filter *f = with_rules(rules);

	(void)state;
	assert_false(filter_excludes(f, "", 0, true));
	filter_free(f);
}

static void an_exclamation_mark_drops_the_rules_before(void **state)
{
	static const char *const rules[] = { "a", "b*", "!", "c", NULL };
	struct filter *f = with_rules(rules);

	(void)state;
	assert_false(is_excluded(f, "a"));
	assert_false(is_excluded(f, "bb"));
	assert_true(is_excluded(f, "c"));
	filter_free(f);
}

static void rules_without_a_pattern_or_too_long_are_refused(void **state)
{
	char text[FILTER_RULE_MAX + 4];
	struct filter *f = filter_new();
	struct err err;

	(void)state;
	assert_int_equal(filter_add_rule(f, "- ", &err), RC_USAGE);
	assert_int_equal(filter_add_rule(f, "+ ", &err), RC_USAGE);
	memset(text, '*', sizeof(text));
	memcpy(text, "+ ", 2);
	text[FILTER_RULE_MAX + 3] = '\0';
	assert_int_equal(filter_add_rule(f, text, &err), RC_USAGE);
	text[FILTER_RULE_MAX + 2] = '\0';
	assert_int_equal(filter_add_rule(f, text, &err), RC_OK);
	assert_false(is_excluded(f, "a"));
	filter_free(f);
}

/* Write bytes to a file and read them as rules. */
static enum rc add_bytes(struct filter *f, const char *bytes, size_t len,
			 struct err *err)
{
	char path[] = "filter-test-XXXXXX";
	int fd = mkstemp(path);
	enum rc rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	rc = filter_add_file(f, path, err);
	unlink(path);
	return rc;
}

static void files_hold_a_rule_a_line(void **state)
{
	static const char text[] = "gone\n!\n# a comment\n; another\n\n"
				   "+ x.o\r\n*.o\n #z\n- q";
	struct filter *f = filter_new();
	struct err err;

	(void)state;
	assert_int_equal(add_bytes(f, text, strlen(text), &err), RC_OK);
	assert_false(is_excluded(f, "gone"));
	assert_false(is_excluded(f, "x.o"));
	assert_true(is_excluded(f, "y.o"));
	assert_true(is_excluded(f, " #z"));
	assert_false(is_excluded(f, "# a comment"));
	assert_false(is_excluded(f, "; another"));
	assert_true(is_excluded(f, "q"));
	filter_free(f);
}

static void a_bad_line_is_named(void **state)
{
	char text[FILTER_RULE_MAX * 3];
	struct filter *f = filter_new();
	struct err err;

	(void)state;
	assert_int_equal(add_bytes(f, "a\r\n\n- \nb\n", 9, &err), RC_USAGE);
	assert_non_null(strstr(err.msg, "line 3: "));
	assert_int_equal(add_bytes(f, "a\nb\0c\n", 6, &err), RC_USAGE);
	assert_non_null(strstr(err.msg, "line 2: "));
	memset(text, 'x', sizeof(text));
	assert_int_equal(add_bytes(f, text, sizeof(text), &err), RC_USAGE);
	assert_int_equal(add_bytes(f, text, FILTER_RULE_MAX, &err), RC_OK);
	memset(text, '#', sizeof(text));
	assert_int_equal(add_bytes(f, text, sizeof(text), &err), RC_OK);
	assert_int_equal(filter_add_file(f, "/nonexistent/rules", &err),
			 RC_NOENT);
	filter_free(f);
}

static void hostile_patterns_end_soon(void **state)
{
	static const char *const units[] = { "*a", "**a", "**/*a*", "?*",
					     "[a]*" };
	char path[4096];

	(void)state;
	memset(path, 'a', sizeof(path));
	for (size_t i = 200; i < sizeof(path); i += 200)
		path[i] = '/';
	for (size_t u = 0; u < ARRAY_LEN(units); u++) {
		char rule[1024] = "";
		const char *rules[] = { rule, NULL };
		size_t n = strlen(units[u]);
		struct filter *f;

		for (size_t i = 0; i + n + 2 < sizeof(rule); i += n)
			memcpy(rule + i, units[u], n + 1);
		memcpy(rule + strlen(rule), "b", 2);
		f = with_rules(rules);
		assert_false(filter_excludes(f, path, sizeof(path), false));
		filter_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_in_rsync),
		cmocka_unit_test(the_first_rule_that_matches_decides),
		cmocka_unit_test(without_rules_all_is_included),
		cmocka_unit_test(the_root_is_never_left_out),
		cmocka_unit_test(an_exclamation_mark_drops_the_rules_before),
		cmocka_unit_test(
		    rules_without_a_pattern_or_too_long_are_refused),
		cmocka_unit_test(files_hold_a_rule_a_line),
		cmocka_unit_test(a_bad_line_is_named),
		cmocka_unit_test(hostile_patterns_end_soon),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
