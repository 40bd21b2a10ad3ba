/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h - allocation with overflow checks.
 *
 * Small fixed sizes use xcalloc and friends, which abort when memory is out:
 * nothing useful can follow.  Sizes that come from input are bounded by the
 * caller and use mem_array, which returns NULL.
 */
#ifndef DESFS_BASE_MEM_H
#define DESFS_BASE_MEM_H

#include <stddef.h>

#include "base/compiler.h"

/* n zeroed elements of size bytes; aborts when memory is out. */
void *xcalloc(size_t n, size_t size) MUST_CHECK;

/* A copy of the string; aborts when memory is out. */
char *xstrdup(const char *s) MUST_CHECK;

/* A copy of len bytes with a NUL after them; aborts when memory is out. */
void *xmemdup0(const void *p, size_t len) MUST_CHECK;

/* printf into fresh memory; aborts when memory is out. */
char *xasprintf(const char *fmt, ...) PRINTF(1, 2) MUST_CHECK;

/* n uninitialised elements of size bytes, or NULL when n * size overflows or
 * memory is out.  n = 0 gives a pointer that may be freed.
 */
void *mem_array(size_t n, size_t size) MUST_CHECK;

/* Make room for want elements in an array of *cap elements, growing by halves.
 * Aborts when memory is out.  Returns the array, to be stored by the caller:
 *
 *	v = mem_grow(v, &cap, n + 1, sizeof(*v));
 */
void *mem_grow(void *p, size_t *cap, size_t want, size_t size) MUST_CHECK;

#endif
