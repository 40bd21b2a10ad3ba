/* SPDX-License-Identifier: Apache-2.0 */
/* spool.c - bytes kept aside, in memory and then in a nameless file. */
#include "config.h"

#include "base/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"

#define SPOOL_WRITE (256u << 10) /* bytes gathered for one write */

static _Atomic uint64_t spilled;

uint64_t spool_spilled(void)
{
	return atomic_load_explicit(&spilled, memory_order_relaxed);
}

const char *spool_default_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/var/tmp";
}

void spool_init(struct spool *sp, const char *dir, size_t memory)
{
	*sp = (struct spool){ .dir = dir, .memory = memory, .fd = -1 };
	buf_init(&sp->mem, SIZE_MAX / 2);
}

void spool_release(struct spool *sp)
{
	buf_release(&sp->mem);
	if (sp->fd >= 0)
		close(sp->fd);
	sp->fd = -1;
}

uint64_t spool_len(const struct spool *sp)
{
	return sp->written + sp->mem.len;
}

enum rc spool_temporary(const char *dir, int *ret, struct err *err)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	if (fd < 0) {
		/* Not every file system knows files without a name. */
		CLEANUP_FREE char *path = xasprintf("%s/desfs.XXXXXX", dir);

		fd = mkostemp(path, O_CLOEXEC);
		if (fd < 0)
			return err_set_errno(err, errno, "temporary file in %s",
					     dir);
		unlink(path);
	}
	*ret = fd;
	return RC_OK;
}

static enum rc spool_write_out(struct spool *sp, struct err *err)
{
	if (sp->fd < 0 && spool_temporary(sp->dir, &sp->fd, err))
		return err->rc;
	if (io_pwrite(sp->fd, sp->mem.p, sp->mem.len, sp->written))
		return err_set_errno(err, errno, "temporary file in %s",
				     sp->dir);
	sp->written += sp->mem.len;
	atomic_fetch_add_explicit(&spilled, sp->mem.len, memory_order_relaxed);
	buf_clear(&sp->mem);
	return RC_OK;
}

enum rc spool_append(struct spool *sp, const void *p, size_t len,
		     struct err *err)
{
	bool in_file = sp->fd >= 0;

	buf_append(&sp->mem, p, len);
	if (!buf_ok(&sp->mem))
		return err_set(err, RC_NOMEM, "out of memory");
	if (sp->mem.len > (in_file ? SPOOL_WRITE : sp->memory))
		return spool_write_out(sp, err);
	return RC_OK;
}

enum rc spool_read(const struct spool *sp, uint64_t off, void *buf, size_t len,
		   struct err *err)
{
	uint8_t *out = buf;

	if (off > spool_len(sp) || len > spool_len(sp) - off)
		return err_set(err, RC_IO, "temporary data end too early");
	if (off < sp->written) {
		size_t n = len;
		ssize_t got;

		if (n > sp->written - off)
			n = (size_t)(sp->written - off);
		got = io_pread(sp->fd, out, n, off);
		if (got < 0)
			return err_set_errno(err, errno, "temporary file in %s",
					     sp->dir);
		if ((size_t)got != n)
			return err_set(err, RC_IO,
				       "temporary data end too early");
		out += n;
		off += n;
		len -= n;
	}
	if (len)
		memcpy(out, sp->mem.p + (off - sp->written), len);
	return RC_OK;
}

void spool_cut(struct spool *sp, uint64_t off)
{
	assert(off <= spool_len(sp));
	if (off < sp->written) {
		sp->written = off;
		buf_clear(&sp->mem);
	} else {
		sp->mem.len = (size_t)(off - sp->written);
	}
}

enum rc spool_clear(struct spool *sp, struct err *err)
{
	buf_clear(&sp->mem);
	sp->written = 0;
	if (sp->fd >= 0 && ftruncate(sp->fd, 0))
		return err_set_errno(err, errno, "temporary file in %s",
				     sp->dir);
	return RC_OK;
}
