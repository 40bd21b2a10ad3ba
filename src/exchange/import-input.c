/* SPDX-License-Identifier: Apache-2.0 */
/* import-input.c - the bytes of a backup, from a file or a pipe, for
 * libarchive.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spool.h"
#include "base/stop.h"
#include "exchange/import-backend.h"

#define INPUT_BYTES (1u << 20)

/* Whoever writes into the pipe may take for ever. */
static enum rc wait_for_more(const struct import_input *in, struct err *err)
{
	struct pollfd p[] = {
		{ .fd = in->fd, .events = POLLIN },
		{ .fd = stop_descriptor(), .events = POLLIN },
	};

	while (!stop_requested()) {
		int n = poll(p, ARRAY_LEN(p), -1);

		if (n < 0 && errno != EINTR)
			return err_set_errno(err, errno, "%s", in->name);
		if (n > 0 && p[0].revents)
			return RC_OK;
	}
	return err_set(err, RC_STOPPED, "stopped by a signal");
}

/* What comes next, at least a byte, into buf from len on; none at the end. */
static enum rc read_some(struct import_input *in, size_t *ret, struct err *err)
{
	uint8_t *to = in->buf + in->len;
	size_t want = INPUT_BYTES - in->len;
	ssize_t n;

	do {
		if (!in->is_seekable && wait_for_more(in, err))
			return err->rc;
		n = in->is_seekable ? pread(in->fd, to, want,
					    (off_t)(in->base + in->off))
				    : read(in->fd, to, want);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return err_set_errno(err, errno, "%s", in->name);
	in->off += (uint64_t)n;
	*ret = (size_t)n;
	return RC_OK;
}

/* --- formats with a table of contents at their end -------------------------
 */

static bool begins_with(const struct import_input *in, const char *text)
{
	size_t len = strlen(text);

	return in->len >= len && !memcmp(in->buf, text, len);
}

static bool needs_seek(const struct import_input *in)
{
	return begins_with(in, "PK\003\004") || begins_with(in, "PK\005\006") ||
	       begins_with(in, "PK\006\006") ||
	       begins_with(in, "7z\xbc\xaf\x27\x1c");
}

/* Zip, also behind a program that unpacks it. */
static bool has_text_names(const struct import_input *in)
{
	return needs_seek(in) || begins_with(in, "MZ") ||
	       begins_with(in, "Rar!") || begins_with(in, "MSCF") ||
	       begins_with(in, "xar!");
}

static enum rc copy_rest(struct import *im, int fd, struct err *err)
{
	struct import_input *in = &im->in;
	uint64_t done = 0;
	size_t n = in->len;

	while (n) {
		im->contents.bytes += n;
		if (im->contents.bytes > im->contents.limit)
			return err_set(err, RC_NOSPACE,
				       "a copy of %s would take more than "
				       "%" PRIu64 " bytes of %s "
				       "(see --spool-limit)",
				       in->name, im->contents.limit,
				       im->opts.spool);
		if (io_pwrite(fd, in->buf, n, done))
			return err_set_errno(err, errno, "temporary file in %s",
					     im->opts.spool);
		done += n;
		in->len = 0;
		if (read_some(in, &n, err))
			return err->rc;
	}
	in->size = done;
	return RC_OK;
}

/* A pipe of such a format becomes a file. */
static enum rc copy_pipe(struct import *im, struct err *err)
{
	struct import_input *in = &im->in;
	int fd;

	if (spool_temporary(im->opts.spool, &fd, err))
		return err->rc;
	log_warn("%s: is copied to %s, as its table of contents is at its end",
		 in->name, im->opts.spool);
	if (copy_rest(im, fd, err)) {
		close(fd);
		return err->rc;
	}
	if (in->is_own)
		close(in->fd);
	in->fd = fd;
	in->is_own = in->is_seekable = true;
	in->off = 0;
	return RC_OK;
}

enum rc import_input_open(struct import *im, struct err *err)
{
	struct import_input *in = &im->in;
	struct stat st;
	off_t at;

	*in = (struct import_input){ .name = im->opts.file,
				     .fd = STDIN_FILENO,
				     .buf = xcalloc(1, INPUT_BYTES) };
	if (!strcmp(in->name, "-")) {
		in->name = "standard input";
	} else {
		in->fd = open(in->name, O_RDONLY | O_CLOEXEC);
		if (in->fd < 0)
			return err_set_errno(err, errno, "%s", in->name);
		in->is_own = true;
	}
	if (fstat(in->fd, &st))
		return err_set_errno(err, errno, "%s", in->name);
	if (S_ISDIR(st.st_mode))
		return err_set(err, RC_USAGE, "%s is a directory", in->name);
	at = lseek(in->fd, 0, SEEK_CUR);
	in->is_seekable = S_ISREG(st.st_mode) && at >= 0;
	if (in->is_seekable) {
		in->base = (uint64_t)at;
		in->size = st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
	}
	return RC_OK;
}

void import_input_close(struct import *im)
{
	if (im->in.is_own)
		close(im->in.fd);
	free(im->in.buf);
}

/* --- libarchive's calls ----------------------------------------------------
 */

static la_ssize_t in_read(struct archive *a, void *arg, const void **ret)
{
	struct import_input *in = arg;
	size_t n = in->len;
	enum rc rc = RC_OK;

	(void)a;
	in->len = 0;
	*ret = in->buf;
	if (stop_requested())
		rc = err_set(&in->failure, RC_STOPPED, "stopped by a signal");
	else if (!n)
		rc = read_some(in, &n, &in->failure);
	if (rc) {
		in->is_broken = true;
		return -1;
	}
	return (la_ssize_t)n;
}

static la_int64_t in_skip(struct archive *a, void *arg, la_int64_t n)
{
	struct import_input *in = arg;
	uint64_t left = in->off < in->size ? in->size - in->off : 0;

	(void)a;
	if (n < 0 || in->len)
		return 0;
	if ((uint64_t)n < left)
		left = (uint64_t)n;
	in->off += left;
	return (la_int64_t)left;
}

static la_int64_t in_seek(struct archive *a, void *arg, la_int64_t to,
			  int whence)
{
	struct import_input *in = arg;
	int64_t from = 0, off;

	(void)a;
	if (whence == SEEK_CUR)
		from = (int64_t)in->off;
	else if (whence == SEEK_END)
		from = (int64_t)in->size;
	if (__builtin_add_overflow(from, to, &off) || off < 0)
		return ARCHIVE_FATAL;
	in->len = 0;
	in->off = (uint64_t)off;
	return off;
}

enum rc import_input_start(struct import *im, struct err *err)
{
	struct import_input *in = &im->in;
	struct archive *a = im->archive;
	size_t n = 1;

	/* Enough to see what it is. */
	while (n && in->len < 8) {
		if (read_some(in, &n, err))
			return err->rc;
		in->len += n;
	}
	in->has_text_names = has_text_names(in);
	if (!in->is_seekable && needs_seek(in) && copy_pipe(im, err))
		return err->rc;
	archive_read_set_read_callback(a, in_read);
	if (in->is_seekable) {
		archive_read_set_skip_callback(a, in_skip);
		archive_read_set_seek_callback(a, in_seek);
	}
	archive_read_set_callback_data(a, in);
	return RC_OK;
}
