/* SPDX-License-Identifier: Apache-2.0 */
/* changed-text.h - a text with one piece of it changed, for tests of refusals.
 */
#ifndef DESFS_TESTS_CHANGED_TEXT_H
#define DESFS_TESTS_CHANGED_TEXT_H

#include <string.h>

#include "base/buf.h"
#include "unit.h"

/* One change of a good document, and what is said of it. */
struct change {
	const char *from, *to; /* from "": all of it */
	int rc;
	const char *says;
};

/* Fill b, which is to be released. */
static inline void change_text(const char *text, const char *from,
			       const char *to, struct buf *b)
{
	const char *at = strstr(text, from);

	if (!at)
		fail_msg("nothing to change: %s", from);
	buf_init(b, 32u << 20);
	if (*from) {
		buf_append(b, text, (size_t)(at - text));
		buf_append_str(b, to);
		buf_append_str(b, at + strlen(from));
	} else {
		buf_append_str(b, to);
	}
	assert_true(buf_ok(b));
}

#endif
