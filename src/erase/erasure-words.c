/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-words.c - what an operator says of a deletion. */
#include "config.h"

#include "erase/erasure-words.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

static const char *const reasons[] = {
	[ERASURE_GDPR] = "gdpr",
	[ERASURE_RETENTION] = "retention",
	[ERASURE_USER] = "user",
};

const char *erasure_reason_text(enum erasure_reason reason)
{
	return reasons[reason];
}

bool erasure_reason_parse(const char *text, enum erasure_reason *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (!strcmp(text, reasons[i])) {
			*ret = (enum erasure_reason)i;
			return true;
		}
	}
	return false;
}

void erasure_words_release(struct erasure_words *w)
{
	free(w->by);
	free(w->ticket);
	*w = (struct erasure_words){ 0 };
}

/* Words are shown on terminals: those of C0 and C1 would command them. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

enum rc erasure_word_check(enum rc rc, const char *name, const char *word,
			   struct err *err)
{
	size_t len = strlen(word);

	if (!len || len > ERASURE_WORD_MAX)
		return err_set(err, rc, "%s has %zu bytes, not 1 to %u", name,
			       len, ERASURE_WORD_MAX);
	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t n = utf8_decode(word + i, len - i, &c);

		if (!n)
			return err_set(err, rc, "%s is not UTF-8 at byte %zu",
				       name, i);
		if (is_control(c))
			return err_set(err, rc,
				       "%s has a control character at byte %zu",
				       name, i);
		i += n;
	}
	return RC_OK;
}

enum rc erasure_words_check(const struct erasure_words *w, struct err *err)
{
	if (w->by && erasure_word_check(RC_USAGE, "by", w->by, err))
		return err->rc;
	if (w->ticket && erasure_word_check(RC_USAGE, "ticket", w->ticket, err))
		return err->rc;
	return RC_OK;
}

void erasure_words_set(struct json_t *obj, const struct erasure_words *w)
{
	json_set_str(obj, "reason", erasure_reason_text(w->reason));
	if (w->by)
		json_set_str(obj, "by", w->by);
	if (w->ticket)
		json_set_str(obj, "ticket", w->ticket);
}

static enum rc get_word(const struct json_t *obj, const char *name, char **ret,
			struct err *err)
{
	const char *word = "";

	if (!json_has(obj, name))
		return RC_OK;
	if (json_get_str(obj, name, ERASURE_WORD_MAX, &word, err) ||
	    erasure_word_check(RC_CORRUPT, name, word, err))
		return err->rc;
	*ret = xstrdup(word);
	return RC_OK;
}

enum rc erasure_words_get(const struct json_t *obj, struct erasure_words *ret,
			  struct err *err)
{
	const char *reason = "";

	*ret = (struct erasure_words){ 0 };
	if (json_get_str(obj, "reason", ERASURE_WORD_MAX, &reason, err))
		return err->rc;
	if (!erasure_reason_parse(reason, &ret->reason))
		return err_set(err, RC_UNSUPPORTED,
			       "reason %s is not known here", reason);
	if (get_word(obj, "by", &ret->by, err))
		return err->rc;
	return get_word(obj, "ticket", &ret->ticket, err);
}
