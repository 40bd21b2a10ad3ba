/* SPDX-License-Identifier: Apache-2.0 */
/* verify-index.c - every page and entry of a shard's index checked. */
#include "config.h"

#include "verify/verify-index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/timestamp.h"
#include "erase/tombstone-set.h"
#include "shard/route.h"
#include "shard/shard-filter.h"
#include "shard/shard-record.h"
#include "verify/index-walk.h"
#include "verify/uid-set.h"

struct index_check {
	const struct raw_shard *s;
	const struct buf *filter;
	uint32_t n_partitions, partition_size;
	struct verify_files *files;
	const struct verify_shard_job *job;
	struct verify_report *report;
	struct index_walk walk;
	uint64_t page_off; /* of the leaf, in the shard */
	struct sha256 logical;
	struct buf row;
	struct uid_set dirs;
	uint64_t n_entries, n_files, plain_bytes;
	int64_t created_min, created_max;
	struct entry last;      /* the entry before this one */
	struct buf last_key;    /* what its key points to, across pages */
	struct buf dir_of_last; /* parent whose entry was looked for last */
	bool any_last, any_dir, any_lost;
	struct buf first_uid;
};

/* "PARENT/NAME", cut short for messages. */
static const char *shown(const struct entry *e, char *ret, size_t size)
{
	snprintf(ret, size, "%.*s%s%.*s",
		 (int)(e->parent.len < 160 ? e->parent.len : 160), e->parent.p,
		 e->parent.len ? "/" : "",
		 (int)(e->name.len < 255 ? e->name.len : 255), e->name.p);
	return ret;
}

static void complain(struct index_check *c, const struct entry *e,
		     const char *what)
{
	char uid[512];

	verify_damage(c->report, c->page_off, "entry '%s': %s",
		      shown(e, uid, sizeof(uid)), what);
}

static void check_order(struct index_check *c, const struct entry *e)
{
	if (c->any_last && entry_compare(&c->last, e) >= 0)
		complain(c, e, "not in order after the one before it");
	c->any_last = true;
	c->last = *e;
}

/* The key of the last entry must outlive its page. */
static void keep_last_key(struct index_check *c)
{
	struct buf *b = &c->last_key;
	size_t n = c->last.parent.len, m = c->last.name.len;
	char *copy = xcalloc(1, n + m + 1);

	if (n)
		memcpy(copy, c->last.parent.p, n);
	if (m)
		memcpy(copy + n, c->last.name.p, m);
	buf_clear(b);
	buf_append(b, copy, n + m + 1);
	free(copy);
	c->last.parent = span_of(b->p, n);
	c->last.name = span_of(b->p + n, m);
}

static void check_filter(struct index_check *c, const struct entry *e)
{
	uint64_t hash = filter_hash(e->parent, e->name);
	uint32_t i;

	if (!c->n_partitions)
		return;
	i = filter_partition(hash, c->n_partitions);
	if (!filter_may_contain(c->filter->p + (size_t)i * c->partition_size,
				c->partition_size, hash))
		complain(c, e, "the filter says it is not there");
}

/* Keys of directories come before those of what is in them. */
static void check_parent(struct index_check *c, const struct entry *e)
{
	struct span parent, name;

	if (e->type == ENTRY_DIR)
		uid_set_add(&c->dirs, filter_hash(e->parent, e->name));
	/* What was in a directory goes with it. */
	if ((!e->parent.len && !e->name.len) || e->type == ENTRY_WHITEOUT)
		return;
	if (c->any_dir && span_equal(e->parent, span_of(c->dir_of_last.p,
							c->dir_of_last.len)))
		return;
	c->any_dir = true;
	buf_clear(&c->dir_of_last);
	buf_append(&c->dir_of_last, e->parent.p, e->parent.len);
	entry_split_uid(e->parent, &parent, &name);
	if (!uid_set_has(&c->dirs, filter_hash(parent, name)) && !c->any_lost)
		complain(c, e, "the directory it is in has no entry");
}

/* Directories are in all shards that need them. */
static void check_place(struct index_check *c, const struct entry *e)
{
	const struct shard_header *h = &c->s->footer.header;
	CLEANUP_FREE char *uid = NULL;
	char day[TIMESTAMP_DAY_TEXT], want[16];
	size_t len;

	if (e->type == ENTRY_DIR)
		return;
	uid = xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	len = entry_uid(e->parent, e->name, uid);
	if (route_slot((enum route_kind)h->route, h->n_bits, uid, len) !=
	    h->slot)
		complain(c, e, "belongs to another slot");
	timestamp_day(e->created_at, day);
	snprintf(want, sizeof(want), "%08u", h->day);
	if (strcmp(day, want) != 0)
		complain(c, e, "belongs to another day");
}

static void count(struct index_check *c, const struct entry *e)
{
	if (!c->n_entries || e->created_at < c->created_min)
		c->created_min = e->created_at;
	if (!c->n_entries || e->created_at > c->created_max)
		c->created_max = e->created_at;
	c->n_entries++;
	if (e->type == ENTRY_REG) {
		c->n_files++;
		c->plain_bytes += e->size;
	}
	buf_clear(&c->row);
	record_encode_logical(e, &c->row);
	if (buf_ok(&c->row))
		sha256_update(&c->logical, c->row.p, c->row.len);
	if (c->n_entries > 1)
		return;
	buf_append(&c->first_uid, e->parent.p, e->parent.len);
	if (e->parent.len)
		buf_append(&c->first_uid, "/", 1);
	buf_append(&c->first_uid, e->name.p, e->name.len);
}

/* Do the segments make up the file, and lie in the data?  NULL when so. */
static const char *wrong_content(const struct raw_shard *s,
				 const struct entry *e,
				 const struct block_ref *refs)
{
	const struct shard_footer *f = &s->footer;
	const struct content *c = &e->content;
	uint64_t end = f->data_off + f->data_len, before, rest;

	if (!c->n_blocks)
		return e->size ? "has a size and no blocks" : NULL;
	before = (uint64_t)(c->n_blocks - 1) * c->block_size;
	if (!e->size || e->size < before)
		return "has more blocks than its size needs";
	rest = e->size - before;
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		bool is_last = i + 1 == c->n_blocks;
		uint64_t need = is_last ? c->tail_off + rest : c->block_size;

		if (refs[i].data_len < need ||
		    (!is_last && refs[i].data_len != need))
			return "its blocks do not have the lengths it needs";
		if (!block_is_hole(&refs[i]) &&
		    (refs[i].off < f->data_off || refs[i].off > end ||
		     refs[i].stored_len > end - refs[i].off))
			return "a block of it lies outside the data";
	}
	return NULL;
}

/* What is deleted is no loss, and its name is nobody's business. */
static bool is_deleted(const struct index_check *c, const struct entry *e)
{
	return tombstone_set_hides(c->job->deleted, e->parent, e->name,
				   e->created_at);
}

static void count_deleted(struct index_check *c, const struct entry *e)
{
	if (!is_deleted(c, e))
		return;
	c->report->totals.deleted++;
	c->report->totals.overdue += tombstone_set_hides(
		c->job->overdue, e->parent, e->name, e->created_at);
}

static void lost(struct index_check *c, const struct entry *e)
{
	if (!is_deleted(c, e))
		verify_lost(c->report, c->page_off, e->parent, e->name);
}

static void check_content(struct index_check *c, const struct entry *e)
{
	CLEANUP_FREE struct block_ref *owned = NULL;
	const struct block_ref *refs = NULL;
	const char *wrong;
	struct err err;

	if (e->type != ENTRY_REG)
		return;
	for (uint32_t i = 0; i < e->content.n_extents; i++)
		index_walk_note(&c->walk, &e->content.extents[i]);
	if (raw_shard_refs(c->s, e, &refs, &owned, &err)) {
		complain(c, e, err.msg);
		lost(c, e);
		c->any_lost = true;
		return;
	}
	wrong = wrong_content(c->s, e, refs);
	if (wrong) {
		complain(c, e, wrong);
		lost(c, e);
		return;
	}
	if (c->files)
		verify_files_add(c->files, e, refs, is_deleted(c, e));
}

static void check_entry(struct index_check *c, const struct entry *e)
{
	check_order(c, e);
	check_filter(c, e);
	check_parent(c, e);
	check_place(c, e);
	count(c, e);
	count_deleted(c, e);
	check_content(c, e);
}

static void lost_page(struct index_check *c, const struct index_leaf *leaf,
		      const struct err *err)
{
	const struct entry first = { .parent = leaf->parent,
				     .name = leaf->name };
	char uid[512];

	c->any_lost = true;
	verify_damage(c->report, c->s->footer.index_off + leaf->ref.off, "%s",
		      err->msg);
	verify_lost_many(c->report, c->s->footer.index_off + leaf->ref.off,
			 leaf->n_entries, "%" PRIu64 " entries from '%s' on",
			 leaf->n_entries, shown(&first, uid, sizeof(uid)));
}

static void count_live(struct index_check *c, const struct entry *e)
{
	struct verify_live *live = c->job->live;

	if (c->files || !live || e->type != ENTRY_REG)
		return;
	atomic_fetch_add(&live->files, 1);
	atomic_fetch_add(&live->bytes, e->size);
}

static void check_leaf(struct index_check *c, const struct index_leaf *leaf)
{
	c->page_off = c->s->footer.index_off + leaf->ref.off;
	for (uint32_t i = 0; i < page_count(leaf->page); i++) {
		struct entry e;

		page_entry(leaf->page, i, &e);
		check_entry(c, &e);
		count_live(c, &e);
	}
	keep_last_key(c);
}

static int by_place(const void *a, const void *b)
{
	const struct page_ref *x = a, *y = b;

	return (x->off > y->off) - (x->off < y->off);
}

/* All bytes of the index must be in pages that something refers to. */
static void check_tiling(struct index_check *c)
{
	const struct shard_footer *f = &c->s->footer;
	struct index_walk *w = &c->walk;
	uint64_t at = 0;

	if (w->n_pages)
		qsort(w->pages, w->n_pages, sizeof(*w->pages), by_place);
	for (size_t i = 0; i < w->n_pages; i++) {
		if (w->pages[i].off != at) {
			verify_damage(c->report, f->index_off + at,
				      "no page begins where the one before it "
				      "ends");
			return;
		}
		at += w->pages[i].stored_len;
	}
	if (at != f->index_len)
		verify_damage(c->report, f->index_off + at,
			      "bytes of the index that are in no page");
}

static void check_number(struct index_check *c, const char *what, uint64_t is,
			 uint64_t want)
{
	if (is != want)
		verify_damage(c->report, FINDING_NO_OFFSET,
			      "%" PRIu64 " %s, the footer says %" PRIu64, is,
			      what, want);
}

static bool uid_is(const struct entry *e, struct span uid)
{
	struct span parent, name;

	entry_split_uid(uid, &parent, &name);
	return !entry_key_compare(parent, name, e->parent, e->name);
}

static void check_sums(struct index_check *c, const struct shard_info *info)
{
	const struct shard_footer *f = &c->s->footer;
	uint8_t root[SHARD_ROOT_LEN];

	check_number(c, "entries", c->n_entries, f->n_entries);
	check_number(c, "files", c->n_files, f->n_files);
	check_number(c, "bytes of files", c->plain_bytes, f->plain_bytes);
	if (c->n_entries && (c->created_min != f->created_min ||
			     c->created_max != f->created_max))
		verify_damage(c->report, FINDING_NO_OFFSET,
			      "times of the entries are not those the footer "
			      "says");
	sha256_final(&c->logical, root);
	if (memcmp(root, f->logical_root, SHARD_ROOT_LEN) != 0)
		verify_damage(c->report, FINDING_NO_OFFSET,
			      "logical root of the entries is not the one the "
			      "footer says");
	if (!info || !c->n_entries)
		return;
	if (!span_equal(info->first,
			span_of(c->first_uid.p, c->first_uid.len)) ||
	    !uid_is(&c->last, info->last))
		verify_damage(c->report, f->info.off,
			      "first and last uid are not those of the index");
}

static void release(struct index_check *c)
{
	index_walk_release(&c->walk);
	uid_set_release(&c->dirs);
	buf_release(&c->row);
	buf_release(&c->last_key);
	buf_release(&c->dir_of_last);
	buf_release(&c->first_uid);
}

bool verify_index(const struct raw_shard *s, const struct buf *filter,
		  const struct shard_info *info, struct verify_files *files,
		  const struct verify_shard_job *job,
		  struct verify_report *report)
{
	struct index_check c = {
		.s = s,
		.filter = filter,
		.files = files,
		.job = job,
		.report = report,
		.row = { .max = 4u << 20 },
		.last_key = { .max = 2 * UID_MAX_LEN + 1 },
		.dir_of_last = { .max = UID_MAX_LEN },
		.first_uid = { .max = 2 * UID_MAX_LEN },
	};
	struct index_leaf leaf;
	struct err err;
	bool is_complete;
	enum rc rc;

	if (filter->len) {
		c.n_partitions =
			(uint32_t)(s->footer.filter_dir.len / BLOCK_HASH_LEN);
		c.partition_size = (uint32_t)(filter->len / c.n_partitions);
	}
	sha256_init(&c.logical);
	index_walk_init(&c.walk, s);
	for (;;) {
		if (verify_is_stopped(report))
			break;
		rc = index_walk_next(&c.walk, &leaf, &err);
		if (rc == RC_NOENT)
			break;
		if (rc)
			lost_page(&c, &leaf, &err);
		else
			check_leaf(&c, &leaf);
	}
	is_complete = !c.any_lost && !report->is_stopped;
	if (is_complete) {
		check_tiling(&c);
		check_sums(&c, info);
	}
	report->totals.entries += c.n_entries;
	report->totals.files += c.n_files;
	report->totals.plain_bytes += c.plain_bytes;
	release(&c);
	return is_complete;
}
