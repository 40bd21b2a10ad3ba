/* SPDX-License-Identifier: Apache-2.0 */
/* import-spool.c - contents from a backup, in a file without a name until they
 * are packed.
 *
 * Files lie in it one behind the other.  What is not written of them is a hole,
 * which costs no room; but who reads a part of a file does not ask for holes,
 * so large files with holes have files of their own, as long as there are not
 * many.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "exchange/import-backend.h"

#define OWN_MIN (UINT64_C(1) << 20)   /* bytes */
#define OWN_MAX 200                   /* files */
#define HOLES_MAX (UINT64_C(1) << 42) /* bytes of further ones */
#define EXCLUDED_PART 4               /* of what may be written */
#define PLACE_OWN (UINT64_C(1) << 63)
#define WRITE_BYTES (1u << 20)
/* Of any file system. */
#define END_MAX ((uint64_t)INT64_MAX - (UINT64_C(1) << 32))

void import_spool_init(struct import_spool *sp, const char *dir, uint64_t limit)
{
	struct statvfs st;

	*sp = (struct import_spool){ .dir = dir, .limit = limit, .fd = -1 };
	buf_init(&sp->mem, SIZE_MAX / 2);
	if (limit)
		return;
	sp->limit = UINT64_MAX;
	if (!statvfs(dir, &st))
		sp->limit = (uint64_t)st.f_bavail * st.f_frsize / 10 * 9;
}

void import_spool_release(struct import_spool *sp)
{
	if (sp->fd >= 0)
		close(sp->fd);
	for (size_t i = 0; i < sp->n_own; i++)
		close(sp->own[i]);
	free(sp->own);
	buf_release(&sp->mem);
}

static enum rc write_out(struct import_spool *sp, int fd, const void *p,
			 size_t len, uint64_t off, struct err *err)
{
	sp->bytes += len;
	if (sp->bytes > sp->limit)
		return err_set(err, RC_NOSPACE,
			       "its contents take more than %" PRIu64
			       " bytes of %s (see --spool-limit)",
			       sp->limit, sp->dir);
	if (!io_pwrite(fd, p, len, off))
		return RC_OK;
	/* Not RC_LIMIT: it may be several files' that is lost. */
	if (errno == EFBIG)
		return err_set(err, RC_NOSPACE,
			       "temporary file in %s: cannot be larger",
			       sp->dir);
	return err_set_errno(err, errno, "temporary file in %s", sp->dir);
}

static enum rc flush(struct import_spool *sp, struct err *err)
{
	enum rc rc = RC_OK;

	if (sp->mem.len)
		rc = write_out(sp, sp->fd, sp->mem.p, sp->mem.len, sp->mem_off,
			       err);
	buf_clear(&sp->mem);
	return rc;
}

static enum rc too_large(const struct import_spool *sp, uint64_t size,
			 struct err *err)
{
	return err_set(err, RC_LIMIT,
		       "%" PRIu64 " bytes, more than a file in %s can have",
		       size, sp->dir);
}

static enum rc begin_own(struct import_spool *sp, uint64_t size,
			 struct import_content *c, struct err *err)
{
	int fd;

	if (spool_temporary(sp->dir, &fd, err))
		return err->rc;
	if (ftruncate(fd, (off_t)size)) {
		if (errno == EFBIG || errno == EINVAL)
			too_large(sp, size, err);
		else
			err_set_errno(err, errno, "temporary file in %s",
				      sp->dir);
		close(fd);
		return err->rc;
	}
	sp->own = mem_grow(sp->own, &sp->cap_own, sp->n_own + 1,
			   sizeof(*sp->own));
	c->place = PLACE_OWN | sp->n_own;
	sp->own[sp->n_own++] = fd;
	c->fd = fd;
	return RC_OK;
}

enum rc import_spool_begin(struct import_spool *sp, uint64_t size,
			   bool is_sparse, struct import_content *c,
			   struct err *err)
{
	*c = (struct import_content){ .base = 0 };
	if (size > END_MAX)
		return too_large(sp, size, err);
	if (is_sparse && size >= OWN_MIN) {
		if (sp->n_own < OWN_MAX)
			return begin_own(sp, size, c, err);
		/* A file has an end, and others shall have place in it. */
		if (size > HOLES_MAX - sp->holes)
			return err_set(err, RC_LIMIT,
				       "with holes, %" PRIu64
				       " bytes: too many of that kind",
				       size);
		sp->holes += size;
	}
	if (sp->fd < 0 && spool_temporary(sp->dir, &sp->fd, err))
		return err->rc;
	c->fd = sp->fd;
	c->place = c->base = sp->end;
	return RC_OK;
}

bool import_spool_takes_excluded(struct import_spool *sp, uint64_t size)
{
	uint64_t most = sp->limit / EXCLUDED_PART;

	if (sp->excluded > most || size > most - sp->excluded)
		return false;
	sp->excluded += size;
	return true;
}

static enum rc check_end(const struct import_spool *sp,
			 const struct import_content *c, uint64_t end,
			 struct err *err)
{
	if (end > END_MAX - c->base)
		return too_large(sp, end, err);
	return RC_OK;
}

enum rc import_spool_write(struct import_spool *sp, struct import_content *c,
			   uint64_t off, const void *p, size_t len,
			   struct err *err)
{
	uint64_t at = c->base + off;

	if (check_end(sp, c, off + len, err))
		return err->rc;
	c->end = off + len;
	if (c->fd != sp->fd)
		return write_out(sp, c->fd, p, len, off, err);
	sp->end = at + len;
	if (sp->mem.len &&
	    (at != sp->mem_off + sp->mem.len || len > WRITE_BYTES) &&
	    flush(sp, err))
		return err->rc;
	if (len > WRITE_BYTES)
		return write_out(sp, sp->fd, p, len, at, err);
	if (!sp->mem.len)
		sp->mem_off = at;
	buf_append(&sp->mem, p, len);
	if (!buf_ok(&sp->mem))
		return err_set(err, RC_NOMEM, "out of memory");
	return sp->mem.len < WRITE_BYTES ? RC_OK : flush(sp, err);
}

enum rc import_spool_end(struct import_spool *sp, struct import_content *c,
			 uint64_t size, struct err *err)
{
	if (check_end(sp, c, size, err))
		return err->rc;
	if (c->fd == sp->fd) {
		sp->end = c->base + size;
		return RC_OK;
	}
	if (ftruncate(c->fd, (off_t)size))
		return err_set_errno(err, errno, "temporary file in %s",
				     sp->dir);
	return RC_OK;
}

enum rc import_spool_finish(struct import_spool *sp, struct err *err)
{
	if (sp->fd < 0)
		return RC_OK;
	if (flush(sp, err))
		return err->rc;
	if (ftruncate(sp->fd, (off_t)sp->end))
		return err_set_errno(err, errno, "temporary file in %s",
				     sp->dir);
	return RC_OK;
}

enum rc import_spool_get(const struct import_spool *sp, uint64_t place,
			 int *ret_fd, uint64_t *ret_base, struct err *err)
{
	uint64_t i = place & ~PLACE_OWN;
	bool is_own = place & PLACE_OWN;
	int fd;

	if (is_own ? i >= sp->n_own : sp->fd < 0)
		return err_set(err, RC_IO, "has no content");
	fd = fcntl(is_own ? sp->own[i] : sp->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(err, errno, "temporary file");
	*ret_fd = fd;
	*ret_base = is_own ? 0 : i;
	return RC_OK;
}
