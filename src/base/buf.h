/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - growable bytes with a maximum given at the start.
 *
 * A zeroed struct buf is valid, empty, and may hold nothing until buf_init
 * gives it a maximum.  Appending beyond the maximum, or without memory, fails
 * once and for all: later appends do nothing, and buf_ok says false.  So a
 * writer appends freely and checks once at the end.
 */
#ifndef DESFS_BASE_BUF_H
#define DESFS_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct buf {
	uint8_t *p; /* len bytes; NULL while nothing was appended */
	size_t len;
	size_t cap;
	size_t max;
	bool failed;
};

void buf_init(struct buf *b, size_t max);

/* Free the bytes; the maximum stays, so the buffer may be used again. */
void buf_release(struct buf *b);

/* Forget the bytes, keep the memory. */
void buf_clear(struct buf *b);

bool buf_ok(const struct buf *b);

/* Make room for n more bytes; returns where they begin, or NULL.  The length
 * does not change: the caller adds to it what it wrote.
 */
uint8_t *buf_reserve(struct buf *b, size_t n);

void buf_append(struct buf *b, const void *p, size_t n);
void buf_append_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* End the bytes with a NUL that is not counted; returns them as a string, ""
 * when the buffer failed.  Borrowed until the next change.
 */
const char *buf_str(struct buf *b);

#define CLEANUP_BUF __attribute__((cleanup(buf_release)))

#endif
