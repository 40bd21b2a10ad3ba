/* SPDX-License-Identifier: Apache-2.0 */
/* span.h - bytes of somebody else's, with a length. */
#ifndef DESFS_BASE_SPAN_H
#define DESFS_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Not NUL-terminated. */
struct span {
	const char *p;
	size_t len;
};

static inline struct span span_of(const void *p, size_t len)
{
	return (struct span){ .p = p, .len = len };
}

/* What comes after the first n bytes; a null pointer stays one. */
static inline struct span span_after(struct span s, size_t n)
{
	return n ? span_of(s.p + n, s.len - n) : s;
}

static inline int span_compare(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	/* Entries of one page share their parent's bytes. */
	int c = n && a.p != b.p ? memcmp(a.p, b.p, n) : 0;

	if (c)
		return c;
	return (a.len > b.len) - (a.len < b.len);
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

#endif
