/* SPDX-License-Identifier: Apache-2.0 */
/* get-content.c - the bytes of one version of a file, checked as they are read.
 */
#include "config.h"

#include "exchange/get-content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/stop.h"
#include "volume/volume.h"

#define PIECE (UINT64_C(1) << 20)

enum rc get_check_type(const struct volume_entry *ve, struct err *err)
{
	if (ve->e.type == ENTRY_REG)
		return RC_OK;
	return err_set(err, RC_USAGE, "is a %s, not a file",
		       entry_type_text(ve->e.type));
}

/* A file on its way. */
struct copy {
	struct volume *v;
	const struct volume_entry *ve;
	struct sha256 sum;
	uint8_t *piece; /* to read into; NULL: right into to */
	uint8_t *to;
	int fd;
	bool is_file; /* written where it belongs, holes left out */
};

/* Where data goes on from off on, and how far. */
static enum rc next_data(const struct copy *c, uint64_t off, uint64_t *ret_data,
			 uint64_t *ret_end, struct err *err)
{
	uint64_t size = c->ve->e.size;
	enum rc rc = volume_seek(c->v, c->ve, off, true, ret_data, err);

	*ret_end = size;
	if (rc == RC_LIMIT) {
		*ret_data = size;
		return RC_OK;
	}
	if (!rc)
		rc = volume_seek(c->v, c->ve, *ret_data, false, ret_end, err);
	if (!rc &&
	    (*ret_data < off || *ret_end <= *ret_data || *ret_end > size))
		rc = err_set(err, RC_CORRUPT, "holes make no sense");
	return rc;
}

static enum rc put(struct copy *c, uint64_t off, const uint8_t *p, size_t n,
		   struct err *err)
{
	int failed = 0;

	sha256_update(&c->sum, p, n);
	if (c->is_file)
		failed = io_pwrite(c->fd, p, n, off);
	else if (c->piece)
		failed = io_write(c->fd, p, n);
	return failed ? err_set_errno(err, errno, "write") : RC_OK;
}

static enum rc copy_range(struct copy *c, uint64_t off, uint64_t end,
			  struct err *err)
{
	while (off < end) {
		uint64_t want = end - off < PIECE ? end - off : PIECE;
		uint8_t *p = c->piece ? c->piece : c->to + off;
		size_t n = 0;
		enum rc rc;

		if (stop_requested())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		rc = volume_read(c->v, c->ve, off, p, want, &n, err);
		if (!rc && !n)
			rc = err_set(err, RC_CORRUPT, "ends after %llu bytes",
				     (unsigned long long)off);
		if (!rc)
			rc = put(c, off, p, n, err);
		if (rc)
			return rc;
		off += n;
	}
	return RC_OK;
}

static enum rc copy_data(struct copy *c, struct err *err)
{
	uint64_t off = 0, size = c->ve->e.size;

	/* First, so that a size this file system cannot hold costs nothing. */
	if (ftruncate(c->fd, (off_t)size))
		return err_set_errno(err, errno, "size");
	while (off < size) {
		uint64_t data = size, end = size;
		enum rc rc = next_data(c, off, &data, &end, err);

		if (rc)
			return rc;
		sha256_update_zeros(&c->sum, data - off);
		rc = copy_range(c, data, end, err);
		if (rc)
			return rc;
		off = data < size ? end : size;
	}
	return RC_OK;
}

static enum rc copy_all(struct copy *c, uint8_t *ret, struct err *err)
{
	const struct entry *e = &c->ve->e;
	enum rc rc = get_check_type(c->ve, err);

	if (rc)
		return rc;
	sha256_init(&c->sum);
	rc = c->is_file ? copy_data(c, err) : copy_range(c, 0, e->size, err);
	if (rc)
		return rc;
	sha256_final(&c->sum, ret);
	if (e->has_hash && memcmp(ret, e->sha256, SHA256_LEN) != 0)
		return err_set(
			err, RC_CORRUPT,
			"SHA-256 of what was read is not the one packed");
	return RC_OK;
}

enum rc get_stream(struct volume *v, const struct volume_entry *ve, int fd,
		   uint8_t ret_sha256[SHA256_LEN], struct err *err)
{
	CLEANUP_FREE uint8_t *piece = xcalloc(1, PIECE);
	struct copy c = { .v = v, .ve = ve, .piece = piece, .fd = fd };

	return copy_all(&c, ret_sha256, err);
}

enum rc get_fill(struct volume *v, const struct volume_entry *ve, int fd,
		 uint8_t ret_sha256[SHA256_LEN], struct err *err)
{
	CLEANUP_FREE uint8_t *piece = xcalloc(1, PIECE);
	struct copy c = {
		.v = v, .ve = ve, .piece = piece, .fd = fd, .is_file = true
	};

	return copy_all(&c, ret_sha256, err);
}

enum rc get_load(struct volume *v, const struct volume_entry *ve, void *ret,
		 uint8_t ret_sha256[SHA256_LEN], struct err *err)
{
	struct copy c = { .v = v, .ve = ve, .to = ret, .fd = -1 };

	return copy_all(&c, ret_sha256, err);
}
