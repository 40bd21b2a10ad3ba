/* SPDX-License-Identifier: Apache-2.0 */
/* gather-feed.c - all records of a feed, sorted by slot. */
#include "config.h"

#include "pack/gather-feed.h"

#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "base/sorter.h"
#include "base/stop.h"
#include "base/timestamp.h"
#include "pack/above.h"
#include "pack/compare-file.h"
#include "pack/erased.h"
#include "pack/feed.h"
#include "pack/gather.h"
#include "pack/links.h"
#include "pack/pack.h"
#include "shard/route.h"
#include "shard/shard-columns.h"
#include "shard/shard-format.h"

struct gather_feed {
	struct pack *p;
	struct buf uid, key, value;
	struct erased_walk erased;
	struct above above;
	int64_t latest; /* created_at found, if the run has none of its own */
};

static bool is_ours(const struct pack *p, struct span uid, uint32_t *ret_slot)
{
	*ret_slot = route_slot((enum route_kind)p->descriptor.route,
			       p->descriptor.n_bits, uid.p, uid.len);
	return worker_has(&p->opts->worker, *ret_slot);
}

static struct span uid_of(const struct gather_feed *g)
{
	return span_of(g->uid.p, g->uid.len);
}

static enum rc add(struct gather_feed *g, uint32_t slot, struct span parent,
		   struct span name, enum feed_rank rank, int64_t created_at,
		   uint64_t number, struct err *err)
{
	const uint8_t end[2] = { 0, (uint8_t)rank };

	buf_clear(&g->key);
	item_key_encode(parent, name, &g->key);
	buf_append(&g->key, end, sizeof(end));
	item_put_newest(created_at, &g->key);
	for (unsigned int i = 8; i-- > 0;) {
		uint8_t byte = (uint8_t)(number >> 8 * i);

		buf_append(&g->key, &byte, 1);
	}
	if (!buf_ok(&g->key) || !buf_ok(&g->value) || !buf_ok(&g->uid))
		return err_set(err, RC_NOMEM, "no memory for a name");
	return sorter_add(g->p->items, slot, span_of(g->key.p, g->key.len),
			  span_of(g->value.p, g->value.len), err);
}

/* --- records that cannot be packed -----------------------------------------
 */

static enum rc check_hash(const struct feed_record *r, struct err *err)
{
	char wanted[HEX_TEXT(SHA256_LEN)], is[HEX_TEXT(SHA256_LEN)];
	uint8_t none[SHA256_LEN];

	if (r->it.type != ENTRY_REG || r->it.size || !r->has_sha256)
		return RC_OK;
	sha256_of("", 0, none);
	if (!memcmp(none, r->sha256, SHA256_LEN))
		return RC_OK;
	hex_encode(none, SHA256_LEN, is);
	hex_encode(r->sha256, SHA256_LEN, wanted);
	return err_set(err, RC_CORRUPT, "sha256 is %s, wanted %s", is, wanted);
}

static enum rc check_name(const struct item *it, struct err *err)
{
	if (!it->parent.len && !it->name.len && it->type != ENTRY_DIR)
		return err_set(err, RC_USAGE, "name is empty");
	if (entry_uid_len(it->parent, it->name) > UID_MAX_LEN)
		return err_set(err, RC_LIMIT, "path of more than %u bytes",
			       UID_MAX_LEN);
	if ((it->parent.len && memchr(it->parent.p, 0, it->parent.len)) ||
	    (it->name.len && memchr(it->name.p, 0, it->name.len)))
		return err_set(err, RC_USAGE, "name has a zero byte");
	return RC_OK;
}

static enum rc check(const struct feed_record *r, const struct item *it,
		     bool has_history, struct err *err)
{
	struct entry e = { .parent = it->parent,
			   .name = it->name,
			   .type = it->type,
			   .mode = it->mode,
			   .mtime_ns = it->mtime_ns,
			   .size = it->type == ENTRY_REG ? 0 : it->size,
			   .target = it->target,
			   .xattrs = it->xattrs,
			   .meta = it->meta };

	if (check_name(it, err))
		return err->rc;
	if (it->meta.len > META_MAX)
		return err_set(err, RC_LIMIT,
			       "metadata of %zu bytes, more than %u",
			       it->meta.len, META_MAX);
	if (it->size > INT64_MAX ||
	    (it->type == ENTRY_WHITEOUT && !has_history) || !entry_is_sound(&e))
		return err_set(err, RC_LIMIT, "beyond what an entry can hold");
	if (r->created_at != FEED_NO_TIME && !timestamp_is_valid(r->created_at))
		return err_set(err, RC_LIMIT,
			       "created_at is not in the years 1 to 9999");
	return check_hash(r, err);
}

static enum rc refuse(struct gather_feed *g, const struct item *it,
		      const struct err *why)
{
	report_given_up(g->p->report, uid_of(g), it->size, why);
	feed_tell(g->p->opts->feed, it->number, FEED_FAILED, why);
	return RC_OK;
}

/* --- all others ------------------------------------------------------------
 */

static struct item item_of(const struct feed_record *r, bool has_history)
{
	struct item it = { .parent = r->it.parent,
			   .name = r->it.name,
			   .type = r->it.type,
			   .mode = r->it.mode,
			   .uid = r->it.uid,
			   .gid = r->it.gid,
			   .mtime_s = r->it.mtime_s,
			   .mtime_ns = r->it.mtime_ns,
			   .dev = r->it.dev,
			   .ino = r->it.ino,
			   .rdev_major = r->it.rdev_major,
			   .rdev_minor = r->it.rdev_minor,
			   .nlink = r->it.nlink,
			   .dir = ITEM_NO_DIR,
			   .target = r->it.target,
			   .xattrs = r->it.xattrs,
			   .created_at = r->created_at,
			   .is_fed = true,
			   .number = r->number,
			   .place = r->place,
			   .meta = r->meta };

	if (has_history && it.type == ENTRY_DIR) {
		it.has_opaque = r->it.has_opaque;
		it.opaque_since = r->it.opaque_since;
	}
	if (it.type == ENTRY_REG)
		it.size = r->it.size;
	else if (it.type == ENTRY_SYMLINK)
		it.size = it.target.len;
	it.has_sha256 = r->has_sha256 && it.type == ENTRY_REG;
	if (it.has_sha256)
		memcpy(it.sha256, r->sha256, SHA256_LEN);
	if (it.type != ENTRY_DIR) {
		it.link = it.nlink > 1;
		it.nlink = 1;
	}
	return it;
}

static enum rc add_above(void *arg, struct span dir, int64_t created_at,
			 struct err *err)
{
	struct gather_feed *g = arg;
	struct span parent, name;
	uint32_t slot;

	if (!is_ours(g->p, dir, &slot))
		return RC_OK;
	entry_split_uid(dir, &parent, &name);
	buf_clear(&g->value);
	return add(g, slot, parent, name, FEED_ABOVE, created_at, 0, err);
}

static bool is_root(const struct item *it)
{
	return !it->parent.len && !it->name.len;
}

/* The directories above it, and the other names of its file. */
static enum rc add_around(struct gather_feed *g, const struct item *it,
			  struct err *err)
{
	const struct pack *p = g->p;
	int64_t at = it->created_at == FEED_NO_TIME ? p->stamp : it->created_at;

	if (it->link && links_add_version(p->links, 0, it->dev, it->ino,
					  it->created_at, uid_of(g), err))
		return err->rc;
	if (is_root(it) || it->type == ENTRY_WHITEOUT)
		return RC_OK;
	return above_add(&g->above, it->parent, at, add_above, g, err);
}

static enum rc keep_out(struct gather_feed *g, const struct item *it)
{
	report_erased(g->p->report, uid_of(g), it->type, it->size);
	feed_tell(g->p->opts->feed, it->number, FEED_ERASED, NULL);
	return RC_OK;
}

static enum rc take(struct gather_feed *g, struct item *it,
		    const struct err *why, struct err *err)
{
	struct pack *p = g->p;
	uint32_t slot;
	bool ours = is_ours(p, uid_of(g), &slot);

	report_found(p->report, 1, it->size);
	if (!ours)
		report_elsewhere(p->report, it->size);
	if (why)
		return ours ? refuse(g, it, why) : RC_OK;
	if (p->opts->created == CREATED_MTIME) {
		if (it->created_at == FEED_NO_TIME)
			it->created_at = compare_mtime_us(it);
		if (it->created_at > g->latest)
			g->latest = it->created_at;
	}
	erased_note(p->erased, &g->erased, it);
	/* What is above it is not needed for its sake. */
	if (it->type != ENTRY_DIR && erased_keeps_out(p->erased, it))
		return ours ? keep_out(g, it) : RC_OK;
	if (add_around(g, it, err))
		return err->rc;
	if (!ours)
		return RC_OK;
	buf_clear(&g->value);
	item_encode(it, &g->value);
	return add(g, slot, it->parent, it->name, FEED_LISTED, it->created_at,
		   it->number, err);
}

static enum rc emit(void *arg, const struct feed_record *r, struct err *err)
{
	struct gather_feed *g = arg;
	struct item it = item_of(r, g->p->opts->feed->has_history);
	const struct err *why = r->why;
	struct err bad;

	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	buf_clear(&g->uid);
	buf_append(&g->uid, it.parent.p, it.parent.len);
	if (it.parent.len)
		buf_append_str(&g->uid, "/");
	buf_append(&g->uid, it.name.p, it.name.len);
	if (!why && check(r, &it, g->p->opts->feed->has_history, &bad))
		why = &bad;
	return take(g, &it, why, err);
}

enum rc gather_feed(struct pack *p, struct err *err)
{
	const struct feed *f = p->opts->feed;
	struct gather_feed g = { .p = p, .latest = INT64_MIN };
	enum rc rc;

	gather_make_tables(p, 1);
	links_have_times(p->links);
	buf_init(&g.uid, SIZE_MAX / 2);
	buf_init(&g.key, SIZE_MAX / 2);
	buf_init(&g.value, SIZE_MAX / 2);
	report_phase(p->report, "looking");
	rc = f->list(f->arg, emit, &g, err);
	if (!rc)
		rc = above_end(&g.above, add_above, &g, err);
	if (g.latest > p->stamp)
		p->stamp = g.latest;
	above_release(&g.above);
	erased_walk_release(&g.erased);
	buf_release(&g.uid);
	buf_release(&g.key);
	buf_release(&g.value);
	return rc ? rc : sorter_finish(p->items, err);
}
