/* SPDX-License-Identifier: Apache-2.0 */
/* hex.h - bytes to lower-case hexadecimal text and back. */
#ifndef DESFS_BASE_HEX_H
#define DESFS_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* Room for the text of n bytes, with its NUL. */
#define HEX_TEXT(n) (2 * (n) + 1)

/* Write the HEX_TEXT(n) characters for n bytes. */
void hex_encode(const void *p, size_t n, char *out);

/* Read n bytes from exactly 2 * n lower-case digits; false for all else, and
 * then out is undefined.
 */
bool hex_decode(const char *text, size_t len, void *out, size_t n) MUST_CHECK;

#endif
