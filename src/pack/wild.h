/* SPDX-License-Identifier: Apache-2.0 */
/* wild.h - matching of one wildcard pattern as rsync does it, in bounded time.
 *
 * '*' and '?' match no '/', "**" (or more stars) matches anything, '[' begins a
 * class, which matches no '/' either, and '\' takes the next byte as it is.  A
 * malformed class makes a pattern that matches nothing.  All is bytes.
 */
#ifndef DESFS_PACK_WILD_H
#define DESFS_PACK_WILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define WILD_LEN_MAX 4095

struct wild;

/* The bytes to be matched as a whole, with a '/' around them if wished. */
struct wild_text {
	const char *p;
	size_t len;
	bool slash_before;
	bool slash_after;
};

/* A pattern of len bytes, at most WILD_LEN_MAX, and a NUL. */
struct wild *wild_new(const char *pattern, size_t len) MUST_CHECK;
void wild_free(struct wild *w);

/* Does the pattern match the text or, if anywhere, what follows a '/' in it? */
bool wild_matches(const struct wild *w, const struct wild_text *text,
		  bool anywhere);

#endif
