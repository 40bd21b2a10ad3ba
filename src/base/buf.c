/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - growable bytes with a maximum. */
#include "config.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	size_t want, cap;
	uint8_t *p;

	if (b->failed)
		return NULL;
	if (n > b->max || b->len > b->max - n) {
		b->failed = true;
		return NULL;
	}
	want = b->len + n;
	if (want > b->cap || !b->p) {
		cap = b->cap + b->cap / 2;
		if (cap < want)
			cap = want;
		if (cap < 64)
			cap = 64;
		p = realloc(b->p, cap);
		if (!p) {
			b->failed = true;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
	}
	return b->p + b->len;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (!to || !n)
		return;
	memcpy(to, p, n);
	b->len += n;
}

void buf_append_str(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[512];
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
	} else if ((size_t)n < sizeof(small)) {
		buf_append(b, small, (size_t)n);
	} else {
		uint8_t *to = buf_reserve(b, (size_t)n + 1);

		if (to) {
			vsnprintf((char *)to, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		}
	}
	va_end(again);
}

const char *buf_str(struct buf *b)
{
	size_t len = b->len;
	uint8_t *p;

	/* The NUL is beyond what the maximum speaks of. */
	b->max++;
	p = buf_reserve(b, 1);
	b->max--;
	if (!p)
		return "";
	b->p[len] = '\0';
	return (const char *)b->p;
}
