/* SPDX-License-Identifier: Apache-2.0 */
/* get-batch-give.c - files read ahead by several threads, given out in order.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "base/stop.h"
#include "base/timestamp.h"
#include "base/workers.h"
#include "exchange/get-batch-backend.h"
#include "exchange/get-content.h"
#include "restore/volume-source.h"

/* What a thread reads whole into memory; larger ones are read by the run's.
 * Fewer bytes where all threads together would hold more than that.
 */
#define LOAD_MAX (UINT64_C(1) << 20)
#define LOADS_MAX (UINT64_C(16) << 20)

/* A file on its way. */
struct load {
	struct volume_source direct; /* first: what it is, this is */
	struct job job;
	struct get_batch *b;
	const struct get_want *w;
	struct volume_entry ve;
	uint8_t *bytes; /* NULL: too large, or none */
	uint8_t sha256[SHA256_LEN];
	struct err err; /* rc RC_OK: ve is there, and bytes */
};

static uint64_t load_max(const struct get_batch *b)
{
	uint64_t share = LOADS_MAX / ((uint64_t)b->o.n_jobs * GET_AHEAD);

	return share < LOAD_MAX ? share : LOAD_MAX;
}

static void load(void *arg)
{
	struct load *l = arg;
	struct volume *v = l->b->o.v;

	l->err.rc = volume_get(v, l->w->node, &l->ve, &l->err);
	if (l->err.rc || l->ve.e.size > load_max(l->b))
		return;
	l->bytes = mem_array(l->ve.e.size + 1, 1);
	if (!l->bytes)
		l->err.rc = err_set(&l->err, RC_NOMEM, "out of memory");
	else
		l->err.rc = get_load(v, &l->ve, l->bytes, l->sha256, &l->err);
}

static void unload(struct load *l)
{
	if (l->ve.hold)
		volume_entry_release(&l->ve);
	free(l->bytes);
	*l = (struct load){ .b = l->b };
}

/* --- where the sink reads ------------------------------------------------- */

static enum rc read_bytes(void *arg, uint64_t off, void *buf, size_t len,
			  size_t *ret_len, struct err *err)
{
	const struct load *l = arg;
	uint64_t left = l->ve.e.size - off;

	(void)err;
	*ret_len = len < left ? len : (size_t)left;
	memcpy(buf, l->bytes + off, *ret_len);
	return RC_OK;
}

static enum rc read_spool(void *arg, uint64_t off, void *buf, size_t len,
			  size_t *ret_len, struct err *err)
{
	const struct load *l = arg; /* by its first member */
	ssize_t n = io_pread(l->b->spool, buf, len, off);

	if (n < 0)
		return err_set_errno(err, errno, "temporary file");
	*ret_len = (size_t)n;
	return RC_OK;
}

/* Where holes are is a matter of the volume, also when the bytes are spooled.
 */
static enum rc open_large(struct load *l, struct restore_source *ret,
			  struct err *err)
{
	const struct entry *e = &l->ve.e;
	struct get_batch *b = l->b;
	enum rc rc = RC_OK;

	*ret = volume_source(&l->direct, b->o.v, &l->ve);
	if (b->o.put_checks && e->has_hash) {
		memcpy(l->sha256, e->sha256, SHA256_LEN);
		return RC_OK;
	}
	ret->read = read_spool;
	if (b->spool < 0)
		rc = spool_temporary(b->o.temp_dir, &b->spool, err);
	if (!rc)
		rc = get_fill(b->o.v, &l->ve, b->spool, l->sha256, err);
	return rc;
}

/* --- one file ------------------------------------------------------------- */

static void tell(struct get_batch *b, const struct load *l, struct span path)
{
	const struct get_want *w = l->w;
	struct get_result r = {
		.pair = { .number = w->number,
			  .uid = w->uid,
			  .created_at = span_of(w->created_at,
						strlen(w->created_at)) },
		.status = GET_OK,
		.path = path,
		.created_at = l->ve.e.created_at,
		.size = l->ve.e.size,
	};

	memcpy(r.sha256, l->sha256, SHA256_LEN);
	b->o.result(b->o.arg, &r);
}

/* The name of one version among others, as in the view of a day. */
static void name_version(const struct entry *e, struct buf *ret)
{
	char time[TIMESTAMP_COMPACT_TEXT];

	timestamp_format_compact(e->created_at, time);
	buf_append(ret, e->name.p, e->name.len);
	buf_append_str(ret, "@");
	buf_append_str(ret, time);
}

static enum rc put(struct load *l, struct span path, struct span name,
		   struct err *err)
{
	struct restore_source src = { .read = read_bytes, .arg = l };
	struct entry e = l->ve.e;
	struct get_batch *b = l->b;
	enum rc rc = RC_OK;

	e.name = name;
	if (!l->bytes)
		rc = open_large(l, &src, err);
	if (!rc)
		rc = b->o.put(b->o.arg, path, &e, &src, err);
	if (b->spool >= 0 && ftruncate(b->spool, 0) && !rc)
		rc = err_set_errno(err, errno, "temporary file");
	return rc;
}

/* The file of wants from i on, of which the first n are the same. */
static void give(struct get_batch *b, struct load *l, size_t n)
{
	CLEANUP_BUF struct buf name = { .max = UID_MAX_LEN };
	CLEANUP_BUF struct buf path = { .max = 2 * UID_MAX_LEN };
	const struct get_want *w = l->w;
	const struct entry *e = &l->ve.e;

	if (!l->err.rc) {
		if (w->has_versions)
			name_version(e, &name);
		else
			buf_append(&name, e->name.p, e->name.len);
		buf_append(&path, e->parent.p, e->parent.len);
		if (e->parent.len)
			buf_append_str(&path, "/");
		buf_append(&path, name.p, name.len);
		l->err.rc = put(l, span_of((char *)path.p, path.len),
				span_of((char *)name.p, name.len), &l->err);
	}
	for (size_t i = 0; i < n; i++) {
		l->w = w + i;
		if (l->err.rc)
			get_batch_failed(b, l->w, &l->err);
		else
			tell(b, l, span_of((char *)path.p, path.len));
	}
}

/* --- all of them ---------------------------------------------------------- */

/* Wants from i on that are the same file. */
static size_t count_same(const struct get_batch *b, size_t i)
{
	const struct get_want *w = &b->wants[i];
	size_t n = 1;

	while (i + n < b->n_wants && w[n].node.shard == w->node.shard &&
	       w[n].node.ordinal == w->node.ordinal)
		n++;
	return n;
}

static void submit(struct get_batch *b, struct load *l, size_t *next)
{
	l->b = b;
	l->w = &b->wants[*next];
	*next += count_same(b, *next);
	job_submit(b->workers, &l->job, load, l);
}

enum rc get_batch_give(struct get_batch *b, struct err *err)
{
	size_t cap = (size_t)b->o.n_jobs * GET_AHEAD;
	struct load *ring = xcalloc(cap, sizeof(*ring));
	size_t i = 0, next = 0, in = 0, out = 0;
	enum rc rc = RC_OK;

	while (!rc && i < b->n_wants) {
		struct load *l = &ring[out % cap];
		size_t n = count_same(b, i);

		while (next < b->n_wants && in - out < cap)
			submit(b, &ring[in++ % cap], &next);
		job_wait(b->workers, &l->job);
		out++;
		if (stop_requested())
			rc = err_set(err, RC_STOPPED, "stopped by a signal");
		else
			give(b, l, n);
		if (!rc && l->err.rc && b->o.is_broken(b->o.arg)) {
			*err = l->err;
			rc = err->rc;
		}
		unload(l);
		i += n;
	}
	for (; out < in; out++) {
		job_wait(b->workers, &ring[out % cap].job);
		unload(&ring[out % cap]);
	}
	free(ring);
	return rc;
}
