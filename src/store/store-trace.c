/* SPDX-License-Identifier: Apache-2.0 */
/* store-trace.c - a line for each request as it was sent. */
#include "config.h"

#include "store/store-trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/percent.h"
#include "base/timestamp.h"

#define LINE_MAX_BYTES 8192

struct trace {
	int fd;
};

enum rc trace_open(struct trace **ret, const char *path, struct err *err)
{
	int fd = STDERR_FILENO;
	struct trace *t;

	if (strcmp(path, "-") != 0)
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
			  0600);
	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	t = xcalloc(1, sizeof(*t));
	t->fd = fd;
	*ret = t;
	return RC_OK;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	if (t->fd != STDERR_FILENO)
		close(t->fd);
	free(t);
}

/* Percent-encoded, blanks too, so that fields stay fields. */
static void add_field(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == ' ')
			buf_append_str(b, "%20");
		else
			percent_encode(s, 1, b);
	}
}

void trace_write(struct trace *t, const struct trace_line *l)
{
	CLEANUP_BUF struct buf b = { 0 };
	char when[TIMESTAMP_TEXT];

	timestamp_format(clock_wall_us(), when);
	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "%s %s ", when,
		   l->is_list ? "LIST" : http_method_name(l->method));
	add_field(&b, l->what && *l->what ? l->what : "-");
	buf_printf(&b, " %s ", l->range ? l->range : "-");
	if (l->status)
		buf_printf(&b, "%u", l->status);
	else
		add_field(&b, rc_text(l->rc));
	buf_printf(&b, " %" PRIu64 " %.1f %u\n", l->bytes,
		   (double)l->ns / (double)CLOCK_NS_PER_MS, l->n);
	/* One write, so that lines of several writers do not mix. */
	if (buf_ok(&b) && io_write(t->fd, b.p, b.len))
		return;
}
