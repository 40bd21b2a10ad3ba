/* SPDX-License-Identifier: Apache-2.0 */
/* des2-gather.c - all files in the sources, as records of the format DES2,
 * sorted by slot.
 */
#include "config.h"

#include "pack/des2-gather.h"

#include <string.h>

#include "base/buf.h"
#include "base/sorter.h"
#include "base/stop.h"
#include "pack/compare-file.h"
#include "pack/des2-record.h"
#include "pack/des2-shard.h"
#include "pack/dirs.h"
#include "pack/feed.h"
#include "pack/gather.h"
#include "pack/keep.h"
#include "pack/links.h"
#include "pack/pack.h"
#include "pack/walk.h"
#include "shard/route.h"

/* What one walker needs to hand on what it finds. */
struct gatherer {
	struct buf uid, key, value;
};

struct gather {
	struct pack *p;
	struct gatherer walkers[GATHER_WALKERS];
};

/* The date is that of a clock on the wall: of the time zone of the process, or
 * of the one that the time was given in.
 */
static struct timestamp created_of(const struct pack *p, const struct item *it)
{
	switch (p->opts->created) {
	case CREATED_NOW: return timestamp_local(p->stamp);
	case CREATED_MTIME: return timestamp_local(compare_mtime_us(it));
	case CREATED_TIME: break;
	}
	return timestamp_in_zone(p->stamp, p->opts->created_zone);
}

/* What the format cannot say. */
static enum rc check_record(const struct des2_record *r, unsigned int n_bits,
			    uint32_t *ret_slot, struct err *err)
{
	int year = r->created.wall_year;
	struct route route;

	if (r->it.size > INT64_MAX)
		return err_set(err, RC_LIMIT, "larger than a file can be");

	if (r->it.type != ENTRY_REG)
		return err_set(err, RC_LIMIT, "%s: format 2 has only files",
			       entry_type_text(r->it.type));
	if (r->uid.len > DES2_UID_MAX)
		return err_set(err, RC_LIMIT,
			       "uid of %zu bytes, not at most %u", r->uid.len,
			       DES2_UID_MAX);
	if (year < 1 || year > 9999)
		return err_set(err, RC_LIMIT,
			       "its day is not in the years 1 to 9999");
	if (locate_shard(ROUTE_V2, ROUTE_UID, n_bits, r->uid.p, r->uid.len,
			 &r->created, &route, err))
		return err->rc = RC_LIMIT;
	*ret_slot = route.slot;
	return RC_OK;
}

static enum rc add(struct gather *all, unsigned int walker,
		   const struct des2_record *r, uint32_t slot, struct err *err)
{
	struct gatherer *g = &all->walkers[walker];

	buf_clear(&g->key);
	buf_clear(&g->value);
	des2_record_encode(r, &g->key, &g->value);
	if (!buf_ok(&g->key) || !buf_ok(&g->value))
		return err_set(err, RC_NOMEM, "no memory for a name");
	return sorter_add_to(all->p->items, walker, slot,
			     span_of(g->key.p, g->key.len),
			     span_of(g->value.p, g->value.len), err);
}

/* Of what has no slot its number decides. */
static uint32_t slot_of_bad(const struct pack *p, const struct des2_record *r)
{
	const struct timestamp any = { .wall_year = 1 };
	struct route route;
	struct err none;

	if (locate_shard(ROUTE_V2, ROUTE_UID, p->opts->n_bits, r->uid.p,
			 r->uid.len, &any, &route, &none))
		return (uint32_t)r->it.number;
	return route.slot;
}

/* Of several workers one tells. */
static void refuse(const struct pack *p, const struct des2_record *r,
		   const struct err *why)
{
	uint64_t size = r->it.type == ENTRY_REG ? r->it.size : 0;

	if (!worker_has(&p->opts->worker, slot_of_bad(p, r))) {
		report_elsewhere(p->report, size);
		return;
	}
	report_given_up(p->report, r->uid, size, why);
	feed_tell(p->opts->feed, r->it.number, FEED_FAILED, why);
}

static enum rc take(struct gather *all, unsigned int walker,
		    const struct des2_record *r, struct err *err)
{
	const struct pack *p = all->p;
	const struct pack_options *o = p->opts;
	struct err why;
	uint32_t slot = 0;

	if (check_record(r, o->n_bits, &slot, &why)) {
		refuse(p, r, &why);
		return RC_OK;
	}
	if (!worker_has(&o->worker, slot)) {
		report_elsewhere(p->report, r->it.size);
		return RC_OK;
	}
	return add(all, walker, r, slot, err);
}

/* The uid that an item's parent and name make. */
static enum rc set_uid(struct gatherer *g, const struct item *it,
		       struct span *ret, struct err *err)
{
	char *uid;

	buf_clear(&g->uid);
	uid = (char *)buf_reserve(&g->uid,
				  entry_uid_len(it->parent, it->name) + 1);
	if (!uid)
		return err_set(err, RC_NOMEM, "no memory for a name");
	*ret = span_of(uid, entry_uid(it->parent, it->name, uid));
	return RC_OK;
}

static enum rc gather_item(void *arg, unsigned int walker,
			   const struct item *it, struct err *err)
{
	struct gather *all = arg;
	struct des2_record r = { .it = *it, .created = created_of(all->p, it) };

	if (it->type == ENTRY_DIR)
		return RC_OK;
	if (set_uid(&all->walkers[walker], it, &r.uid, err))
		return err->rc;
	return take(all, walker, &r, err);
}

/* --- records of a feed ------------------------------------------------------
 */

static enum rc gather_record(void *arg, const struct feed_record *fr,
			     struct err *err)
{
	struct gather *all = arg;
	struct des2_record r = { .uid = fr->uid, .it = fr->it };
	struct err why;

	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	r.created = fr->created_at == FEED_NO_TIME
			    ? created_of(all->p, &fr->it)
			    : timestamp_in_zone(fr->created_at, fr->zone);
	r.it.is_fed = true;
	r.it.number = fr->number;
	r.it.place = fr->place;
	r.it.meta = fr->meta;
	r.it.has_sha256 = fr->has_sha256;
	memcpy(r.it.sha256, fr->sha256, sizeof(r.it.sha256));
	if (!r.uid.p && set_uid(&all->walkers[0], &fr->it, &r.uid, err))
		return err->rc;
	report_found(all->p->report, 1,
		     fr->it.type == ENTRY_REG ? fr->it.size : 0);
	if (fr->why) {
		refuse(all->p, &r, fr->why);
		return RC_OK;
	}
	if (fr->it.type != ENTRY_DIR)
		return take(all, 0, &r, err);
	/* No reason to complain, and yet not there. */
	err_set(&why, RC_LIMIT, "format 2 has only files");
	feed_tell(all->p->opts->feed, fr->number, FEED_FAILED, &why);
	return RC_OK;
}

/* --- all of them ------------------------------------------------------------
 */

/* Neither targets of links nor extended attributes. */
static bool gather_wants(void *arg, struct span uid)
{
	(void)arg;
	(void)uid;
	return false;
}

static void gather_end(void *arg, unsigned int walker)
{
	struct gather *all = arg;

	sorter_end_feed(all->p->items, walker);
	links_end_feed(all->p->links, walker);
}

static void make_tables(struct pack *p, unsigned int n_walkers)
{
	p->links = links_new(p->opts->spool, n_walkers, &p->descriptor);
	p->keep = keep_new();
	p->dirs = dirs_new(p->opts->spool);
	p->items = sorter_new_shared(p->opts->spool, gather_memory(p->opts),
				     1u << p->opts->n_bits, n_walkers);
}

enum rc des2_gather(struct pack *p, struct err *err)
{
	const struct pack_options *o = p->opts;
	unsigned int n = o->jobs < GATHER_WALKERS ? o->jobs : GATHER_WALKERS;
	struct gather all = { .p = p };
	struct walk_options w = { .sources = &p->sources,
				  .filter = o->filter,
				  .one_file_system = o->one_file_system,
				  .own = p->own,
				  .n_walkers = n,
				  .memory = GATHER_NAMES,
				  .spool_dir = o->spool,
				  .report = p->report,
				  .emit = gather_item,
				  .wants = gather_wants,
				  .end = gather_end,
				  .arg = &all };
	enum rc rc;

	make_tables(p, n);
	w.links = p->links;
	w.keep = p->keep;
	w.dirs = p->dirs;
	for (size_t i = 0; i < GATHER_WALKERS; i++) {
		buf_init(&all.walkers[i].uid, SIZE_MAX / 2);
		buf_init(&all.walkers[i].key, SIZE_MAX / 2);
		buf_init(&all.walkers[i].value, SIZE_MAX / 2);
	}
	report_phase(p->report, "looking");
	if (o->feed)
		rc = o->feed->list(o->feed->arg, gather_record, &all, err);
	else if (o->files0_from)
		rc = walk_list(&w, o->files0_from, o->spool, err);
	else
		rc = walk_sources(&w, err);
	for (size_t i = 0; i < GATHER_WALKERS; i++) {
		buf_release(&all.walkers[i].uid);
		buf_release(&all.walkers[i].key);
		buf_release(&all.walkers[i].value);
	}
	return rc ? rc : sorter_finish(p->items, err);
}
