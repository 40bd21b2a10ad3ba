/* SPDX-License-Identifier: Apache-2.0 */
/* get-batch-find.c - where the files of many pairs are, by several threads. */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/stop.h"
#include "base/workers.h"
#include "exchange/get-batch-backend.h"
#include "exchange/get-find.h"

/* Neighbours in the index, which one thread looks up. */
#define PART 32u

struct part {
	struct job job;
	struct get_batch *b;
	size_t from, to;
};

static uint64_t first_offset(const struct entry *e)
{
	const struct content *c = &e->content;

	if (c->n_blocks && c->blocks)
		return c->blocks[0].off;
	return c->n_extents ? c->extents[0].off : 0;
}

static void find(const struct get_batch *b, struct get_want *w)
{
	const struct get_key key = { .uid = w->uid,
				     .created_at = w->created_at,
				     .is_legacy = b->o.is_legacy,
				     .has_damage = b->o.has_damage };
	struct volume_entry ve;
	struct err err;

	if (get_find(b->o.v, &key, &ve, &err)) {
		w->why = xcalloc(1, sizeof(err));
		*w->why = err;
		return;
	}
	w->node = ve.node;
	w->off = first_offset(&ve.e);
	volume_entry_release(&ve);
}

static void find_part(void *arg)
{
	struct part *p = arg;

	for (size_t i = p->from; i < p->to && !stop_requested(); i++)
		find(p->b, &p->b->wants[i]);
}

enum rc get_batch_find(struct get_batch *b, struct err *err)
{
	size_t n = (b->n_wants + PART - 1) / PART;
	size_t stride = (n + b->o.n_jobs - 1) / b->o.n_jobs;
	struct part *parts = xcalloc(n, sizeof(*parts));

	for (size_t i = 0; i < n; i++) {
		parts[i] = (struct part){ .b = b, .from = i * PART };
		parts[i].to = i + 1 < n ? parts[i].from + PART : b->n_wants;
	}
	/* Each thread in shards of its own, as far as there are that many: in
	 * one all would wait for the same page.
	 */
	for (size_t first = 0; first < stride; first++) {
		for (size_t i = first; i < n; i += stride)
			job_submit(b->workers, &parts[i].job, find_part,
				   &parts[i]);
	}
	for (size_t i = 0; i < n; i++)
		job_wait(b->workers, &parts[i].job);
	free(parts);
	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	return RC_OK;
}
