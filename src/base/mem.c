/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c - allocation with overflow checks. */
#include "config.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *p)
{
	if (!p) {
		fputs("desfs: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return or_abort(calloc(n ? n : 1, size));
}

char *xstrdup(const char *s)
{
	return or_abort(strdup(s));
}

void *xmemdup0(const void *p, size_t len)
{
	char *copy = or_abort(malloc(len + 1));

	if (len)
		memcpy(copy, p, len);
	copy[len] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return or_abort(n < 0 ? NULL : s);
}

void *mem_array(size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return malloc(total ? total : 1);
}

void *mem_grow(void *p, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap;
	size_t total;

	if (want <= n)
		return p;
	n = n < 8 ? 8 : n + n / 2;
	if (n < want)
		n = want;
	if (__builtin_mul_overflow(n, size, &total))
		or_abort(NULL);
	p = or_abort(realloc(p, total));
	*cap = n;
	return p;
}
