/* SPDX-License-Identifier: Apache-2.0 */
/* json-text.h - JSON strings from arbitrary bytes.
 *
 * File names are bytes and JSON strings are Unicode.  Valid UTF-8 is written as
 * it is; each byte that is no part of a valid character becomes a lone
 * surrogate, "\udc80" for 0x80 to "\udcff" for 0xff, as Python's
 * "surrogateescape" does.  A name cannot contain surrogates otherwise, since
 * strict UTF-8 has none, so the bytes can always be had back:
 *
 *	os.fsencode(json.loads(line)["path"])
 *
 * Strict readers, jansson among them, refuse such strings; they are only
 * written for names that are no text.
 */
#ifndef DESFS_BASE_JSON_TEXT_H
#define DESFS_BASE_JSON_TEXT_H

#include <stddef.h>

#include "base/buf.h"

/* Append len bytes at p as a JSON string, with its quotes. */
void json_text_string(struct buf *b, const void *p, size_t len);

#endif
