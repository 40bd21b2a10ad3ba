/* SPDX-License-Identifier: Apache-2.0 */
/* feed-volume.c - all that an archive has, as a feed for another one. */
#include "config.h"

#include "exchange/feed-volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "base/stop.h"
#include "pack/by-place.h"
#include "shard/shard-format.h"
#include "volume/descriptor.h"

/* Shard and entry in one number, as many bits as a volume gives them.  Of two
 * entries of one name and time a run takes that of the lower number; so does a
 * volume, where shards of one day were packed at one time.
 */
#define ORDINAL_BITS 34

/* Contents of at most so much never see a disk. */
#define IN_MEMORY (UINT64_C(1) << 20)

/* Held at a time of a file. */
#define PIECE (1u << 20)

struct feed_volume {
	struct feed_volume_options opts;
	struct feed feed;
	char *identity;
};

/* --- records -------------------------------------------------------------- */

bool feed_volume_has(const struct entry *e)
{
	return !e->implicit || e->has_opaque;
}

uint64_t feed_volume_number(const struct volume_entry *ve)
{
	return (uint64_t)ve->node.shard << ORDINAL_BITS | ve->node.ordinal;
}

enum rc feed_volume_get(const struct feed_volume *f, uint64_t number,
			struct volume_entry *ret, struct err *err)
{
	const struct volume_node node = {
		.shard = (uint32_t)(number >> ORDINAL_BITS),
		.ordinal = number & ((UINT64_C(1) << ORDINAL_BITS) - 1),
	};

	return volume_get(f->opts.volume, node, ret, err);
}

static uint64_t half_group(const uint8_t *p)
{
	uint64_t ret;

	memcpy(&ret, p, sizeof(ret));
	return ret;
}

static struct item make_item(const struct entry *e)
{
	struct item it = { .parent = e->parent,
			   .name = e->name,
			   .type = e->type,
			   .mode = e->mode,
			   .uid = e->uid,
			   .gid = e->gid,
			   .mtime_s = e->mtime_s,
			   .mtime_ns = e->mtime_ns,
			   .size = e->size,
			   .rdev_major = e->rdev_major,
			   .rdev_minor = e->rdev_minor,
			   .nlink = 1,
			   .dir = ITEM_NO_DIR,
			   .target = e->target,
			   .xattrs = e->xattrs,
			   .has_opaque = e->has_opaque,
			   .opaque_since = e->opaque_since };

	if (e->type == ENTRY_DIR) {
		it.nlink = e->nlink;
	} else if (link_group_is_set(e->link_group)) {
		it.nlink = e->nlink > 1 ? e->nlink : 2;
		it.dev = half_group(e->link_group);
		it.ino = half_group(e->link_group + LINK_GROUP_LEN / 2);
	}
	return it;
}

/* --- the list ------------------------------------------------------------- */

struct listing {
	const struct feed_volume *f;
	const struct shard_meta *shard;
	feed_emit_fn *emit;
	void *emit_arg;
	struct err *err; /* of emit, or of a stop; its rc tells */
};

static bool list_entry(void *arg, const struct volume_entry *ve)
{
	struct listing *l = arg;
	struct feed_record r = { .it = make_item(&ve->e),
				 .created_at = ve->e.created_at,
				 .number = feed_volume_number(ve),
				 .place = feed_volume_number(ve),
				 .meta = ve->e.meta };

	if (stop_requested()) {
		err_set(l->err, RC_STOPPED, "stopped by a signal");
		return false;
	}
	if (!feed_volume_has(&ve->e))
		return true;
	if (ve->e.type == ENTRY_REG && ve->e.has_hash) {
		r.has_sha256 = true;
		memcpy(r.sha256, ve->e.sha256, sizeof(r.sha256));
	}
	return !l->emit(l->emit_arg, &r, l->err);
}

static void list_lost(void *arg, uint64_t n, const struct err *why)
{
	struct listing *l = arg;

	l->f->opts.lost(l->f->opts.arg, l->shard, n, why);
}

static enum rc list(void *arg, feed_emit_fn *emit, void *emit_arg,
		    struct err *err)
{
	const struct feed_volume *f = arg;
	struct listing l = {
		.f = f, .emit = emit, .emit_arg = emit_arg, .err = err
	};
	uint32_t n = volume_shard_bound(f->opts.volume);

	err->rc = RC_OK;
	for (uint32_t i = 0; i < n; i++) {
		const struct volume_node node = { .shard = i };
		struct err why;
		enum rc rc;

		l.shard = volume_shard(f->opts.volume, node);
		rc = volume_shard_entries(f->opts.volume, i, list_entry,
					  list_lost, &l, &why);
		if (err->rc)
			return err->rc;
		if (rc_is_transient(rc)) {
			*err = why;
			return rc;
		}
		if (rc)
			f->opts.lost(f->opts.arg, l.shard, l.shard->n_entries,
				     &why);
	}
	return RC_OK;
}

/* --- directories -----------------------------------------------------------
 */

struct choice {
	int64_t at;
	bool is_there, is_past, is_said;
	int64_t created_at; /* of the best so far */
	struct item *to;
};

/* Of those that were there at the time what somebody has said of it, and that
 * last; or else what was said first after it.
 */
static bool is_better(const struct choice *c, const struct entry *e)
{
	bool is_past = e->created_at <= c->at;

	if (!c->is_there)
		return true;
	if (c->is_past != is_past)
		return is_past;
	if (c->is_said == e->implicit)
		return !e->implicit;
	return is_past ? e->created_at > c->created_at
		       : e->created_at < c->created_at;
}

static bool choose(void *arg, const struct volume_entry *ve)
{
	const struct entry *e = &ve->e;
	struct choice *c = arg;

	if (e->type != ENTRY_DIR || !is_better(c, e))
		return true;
	c->is_there = true;
	c->is_past = e->created_at <= c->at;
	c->is_said = !e->implicit;
	c->created_at = e->created_at;
	c->to->mode = e->mode;
	c->to->uid = e->uid;
	c->to->gid = e->gid;
	c->to->mtime_s = e->mtime_s;
	c->to->mtime_ns = e->mtime_ns;
	return true;
}

/* What cannot be read is told where it is listed. */
static void directory(void *arg, struct span uid, int64_t created_at,
		      struct item *ret)
{
	const struct feed_volume *f = arg;
	struct choice c = { .at = created_at, .to = ret };
	struct err err;

	if (volume_versions(f->opts.volume, uid, 0, choose, &c, &err))
		return;
}

/* --- contents ------------------------------------------------------------- */

static enum rc read_range(struct volume *v, const struct volume_entry *ve,
			  uint64_t off, uint64_t end, feed_volume_bytes_fn *fn,
			  void *arg, struct err *err)
{
	while (off < end) {
		size_t len = end - off < PIECE ? (size_t)(end - off) : PIECE;
		struct volume_pieces pieces = { 0 };
		uint64_t to = off;
		enum rc rc = volume_read_pieces(v, ve, off, len, &pieces, err);

		if (!rc && pieces.len != len)
			rc = err_set(err, RC_CORRUPT, "its content is short");
		for (size_t i = 0; i < pieces.n && !rc; i++) {
			const struct iovec *iov = &pieces.iov[i];

			rc = fn(arg, to, iov->iov_base, iov->iov_len, err);
			to += iov->iov_len;
		}
		volume_pieces_release(&pieces);
		if (rc)
			return rc;
		off += len;
	}
	return RC_OK;
}

enum rc feed_volume_read(struct volume *v, const struct volume_entry *ve,
			 feed_volume_bytes_fn *fn, void *arg, struct err *err)
{
	uint64_t off = 0, end = ve->e.size;
	enum rc rc = RC_OK;

	if (ve->e.content.n_blocks <= 1)
		return read_range(v, ve, 0, end, fn, arg, err);
	while (!rc && off < ve->e.size) {
		rc = volume_seek(v, ve, off, true, &off, err);
		if (rc == RC_LIMIT)
			return RC_OK;
		if (!rc)
			rc = volume_seek(v, ve, off, false, &end, err);
		if (!rc)
			rc = read_range(v, ve, off, end, fn, arg, err);
		off = end;
	}
	return rc;
}

/* Where bytes go. */
struct to_file {
	int fd;
	uint64_t base;
};

static enum rc put_bytes(void *arg, uint64_t off, const void *p, size_t len,
			 struct err *err)
{
	const struct to_file *to = arg;

	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	if (io_pwrite(to->fd, p, len, to->base + off))
		return err_set_errno(err, errno, "its temporary file");
	return RC_OK;
}

static enum rc open_temporary(const struct feed_volume *f, uint64_t size,
			      int *ret, struct err *err)
{
	if (size > IN_MEMORY)
		return spool_temporary(f->opts.spool, ret, err);
	*ret = memfd_create("desfs", MFD_CLOEXEC);
	if (*ret >= 0)
		return RC_OK;
	/* No file after this one fares better without descriptors. */
	if (errno == EMFILE || errno == ENFILE)
		return err_set(err, RC_NOMEM, "too many open files");
	return err_set_errno(err, errno, "memfd_create");
}

static enum rc open_content(void *arg, uint64_t place, uint64_t size,
			    int *ret_fd, uint64_t *ret_base, struct err *err)
{
	const struct feed_volume *f = arg;
	struct volume_entry ve;
	CLEANUP_FD int fd = -1;
	enum rc rc = feed_volume_get(f, place, &ve, err);

	if (rc)
		return rc;
	if (ve.e.size != size)
		rc = err_set(err, RC_CHANGED, "changed while it was read");
	if (!rc)
		rc = open_temporary(f, size, &fd, err);
	if (!rc && ftruncate(fd, (off_t)size))
		rc = err_set_errno(err, errno, "its temporary file");
	if (!rc) {
		struct to_file to = { .fd = fd };

		rc = feed_volume_read(f->opts.volume, &ve, put_bytes, &to, err);
	}
	volume_entry_release(&ve);
	if (rc)
		return rc;
	*ret_fd = STEAL_FD(fd);
	*ret_base = 0;
	return RC_OK;
}

/* --- many contents -------------------------------------------------------- */

static void add_places(const struct feed_volume *f,
		       const struct feed_soon *files, size_t n,
		       struct by_place *to)
{
	for (size_t i = 0; i < n; i++) {
		struct volume_entry ve;
		struct err err;

		if (feed_volume_get(f, files[i].place, &ve, &err))
			continue;
		if (ve.e.size == files[i].size)
			by_place_add(to, &ve, i);
		volume_entry_release(&ve);
	}
}

static enum rc fetch_one(const struct feed_volume *f, struct feed_soon *file,
			 struct volume_node node, int fd, struct err *err)
{
	struct to_file to = { .fd = fd, .base = file->base };
	struct volume_entry ve;
	enum rc rc = volume_get(f->opts.volume, node, &ve, err);

	if (rc)
		return rc;
	rc = feed_volume_read(f->opts.volume, &ve, put_bytes, &to, err);
	volume_entry_release(&ve);
	file->is_there = !rc;
	return rc;
}

static bool ends_fetch(enum rc rc)
{
	return rc == RC_NOSPACE || (rc_is_transient(rc) && rc != RC_CHANGED);
}

/* In the order in which they lie in the archive.  What is wrong with one of
 * them is no matter of the others; a server that does not answer is, and a full
 * disk.
 */
static enum rc fetch_contents(void *arg, struct feed_soon *files, size_t n,
			      int fd, struct err *err)
{
	const struct feed_volume *f = arg;
	struct by_place order = { 0 };
	enum rc rc = RC_OK;

	add_places(f, files, n, &order);
	by_place_sort(&order);
	for (size_t i = 0; i < order.n && !rc; i++) {
		const struct by_place_file *at = &order.files[i];

		if (stop_asked())
			rc = err_set(err, RC_STOPPED, "stopped by a signal");
		else
			rc = fetch_one(f, &files[at->number], at->node, fd,
				       err);
		if (!ends_fetch(rc) && rc != RC_STOPPED)
			rc = RC_OK;
	}
	free(order.files);
	return rc;
}

/* --- the feed ------------------------------------------------------------- */

static void pass_result(void *arg, const struct feed_result *r)
{
	const struct feed_volume *f = arg;

	f->opts.result(f->opts.arg, r);
}

/* Archives that were made at one time have one id; another one may come into
 * the place of an archive.
 */
static char *identity_of(const struct feed_volume_options *o)
{
	const struct descriptor *d = volume_descriptor(o->volume);
	CLEANUP_FREE char *place = feed_identity("archive", o->url);
	char id[HEX_TEXT(SHARD_ID_LEN)];

	hex_encode(d->archive_id, SHARD_ID_LEN, id);
	return xasprintf("%s %s", place, id);
}

struct feed_volume *feed_volume_new(const struct feed_volume_options *opts)
{
	struct feed_volume *f = xcalloc(1, sizeof(*f));

	f->opts = *opts;
	f->identity = identity_of(opts);
	f->feed = (struct feed){ .list = list,
				 .open = open_content,
				 .fetch = volume_is_remote(opts->volume)
						  ? fetch_contents
						  : NULL,
				 .result = pass_result,
				 .directory = directory,
				 .has_history = true,
				 .identity = f->identity,
				 .arg = f };
	return f;
}

void feed_volume_free(struct feed_volume *f)
{
	if (f)
		free(f->identity);
	free(f);
}

const struct feed *feed_volume_feed(const struct feed_volume *f)
{
	return &f->feed;
}
