/* SPDX-License-Identifier: Apache-2.0 */
/* opt.c - tests of command line and mount options. */
#include "config.h"

#include "base/opt.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

enum color { RED, GREEN, BLUE };

static const char *const colors[] = { "red", "green", "blue", NULL };

struct options {
	bool all;
	unsigned int verbose;
	const char *name;
	uint64_t size;
	unsigned int jobs;
	int level;
	unsigned int umask;
	enum color color;
	char words[64];
};

static enum rc add_word(void *field, const char *arg, struct err *err)
{
	char *words = field;
	size_t used = strlen(words);

	if (used + strlen(arg) + 2 > 64)
		return err_set(err, RC_USAGE, "too many words");
	snprintf(words + used, 64 - used, "%s;", arg);
	return RC_OK;
}

#define FIELD(f) .offset = offsetof(struct options, f)

static const struct opt rows[] = {
	{ .name = "all",
	  .letter = 'a',
	  .kind = OPT_FLAG,
	  FIELD(all),
	  .help = "everything" },
	{ .letter = 'v',
	  .kind = OPT_COUNT,
	  FIELD(verbose),
	  .help = "say more; may be repeated" },
	{ .name = "name",
	  .letter = 'n',
	  .arg = "NAME",
	  .kind = OPT_STRING,
	  FIELD(name),
	  .help = "call it NAME" },
	{ .name = "max-shard-size",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  FIELD(size),
	  .min = 4096,
	  .max = INT64_C(1) << 40,
	  .help = "begin a new part when the plain bytes of a shard would "
		  "exceed SIZE" },
	{ .name = "jobs",
	  .letter = 'j',
	  .arg = "N",
	  .kind = OPT_UINT,
	  FIELD(jobs),
	  .min = 1,
	  .max = 256,
	  .help = "use N threads" },
	{ .name = "level",
	  .arg = "N",
	  .kind = OPT_INT,
	  FIELD(level),
	  .min = -7,
	  .max = 22,
	  .help = "compress with level N" },
	{ .name = "umask",
	  .arg = "MODE",
	  .kind = OPT_OCTAL,
	  FIELD(umask),
	  .max = 0777 },
	{ .name = "color",
	  .arg = "COLOR",
	  .kind = OPT_CHOICE,
	  FIELD(color),
	  .choices = colors,
	  .help = "red, green or blue" },
	{ .name = "word",
	  .letter = 'w',
	  .arg = "WORD",
	  .kind = OPT_CALLBACK,
	  FIELD(words),
	  .fn = add_word,
	  .help = "add WORD" },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))
#define MAX_ARGS 16

/* Parse words; *ret_first as opt_parse gives it, the words are left in argv. */
static enum rc parse(struct options *o, char **argv, int *ret_first,
		     struct err *err)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	memset(o, 0, sizeof(*o));
	return opt_parse(rows, N_ROWS, o, argc, argv, ret_first, err);
}

#define PARSE(...)                                                  \
	char *argv[MAX_ARGS] = { (char[]){ "prog" }, __VA_ARGS__ }; \
	struct options o;                                           \
	struct err err = { 0 };                                     \
	int first = -2;                                             \
	enum rc rc = parse(&o, argv, &first, &err);                 \
	(void)state

#define W(word) ((char[]){ word })

static void each_kind_reaches_its_field(void **state)
{
	PARSE(W("-avv"), W("--name=x"), W("--max-shard-size"), W("64k"),
	      W("-j8"), W("--level=-5"), W("--color"), W("blue"), W("--umask"),
	      W("027"), W("-w"), W("a"), W("--word=b"));

	assert_int_equal(rc, RC_OK);
	assert_true(o.all);
	assert_int_equal(o.verbose, 2);
	assert_string_equal(o.name, "x");
	assert_int_equal(o.size, 65536);
	assert_int_equal(o.jobs, 8);
	assert_int_equal(o.level, -5);
	assert_int_equal(o.umask, 027);
	assert_int_equal(o.color, BLUE);
	assert_string_equal(o.words, "a;b;");
	assert_int_equal(first, 14);
}

static void arguments_and_options_may_mix(void **state)
{
	PARSE(W("one"), W("-a"), W("two"), W("--"), W("-v"));

	assert_int_equal(rc, RC_OK);
	assert_true(o.all);
	assert_int_equal(o.verbose, 0);
	assert_int_equal(first, 3);
	assert_string_equal(argv[3], "one");
	assert_string_equal(argv[4], "two");
	assert_string_equal(argv[5], "-v");
}

static void help_is_told_apart(void **state)
{
	PARSE(W("-a"), W("--help"), W("--nonsense"));

	assert_int_equal(rc, RC_OK);
	assert_int_equal(first, OPT_HELP);
}

#define assert_refused(text, ...)                   \
	do {                                        \
		PARSE(__VA_ARGS__);                 \
		assert_int_equal(rc, RC_USAGE);     \
		assert_string_equal(err.msg, text); \
		assert_int_equal(first, -2);        \
	} while (0)

static void wrong_options_are_named(void **state)
{
	assert_refused("unknown option --colour, see --help",
		       W("--colour=red"));
	assert_refused("unknown option -x, see --help", W("-axv"));
	assert_refused("option --name needs an argument", W("--name"));
	assert_refused("option -j needs an argument", W("-j"));
	assert_refused("option --all takes no argument", W("--all=1"));
	assert_refused("option --help takes no argument", W("--help=1"));
}

static void wrong_arguments_are_named(void **state)
{
	assert_refused("option --jobs: 0 is not from 1 to 256", W("--jobs=0"));
	assert_refused("option -j: 257 is not from 1 to 256", W("-j257"));
	assert_refused("option -j: '1x' is no number", W("-j1x"));
	assert_refused("option --level: -8 is not from -7 to 22",
		       W("--level=-8"));
	assert_refused("option --umask: '8' is no octal number",
		       W("--umask=8"));
	assert_refused("option --umask: 1000 is not from 0 to 777",
		       W("--umask=1000"));
	assert_refused("option --color: 'pink' is none of red, green, blue",
		       W("--color=pink"));
	assert_refused("option --max-shard-size: 4095 is not from 4096 to "
		       "1099511627776 bytes",
		       W("--max-shard-size=4095"));
}

static void sizes_are_whole_numbers_with_a_suffix(void **state)
{
	struct err err = { 0 };
	uint64_t v = 0;

	(void)state;
	assert_int_equal(opt_size("0", &v, &err), RC_OK);
	assert_int_equal(v, 0);
	assert_int_equal(opt_size("7", &v, &err), RC_OK);
	assert_int_equal(v, 7);
	assert_int_equal(opt_size("3k", &v, &err), RC_OK);
	assert_int_equal(v, 3072);
	assert_int_equal(opt_size("2T", &v, &err), RC_OK);
	assert_true(v == UINT64_C(2) << 40);
	assert_int_equal(opt_size("", &v, &err), RC_USAGE);
	assert_int_equal(opt_size("K", &v, &err), RC_USAGE);
	assert_int_equal(opt_size("-1", &v, &err), RC_USAGE);
	assert_int_equal(opt_size("1.5G", &v, &err), RC_USAGE);
	assert_string_equal(err.msg, "'1.5G' is no size: want digits, then K, "
				     "M, G, T or nothing");
	assert_int_equal(opt_size("1 K", &v, &err), RC_USAGE);
	assert_int_equal(opt_size("1KB", &v, &err), RC_USAGE);
	assert_int_equal(opt_size("1E", &v, &err), RC_USAGE);
	assert_true(v == UINT64_C(2) << 40);
}

static void times_are_whole_numbers_with_a_unit(void **state)
{
	struct err err = { 0 };
	int64_t v = 0;

	(void)state;
	assert_int_equal(opt_seconds("90", 90, &v, &err), RC_OK);
	assert_int_equal(v, 90);
	assert_int_equal(opt_seconds("0s", 90, &v, &err), RC_OK);
	assert_int_equal(v, 0);
	assert_int_equal(opt_seconds("2d", 172800, &v, &err), RC_OK);
	assert_int_equal(v, 172800);
	assert_int_equal(opt_seconds("3d", 172800, &v, &err), RC_USAGE);
	assert_int_equal(
		opt_seconds("999999999d", INT64_MAX / 1000000, &v, &err),
		RC_USAGE);
	assert_int_equal(opt_seconds("", 90, &v, &err), RC_USAGE);
	assert_int_equal(opt_seconds("h", 90, &v, &err), RC_USAGE);
	assert_int_equal(opt_seconds("-1s", 90, &v, &err), RC_USAGE);
	assert_int_equal(opt_seconds("1.5h", 90000, &v, &err), RC_USAGE);
	assert_int_equal(v, 172800);
}

static void sizes_do_not_overflow(void **state)
{
	struct err err = { 0 };
	uint64_t v = 0;

	(void)state;
	assert_int_equal(opt_size("18446744073709551615", &v, &err), RC_OK);
	assert_true(v == UINT64_MAX);
	assert_int_equal(opt_size("18446744073709551616", &v, &err), RC_USAGE);
	assert_int_equal(opt_size("99999999999999999999999", &v, &err),
			 RC_USAGE);
	assert_int_equal(opt_size("16777215T", &v, &err), RC_OK);
	assert_true(v == UINT64_C(16777215) << 40);
	assert_int_equal(opt_size("16777216T", &v, &err), RC_USAGE);
	assert_string_equal(err.msg, "16777216T is too large");
	/* 2^64 * 1024 would wrap to 0, then look harmless. */
	assert_int_equal(opt_size("18014398509481984K", &v, &err), RC_USAGE);
}

static void numbers_do_not_overflow(void **state)
{
	struct err err = { 0 };
	int64_t v = 0;

	(void)state;
	assert_int_equal(opt_number("9223372036854775807", 10, INT64_MIN,
				    INT64_MAX, &v, &err),
			 RC_OK);
	assert_true(v == INT64_MAX);
	assert_int_equal(opt_number("9223372036854775808", 10, INT64_MIN,
				    INT64_MAX, &v, &err),
			 RC_USAGE);
	assert_int_equal(opt_number("-", 10, 0, 9, &v, &err), RC_USAGE);
	assert_int_equal(opt_number("+1", 10, 0, 9, &v, &err), RC_USAGE);
	assert_int_equal(opt_number(" 1", 10, 0, 9, &v, &err), RC_USAGE);
}

static enum rc note_unknown(void *arg, const char *key, const char *value,
			    struct err *err)
{
	char *seen = arg;
	size_t used = strlen(seen);

	(void)err;
	snprintf(seen + used, 64 - used, "[%s=%s]", key,
		 value ? value : "(none)");
	return RC_OK;
}

static void lists_are_cut_at_commas(void **state)
{
	char list[] = "all,name=a\\,b\\\\c\\d=e,,jobs=4,ro,x-y=z,";
	char seen[64] = "";
	struct options o = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(opt_parse_list(rows, N_ROWS, &o, list, note_unknown,
					seen, &err),
			 RC_OK);
	assert_true(o.all);
	assert_string_equal(o.name, "a,b\\c\\d=e");
	assert_int_equal(o.jobs, 4);
	assert_string_equal(seen, "[ro=(none)][x-y=z]");
}

static void wrong_list_items_are_named(void **state)
{
	static const struct {
		const char *list, *want;
	} bad[] = {
		{ "all,nonsense", "unknown option nonsense" },
		{ "all=1", "option all takes no value" },
		{ "jobs", "option jobs needs a value: jobs=N" },
		{ "jobs=x", "option jobs: 'x' is no number" },
		{ "=x", "unknown option " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct options o = { 0 };
		struct err err = { 0 };
		char *list = strdup(bad[i].list);

		assert_int_equal(opt_parse_list(rows, N_ROWS, &o, list, NULL,
						NULL, &err),
				 RC_USAGE);
		assert_string_equal(err.msg, bad[i].want);
		free(list);
	}
}

static void help_shows_each_row(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	assert_non_null(to);
	opt_print_help(to, "desfs try", "[OPTION]... ARCHIVE",
		       "Try the options.", rows, N_ROWS);
	fclose(to);
	assert_string_equal(
		text,
		"Usage: desfs try [OPTION]... ARCHIVE\n"
		"Try the options.\n"
		"\n"
		"Options:\n"
		"  -a, --all                 everything\n"
		"  -v                        say more; may be repeated\n"
		"  -n, --name=NAME           call it NAME\n"
		"      --max-shard-size=SIZE\n"
		"                            begin a new part when the plain "
		"bytes of a shard\n"
		"                            would exceed SIZE\n"
		"  -j, --jobs=N              use N threads\n"
		"      --level=N             compress with level N\n"
		"      --color=COLOR         red, green or blue\n"
		"  -w, --word=WORD           add WORD\n"
		"      --help                print this help\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_reaches_its_field),
		cmocka_unit_test(arguments_and_options_may_mix),
		cmocka_unit_test(help_is_told_apart),
		cmocka_unit_test(wrong_options_are_named),
		cmocka_unit_test(wrong_arguments_are_named),
		cmocka_unit_test(sizes_are_whole_numbers_with_a_suffix),
		cmocka_unit_test(times_are_whole_numbers_with_a_unit),
		cmocka_unit_test(sizes_do_not_overflow),
		cmocka_unit_test(numbers_do_not_overflow),
		cmocka_unit_test(lists_are_cut_at_commas),
		cmocka_unit_test(wrong_list_items_are_named),
		cmocka_unit_test(help_shows_each_row),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
