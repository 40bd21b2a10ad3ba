/* SPDX-License-Identifier: Apache-2.0 */
/* restore-content.c - the bytes of a file written, holes kept, hash compared.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/sha256.h"
#include "restore/restore-backend.h"

/* Bytes off to end, which are data. */
static enum rc copy_data(struct restore *r, const struct restore_source *src,
			 int fd, uint64_t off, uint64_t end, struct sha256 *sum,
			 struct err *err)
{
	while (off < end) {
		size_t want = RESTORE_PIECE, n = 0;
		enum rc rc;

		if (want > end - off)
			want = (size_t)(end - off);
		rc = src->read(src->arg, off, r->piece, want, &n, err);
		if (rc)
			return rc;
		if (!n || n > want)
			return err_set(err, RC_CORRUPT, "ends after %llu bytes",
				       (unsigned long long)off);
		if (io_pwrite(fd, r->piece, n, off))
			return err_set_errno(err, errno, "write");
		sha256_update(sum, r->piece, n);
		off += n;
	}
	return RC_OK;
}

static enum rc next_piece(const struct restore_source *src, uint64_t size,
			  uint64_t off, uint64_t *ret_data, uint64_t *ret_end,
			  struct err *err)
{
	enum rc rc;

	*ret_data = off;
	*ret_end = size;
	if (!src->next_data || !src->next_hole)
		return RC_OK;
	rc = src->next_data(src->arg, off, ret_data, err);
	if (rc)
		return rc;
	if (*ret_data >= size) {
		*ret_data = size;
		return RC_OK;
	}
	rc = src->next_hole(src->arg, *ret_data, ret_end, err);
	if (!rc && (*ret_data < off || *ret_end <= *ret_data))
		rc = err_set(err, RC_CORRUPT, "holes make no sense");
	if (*ret_end > size)
		*ret_end = size;
	return rc;
}

static enum rc copy_all(struct restore *r, const struct entry *e,
			const struct restore_source *src, int fd,
			struct sha256 *sum, struct err *err)
{
	uint64_t off = 0;

	/* First, so that a size this file system cannot hold costs nothing. */
	if (ftruncate(fd, (off_t)e->size))
		return err_set_errno(err, errno, "size");
	while (off < e->size) {
		uint64_t data, end;
		enum rc rc = next_piece(src, e->size, off, &data, &end, err);

		if (rc)
			return rc;
		sha256_update_zeros(sum, data - off);
		rc = copy_data(r, src, fd, data, end, sum, err);
		if (rc)
			return rc;
		off = end;
	}
	return RC_OK;
}

enum rc restore_content(struct restore *r, const struct entry *e,
			const struct restore_source *src, int fd,
			struct err *err)
{
	struct sha256 sum;
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	sha256_init(&sum);
	rc = copy_all(r, e, src, fd, &sum, err);
	if (rc)
		return rc;
	sha256_final(&sum, hash);
	if (e->has_hash && memcmp(hash, e->sha256, SHA256_LEN) != 0)
		return err_set(
			err, RC_CORRUPT,
			"SHA-256 of what was read is not the one packed");
	return RC_OK;
}
