/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c - what a tool has to say to the person who called it, on stderr. */
#include "config.h"

#include "cmd/tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/human.h"
#include "base/io.h"
#include "shard/shard-entry.h"

#define LINE_MAX_BYTES (512u << 10)

/* In one write, so that lines of several threads stay whole. */
static void write_line(struct buf *line)
{
	buf_append_str(line, "\n");
	if (!buf_ok(line) || io_write(STDERR_FILENO, line->p, line->len))
		return; /* nobody is left to be told */
}

void tell(const char *fmt, ...)
{
	CLEANUP_BUF struct buf line = { .max = LINE_MAX_BYTES };
	char text[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	buf_append_str(&line, "desfs: ");
	text_escape(&line, text, (size_t)n);
	write_line(&line);
}

void tell_failed(struct span path, const struct err *err)
{
	CLEANUP_BUF struct buf line = { .max = LINE_MAX_BYTES };
	CLEANUP_BUF struct buf text = { .max = ERR_MSG_MAX };

	buf_append_str(&line, "desfs: ");
	name_escape(&line, path.len ? path.p : ".", path.len ? path.len : 1);
	buf_append_str(&line, ": ");
	buf_append_str(&text, err->msg);
	text_escape(&line, text.p, text.len);
	write_line(&line);
}

enum rc tell_result(size_t n_failed, size_t n_all, enum rc last,
		    struct err *err)
{
	enum rc rc = RC_OK;

	if (n_failed)
		rc = n_all == 1 ? last : RC_PARTIAL;
	err_set(err, rc, "%s", "");
	return rc;
}
