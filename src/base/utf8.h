/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - strict UTF-8, one character at a time.
 *
 * Strict as in RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 */
#ifndef DESFS_BASE_UTF8_H
#define DESFS_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length (1 to 4) of the character that p begins with, its number in *ret;
 * 0 when the bytes are not valid or len is 0.
 */
size_t utf8_decode(const void *p, size_t len, uint32_t *ret);

#endif
