/* SPDX-License-Identifier: Apache-2.0 */
/* json-row.c - one JSON object on one line, member by member. */
#include "config.h"

#include "cmd/json-row.h"

#include <inttypes.h>
#include <string.h>

#include "base/json-text.h"
#include "base/timestamp.h"

void json_row_begin(struct buf *b)
{
	buf_append_str(b, "{");
}

void json_row_begin_kind(struct buf *b, const char *kind)
{
	json_row_begin(b);
	json_row_u64(b, "v", 1);
	json_row_str(b, "kind", kind);
}

void json_row_name(struct buf *b, const char *name)
{
	if (b->len && b->p[b->len - 1] != '{')
		buf_append_str(b, ",");
	buf_printf(b, "\"%s\":", name);
}

void json_row_u64(struct buf *b, const char *name, uint64_t v)
{
	json_row_name(b, name);
	buf_printf(b, "%" PRIu64, v);
}

void json_row_i64(struct buf *b, const char *name, int64_t v)
{
	json_row_name(b, name);
	buf_printf(b, "%" PRId64, v);
}

void json_row_bool(struct buf *b, const char *name, bool v)
{
	json_row_name(b, name);
	buf_append_str(b, v ? "true" : "false");
}

void json_row_str(struct buf *b, const char *name, const char *s)
{
	json_row_bytes(b, name, s, strlen(s));
}

void json_row_bytes(struct buf *b, const char *name, const void *p, size_t len)
{
	json_row_name(b, name);
	json_text_string(b, p, len);
}

void json_row_hex(struct buf *b, const char *name, const void *p, size_t n)
{
	const uint8_t *bytes = p;

	json_row_name(b, name);
	buf_append_str(b, "\"");
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", bytes[i]);
	buf_append_str(b, "\"");
}

void json_row_time(struct buf *b, const char *name, int64_t us)
{
	char text[TIMESTAMP_TEXT];

	if (!timestamp_is_valid(us))
		return;
	timestamp_format(us, text);
	json_row_str(b, name, text);
}

void json_row_end(struct buf *b, FILE *to)
{
	buf_append_str(b, "}\n");
	if (buf_ok(b))
		fwrite(b->p, 1, b->len, to);
	buf_clear(b);
}
