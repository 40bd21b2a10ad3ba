/* SPDX-License-Identifier: Apache-2.0 */
/* get-batch.c - pairs sorted by slot, and slots done one after the other. */
#include "config.h"

#include "exchange/get-batch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/sorter.h"
#include "base/workers.h"
#include "base/wr.h"
#include "exchange/get-batch-backend.h"
#include "shard/route.h"
#include "volume/descriptor.h"

#define SORT_MEMORY (16u << 20)
/* Done together, so that there is something to do for all threads, while what
 * was found is not kept waiting for long: whole slots up to so many, and parts
 * of large ones.  More of a slot would be read in a better order only where
 * names and places have nothing to do with each other.
 */
#define WANTS_ENOUGH 2048u
#define WANTS_MAX 65536u
#define TEXT_MAX (16u << 20)
/* Of a time's text. */
#define TIME_MAX 256u
/* Bytes after it in a value of the sorter. */
#define VALUE_TAIL 9u

const char *get_status_text(enum get_status status)
{
	switch (status) {
	case GET_OK: return "ok";
	case GET_MISSING: return "missing";
	case GET_DELETED: return "deleted";
	case GET_CORRUPT: return "corrupt";
	case GET_FAILED: break;
	}
	return "failed";
}

enum get_status get_status_of(enum rc rc)
{
	if (rc == RC_NOENT || rc == RC_NOTDIR)
		return GET_MISSING;
	if (rc == RC_DELETED)
		return GET_DELETED;
	if (rc == RC_CORRUPT)
		return GET_CORRUPT;
	return rc ? GET_FAILED : GET_OK;
}

struct get_batch *get_batch_new(const struct get_batch_options *o)
{
	struct get_batch *b = xcalloc(1, sizeof(*b));

	b->o = *o;
	b->spool = -1;
	b->sorter = sorter_new(o->temp_dir, SORT_MEMORY,
			       UINT32_C(1) << volume_descriptor(o->v)->n_bits);
	return b;
}

static void clear_wants(struct get_batch *b)
{
	for (size_t i = 0; i < b->n_wants; i++)
		free(b->wants[i].why);
	b->n_wants = b->n_text = 0;
	arena_clear(&b->texts);
}

void get_batch_free(struct get_batch *b)
{
	if (!b)
		return;
	clear_wants(b);
	arena_release(&b->texts);
	workers_stop(b->workers);
	sorter_free(b->sorter);
	if (b->spool >= 0)
		close(b->spool);
	free(b->wants);
	free(b);
}

void get_batch_failed(struct get_batch *b, const struct get_want *w,
		      const struct err *why)
{
	const struct get_result r = {
		.pair = { .number = w->number,
			  .uid = w->uid,
			  .created_at = span_of(w->created_at,
						strlen(w->created_at)) },
		.status = get_status_of(why->rc),
		.why = why,
	};

	b->o.result(b->o.arg, &r);
}

/* Partition: the slot; key: uid; value: time, number, whether it has versions.
 * So the pairs of a uid are neighbours.
 */
enum rc get_batch_add(struct get_batch *b, const struct get_pair *pair,
		      struct err *err)
{
	const struct descriptor *d = volume_descriptor(b->o.v);
	CLEANUP_BUF struct buf value = { .max = TIME_MAX + VALUE_TAIL };
	uint32_t slot;

	buf_append(&value, pair->created_at.p, pair->created_at.len);
	wr_u64(&value, pair->number);
	wr_u8(&value, pair->has_versions);
	if (pair->uid.len > UID_MAX_LEN || !buf_ok(&value)) {
		const struct get_want w = { .number = pair->number,
					    .uid = pair->uid,
					    .created_at = "" };
		struct err why;

		err_set(&why, RC_LIMIT, "uid or time is too long");
		get_batch_failed(b, &w, &why);
		return RC_OK;
	}
	slot = route_slot(d->route, d->n_bits, pair->uid.p, pair->uid.len);
	return sorter_add(b->sorter, slot, pair->uid,
			  span_of((char *)value.p, value.len), err);
}

/* --- slots ---------------------------------------------------------------- */

static char *keep_text(struct get_batch *b, struct span text)
{
	char *p = arena_alloc(&b->texts, text.len + 1);

	if (text.len)
		memcpy(p, text.p, text.len);
	p[text.len] = '\0';
	b->n_text += text.len + 1;
	return p;
}

static void want(struct get_batch *b, struct span uid, struct span value)
{
	size_t n = value.len - VALUE_TAIL;
	struct rd r = { .p = (const uint8_t *)value.p + n, .left = VALUE_TAIL };
	const struct get_want *last =
		b->n_wants ? &b->wants[b->n_wants - 1] : NULL;
	struct get_want *w;

	if (last && span_equal(last->uid, uid))
		uid = last->uid;
	else
		uid = span_of(keep_text(b, uid), uid.len);
	b->wants = mem_grow(b->wants, &b->cap_wants, b->n_wants + 1,
			    sizeof(*b->wants));
	w = &b->wants[b->n_wants++];
	*w = (struct get_want){
		.number = rd_u64(&r),
		.has_versions = rd_u8(&r),
		.uid = uid,
		.created_at = keep_text(b, span_of(value.p, n)),
	};
}

static bool is_same(const struct get_want *a, const struct get_want *b)
{
	return a->node.shard == b->node.shard &&
	       a->node.ordinal == b->node.ordinal;
}

/* Among wants from w to end, which are of one uid, there are two versions, or
 * there is another one elsewhere.
 */
static bool has_versions(const struct get_want *w, const struct get_want *end)
{
	const struct get_want *first = NULL;

	for (; w < end; w++) {
		if (w->has_versions)
			return true;
		if (w->why)
			continue;
		if (first && !is_same(first, w))
			return true;
		first = w;
	}
	return false;
}

static void mark_versions(struct get_batch *b)
{
	struct get_want *w = b->wants, *end = w + b->n_wants;

	while (w < end) {
		struct get_want *next = w + 1;
		bool has;

		while (next < end && next->uid.p == w->uid.p)
			next++;
		has = has_versions(w, next);
		while (w < next)
			w++->has_versions = has;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct get_want *x = a, *y = b;

	if (x->node.shard != y->node.shard)
		return x->node.shard < y->node.shard ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	if (x->node.ordinal != y->node.ordinal)
		return x->node.ordinal < y->node.ordinal ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Tell of what was not found, and keep the rest in order of place. */
static void sort_found(struct get_batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_wants; i++) {
		struct get_want *w = &b->wants[i];

		if (w->why) {
			get_batch_failed(b, w, w->why);
			free(w->why);
		} else {
			b->wants[n++] = *w;
		}
	}
	b->n_wants = n;
	if (n)
		qsort(b->wants, n, sizeof(*b->wants), by_place);
}

static enum rc do_wants(struct get_batch *b, struct err *err)
{
	enum rc rc = get_batch_find(b, err);

	if (rc)
		return rc;
	mark_versions(b);
	sort_found(b);
	rc = get_batch_give(b, err);
	clear_wants(b);
	return rc;
}

static bool is_full(const struct get_batch *b, struct span uid)
{
	return (b->n_wants >= WANTS_MAX || b->n_text >= TEXT_MAX) &&
	       !span_equal(b->wants[b->n_wants - 1].uid, uid);
}

static enum rc do_slot(struct get_batch *b, uint32_t slot, struct err *err)
{
	struct sorter_reader *r = NULL;
	struct span uid, value;
	enum rc rc = sorter_read(b->sorter, slot, &r, err);

	while (!rc) {
		rc = sorter_next(r, &uid, &value, err);
		if (!rc && is_full(b, uid))
			rc = do_wants(b, err);
		if (!rc)
			want(b, uid, value);
	}
	if (rc == RC_NOENT)
		rc = b->n_wants >= WANTS_ENOUGH ? do_wants(b, err) : RC_OK;
	sorter_reader_free(r);
	return rc;
}

enum rc get_batch_run(struct get_batch *b, struct err *err)
{
	uint32_t n_slots = UINT32_C(1) << volume_descriptor(b->o.v)->n_bits;
	enum rc rc = sorter_finish(b->sorter, err);

	if (!rc)
		rc = workers_start(&b->workers, "get", b->o.n_jobs,
				   (size_t)b->o.n_jobs * GET_AHEAD, err);
	for (uint32_t slot = 0; slot < n_slots && !rc; slot++)
		rc = do_slot(b, slot, err);
	if (!rc && b->n_wants)
		rc = do_wants(b, err);
	return rc;
}
