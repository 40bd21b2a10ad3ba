/* SPDX-License-Identifier: Apache-2.0 */
/* engine-recover.c - entries of index pages that cannot be read, from the
 * records in the blocks.
 *
 * Every entry has a record in some block.  What has one and is in no page that
 * can be read, but where pages are missing, is an entry; its SHA-256 is
 * computed anew, as records have none.
 */
#include "config.h"

#include "repack/engine-backend.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "repack/key-copy.h"
#include "restore/salvage-source.h"
#include "shard/shard-filter.h"
#include "verify/salvage-scan.h"

#define READ_BYTES (64u << 10)
#define THROUGH_BYTES (4u << 20)
#define LOST_TEXT 512
#define IMPLIED_MODE 0755

/* Keys from one on to before another. */
struct missing {
	struct key_copy from, to;
	bool has_from, has_to;
};

struct recovery {
	struct engine *e;
	struct source *src;
	struct uid_set present; /* by part_live_key */
	struct uid_set dirs;    /* that are there */
	struct missing *missing;
	size_t n_missing, cap_missing;
	uint64_t n_lost, n_found; /* entries */
	struct salvage_scan *scan;
	struct salvage_source bytes;
};

static void release(struct recovery *r)
{
	uid_set_release(&r->present);
	uid_set_release(&r->dirs);
	for (size_t i = 0; i < r->n_missing; i++) {
		key_copy_release(&r->missing[i].from);
		key_copy_release(&r->missing[i].to);
	}
	free(r->missing);
	salvage_scan_free(r->scan);
	salvage_source_release(&r->bytes);
}

/* --- what is there -------------------------------------------------------- */

static void note_present(struct recovery *r, const struct entry *e)
{
	uid_set_add(&r->present, part_live_key(e, 0));
	if (e->type == ENTRY_DIR)
		uid_set_add(&r->dirs, filter_hash(e->parent, e->name));
}

static void note_leaf(struct recovery *r, const struct page *page)
{
	struct missing *last =
		r->n_missing ? &r->missing[r->n_missing - 1] : NULL;
	struct entry e;

	for (uint32_t i = 0; i < page_count(page); i++) {
		page_entry(page, i, &e);
		note_present(r, &e);
		if (i || !last || last->has_to)
			continue;
		last->has_to = true;
		key_copy_set(&last->to, &e);
	}
}

static void note_missing(struct recovery *r, const struct index_leaf *leaf,
			 const struct err *why)
{
	const struct raw_shard *s = &r->src->s;
	char text[LOST_TEXT];
	struct missing *m;

	r->n_lost += leaf->n_entries;
	r->src->has_bad_pages = true;
	snprintf(text, sizeof(text),
		 "an index page of %" PRIu64 " entries at %" PRIu64 ": %.200s",
		 leaf->n_entries, s->footer.index_off + leaf->ref.off,
		 why->msg);
	log_warn("%s: %s", s->key, text);
	if (r->n_missing && !r->missing[r->n_missing - 1].has_to)
		return;
	r->missing = mem_grow(r->missing, &r->cap_missing, r->n_missing + 1,
			      sizeof(*r->missing));
	m = &r->missing[r->n_missing++];
	*m = (struct missing){ .has_from = leaf->parent.p };
	if (m->has_from) {
		const struct entry first = { .parent = leaf->parent,
					     .name = leaf->name };

		key_copy_set(&m->from, &first);
	}
}

static enum rc look_at_index(struct recovery *r, struct err *err)
{
	struct index_walk w;
	struct index_leaf leaf;
	enum rc rc;

	index_walk_init(&w, &r->src->s);
	for (;;) {
		rc = index_walk_next(&w, &leaf, err);
		if (!rc)
			note_leaf(r, leaf.page);
		else if (is_damage(rc))
			note_missing(r, &leaf, err);
		else
			break;
	}
	if (rc == RC_NOENT && !w.depth)
		rc = RC_OK;
	index_walk_release(&w);
	return rc;
}

static bool is_missing(const struct recovery *r, const struct entry *e)
{
	for (size_t i = 0; i < r->n_missing; i++) {
		const struct missing *m = &r->missing[i];
		const struct entry *from = &m->from.e, *to = &m->to.e;

		if ((!m->has_from ||
		     entry_key_compare(e->parent, e->name, from->parent,
				       from->name) >= 0) &&
		    (!m->has_to ||
		     entry_key_compare(e->parent, e->name, to->parent,
				       to->name) <= 0))
			return !uid_set_has(&r->present, part_live_key(e, 0));
	}
	return false;
}

/* --- what is found -------------------------------------------------------- */

static struct span copy_span(struct arena *a, struct span s)
{
	char *to = arena_alloc(a, s.len + 1);

	if (s.len)
		memcpy(to, s.p, s.len);
	return span_of(to, s.len);
}

static struct entry *add_found(struct source *src, const struct entry *e)
{
	struct arena *a = &src->found_bytes;
	struct entry *to;

	src->found = mem_grow(src->found, &src->cap_found, src->n_found + 1,
			      sizeof(*src->found));
	to = &src->found[src->n_found++];
	*to = *e;
	to->parent = copy_span(a, e->parent);
	to->name = copy_span(a, e->name);
	to->target = copy_span(a, e->target);
	to->xattrs = copy_span(a, e->xattrs);
	to->meta = copy_span(a, e->meta);
	return to;
}

static bool is_all(const uint8_t *hash, uint8_t byte)
{
	for (size_t i = 0; i < BLOCK_HASH_LEN; i++) {
		if (hash[i] != byte)
			return false;
	}
	return true;
}

/* The references of a record's file; NULL: a block of it is not there. */
static struct block_ref *find_blocks(struct recovery *r,
				     const struct block_ref *own,
				     const struct record *rec)
{
	const struct content *c = &rec->entry.content;
	struct block_ref *refs =
		arena_alloc(&r->src->found_bytes, c->n_blocks * sizeof(*refs));

	for (uint32_t i = 0; i < c->n_blocks; i++) {
		const uint8_t *hash =
			rec->where == RECORD_HASHES
				? rec->hashes + (size_t)i * BLOCK_HASH_LEN
				: NULL;
		const struct block_ref *ref = own;
		uint64_t left = rec->entry.size - (uint64_t)i * c->block_size;

		if (hash && is_all(hash, 0)) {
			refs[i] = (struct block_ref){
				.data_len =
					i + 1 < c->n_blocks
						? c->block_size
						: c->tail_off + (uint32_t)left
			};
			continue;
		}
		if (hash && !is_all(hash, RECORD_HASH_OWN))
			ref = salvage_scan_find(r->scan, hash);
		if (!ref)
			return NULL;
		refs[i] = *ref;
	}
	return refs;
}

static enum rc hash_content(struct recovery *r, struct entry *e,
			    struct err *err)
{
	CLEANUP_FREE uint8_t *buf = xcalloc(1, READ_BYTES);
	struct restore_source calls;
	struct sha256 sum;
	uint64_t at = 0;
	enum rc rc = salvage_source_set(&r->bytes, e, e->content.blocks, err);

	if (rc)
		return rc;
	calls = salvage_source_calls(&r->bytes);
	sha256_init(&sum);
	while (!rc && at < e->size) {
		size_t n = READ_BYTES;

		if (n > e->size - at)
			n = (size_t)(e->size - at);
		rc = calls.read(calls.arg, at, buf, n, &n, err);
		if (!rc)
			sha256_update(&sum, buf, n);
		at += n;
	}
	sha256_final(&sum, e->sha256);
	e->has_hash = true;
	return rc;
}

static void lose(struct recovery *r, const struct entry *e, const char *text)
{
	r->n_found++;
	r->e->report.lost++;
	engine_lose(r->e, r->src->s.key, e, text);
}

static void take_record(void *arg, const struct block_ref *own,
			const struct record *rec)
{
	struct recovery *r = arg;
	struct entry e = rec->entry;
	struct err err;

	if (!is_missing(r, &e))
		return;
	uid_set_add(&r->present, part_live_key(&e, 0));
	e.content = (struct content){ 0 };
	if (rec->where != RECORD_NONE) {
		e.content = rec->entry.content;
		e.content.extents = NULL;
		e.content.blocks = find_blocks(r, own, rec);
		if (!e.content.blocks) {
			lose(r, &e, "a block of it is damaged");
			return;
		}
	}
	if (e.type == ENTRY_REG && hash_content(r, &e, &err)) {
		lose(r, &e, err.msg);
		return;
	}
	note_present(r, &e);
	add_found(r->src, &e);
	r->n_found++;
}

/* --- directories nobody knows of ------------------------------------------ */

static void add_ancestors(struct recovery *r, const struct entry *e)
{
	struct span uid = e->parent, parent, name;

	if (!e->parent.len && !e->name.len)
		return;
	for (;;) {
		struct entry dir = { .type = ENTRY_DIR,
				     .implicit = true,
				     .mode = IMPLIED_MODE,
				     .created_at = e->created_at };

		entry_split_uid(uid, &parent, &name);
		dir.parent = parent;
		dir.name = name;
		if (uid_set_add(&r->dirs, filter_hash(parent, name)))
			add_found(r->src, &dir);
		if (!uid.len)
			return;
		uid = parent;
	}
}

static enum rc complete_dirs(struct recovery *r, struct err *err)
{
	size_t n = r->src->n_found;
	struct stream_item it;
	struct stream st;
	enum rc rc;

	for (size_t i = 0; i < n; i++) {
		/* What is added may move them. */
		const struct entry e = r->src->found[i];

		if (e.type != ENTRY_WHITEOUT)
			add_ancestors(r, &e);
	}
	n = r->src->n_found;
	r->src->n_found = 0;
	stream_open(&st, r->src, 1, true);
	while (!(rc = stream_next(&st, &it, err))) {
		r->src->n_found = n;
		if (it.e->type != ENTRY_WHITEOUT)
			add_ancestors(r, it.e);
		n = r->src->n_found;
		r->src->n_found = 0;
	}
	stream_close(&st);
	r->src->n_found = n;
	return rc == RC_NOENT ? RC_OK : rc;
}

static int by_key(const void *a, const void *b)
{
	return entry_compare(a, b);
}

/* A scan takes what cannot be read for damaged; a server that does not answer
 * is not.
 */
static enum rc read_through(const struct raw_shard *s, struct err *err)
{
	CLEANUP_FREE uint8_t *buf = xcalloc(1, THROUGH_BYTES);
	enum rc rc = RC_OK;

	for (uint64_t at = 0; at < s->info.size && !rc; at += THROUGH_BYTES) {
		size_t n = THROUGH_BYTES;

		if (n > s->info.size - at)
			n = (size_t)(s->info.size - at);
		rc = raw_shard_get(s, at, buf, n, err);
	}
	return rc;
}

enum rc source_recover(struct engine *e, struct source *src, struct err *err)
{
	struct recovery r = { .e = e, .src = src };
	char text[LOST_TEXT];
	enum rc rc;

	salvage_source_init(&r.bytes, &src->s);
	if (!src->s.footer.levels) {
		/* Not even the footer tells of an index. */
		const struct index_leaf all = { .n_entries =
							src->meta->n_entries };
		const struct err none = { .msg = "footer" };

		if (src->meta->n_entries)
			note_missing(&r, &all, &none);
		rc = RC_OK;
	} else {
		rc = look_at_index(&r, err);
	}
	if (!rc && r.n_missing)
		rc = read_through(&src->s, err);
	if (!rc && r.n_missing)
		rc = salvage_scan_new(&src->s, &r.scan, err);
	for (size_t i = 0; r.scan && i < salvage_scan_count(r.scan); i++)
		salvage_scan_records(r.scan, i, take_record, &r);
	if (!rc && r.n_missing)
		rc = complete_dirs(&r, err);
	if (src->n_found)
		qsort(src->found, src->n_found, sizeof(*src->found), by_key);
	if (!rc && r.n_lost > r.n_found) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " entries whose names are lost, of those "
			 "from '%.200s' to '%.200s'",
			 r.n_lost - r.n_found, src->meta->first,
			 src->meta->last);
		engine_lose(e, src->s.key, NULL, text);
		e->report.lost += r.n_lost - r.n_found;
	}
	release(&r);
	return rc;
}
