/* SPDX-License-Identifier: Apache-2.0 */
/* unique.h - random bytes and names that nobody else makes or can guess. */
#ifndef DESFS_BASE_UNIQUE_H
#define DESFS_BASE_UNIQUE_H

#include <stddef.h>

#include "base/err.h"

#define UNIQUE_MAX 32u /* bytes */

/* n bytes, at most UNIQUE_MAX, from the kernel (getrandom(2)).  Thread safe. */
enum rc unique_bytes(void *ret, size_t n, struct err *err) MUST_CHECK;
/* The same as HEX_TEXT(n) characters. */
enum rc unique_text(char *ret, size_t n, struct err *err) MUST_CHECK;

#endif
