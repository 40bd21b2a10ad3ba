/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - a slot's plan to shards in the store. */
#include "config.h"

#include "pack/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "pack/ahead.h"
#include "pack/build-file.h"
#include "pack/compare-file.h"
#include "pack/feed-told.h"
#include "pack/lane.h"
#include "pack/linked.h"
#include "pack/pack.h"
#include "pack/plan.h"
#include "pack/publisher.h"
#include "pack/shard-out.h"
#include "pack/stage.h"
#include "pack/tree.h"
#include "store/store-write.h"

/* One part in the making. */
struct build {
	struct pack *p;
	uint32_t slot;
	struct file_reader *files;
	struct ahead *ahead; /* NULL with a feed */
	struct stage *stage; /* of a feed, or NULL */
	struct plan_place place;
	bool is_open;
	struct shard_out out;
	struct shard_build *shard;
	struct lane *lane;
	struct linked *linked;  /* of the part */
	struct feed_told *told; /* of a feed; else NULL */
};

static void close_part(struct build *b)
{
	if (!b->is_open)
		return;
	lane_free(b->lane);
	shard_build_free(b->shard);
	shard_out_close(&b->out);
	feed_told_free(b->told);
	b->told = NULL;
	b->lane = NULL;
	b->shard = NULL;
	b->is_open = false;
}

static struct shard_build_options shard_options(const struct build *b)
{
	const struct pack *p = b->p;
	struct shard_build_options o = { .codec = p->opts->codec,
					 .level = p->opts->level };
	struct shard_header *h = &o.header;

	memcpy(h->archive_id, p->descriptor.archive_id, sizeof(h->archive_id));
	h->day = b->place.day;
	h->slot = b->slot;
	h->n_bits = (uint8_t)p->descriptor.n_bits;
	h->route = (uint8_t)p->descriptor.route;
	h->part = b->place.part;
	h->block_size = p->opts->sizes.group;
	snprintf(h->writer, sizeof(h->writer), "desfs %s %s", version_text(),
		 codec_libraries());
	return o;
}

static enum rc open_part(struct build *b, struct plan_place place,
			 struct err *err)
{
	const struct pack_options *o = b->p->opts;
	struct shard_build_options options;
	struct shard_sink sink;
	struct lane_options lane = { .workers = b->p->encoders,
				     .pool = b->p->blocks,
				     .report = b->p->report,
				     .sizes = o->sizes,
				     .codec = o->codec,
				     .level = o->level };
	enum rc rc;

	b->place = place;
	rc = linked_clear(b->linked, err);
	if (rc)
		return rc;
	rc = shard_out_open(&b->out, b->p->store, b->p->report, o->spool, err);
	if (rc)
		return rc;
	b->is_open = true;
	store_upload_set_slot(b->out.upload, b->slot);
	options = shard_options(b);
	sink = shard_out_sink(&b->out);
	rc = shard_build_new(&options, &sink, &b->shard, err);
	if (rc)
		return rc;
	lane.build = b->shard;
	if (o->feed) {
		b->told = feed_told_new(o->feed, o->spool);
		lane.told = feed_told_entry;
		lane.told_arg = b->told;
	}
	b->lane = lane_new(&lane);
	return RC_OK;
}

static enum rc end_part(struct build *b, struct err *err)
{
	struct shard_footer footer;
	uint64_t n = 0, size = 0;
	enum rc rc;

	if (!b->is_open)
		return RC_OK;
	rc = lane_finish(b->lane, &n, err);
	/* Of a part whose files all failed only directories above are left. */
	if (rc || !n)
		return rc;
	rc = shard_build_finish(b->shard, &footer, &size, err);
	if (rc)
		return rc;
	publisher_add(b->p->publisher, b->slot, &b->out, &footer, size,
		      shard_build_info(b->shard), b->told);
	b->told = NULL;
	return RC_OK;
}

static void fill_entry(const struct item *it, struct entry *e)
{
	*e = (struct entry){ .parent = it->parent,
			     .name = it->name,
			     .created_at = it->created_at,
			     .type = it->type,
			     .implicit = it->implicit,
			     .has_opaque = it->has_opaque,
			     .opaque_since = it->opaque_since,
			     .mode = it->mode,
			     .uid = it->uid,
			     .gid = it->gid,
			     .mtime_s = it->mtime_s,
			     .mtime_ns = it->mtime_ns,
			     .size = it->size,
			     .target = it->target,
			     .rdev_major = it->rdev_major,
			     .rdev_minor = it->rdev_minor,
			     .nlink = it->nlink,
			     .xattrs = it->xattrs,
			     .meta = it->meta };
	memcpy(e->link_group, it->link_group, LINK_GROUP_LEN);
}

static enum rc add_first(struct build *b, const struct item *it,
			 struct entry *e, bool is_shared, struct err *err)
{
	struct content_parts *c = NULL;
	bool left_out = false;
	uint32_t off = 0;
	enum rc rc = file_reader_add(b->files, b->lane, it, is_shared, &c, &off,
				     &left_out, err);

	if (rc || left_out)
		return rc;
	if (is_shared)
		rc = linked_add(b->linked, it, c, err);
	/* It was compared, so nobody need hash it again. */
	if (it->has_sha256 && !c) {
		e->has_hash = true;
		memcpy(e->sha256, it->sha256, sizeof(e->sha256));
	}
	if (!rc)
		rc = lane_entry(b->lane, e, c, off, err);
	content_unref(c);
	return rc;
}

/* One more name of a file.  The walk may have come to its names at different
 * times, and only what it saw of the name that was read was compared with the
 * file then.
 */
static enum rc add_linked(struct build *b, const struct item *it,
			  struct entry *e, struct err *err)
{
	struct content_parts *c = NULL;
	bool is_same = false;
	enum rc rc = linked_find(b->linked, it, &c, &is_same, err);

	if (rc)
		return rc;
	if (!c)
		return add_first(b, it, e, true, err);
	if (is_same)
		rc = lane_entry(b->lane, e, c, 0, err);
	else
		file_reader_changed(b->files, it);
	content_unref(c);
	return rc;
}

static enum rc add_item(struct build *b, const struct item *it, struct err *err)
{
	struct entry e;

	fill_entry(it, &e);
	lane_label(b->lane, it->is_fed ? it->number : LANE_NO_LABEL);
	if (it->type == ENTRY_REG && it->size)
		return link_group_is_set(e.link_group)
			       ? add_linked(b, it, &e, err)
			       : add_first(b, it, &e, false, err);
	return lane_entry(b->lane, &e, NULL, 0, err);
}

static enum rc build_items(struct build *b, struct plan *plan, struct err *err)
{
	struct plan_place place;
	struct item it;
	enum rc rc;

	for (;;) {
		rc = plan_next(plan, &place, &it, err);
		if (rc)
			return rc == RC_NOENT ? end_part(b, err) : rc;
		ahead_step(b->ahead);
		stage_step(b->stage);
		if (pack_is_ending(b->p, err))
			return err->rc;
		if (b->is_open && (place.day != b->place.day ||
				   place.part != b->place.part)) {
			rc = end_part(b, err);
			if (rc)
				return rc;
			close_part(b);
		}
		if (!b->is_open && pack_is_stopping(b->p, err))
			return err->rc;
		if (!b->is_open)
			rc = open_part(b, place, err);
		if (!rc)
			rc = add_item(b, &it, err);
		if (rc)
			return rc;
	}
}

enum rc build_slot(struct pack *p, uint32_t slot, struct tree *tree,
		   struct plan *plan, struct err *err)
{
	const struct stage_options so = {
		.feed = p->opts->feed,
		.plan = plan,
		.spool = p->opts->spool,
		.is_slow = p->opts->throttle.files || p->opts->throttle.bytes,
	};
	struct build b = { .p = p, .slot = slot };
	enum rc rc;

	/* A feed's contents are where only it knows. */
	if (!p->opts->feed)
		b.ahead = ahead_new(&p->sources, plan);
	b.stage = stage_new(&so);
	b.files = file_reader_new(p, tree, b.ahead, b.stage);
	b.linked = linked_new(p->opts->spool);
	rc = build_items(&b, plan, err);
	close_part(&b);
	linked_free(b.linked);
	file_reader_free(b.files);
	stage_free(b.stage);
	ahead_free(b.ahead);
	return rc;
}
