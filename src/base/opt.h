/* SPDX-License-Identifier: Apache-2.0 */
/* opt.h - command line options and mount options, driven by rows.
 *
 * A table of rows says what the options are, what the help tells of them, and
 * into which field of a struct they go:
 *
 *	struct ls_options {
 *		bool is_long;
 *		unsigned int jobs;
 *	};
 *
 *	static const struct opt ls_opts[] = {
 *		{ .name = "long", .letter = 'l', .kind = OPT_FLAG,
 *		  .offset = offsetof(struct ls_options, is_long),
 *		  .help = "show mode, owner, size and time" },
 *		{ .name = "jobs", .letter = 'j', .arg = "N", .kind = OPT_UINT,
 *		  .min = 1, .max = 256,
 *		  .offset = offsetof(struct ls_options, jobs),
 *		  .help = "read with N threads" },
 *	};
 *
 * Defaults are what the caller put in the struct before.  Not thread-safe:
 * getopt_long has state of its own.
 */
#ifndef DESFS_BASE_OPT_H
#define DESFS_BASE_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/err.h"

/* Type of the field, and what the option does with it. */
enum opt_kind {
	OPT_FLAG,     /* bool: becomes true; no argument */
	OPT_COUNT,    /* unsigned int: one more each time; no argument */
	OPT_STRING,   /* const char *: borrowed from argv */
	OPT_SIZE,     /* uint64_t: see opt_size */
	OPT_UINT,     /* unsigned int: decimal */
	OPT_INT,      /* int: decimal, may be negative */
	OPT_OCTAL,    /* unsigned int: octal */
	OPT_CHOICE,   /* unsigned int or enum: index of the word in choices */
	OPT_CALLBACK, /* anything: fn is called with the field's address */
};

/* arg is NULL for an option without argument. */
typedef enum rc opt_fn(void *field, const char *arg, struct err *err);

struct opt {
	const char *name; /* long name without dashes; NULL: only the letter */
	char letter;      /* 0: only the name */
	const char *arg;  /* the argument's name in the help; NULL: has none */
	const char *help; /* half a sentence; NULL: not in the help */
	enum opt_kind kind;
	size_t offset;              /* of the field in the options struct */
	int64_t min;                /* for sizes and numbers */
	int64_t max;                /* likewise; 0: what the field can hold */
	const char *const *choices; /* ends with NULL */
	opt_fn *fn;
};

/* What *ret_first is when --help was given. */
#define OPT_HELP (-1)

/* Set the fields of options from the command line; argv[0] is skipped.  Options
 * and other arguments may come in any order, "--" ends the options; the others
 * are moved to the end, *ret_first is the index of the first of them.  --help
 * ends the parsing: *ret_first is OPT_HELP, and the caller prints the help and
 * succeeds.  RC_USAGE with one line for what is wrong.
 */
enum rc opt_parse(const struct opt *rows, size_t n, void *options, int argc,
		  char **argv, int *ret_first, struct err *err) MUST_CHECK;

/* The help: how to call it ("desfs ls", "[OPTION]... ARCHIVE"), what it does, a
 * line or more for each row.
 */
void opt_print_help(FILE *to, const char *program, const char *usage,
		    const char *summary, const struct opt *rows, size_t n);

/* value is NULL when there was no '='. */
typedef enum rc opt_unknown_fn(void *arg, const char *key, const char *value,
			       struct err *err);

/* Set the fields of options from a list as mount -o takes it: "a,b=c".  "\,"
 * is a comma in a value, "\\" a backslash.  The list is cut into pieces in
 * place, and the strings in options point into it.  Keys that no row has go to
 * unknown, or are RC_USAGE when it is NULL.
 */
enum rc opt_parse_list(const struct opt *rows, size_t n, void *options,
		       char *list, opt_unknown_fn *unknown, void *unknown_arg,
		       struct err *err) MUST_CHECK;

/* Set one row's field as the option with this argument would. */
enum rc opt_set(const struct opt *row, void *options, const char *arg,
		struct err *err) MUST_CHECK;

/* Digits, then nothing or one of K, M, G, T (also small) for powers of 1024. */
enum rc opt_size(const char *s, uint64_t *ret, struct err *err) MUST_CHECK;

/* Digits in base 8 or 10, perhaps after a '-', from min to max. */
enum rc opt_number(const char *s, int base, int64_t min, int64_t max,
		   int64_t *ret, struct err *err) MUST_CHECK;

/* Digits, then nothing or one of s, m, h, d, into seconds: from 0 to max. */
enum rc opt_seconds(const char *s, int64_t max, int64_t *ret,
		    struct err *err) MUST_CHECK;

#endif
