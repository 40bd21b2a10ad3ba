/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-decoded.c - files that are compressed as a whole, decoded once. */
#include "config.h"

#include "legacy/legacy-decoded.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "codec/frame.h"
#include "legacy/legacy-segments.h"

/* Stored bytes read at a time. */
#define PIECE (256u << 10)

/* Frames whose window is too large for a stream are decoded in memory if both
 * they and what they hold have at most so many bytes.
 */
#define WHOLE_MAX (16u << 20)

/* Decoded files that are kept: as many as threads may be reading. */
#define FILES_MAX 8u

enum state { EMPTY, DECODING, READY, FAILED };

/* A decoded file. */
struct file {
	enum state state;
	const struct legacy_object *o; /* of what: */
	uint64_t off;
	unsigned int users; /* those that read or wait */
	uint64_t used;      /* when: a count of uses */
	int fd;             /* while READY */
	struct err why;     /* while FAILED */
};

struct legacy_decoded {
	struct store *st;
	struct legacy_segments *segments; /* NULL: none */
	const char *dir;
	pthread_mutex_t lock; /* guards what follows; not held during I/O */
	pthread_cond_t changed;
	struct file files[FILES_MAX];
	uint64_t uses;
};

struct legacy_decoded *legacy_decoded_new(struct store *st,
					  struct legacy_segments *segments,
					  const char *dir)
{
	struct legacy_decoded *d = xcalloc(1, sizeof(*d));

	d->st = st;
	d->segments = segments;
	d->dir = dir;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	for (size_t i = 0; i < FILES_MAX; i++)
		d->files[i].fd = -1;
	return d;
}

static void file_clear(struct file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct file){ .fd = -1 };
}

void legacy_decoded_free(struct legacy_decoded *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < FILES_MAX; i++)
		file_clear(&d->files[i]);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* --- decoding ------------------------------------------------------------- */

struct decoding {
	struct store *st;
	struct legacy_segments *segments;
	const struct legacy_object *o;
	uint64_t off, left; /* stored bytes */
	uint64_t expected;  /* read so far, or expected to be */
	uint8_t *piece;
	size_t piece_len, piece_used;
	uint8_t *to; /* memory, or: */
	int fd;
	uint64_t done; /* plain bytes */
};

/* Frames are read from their begin to their end. */
static void expect(struct decoding *d)
{
	uint64_t n = d->left < LEGACY_SEGMENT_MAX ? d->left
						  : LEGACY_SEGMENT_MAX;

	if (!d->segments || d->off < d->expected || n <= PIECE)
		return;
	d->expected = d->off + n;
	legacy_segments_expect(d->segments, d->o, d->off, d->expected, false);
}

static enum rc next_piece(struct decoding *d, struct err *err)
{
	size_t n = d->left < PIECE ? (size_t)d->left : PIECE;

	expect(d);
	d->piece_used = d->piece_len = 0;
	if (d->segments ? legacy_segments_read(d->segments, d->o, d->off,
					       d->piece, n, false, err)
			: store_read(d->st, d->o->key, &d->o->info, d->off,
				     d->piece, n, err))
		return err->rc;
	d->piece_len = n;
	d->off += n;
	d->left -= n;
	return RC_OK;
}

static enum rc frame_in(void *arg, void *p, size_t max, size_t *ret,
			struct err *err)
{
	struct decoding *d = arg;
	size_t n;

	if (d->piece_used == d->piece_len && d->left && next_piece(d, err))
		return err->rc;
	n = d->piece_len - d->piece_used;
	if (n > max)
		n = max;
	memcpy(p, d->piece + d->piece_used, n);
	d->piece_used += n;
	*ret = n;
	return RC_OK;
}

static enum rc frame_out(void *arg, const void *p, size_t len, struct err *err)
{
	struct decoding *d = arg;

	if (d->to)
		memcpy(d->to + d->done, p, len);
	else if (io_pwrite(d->fd, p, len, d->done))
		return err_set_errno(err, errno, "temporary file");
	d->done += len;
	return RC_OK;
}

/* A frame that refers back too far for a stream. */
static enum rc decode_whole(struct decoding *d, const struct legacy_place *p,
			    struct err *err)
{
	CLEANUP_FREE uint8_t *in = NULL, *out = NULL;
	uint8_t *to = d->to;
	enum rc rc;

	if (p->stored_len > WHOLE_MAX || p->size > WHOLE_MAX)
		return err->rc;
	in = mem_array((size_t)p->stored_len, 1);
	out = to ? NULL : mem_array((size_t)p->size, 1);
	if (!in || (!to && !out))
		return err_set(err, RC_NOMEM,
			       "%s: no memory for %" PRIu64 " bytes", d->o->key,
			       p->size);
	rc = store_read(d->st, d->o->key, &d->o->info, p->off, in,
			(size_t)p->stored_len, err);
	if (!rc)
		rc = frame_decode_whole((enum codec_id)p->codec, in,
					(size_t)p->stored_len, to ? to : out,
					(size_t)p->size, NULL, err);
	d->done = 0;
	return rc || to ? rc : frame_out(d, out, (size_t)p->size, err);
}

/* All of it, into memory or a file. */
static enum rc decode(struct legacy_decoded *all, const struct legacy_object *o,
		      const struct legacy_place *p, uint8_t *to, int fd,
		      struct err *err)
{
	struct decoding d = { .st = all->st,
			      .segments = all->segments,
			      .o = o,
			      .off = p->off,
			      .left = p->stored_len,
			      .to = to,
			      .fd = fd };
	const struct frame_io io = { frame_in, frame_out, &d };
	enum rc rc;

	d.piece = mem_array(PIECE, 1);
	if (!d.piece)
		return err_set(err, RC_NOMEM, "%s: no memory for a frame",
			       o->key);
	rc = frame_decode((enum codec_id)p->codec, &io, p->size, NULL, err);
	free(d.piece);
	d.piece = NULL;
	if (rc == RC_LIMIT)
		rc = decode_whole(&d, p, err);
	return rc;
}

/* --- files ---------------------------------------------------------------- */

/* The file, or one that nobody uses and that may become it; NULL: all are in
 * use.
 */
static struct file *choose(struct legacy_decoded *d,
			   const struct legacy_object *o, uint64_t off)
{
	struct file *oldest = NULL;

	for (size_t i = 0; i < FILES_MAX; i++) {
		struct file *f = &d->files[i];

		if (f->state != EMPTY && f->o == o && f->off == off)
			return f;
		if (!f->users && (!oldest || f->used < oldest->used))
			oldest = f;
	}
	return oldest;
}

/* Hold the file; *ret_mine: it is to be decoded by the caller. */
static struct file *hold(struct legacy_decoded *d,
			 const struct legacy_object *o, uint64_t off,
			 bool *ret_mine)
{
	LOCK_SCOPE(&d->lock);
	struct file *f = choose(d, o, off);

	while (!f) {
		pthread_cond_wait(&d->changed, &d->lock);
		f = choose(d, o, off);
	}
	*ret_mine = f->state == EMPTY || f->o != o || f->off != off;
	if (*ret_mine) {
		file_clear(f);
		f->o = o;
		f->off = off;
		f->state = DECODING;
	}
	f->users++;
	f->used = ++d->uses;
	while (!*ret_mine && f->state == DECODING)
		pthread_cond_wait(&d->changed, &d->lock);
	return f;
}

/* A failure is told to those that wait for it, and then forgotten: what may
 * pass is to be tried again.
 */
static void release(struct legacy_decoded *d, struct file *f)
{
	LOCK_SCOPE(&d->lock);

	if (!--f->users && f->state == FAILED)
		file_clear(f);
	pthread_cond_broadcast(&d->changed);
}

static void finish(struct legacy_decoded *d, struct file *f, int fd, enum rc rc,
		   const struct err *err)
{
	LOCK_SCOPE(&d->lock);

	f->state = rc ? FAILED : READY;
	if (rc)
		f->why = *err;
	else
		f->fd = fd;
	pthread_cond_broadcast(&d->changed);
}

static enum rc fill(struct legacy_decoded *d, struct file *f,
		    const struct legacy_place *p, struct err *err)
{
	CLEANUP_FD int fd = -1;
	enum rc rc = spool_temporary(d->dir, &fd, err);

	if (!rc)
		rc = decode(d, f->o, p, NULL, fd, err);
	finish(d, f, fd, rc, err);
	if (!rc)
		(void)STEAL_FD(fd);
	return rc;
}

static enum rc read_file(const struct file *f, uint64_t off, void *buf,
			 size_t len, struct err *err)
{
	ssize_t n;

	if (f->state == FAILED) {
		*err = f->why;
		return err->rc;
	}
	n = io_pread(f->fd, buf, len, off);
	if (n < 0)
		return err_set_errno(err, errno, "temporary file");
	if ((size_t)n != len)
		return err_set(err, RC_IO, "temporary file ends too early");
	return RC_OK;
}

enum rc legacy_decoded_read(struct legacy_decoded *d,
			    const struct legacy_object *o,
			    const struct legacy_place *p, uint64_t off,
			    void *buf, size_t len, struct err *err)
{
	bool is_mine = false;
	struct file *f;
	enum rc rc = RC_OK;

	if (!off && len == p->size)
		return decode(d, o, p, buf, -1, err);
	f = hold(d, o, p->off, &is_mine);
	if (is_mine)
		rc = fill(d, f, p, err);
	if (!rc)
		rc = read_file(f, off, buf, len, err);
	release(d, f);
	return rc;
}
