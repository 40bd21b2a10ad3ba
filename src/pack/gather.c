/* SPDX-License-Identifier: Apache-2.0 */
/* gather.c - all names in the sources, sorted by slot. */
#include "config.h"

#include "pack/gather.h"

#include "base/buf.h"
#include "base/sorter.h"
#include "pack/compare-file.h"
#include "pack/dirs.h"
#include "pack/erased.h"
#include "pack/item.h"
#include "pack/keep.h"
#include "pack/links.h"
#include "pack/pack.h"
#include "pack/walk.h"
#include "shard/route.h"
#include "store/store-write.h"

#define MEMORY (32u << 20)
#define MEMORY_BESIDE_UPLOADS (8u << 20)

/* What one walker needs to hand on what it finds. */
struct gatherer {
	struct buf uid, key, value;
	struct erased_walk erased;
	int64_t latest; /* modification time found, as created_at */
};

struct gather {
	struct pack *p;
	struct gatherer walkers[GATHER_WALKERS];
};

static uint32_t slot_of(const struct pack *p, const char *uid, size_t len)
{
	return route_slot((enum route_kind)p->descriptor.route,
			  p->descriptor.n_bits, uid, len);
}

/* Is it of a slot of this worker? */
static bool gather_wants(void *arg, struct span uid)
{
	const struct gather *all = arg;
	const struct pack *p = all->p;

	return worker_has(&p->opts->worker, slot_of(p, uid.p, uid.len));
}

static enum rc gather_item(void *arg, unsigned int walker,
			   const struct item *it, struct err *err)
{
	struct gather *all = arg;
	struct gatherer *g = &all->walkers[walker];
	struct span parent = it->parent, name = it->name;
	int64_t mtime = compare_mtime_us(it);
	uint32_t slot;

	buf_clear(&g->uid);
	buf_append(&g->uid, parent.p, parent.len);
	if (parent.len)
		buf_append_str(&g->uid, "/");
	buf_append(&g->uid, name.p, name.len);
	slot = slot_of(all->p, buf_str(&g->uid), g->uid.len);
	if (mtime > g->latest)
		g->latest = mtime;
	erased_note(all->p->erased, &g->erased, it);
	if (!worker_has(&all->p->opts->worker, slot)) {
		report_elsewhere(all->p->report,
				 it->type == ENTRY_REG ? it->size : 0);
		return RC_OK;
	}
	buf_clear(&g->key);
	buf_clear(&g->value);
	item_key_encode(parent, name, &g->key);
	item_encode(it, &g->value);
	if (!buf_ok(&g->key) || !buf_ok(&g->value) || !buf_ok(&g->uid))
		return err_set(err, RC_NOMEM, "no memory for a name");
	return sorter_add_to(all->p->items, walker, slot,
			     span_of(g->key.p, g->key.len),
			     span_of(g->value.p, g->value.len), err);
}

static void gather_end(void *arg, unsigned int walker)
{
	struct gather *all = arg;

	sorter_end_feed(all->p->items, walker);
	links_end_feed(all->p->links, walker);
}

static void gatherers_init(struct gather *all)
{
	for (size_t i = 0; i < GATHER_WALKERS; i++) {
		struct gatherer *g = &all->walkers[i];

		buf_init(&g->uid, SIZE_MAX / 2);
		buf_init(&g->key, SIZE_MAX / 2);
		buf_init(&g->value, SIZE_MAX / 2);
		g->latest = INT64_MIN;
	}
}

static void gatherers_release(struct gather *all)
{
	for (size_t i = 0; i < GATHER_WALKERS; i++) {
		buf_release(&all->walkers[i].uid);
		buf_release(&all->walkers[i].key);
		buf_release(&all->walkers[i].value);
		erased_walk_release(&all->walkers[i].erased);
	}
}

static void raise_stamp(struct pack *p, const struct gather *all)
{
	if (p->opts->created != CREATED_MTIME)
		return;
	for (size_t i = 0; i < GATHER_WALKERS; i++)
		if (all->walkers[i].latest > p->stamp)
			p->stamp = all->walkers[i].latest;
}

size_t gather_memory(const struct pack_options *o)
{
	uint64_t uploads = store_upload_memory(o->archive, o->how.settings, 1);

	return uploads ? MEMORY_BESIDE_UPLOADS : MEMORY;
}

void gather_make_tables(struct pack *p, unsigned int n_walkers)
{
	p->links = links_new(p->opts->spool, n_walkers, &p->descriptor);
	p->keep = keep_new();
	p->dirs = dirs_new(p->opts->spool);
	p->items = sorter_new_shared(p->opts->spool, gather_memory(p->opts),
				     1u << p->descriptor.n_bits, n_walkers);
}

enum rc gather(struct pack *p, struct err *err)
{
	const struct pack_options *o = p->opts;
	unsigned int n = o->jobs < GATHER_WALKERS ? o->jobs : GATHER_WALKERS;
	struct gather all = { .p = p };
	struct walk_options w = { .sources = &p->sources,
				  .filter = o->filter,
				  .one_file_system = o->one_file_system,
				  .n_walkers = n,
				  .memory = GATHER_NAMES,
				  .spool_dir = o->spool,
				  .report = p->report,
				  .emit = gather_item,
				  .end = gather_end,
				  .arg = &all };
	enum rc rc;

	gather_make_tables(p, n);
	if (o->worker.n > 1)
		w.wants = gather_wants;
	w.links = p->links;
	w.keep = p->keep;
	w.dirs = p->dirs;
	w.own = p->own;
	gatherers_init(&all);
	report_phase(p->report, "looking");
	if (o->files0_from)
		rc = walk_list(&w, o->files0_from, o->spool, err);
	else
		rc = walk_sources(&w, err);
	raise_stamp(p, &all);
	gatherers_release(&all);
	return rc ? rc : sorter_finish(p->items, err);
}
