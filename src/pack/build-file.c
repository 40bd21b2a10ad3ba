/* SPDX-License-Identifier: Apache-2.0 */
/* build-file.c - a file's bytes into the blocks of a lane. */
#include "config.h"

#include "pack/build-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "pack/ahead.h"
#include "pack/compressible.h"
#include "pack/feed.h"
#include "pack/lane.h"
#include "pack/pack.h"
#include "pack/stage.h"
#include "pack/tree.h"
#include "run/state.h"

/* What is looked at of a large file before it is cut. */
#define LOOKS 16u
#define LOOK_LEN 256u

struct file_reader {
	struct pack *p;
	struct tree *tree;
	struct ahead *ahead;
	struct stage *stage;
	bool is_left_out; /* the file added last */
};

/* Segments known to be holes that are not hashed yet, so that a stop need not
 * wait for more of them.
 */
#define HOLES_AHEAD 64u

/* A large file on its way. */
struct large {
	const struct item *it;
	int fd;
	uint64_t base; /* where it begins in fd */
	struct content_parts *c;
	uint64_t data; /* no data between here and the place looked at */
	size_t tail;   /* bytes reserved for the last segment */
	const uint8_t *tail_bytes;
};

struct file_reader *file_reader_new(struct pack *p, struct tree *tree,
				    struct ahead *ahead, struct stage *stage)
{
	struct file_reader *f = xcalloc(1, sizeof(*f));

	f->p = p;
	f->tree = tree;
	f->ahead = ahead;
	f->stage = stage;
	return f;
}

void file_reader_free(struct file_reader *f)
{
	free(f);
}

static void report_file(struct file_reader *f, const struct item *it,
			const struct err *failure)
{
	CLEANUP_FREE char *uid =
		xcalloc(1, entry_uid_len(it->parent, it->name) + 1);
	size_t len = entry_uid(it->parent, it->name, uid);

	report_given_up(f->p->report, span_of(uid, len),
			it->type == ENTRY_REG ? it->size : 0, failure);
	if (it->is_fed)
		feed_tell(f->p->opts->feed, it->number, FEED_FAILED, failure);
}

void file_reader_changed(struct file_reader *f, const struct item *it)
{
	struct err failure;

	if (it->is_fed)
		err_set(&failure, RC_CHANGED,
			"its other names have other attributes");
	else
		err_set(&failure, RC_CHANGED, "changed while it was read");
	report_file(f, it, &failure);
}

/* A feed may have to wait for what it opens, or to keep it in a temporary file,
 * for which others may not fare better.
 */
static bool ends_run(const struct file_reader *f, enum rc rc)
{
	if (rc == RC_STOPPED)
		return true;
	return f->p->opts->feed && (rc == RC_NOSPACE || rc == RC_NOMEM);
}

/* The file's own failure: told, and the run goes on. */
static enum rc leave_out(struct file_reader *f, const struct item *it,
			 const struct err *failure, struct err *err)
{
	if (ends_run(f, failure->rc)) {
		*err = *failure;
		return err->rc;
	}
	report_file(f, it, failure);
	f->is_left_out = true;
	return err_set(err, RC_NOENT, "left out");
}

static enum rc read_at(int fd, void *to, size_t len, uint64_t off,
		       struct err *err)
{
	ssize_t n = io_pread(fd, to, len, off);

	if (n < 0)
		return err_set_errno(err, errno, "cannot be read");
	if ((size_t)n != len)
		return err_set(err, RC_CHANGED, "changed while it was read");
	return RC_OK;
}

/* --- where files come from -------------------------------------------------
 */

/* *ret_base: where the file's bytes begin in *ret_fd. */
static enum rc open_file(struct file_reader *f, const struct item *it,
			 int *ret_fd, uint64_t *ret_base, struct err *err)
{
	const struct feed *feed = f->p->opts->feed;

	*ret_base = 0;
	if (stage_open(f->stage, it, ret_fd, ret_base))
		return RC_OK;
	if (feed)
		return feed->open(feed->arg, it->place, it->size, ret_fd,
				  ret_base, err);
	return tree_open(f->tree, it, ret_fd, err);
}

/* Is it still what it was when it was found? */
static enum rc check_file(struct file_reader *f, int fd, const struct item *it,
			  struct err *err)
{
	const struct feed *feed = f->p->opts->feed;

	if (!feed)
		return tree_check(fd, it, err);
	return feed->check
		       ? feed->check(feed->arg, it->place, fd, it->size, err)
		       : RC_OK;
}

static enum rc check_hash(const struct item *it,
			  const uint8_t sha256[SHA256_LEN], struct err *err)
{
	char is[HEX_TEXT(SHA256_LEN)], wanted[HEX_TEXT(SHA256_LEN)];

	if (!memcmp(sha256, it->sha256, SHA256_LEN))
		return RC_OK;
	hex_encode(sha256, SHA256_LEN, is);
	hex_encode(it->sha256, SHA256_LEN, wanted);
	return err_set(err, RC_CORRUPT, "sha256 is %s, wanted %s", is, wanted);
}

/* --- files of one block ----------------------------------------------------
 */

/* Read all of a small file; looked at afterwards, as that tells all. */
static enum rc read_small(struct file_reader *f, int fd, uint64_t base,
			  const struct item *it, void *to, struct err *err)
{
	int64_t begin = ahead_begin(f->ahead);
	uint8_t sha256[SHA256_LEN];
	struct err failure, why;
	enum rc rc = read_at(fd, to, it->size, base, &failure);

	ahead_end(f->ahead, begin, it->size);

	/* Other things than files fail in their own ways. */
	if (check_file(f, fd, it, &why)) {
		*err = why;
		return why.rc;
	}
	if (rc)
		*err = failure;
	if (rc || !it->has_sha256)
		return rc;
	sha256_of(to, it->size, sha256);
	return check_hash(it, sha256, err);
}

static enum rc add_small(struct file_reader *f, struct lane *lane, int fd,
			 uint64_t base, const struct item *it, bool is_shared,
			 struct content_parts **ret, uint32_t *ret_off,
			 struct err *err)
{
	struct content_parts *c = NULL;
	struct err failure;
	uint8_t *to = NULL;
	enum rc rc;

	rc = lane_reserve(lane, it->size, &to, err);
	if (rc)
		return rc;
	throttle_wait(f->p->throttle, 0, it->size);
	rc = read_small(f, fd, base, it, to, &failure);
	if (rc)
		return leave_out(f, it, &failure, err);
	rc = lane_same(lane, it->size, ret, err);
	if (rc || *ret)
		return rc;
	if (is_shared)
		c = content_new(it->size, f->p->opts->sizes.large,
				f->p->opts->spool);
	rc = lane_keep(lane, it->size, ret_off, err);
	if (rc) {
		content_unref(c);
		return rc;
	}
	if (c)
		lane_tail(lane, c, *ret_off);
	*ret = c;
	return RC_OK;
}

/* --- files of several ------------------------------------------------------
 */

static bool is_zero(const uint8_t *p, size_t len)
{
	return !*p && (len == 1 || !memcmp(p, p + 1, len - 1));
}

/* Does the file system know that there is nothing but a hole? */
static bool is_hole(struct large *g, uint64_t off, size_t len)
{
	off_t next;

	/* It is a part of a file, whose holes may be others'. */
	if (g->base)
		return false;
	if (off + len <= g->data)
		return true;
	if (off < g->data)
		return false;
	next = lseek(g->fd, (off_t)off, SEEK_DATA);
	if (next >= 0)
		g->data = (uint64_t)next;
	else if (errno == ENXIO)
		g->data = g->it->size;
	else
		g->data = off; /* it cannot tell */
	return off + len <= g->data;
}

static void hole(struct large *g, uint32_t i)
{
	content_add_hole(g->c);
	if (i >= HOLES_AHEAD)
		content_wait_hashed(g->c, i - HOLES_AHEAD);
}

/* A segment that fills a block.  *own: the failure is the file's. */
static enum rc add_whole(struct file_reader *f, struct lane *lane,
			 struct large *g, uint32_t i, bool *own,
			 struct err *err)
{
	size_t len = content_block_size(g->c);
	uint64_t off = (uint64_t)i * len;
	uint8_t *to = NULL;
	enum rc rc;

	if (is_hole(g, off, len)) {
		hole(g, i);
		return RC_OK;
	}
	rc = lane_reserve_whole(lane, len, &to, err);
	if (rc)
		return rc;
	throttle_wait(f->p->throttle, 0, len);
	rc = read_at(g->fd, to, len, g->base + off, err);
	*own = rc;
	if (rc)
		return rc;
	if (is_zero(to, len)) {
		hole(g, i);
		return RC_OK;
	}
	return lane_whole(lane, g->c, i, len, err);
}

/* The last segment, into an open block, where it counts later. */
static enum rc read_tail(struct file_reader *f, struct lane *lane,
			 struct large *g, bool *own, struct err *err)
{
	uint32_t i = content_n_blocks(g->c) - 1;
	uint64_t off = (uint64_t)i * content_block_size(g->c);
	size_t len = (size_t)(g->it->size - off);
	uint8_t *to = NULL;
	enum rc rc;

	if (is_hole(g, off, len)) {
		hole(g, i);
		return RC_OK;
	}
	rc = lane_reserve(lane, len, &to, err);
	if (rc)
		return rc;
	throttle_wait(f->p->throttle, 0, len);
	rc = read_at(g->fd, to, len, g->base + off, err);
	*own = rc;
	if (rc)
		return rc;
	if (is_zero(to, len)) {
		hole(g, i);
		return RC_OK;
	}
	g->tail = len;
	g->tail_bytes = to;
	return RC_OK;
}

/* All segments but the last are with workers, who hash them as they encode
 * them; that one has to be hashed before it is known whether it is kept.
 */
static enum rc check_large(struct large *g, struct err *err)
{
	uint32_t last = content_n_blocks(g->c) - 1;
	struct content_piece piece = { .i = last, .p = g->tail_bytes };

	if (!g->it->has_sha256)
		return RC_OK;
	if (g->tail)
		content_offer(g->c, &piece);
	content_wait_hashed(g->c, last);
	return check_hash(g->it, g->c->sha256, err);
}

static enum rc add_segments(struct file_reader *f, struct lane *lane,
			    struct large *g, bool *own, struct err *err)
{
	uint32_t whole = (uint32_t)(g->it->size / content_block_size(g->c)),
		 off = 0;
	enum rc rc = RC_OK;

	for (uint32_t i = 0; i < whole && !rc; i++) {
		if (pack_is_ending(f->p, err))
			return err->rc;
		rc = add_whole(f, lane, g, i, own, err);
	}
	if (!rc && whole < content_n_blocks(g->c))
		rc = read_tail(f, lane, g, own, err);
	if (rc)
		return rc;
	rc = check_file(f, g->fd, g->it, err);
	if (!rc)
		rc = check_large(g, err);
	*own = rc;
	if (rc)
		return rc;
	if (!g->tail)
		return RC_OK;
	rc = lane_keep(lane, g->tail, &off, err);
	if (!rc)
		lane_tail(lane, g->c, off);
	return rc;
}

static enum rc add_large(struct file_reader *f, struct lane *lane, int fd,
			 uint64_t base, const struct item *it, uint32_t cut,
			 struct content_parts **ret, struct err *err)
{
	struct large g = { .it = it, .fd = fd, .base = base };
	struct err failure;
	bool own = false;
	enum rc rc;

	if (!content_fits(it->size, cut)) {
		err_set(&failure, RC_LIMIT,
			"larger than %llu blocks; a larger "
			"--block-size may help",
			(unsigned long long)CONTENT_BLOCKS_MAX);
		return leave_out(f, it, &failure, err);
	}
	/* It could be another, and no end of it. */
	if (!f->p->opts->feed && tree_check(fd, it, &failure))
		return leave_out(f, it, &failure, err);
	/* Blocks lie in the order of the files in them. */
	rc = lane_end_data(lane, err);
	if (rc)
		return rc;
	if (!base)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	g.c = content_new(it->size, cut, f->p->opts->spool);
	rc = add_segments(f, lane, &g, &own, &failure);
	if (!rc) {
		*ret = g.c;
		return RC_OK;
	}
	content_unref(g.c);
	if (own)
		return leave_out(f, it, &failure, err);
	*err = failure;
	return rc;
}

/* Is the file cut into large blocks?  A few places of it are looked at, and
 * nothing but its bytes: a copy elsewhere gives the same blocks.  Noise gains
 * nothing by it, and zeros are holes only where they fill a block.  Failures
 * are for who reads it.
 */
static bool is_for_large(int fd, uint64_t base, uint64_t size)
{
	uint8_t look[LOOKS * LOOK_LEN];

	for (unsigned int i = 0; i < LOOKS; i++) {
		uint8_t *to = look + (size_t)i * LOOK_LEN;
		uint64_t off = base + (size - LOOK_LEN) / (LOOKS - 1) * i;

		if (io_pread(fd, to, LOOK_LEN, off) != (ssize_t)LOOK_LEN)
			return true;
		if (is_zero(to, LOOK_LEN))
			return false;
	}
	return is_compressible(look, sizeof(look));
}

static uint32_t cut_for(struct file_reader *f, int fd, uint64_t base,
			const struct item *it)
{
	const struct block_sizes *sizes = &f->p->opts->sizes;

	if (it->size > PROFILE_HUGE)
		return profile_huge_block(sizes, it->size);
	if (it->size <= sizes->group || sizes->group == sizes->large)
		return sizes->group;
	return is_for_large(fd, base, it->size) ? sizes->large : sizes->group;
}

static enum rc add(struct file_reader *f, struct lane *lane,
		   const struct item *it, bool is_shared,
		   struct content_parts **ret, uint32_t *ret_off,
		   struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct err failure;
	uint64_t base;
	uint32_t cut;

	throttle_wait(f->p->throttle, 1, 0);
	if (open_file(f, it, &fd, &base, &failure))
		return leave_out(f, it, &failure, err);
	cut = cut_for(f, fd, base, it);
	if (it->size <= cut)
		return add_small(f, lane, fd, base, it, is_shared, ret, ret_off,
				 err);
	return add_large(f, lane, fd, base, it, cut, ret, err);
}

enum rc file_reader_add(struct file_reader *f, struct lane *lane,
			const struct item *it, bool is_shared,
			struct content_parts **ret, uint32_t *ret_off,
			bool *ret_is_left_out, struct err *err)
{
	enum rc rc;

	f->is_left_out = false;
	state_file(it->parent, it->name);
	rc = add(f, lane, it, is_shared, ret, ret_off, err);
	state_file_end();
	*ret_is_left_out = f->is_left_out;
	return f->is_left_out ? RC_OK : rc;
}
