/* SPDX-License-Identifier: Apache-2.0 */
/* human.h - sizes, durations and names as people read them on a terminal. */
#ifndef DESFS_BASE_HUMAN_H
#define DESFS_BASE_HUMAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* What a caller gives the two functions below to write into. */
#define HUMAN_MAX 32

/* "0 B", "1023 B", "1.2 GiB"; returns ret. */
const char *human_bytes(char ret[HUMAN_MAX], uint64_t n);

/* "350 ms", "4.2 s", "5 min 03 s", "2 h 07 min", "3 d 04 h"; returns ret. */
const char *human_duration(char ret[HUMAN_MAX], uint64_t ns);

/* Append a name, harmless for a terminal and in one line: as in C, backslash
 * is doubled, control characters become \n, \t, ... or three octal digits, and
 * so do bytes that are not UTF-8 and characters that are invisible or change
 * the direction of writing.  The bytes can be had back from the result.
 */
void name_escape(struct buf *b, const void *p, size_t len);

/* The same for a message that may hold escaped names already: a backslash
 * stays as it is.
 */
void text_escape(struct buf *b, const void *p, size_t len);

#endif
