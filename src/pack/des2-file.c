/* SPDX-License-Identifier: Apache-2.0 */
/* des2-file.c - reads a file of the sources, once and whole, for the format
 * DES2.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "codec/frame.h"
#include "pack/des2-backend.h"
#include "pack/feed.h"
#include "pack/tree.h"
#include "run/throttle.h"

struct reading {
	struct des2_thread *t;
	const struct des2_record *r;
	int fd;
	uint64_t base; /* of the file in fd */
	uint64_t off;
	struct sha256 sha;
	bool *own; /* the failure is the file's */
	des2_write_fn *write;
	void *arg;
};

static enum rc reading_next(void *arg, void *p, size_t max, size_t *ret,
			    struct err *err)
{
	struct reading *g = arg;
	uint64_t left = g->r->it.size - g->off;
	ssize_t n;

	*ret = 0;
	if (pack_is_ending(g->t->d->p, err))
		return err->rc;
	if (max > left)
		max = (size_t)left;
	throttle_wait(g->t->d->p->throttle, 0, max);
	n = io_pread(g->fd, p, max, g->base + g->off);
	*g->own = n < 0 || (size_t)n != max;
	if (n < 0)
		return err_set_errno(err, errno, "cannot be read");
	if (*g->own)
		return err_set(err, RC_CHANGED, "changed while it was read");
	sha256_update(&g->sha, p, max);
	g->off += max;
	*ret = max;
	return RC_OK;
}

static enum rc reading_out(void *arg, const void *p, size_t len,
			   struct err *err)
{
	const struct reading *g = arg;

	return g->write ? g->write(g->arg, p, len, err) : RC_OK;
}

static enum rc check_hash(const struct item *it,
			  const uint8_t found[SHA256_LEN], struct err *err)
{
	char is[HEX_TEXT(SHA256_LEN)], wanted[HEX_TEXT(SHA256_LEN)];

	if (!it->has_sha256 || !memcmp(it->sha256, found, SHA256_LEN))
		return RC_OK;
	hex_encode(found, SHA256_LEN, is);
	hex_encode(it->sha256, SHA256_LEN, wanted);
	return err_set(err, RC_CORRUPT, "sha256 is %s, wanted %s", is, wanted);
}

/* All that is to be read of it, as one frame. */
static enum rc read_all(struct reading *g, enum codec_id codec,
			uint64_t *ret_stored, struct err *err)
{
	const struct pack_options *o = g->t->d->p->opts;
	struct frame_io io = { reading_next, reading_out, g };
	int level = codec == o->codec ? o->level : 0;

	return frame_encode(codec, level, &io, g->r->it.size, ret_stored, err);
}

/* *ret_base: where its bytes begin in *ret_fd. */
static enum rc open_file(struct des2_thread *t, const struct item *it,
			 int *ret_fd, uint64_t *ret_base, struct err *err)
{
	const struct feed *feed = t->d->p->opts->feed;

	if (feed)
		return feed->open(feed->arg, it->place, it->size, ret_fd,
				  ret_base, err);
	if (tree_open(t->tree, it, ret_fd, err))
		return err->rc;
	/* It could be another by now, and no end of it. */
	return tree_check(*ret_fd, it, err);
}

/* Is it still what it was when it was found? */
static enum rc check_file(struct des2_thread *t, int fd, const struct item *it,
			  struct err *err)
{
	const struct feed *feed = t->d->p->opts->feed;

	if (!feed)
		return tree_check(fd, it, err);
	return feed->check
		       ? feed->check(feed->arg, it->place, fd, it->size, err)
		       : RC_OK;
}

enum rc des2_file_read(struct des2_thread *t, const struct des2_record *r,
		       enum codec_id codec, des2_write_fn *write, void *arg,
		       uint64_t *ret_stored, uint8_t ret_sha256[SHA256_LEN],
		       bool *ret_own, struct err *err)
{
	struct reading g = { .t = t,
			     .r = r,
			     .fd = -1,
			     .own = ret_own,
			     .write = write,
			     .arg = arg };
	CLEANUP_FD int fd = -1;
	enum rc rc = RC_OK;

	*ret_own = false;
	sha256_init(&g.sha);
	throttle_wait(t->d->p->throttle, 1, 0);
	if (r->it.size) {
		rc = open_file(t, &r->it, &fd, &g.base, err);
		*ret_own = rc != RC_STOPPED;
		if (rc)
			return rc;
		*ret_own = false;
		g.fd = fd;
	}
	rc = read_all(&g, codec, ret_stored, err);
	if (rc)
		return rc;
	sha256_final(&g.sha, ret_sha256);
	*ret_own = true;
	if (r->it.size)
		rc = check_file(t, fd, &r->it, err);
	return rc ? rc : check_hash(&r->it, ret_sha256, err);
}
