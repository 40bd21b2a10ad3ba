/* SPDX-License-Identifier: Apache-2.0 */
/* list-file.c - reads a list of paths from a file or a pipe. */
#include "config.h"

#include "pack/list-file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/stop.h"

/* Holds the longest path with its NUL byte. */
#define LIST_BYTES (128u << 10)
_Static_assert(LIST_BYTES > LIST_FILE_MAX + 1, "a path is longer");

enum rc list_file_open(struct list_file *f, const char *name, struct err *err)
{
	*f = (struct list_file){ .name = name,
				 .fd = STDIN_FILENO,
				 .max = UID_MAX_LEN };
	if (strcmp(name, "-") != 0) {
		/* A pipe without a writer is waited for in poll. */
		f->fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (f->fd < 0)
			return err_set_errno(err, errno, "%s", name);
		f->is_own = true;
	}
	f->bytes = xcalloc(1, LIST_BYTES + 1);
	return RC_OK;
}

void list_file_close(struct list_file *f)
{
	if (f->is_own)
		close(f->fd);
	free(f->bytes);
	*f = (struct list_file){ 0 };
}

/* Whoever writes the list may take for ever. */
static enum rc wait_for_more(const struct list_file *f, struct err *err)
{
	struct pollfd p[] = {
		{ .fd = f->fd, .events = POLLIN },
		{ .fd = stop_descriptor(), .events = POLLIN },
	};

	while (!stop_requested()) {
		int n = poll(p, ARRAY_LEN(p), -1);

		if (n < 0 && errno != EINTR)
			return err_set_errno(err, errno,
					     "cannot be waited for");
		if (n > 0 && p[0].revents)
			return RC_OK;
	}
	return err_set(err, RC_STOPPED, "stopped by a signal");
}

enum rc list_file_read(struct list_file *f, void *buf, size_t len, size_t *ret,
		       struct err *err)
{
	ssize_t n;

	do {
		if (wait_for_more(f, err))
			return err->rc;
		n = read(f->fd, buf, len);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return err_set_errno(err, errno, "cannot be read");
	*ret = (size_t)n;
	return RC_OK;
}

static enum rc read_more(struct list_file *f, struct err *err)
{
	size_t n = 0;

	memmove(f->bytes, f->bytes + f->from, f->to - f->from);
	f->to -= f->from;
	f->from = 0;
	if (list_file_read(f, f->bytes + f->to, LIST_BYTES - f->to, &n, err))
		return err->rc;
	f->has_ended = !n;
	f->to += n;
	return RC_OK;
}

enum rc list_file_next(struct list_file *f, char **ret, size_t *ret_len,
		       struct err *err)
{
	size_t looked = 0;

	for (;;) {
		char *path = f->bytes + f->from;
		size_t len = f->to - f->from;
		char *end = memchr(path + looked, f->end, len - looked);

		if (!end && f->has_ended && len) {
			end = path + len;
			f->to++;
		}
		if (end ? (size_t)(end - path) > f->max : len > f->max)
			return err_set(err, RC_LIMIT,
				       "path of more than %zu bytes", f->max);
		if (end) {
			*end = '\0';
			*ret = path;
			*ret_len = (size_t)(end - path);
			f->from += *ret_len + 1;
			return RC_OK;
		}
		if (f->has_ended)
			return err_set(err, RC_NOENT, "the list has ended");
		looked = len;
		if (read_more(f, err))
			return err->rc;
	}
}
