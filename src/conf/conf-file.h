/* SPDX-License-Identifier: Apache-2.0 */
/* conf-file.h - files of sections with lines "key = value".
 *
 *	# a comment; after a blank it may also follow a value   ; so
 *	[section]
 *	key = value
 *
 * Blanks around keys and values do not count; there are no quotes, no escapes
 * and no continued lines.  Everything is bounded, and a file with control
 * characters is refused.  The text is cut into pieces in place, so that a
 * secret in it has no copies.
 */
#ifndef DESFS_CONF_CONF_FILE_H
#define DESFS_CONF_CONF_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CONF_FILE_MAX (1u << 20) /* bytes */
#define CONF_LINE_MAX 8192u      /* bytes, without the newline */

struct conf_text {
	char *p; /* len bytes and a NUL */
	size_t len;
};

/* Read a whole file of at most CONF_FILE_MAX bytes.  RC_NOENT: there is none.
 * is_secret: RC_ACCESS unless it is a regular file that belongs to us or root
 * and nobody else may read.
 */
enum rc conf_text_read(struct conf_text *ret, const char *path, bool is_secret,
		       struct err *err) MUST_CHECK;
/* Overwrite and free. */
void conf_text_release(struct conf_text *t);

#define CLEANUP_CONF_TEXT __attribute__((cleanup(conf_text_release)))

/* A line that says something; what it points to is gone with the text. */
struct conf_line {
	const char *path;    /* of the file, for messages */
	unsigned int number; /* from 1 */
	const char *section; /* "" before the first */
	char *key;           /* NULL: the section begins here */
	char *value;         /* may be "" */
	bool is_indented;    /* in other programs' files: more of the above */
};

/* Record "FILE:LINE: <message>"; returns rc. */
enum rc conf_line_error(const struct conf_line *l, enum rc rc, struct err *err,
			const char *fmt, ...) PRINTF(4, 5);

/* Anything but RC_OK ends the parsing with that result. */
typedef enum rc conf_line_fn(void *arg, struct conf_line *l, struct err *err);

/* Call fn for each line that says something.  RC_USAGE: FILE:LINE and what is
 * wrong there, in words that show nothing of the text.
 */
enum rc conf_text_parse(struct conf_text *t, const char *path, conf_line_fn *fn,
			void *arg, struct err *err) MUST_CHECK;

#endif
