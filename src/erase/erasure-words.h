/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-words.h - what an operator says of a deletion: why, who, which
 * ticket.
 *
 * These outlive what was deleted, in its receipt.  A zeroed struct is valid.
 */
#ifndef DESFS_ERASE_ERASURE_WORDS_H
#define DESFS_ERASE_ERASURE_WORDS_H

#include <stdbool.h>

#include "base/err.h"

#define ERASURE_WORD_MAX 255u /* bytes */

enum erasure_reason { ERASURE_GDPR, ERASURE_RETENTION, ERASURE_USER };

struct erasure_words {
	enum erasure_reason reason;
	char *by, *ticket; /* NULL: not said */
};

struct json_t;

void erasure_words_release(struct erasure_words *w);

/* What can be written: UTF-8, 1 to ERASURE_WORD_MAX bytes, no control
 * characters.  RC_USAGE names what is not.
 */
enum rc erasure_words_check(const struct erasure_words *w,
			    struct err *err) MUST_CHECK;
/* The same of one word; rc is given if it is not so. */
enum rc erasure_word_check(enum rc rc, const char *name, const char *word,
			   struct err *err) MUST_CHECK;
/* Members of what was checked. */
void erasure_words_set(struct json_t *obj, const struct erasure_words *w);
/* RC_UNSUPPORTED: a reason not known here.  On failure ret is to be released,
 * too.
 */
enum rc erasure_words_get(const struct json_t *obj, struct erasure_words *ret,
			  struct err *err) MUST_CHECK;

const char *erasure_reason_text(enum erasure_reason reason);
bool erasure_reason_parse(const char *text,
			  enum erasure_reason *ret) MUST_CHECK;

#endif
