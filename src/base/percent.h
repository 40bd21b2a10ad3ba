/* SPDX-License-Identifier: Apache-2.0 */
/* percent.h - arbitrary bytes as printable ASCII, one text for one string.
 *
 * A byte that is not printable ASCII, and '%', '"' and '\', is written as %XX
 * with upper-case digits; all others, the space too, stand for themselves.  So
 * the text needs no escapes in JSON.
 */
#ifndef DESFS_BASE_PERCENT_H
#define DESFS_BASE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"

/* Append the text of len bytes. */
void percent_encode(const void *p, size_t len, struct buf *out);

/* Append the bytes of a text; false when it is not what percent_encode writes,
 * to the letter, or when out failed.
 */
bool percent_decode(const char *text, size_t len, struct buf *out) MUST_CHECK;

#endif
