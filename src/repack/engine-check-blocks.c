/* SPDX-License-Identifier: Apache-2.0 */
/* engine-check-blocks.c - the blocks of a new shard read back and hashed. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/sha256-many.h"
#include "base/stop.h"
#include "base/workers.h"
#include "repack/engine-backend.h"

#define CHUNK_BYTES (4u << 20)

/* On a thread of its own.  is_aside: who began it needs a processor itself. */
struct blocks_check {
	const struct part *p;
	struct placed_list lists[2];
	const struct raw_shard *s;
	struct store_upload *up;
	struct workers *thread;
	atomic_bool is_aside, is_dropped;
	struct err err;
};

/* Neighbouring blocks. */
struct look {
	struct job job;
	const struct raw_shard *s;
	struct store_upload *up; /* NULL: from s */
	const struct placed *at;
	size_t n;
	uint8_t *buf; /* cap bytes, kept for the next */
	size_t cap;
	struct sha256_message *sums; /* cap_sums of them, likewise */
	size_t cap_sums;
	struct err err;
};

/* All of them at once. */
static enum rc compare_hashes(struct look *l, struct err *err)
{
	l->sums = mem_grow(l->sums, &l->cap_sums, l->n, sizeof(*l->sums));
	for (size_t i = 0; i < l->n; i++) {
		l->sums[i].p = l->buf + (l->at[i].off - l->at->off);
		l->sums[i].len = l->at[i].len;
	}
	sha256_many(l->sums, l->n);
	for (size_t i = 0; i < l->n; i++) {
		if (memcmp(l->sums[i].hash, l->at[i].hash, BLOCK_HASH_LEN) != 0)
			return err_set(err, RC_CORRUPT,
				       "block at %" PRIu64 ": hash mismatch",
				       l->at[i].off);
	}
	return RC_OK;
}

static enum rc read_back(const struct look *l, uint8_t *buf, size_t len,
			 struct err *err)
{
	uint64_t off = l->at->off;

	if (l->up)
		return store_upload_read(l->up, off, buf, len, err);
	return store_read(l->s->store, l->s->key, &l->s->info, off, buf, len,
			  err);
}

static enum rc hash_blocks(struct look *l, struct err *err)
{
	const struct placed *last = &l->at[l->n - 1];
	size_t len = (size_t)(last->off + last->len - l->at->off);
	uint8_t *buf = l->buf;
	enum rc rc;

	if (l->cap < len) {
		free(l->buf);
		l->cap = len > CHUNK_BYTES ? len : CHUNK_BYTES;
		l->buf = buf = mem_array(l->cap, 1);
	}
	if (!buf) {
		l->cap = 0;
		return err_set(err, RC_NOMEM, "no memory for blocks");
	}
	rc = read_back(l, buf, len, err);
	return rc ? rc : compare_hashes(l, err);
}

static void look_main(void *arg)
{
	struct look *l = arg;

	l->err.rc = RC_OK;
	l->err.rc = hash_blocks(l, &l->err);
}

/* Blocks from first on that are read together. */
static size_t how_many(const struct placed_list *list, size_t first)
{
	size_t n = 1, len = list->p[first].len;

	while (first + n < list->n &&
	       len + list->p[first + n].len <= CHUNK_BYTES)
		len += list->p[first + n++].len;
	return n;
}

static enum rc end_look(struct workers *w, struct look *l, struct err *err)
{
	job_wait(w, &l->job);
	if (l->err.rc)
		*err = l->err;
	return l->err.rc;
}

static size_t max_at_once(struct blocks_check *b)
{
	unsigned int n = b->p->e->o->n_workers;

	if (!atomic_load(&b->is_aside))
		return n + 2;
	return n > 2 ? n - 1 : 1;
}

static enum rc check_list(struct blocks_check *b,
			  const struct placed_list *list, struct err *err)
{
	const struct engine_options *o = b->p->e->o;
	struct workers *w = o->workers;
	size_t max = o->n_workers + 2, begun = 0, ended = 0, first = 0;
	CLEANUP_FREE struct look *looks = xcalloc(max, sizeof(*looks));
	enum rc rc = RC_OK;

	while (first < list->n && !rc) {
		struct look *l = &looks[begun % max];

		while (!rc && begun - ended >= max_at_once(b))
			rc = end_look(w, &looks[ended++ % max], err);
		if (!rc && atomic_load(&b->is_dropped))
			rc = err_set(err, RC_STOPPED, "given up");
		if (!rc && stop_requested())
			rc = err_set(err, RC_STOPPED, "stopped by a signal");
		if (rc)
			break;
		l->s = b->s;
		l->up = b->up;
		l->at = &list->p[first];
		l->n = how_many(list, first);
		first += l->n;
		job_submit(w, &l->job, look_main, l);
		begun++;
	}
	while (ended < begun) {
		struct err one;

		if (end_look(w, &looks[ended++ % max], &one) && !rc) {
			*err = one;
			rc = one.rc;
		}
	}
	for (size_t i = 0; i < max; i++) {
		free(looks[i].buf);
		free(looks[i].sums);
	}
	return rc;
}

enum rc check_blocks(const struct part *p, const struct placed_list *list,
		     const struct raw_shard *s, struct err *err)
{
	struct blocks_check b = { .p = p, .s = s };

	return check_list(&b, list, err);
}

static void blocks_main(void *arg)
{
	struct blocks_check *b = arg;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ARRAY_LEN(b->lists) && !rc; i++)
		rc = check_list(b, &b->lists[i], &b->err);
	b->err.rc = rc;
}

enum rc blocks_check_begin(const struct part *p, const struct raw_shard *s,
			   struct store_upload *up, struct blocks_check **ret,
			   struct err *err)
{
	struct blocks_check *b = xcalloc(1, sizeof(*b));

	*b = (struct blocks_check){ .p = p, .s = s, .up = up, .is_aside = up };
	b->lists[0] = p->placed;
	b->lists[1] = p->late;
	if (workers_start(&b->thread, "check", 1, 1, err)) {
		free(b);
		return err->rc;
	}
	workers_submit(b->thread, blocks_main, b);
	*ret = b;
	return RC_OK;
}

void blocks_check_hurry(struct blocks_check *b)
{
	if (b)
		atomic_store(&b->is_aside, false);
}

void blocks_check_drop(struct blocks_check *b)
{
	struct err ignored;

	if (b)
		atomic_store(&b->is_dropped, true);
	(void)!blocks_check_end(b, &ignored);
}

enum rc blocks_check_end(struct blocks_check *b, struct err *err)
{
	enum rc rc = RC_OK;

	if (!b)
		return RC_OK;
	blocks_check_hurry(b);
	workers_stop(b->thread);
	rc = b->err.rc;
	if (rc)
		*err = b->err;
	free(b);
	return rc;
}
