/* SPDX-License-Identifier: Apache-2.0 */
/* export-content.c - the bytes of a file into the stream, holes passed over.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "base/stop.h"
#include "exchange/export-backend.h"

/* Of a hole at a time: libarchive passes over them as it is told of them. */
#define EXPORT_ZEROS (64u << 20)

enum rc export_content_init(struct export *x, struct err *err)
{
	void *zeros = mmap(NULL, EXPORT_ZEROS, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (zeros == MAP_FAILED)
		return err_set_errno(err, errno, "memory");
	x->zeros = zeros;
	x->ahead = xcalloc(1, EXPORT_AHEAD);
	return RC_OK;
}

void export_content_release(struct export *x)
{
	if (x->zeros)
		munmap(x->zeros, EXPORT_ZEROS);
	free(x->ahead);
	free(x->pieces);
}

/* --- before the header ---------------------------------------------------- */

static void add_piece(struct export *x, uint64_t off, uint64_t end)
{
	x->pieces = mem_grow(x->pieces, &x->cap_pieces, x->n_pieces + 1,
			     sizeof(*x->pieces));
	x->pieces[x->n_pieces++] =
		(struct export_piece){ .off = off, .end = end };
}

/* One piece at or after off; the file's size in *ret_off: none is left. */
static enum rc find_piece(const struct export_content *c, uint64_t off,
			  uint64_t *ret_off, uint64_t *ret_end, struct err *err)
{
	uint64_t size = c->e->size;
	enum rc rc = c->src->next_data(c->src->arg, off, ret_off, err);

	if (rc || *ret_off >= size)
		return rc;
	rc = c->src->next_hole(c->src->arg, *ret_off, ret_end, err);
	if (!rc && (*ret_off < off || *ret_end <= *ret_off))
		rc = err_set(err, RC_CORRUPT, "holes make no sense");
	if (*ret_end > size)
		*ret_end = size;
	return rc;
}

static enum rc find_pieces(struct export *x, const struct export_content *c,
			   struct err *err)
{
	uint64_t size = c->e->size, off = 0, end = 0;

	x->n_pieces = 0;
	if (!c->src->next_data || !c->src->next_hole) {
		add_piece(x, 0, size);
		return RC_OK;
	}
	while (end < size) {
		enum rc rc = find_piece(c, end, &off, &end, err);

		if (rc)
			return rc;
		if (off >= size)
			break;
		if (x->n_pieces + 1 == EXPORT_PIECES_MAX)
			end = size;
		add_piece(x, off, end);
	}
	return RC_OK;
}

/* The map a reader of the tar makes holes by. */
static void tell_holes(struct export *x, const struct entry *e)
{
	if (x->opts.format != EXPORT_TAR ||
	    (x->n_pieces == 1 && !x->pieces[0].off &&
	     x->pieces[0].end == e->size))
		return;
	for (size_t i = 0; i < x->n_pieces; i++) {
		const struct export_piece *p = &x->pieces[i];

		archive_entry_sparse_add_entry(x->entry, (la_int64_t)p->off,
					       (la_int64_t)(p->end - p->off));
	}
	if (!x->n_pieces)
		archive_entry_sparse_add_entry(x->entry, (la_int64_t)e->size,
					       0);
}

/* Exactly len bytes. */
static enum rc read_all(const struct export_content *c, uint64_t off,
			uint8_t *buf, size_t len, struct err *err)
{
	while (len) {
		size_t n = 0;
		enum rc rc = c->src->read(c->src->arg, off, buf, len, &n, err);

		if (rc)
			return rc;
		if (!n || n > len)
			return err_set(err, RC_CORRUPT,
				       "ends after %" PRIu64 " bytes", off);
		off += n;
		buf += n;
		len -= n;
	}
	return RC_OK;
}

static enum rc check_hash(struct export_content *c, struct err *err)
{
	uint8_t hash[SHA256_LEN];

	sha256_final(&c->sum, hash);
	if (c->e->has_hash && memcmp(hash, c->e->sha256, SHA256_LEN) != 0)
		return err_set(
			err, RC_CORRUPT,
			"SHA-256 of what was read is not the one packed");
	return RC_OK;
}

static enum rc read_whole(struct export *x, struct export_content *c,
			  struct err *err)
{
	uint64_t size = c->e->size;

	memset(x->ahead, 0, (size_t)size);
	for (size_t i = 0; i < x->n_pieces; i++) {
		const struct export_piece *p = &x->pieces[i];
		enum rc rc = read_all(c, p->off, x->ahead + p->off,
				      (size_t)(p->end - p->off), err);

		if (rc)
			return rc;
	}
	c->have = size;
	sha256_update(&c->sum, x->ahead, (size_t)size);
	return check_hash(c, err);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

enum rc export_content_begin(struct export *x, struct export_content *c,
			     struct err *err)
{
	enum rc rc;

	c->have = 0;
	sha256_init(&c->sum);
	if (!c->e->size)
		return RC_OK;
	rc = find_pieces(x, c, err);
	if (rc)
		return rc;
	tell_holes(x, c->e);
	if (c->e->size <= EXPORT_AHEAD)
		return read_whole(x, c, err);
	if (!x->n_pieces)
		return RC_OK;
	c->have = least(x->pieces[0].end - x->pieces[0].off, EXPORT_AHEAD);
	return read_all(c, x->pieces[0].off, x->ahead, (size_t)c->have, err);
}

/* --- after it ------------------------------------------------------------- */

static enum rc put(struct export *x, const uint8_t *p, size_t len,
		   struct err *err)
{
	if (stop_requested()) {
		x->is_broken = true;
		return err_set(err, RC_STOPPED, "stopped by a signal");
	}
	while (len) {
		la_ssize_t n = archive_write_data(x->archive, p, len);

		if (n <= 0 || (size_t)n > len || x->out_errno)
			return export_failed(x, err);
		x->left -= (uint64_t)n;
		p += n;
		len -= (size_t)n;
	}
	return RC_OK;
}

/* Zeros from off to end; where they are no hole in the tar, in small pieces, as
 * they are written out.
 */
static enum rc put_zeros(struct export *x, uint64_t off, uint64_t end,
			 struct err *err)
{
	while (off < end) {
		uint64_t n = least(end - off, EXPORT_ZEROS);
		enum rc rc = put(x, x->zeros, (size_t)n, err);

		if (rc)
			return rc;
		off += n;
	}
	return RC_OK;
}

/* What could not be read after the header was written. */
static enum rc pad(struct export *x, uint64_t off, uint64_t size,
		   struct err *err)
{
	struct err failed;

	if (put_zeros(x, off, size, &failed)) {
		*err = failed;
		return err->rc;
	}
	x->totals.padded++;
	/* Also when it was deleted meanwhile, this has to be known. */
	if (err->rc == RC_DELETED)
		err->rc = RC_CHANGED;
	return err_prefix(err, "zeros stand for bytes %" PRIu64 " to %" PRIu64,
			  off, size);
}

static enum rc put_piece(struct export *x, struct export_content *c,
			 const struct export_piece *p, struct err *err)
{
	uint64_t off = p->off;

	while (off < p->end) {
		uint64_t n = c->have;
		enum rc rc = RC_OK;

		if (!n) {
			n = least(p->end - off, EXPORT_AHEAD);
			rc = read_all(c, off, x->ahead, (size_t)n, err);
		}
		c->have = 0;
		if (rc)
			return pad(x, off, c->e->size, err);
		if (c->e->has_hash)
			sha256_update(&c->sum, x->ahead, (size_t)n);
		rc = put(x, x->ahead, (size_t)n, err);
		if (rc)
			return rc;
		off += n;
	}
	return RC_OK;
}

static void hash_hole(struct export_content *c, uint64_t off, uint64_t end)
{
	if (c->e->has_hash)
		sha256_update_zeros(&c->sum, end - off);
}

static enum rc put_pieces(struct export *x, struct export_content *c,
			  struct err *err)
{
	uint64_t off = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < x->n_pieces && !rc; i++) {
		const struct export_piece *p = &x->pieces[i];

		hash_hole(c, off, p->off);
		rc = put_zeros(x, off, p->off, err);
		if (!rc)
			rc = put_piece(x, c, p, err);
		off = p->end;
	}
	if (rc)
		return rc;
	hash_hole(c, off, c->e->size);
	return put_zeros(x, off, c->e->size, err);
}

enum rc export_content_data(struct export *x, struct export_content *c,
			    struct err *err)
{
	enum rc rc;

	if (!c->e->size)
		return RC_OK;
	if (c->e->size <= EXPORT_AHEAD)
		return put(x, x->ahead, (size_t)c->have, err);
	rc = put_pieces(x, c, err);
	if (rc)
		return rc;
	rc = check_hash(c, err);
	if (rc)
		err_prefix(err, "it is in the stream all the same");
	return rc;
}
