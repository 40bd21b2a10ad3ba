/* SPDX-License-Identifier: Apache-2.0 */
/* json-row.h - one JSON object on one line, member by member, in this order.
 *
 *	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
 *
 *	json_row_begin(&b);
 *	json_row_u64(&b, "size", size);
 *	json_row_end(&b, stdout);
 *
 * Strings are any bytes, see base/json-text.h.
 */
#ifndef DESFS_CMD_JSON_ROW_H
#define DESFS_CMD_JSON_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

#define JSON_ROW_MAX (64u << 20)

void json_row_begin(struct buf *b);
/* The same with "v": 1 and "kind", as each row that scripts read starts. */
void json_row_begin_kind(struct buf *b, const char *kind);
void json_row_name(struct buf *b, const char *name);
void json_row_u64(struct buf *b, const char *name, uint64_t v);
void json_row_i64(struct buf *b, const char *name, int64_t v);
void json_row_bool(struct buf *b, const char *name, bool v);
void json_row_str(struct buf *b, const char *name, const char *s);
void json_row_bytes(struct buf *b, const char *name, const void *p, size_t len);
void json_row_hex(struct buf *b, const char *name, const void *p, size_t n);
/* A time in microseconds since 1970-01-01 UTC; nothing if it is no valid one,
 * see base/timestamp.h.
 */
void json_row_time(struct buf *b, const char *name, int64_t us);

/* Write the line and empty the buffer. */
void json_row_end(struct buf *b, FILE *to);

#endif
