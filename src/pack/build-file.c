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
#include "base/io.h"
#include "base/mem.h"
#include "pack/ahead.h"
#include "pack/compressible.h"
#include "pack/lane.h"
#include "pack/pack.h"
#include "pack/state.h"
#include "pack/tree.h"

/* What is looked at of a large file before it is cut. */
#define LOOKS 16u
#define LOOK_LEN 256u

struct file_reader {
	struct pack *p;
	struct tree *tree;
	struct ahead *ahead;
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
	struct content_parts *c;
	uint64_t data; /* no data between here and the place looked at */
	size_t tail;   /* bytes reserved for the last segment */
};

struct file_reader *file_reader_new(struct pack *p, struct tree *tree,
				    struct ahead *ahead)
{
	struct file_reader *f = xcalloc(1, sizeof(*f));

	f->p = p;
	f->tree = tree;
	f->ahead = ahead;
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
}

void file_reader_changed(struct file_reader *f, const struct item *it)
{
	struct err failure;

	err_set(&failure, RC_CHANGED, "changed while it was read");
	report_file(f, it, &failure);
}

/* The file's own failure: told, and the run goes on. */
static enum rc leave_out(struct file_reader *f, const struct item *it,
			 const struct err *failure, struct err *err)
{
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

/* Read all of a small file; looked at afterwards, as that tells all. */
static enum rc read_small(struct file_reader *f, int fd, const struct item *it,
			  void *to, struct err *err)
{
	int64_t begin = ahead_begin(f->ahead);
	struct err failure, why;
	enum rc rc = read_at(fd, to, it->size, 0, &failure);

	ahead_end(f->ahead, begin, it->size);

	/* Other things than files fail in their own ways. */
	if (tree_check(fd, it, &why)) {
		*err = why;
		return why.rc;
	}
	if (rc)
		*err = failure;
	return rc;
}

static enum rc add_small(struct file_reader *f, struct lane *lane, int fd,
			 const struct item *it, bool is_shared,
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
	rc = read_small(f, fd, it, to, &failure);
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

static bool is_zero(const uint8_t *p, size_t len)
{
	return !*p && (len == 1 || !memcmp(p, p + 1, len - 1));
}

/* Does the file system know that there is nothing but a hole? */
static bool is_hole(struct large *g, uint64_t off, size_t len)
{
	off_t next;

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
	size_t len = g->c->block_size;
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
	rc = read_at(g->fd, to, len, off, err);
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
	uint32_t i = g->c->n_blocks - 1;
	uint64_t off = (uint64_t)i * g->c->block_size;
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
	rc = read_at(g->fd, to, len, off, err);
	*own = rc;
	if (rc)
		return rc;
	if (is_zero(to, len)) {
		hole(g, i);
		return RC_OK;
	}
	g->tail = len;
	return RC_OK;
}

static enum rc add_segments(struct file_reader *f, struct lane *lane,
			    struct large *g, bool *own, struct err *err)
{
	uint32_t whole = (uint32_t)(g->it->size / g->c->block_size), off = 0;
	enum rc rc = RC_OK;

	for (uint32_t i = 0; i < whole && !rc; i++) {
		if (pack_is_ending(f->p, err))
			return err->rc;
		rc = add_whole(f, lane, g, i, own, err);
	}
	if (!rc && whole < g->c->n_blocks)
		rc = read_tail(f, lane, g, own, err);
	if (rc)
		return rc;
	rc = tree_check(g->fd, g->it, err);
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
			 const struct item *it, uint32_t cut,
			 struct content_parts **ret, struct err *err)
{
	struct large g = { .it = it, .fd = fd };
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
	if (tree_check(fd, it, &failure))
		return leave_out(f, it, &failure, err);
	/* Blocks lie in the order of the files in them. */
	rc = lane_end_data(lane, err);
	if (rc)
		return rc;
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
static bool is_for_large(int fd, uint64_t size)
{
	uint8_t look[LOOKS * LOOK_LEN];

	for (unsigned int i = 0; i < LOOKS; i++) {
		uint8_t *to = look + (size_t)i * LOOK_LEN;
		uint64_t off = (size - LOOK_LEN) / (LOOKS - 1) * i;

		if (io_pread(fd, to, LOOK_LEN, off) != (ssize_t)LOOK_LEN)
			return true;
		if (is_zero(to, LOOK_LEN))
			return false;
	}
	return is_compressible(look, sizeof(look));
}

static uint32_t cut_for(struct file_reader *f, int fd, const struct item *it)
{
	const struct block_sizes *sizes = &f->p->opts->sizes;

	if (it->size > PROFILE_HUGE)
		return profile_huge_block(sizes, it->size);
	if (it->size <= sizes->group || sizes->group == sizes->large)
		return sizes->group;
	return is_for_large(fd, it->size) ? sizes->large : sizes->group;
}

static enum rc add(struct file_reader *f, struct lane *lane,
		   const struct item *it, bool is_shared,
		   struct content_parts **ret, uint32_t *ret_off,
		   struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct err failure;
	uint32_t cut;

	throttle_wait(f->p->throttle, 1, 0);
	if (tree_open(f->tree, it, &fd, &failure))
		return leave_out(f, it, &failure, err);
	cut = cut_for(f, fd, it);
	if (it->size <= cut)
		return add_small(f, lane, fd, it, is_shared, ret, ret_off, err);
	return add_large(f, lane, fd, it, cut, ret, err);
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
