/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-cut.h - cuts the bytes of a manifest into the texts of its records.
 *
 * The bytes come from a function and are read once, so a pipe will do.  Where
 * a text is wrong the next one is found again as far as that is possible: a bad
 * line costs one record, and so does a bad object in an array whose brackets
 * match, or whose objects begin in one column of their lines.  A text is at
 * most MANIFEST_RECORD_MAX bytes; what is longer is skipped.  For one thread.
 */
#ifndef DESFS_EXCHANGE_MANIFEST_CUT_H
#define DESFS_EXCHANGE_MANIFEST_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json-check.h"
#include "shard/shard-entry.h"

#define MANIFEST_RECORD_MAX (1u << 20)

/* At most len bytes into buf; 0 of them only at the end. */
typedef enum rc manifest_read_fn(void *arg, void *buf, size_t len, size_t *ret,
				 struct err *err);

enum manifest_form {
	MANIFEST_JSON_ARRAY, /* of objects */
	MANIFEST_JSON_LINES, /* an object a line */
	MANIFEST_TSV         /* the first line names the columns */
};

/* The text of one record: of JSON a whole object without blanks around it, of
 * TSV a line without its end.
 */
struct manifest_text {
	struct span text; /* borrowed until the next call */
	uint64_t line;    /* where it begins, from 1 */
	const char *bad;  /* static, what is wrong with it; NULL: nothing */
};

struct manifest_cut {
	manifest_read_fn *read;
	void *read_arg;
	enum manifest_form form;
	/* Bytes from the record's first on are at p + from, those up to p + at
	 * have been looked at, those up to p + to are there.
	 */
	char *p;
	size_t from, at, to;
	bool has_ended; /* nothing more is to be read */
	bool is_long;   /* bytes of the record were dropped */
	uint64_t line;  /* of p + from */
	uint64_t n_dropped_lines;

	/* Of an array. */
	bool is_over, wants_comma, had_bad;
	unsigned int depth;
	bool in_string, is_escaped;
	size_t checked; /* bytes up to p + checked were given to check */
	struct json_check check;
	const char *bad;
	/* Bytes of the line before p + at, and whether all of them are blanks
	 * or what may stand between objects; where the last record that began
	 * a line had its brace, or NO_COLUMN.
	 */
	uint64_t column, first_column;
	bool line_is_blank;
};

/* Read as much as tells the form.  To be released even after a failure. */
enum rc manifest_cut_init(struct manifest_cut *c, manifest_read_fn *read,
			  void *read_arg, struct err *err) MUST_CHECK;
void manifest_cut_release(struct manifest_cut *c);

/* The next text.  RC_NOENT at the end; all else is an error of reading. */
enum rc manifest_cut_next(struct manifest_cut *c, struct manifest_text *ret,
			  struct err *err) MUST_CHECK;

#endif
