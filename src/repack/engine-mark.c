/* SPDX-License-Identifier: Apache-2.0 */
/* engine-mark.c - what stays of a part, from the index alone. */
#include "config.h"

#include "repack/engine-backend.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "repack/goes.h"
#include "shard/shard-filter.h"

#define NAMES_MAX 3 /* in a message */

/* A directory that is only inferred, which stays if something is below it. */
struct inferred {
	uint64_t key, uid;
};

struct marking {
	struct part *p;
	struct inferred *inferred;
	size_t n, cap;
	struct buf parent; /* its ancestors are noted */
	bool any_parent;
	uint64_t *n_seen; /* entries of each source */
};

uint64_t part_live_key(const struct entry *e, size_t source)
{
	uint64_t h = filter_hash(e->parent, e->name);

	h ^= (uint64_t)e->created_at * UINT64_C(0x9e3779b97f4a7c15);
	h ^= ((uint64_t)source + 1) * UINT64_C(0xd6e8feb86659fd93);
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

static bool is_hidden(const struct part *p, const struct entry *e)
{
	return entry_goes(p->e->o->deleted, p->e->o->holds, e);
}

static bool is_here(const struct part *p, const struct stream_item *it)
{
	return it->seq >= p->from && it->seq < p->to;
}

enum fate part_fate(const struct part *p, struct uid_set *stubs,
		    const struct stream_item *it)
{
	const struct entry *e = it->e;
	bool hidden = is_hidden(p, e);
	uint64_t uid;

	if (it->is_double)
		return FATE_DOUBLE;
	if (is_here(p, it) && !hidden) {
		if (uid_set_has(&p->lost, part_live_key(e, it->source)))
			return FATE_LOST;
		if (!e->implicit ||
		    uid_set_has(&p->needed, filter_hash(e->parent, e->name)))
			return FATE_KEEP;
		return FATE_UNNEEDED;
	}
	uid = filter_hash(e->parent, e->name);
	if (e->type == ENTRY_DIR && uid_set_has(&p->needed, uid) &&
	    !uid_set_has(&p->have, uid) && uid_set_add(stubs, uid))
		return FATE_STUB;
	return hidden ? FATE_DELETED : FATE_ELSEWHERE;
}

struct entry part_stub(const struct entry *e, bool is_deleted)
{
	struct entry stub = { .parent = e->parent,
			      .name = e->name,
			      .created_at = e->created_at,
			      .type = ENTRY_DIR,
			      .implicit = true };

	if (is_deleted)
		return stub;
	stub.mode = e->mode;
	stub.uid = e->uid;
	stub.gid = e->gid;
	stub.mtime_s = e->mtime_s;
	stub.mtime_ns = e->mtime_ns;
	stub.nlink = e->nlink;
	return stub;
}

/* --- content -------------------------------------------------------------- */

/* Do the segments make up the file, and lie in the data? */
static enum rc check_content(const struct raw_shard *s, const struct entry *e,
			     const struct block_ref *refs, struct err *err)
{
	const struct shard_footer *f = &s->footer;
	const struct content *c = &e->content;
	uint64_t end = f->data_off + f->data_len, before, rest;

	if (!c->n_blocks && !e->size)
		return RC_OK;
	before = c->n_blocks > 1 ? (uint64_t)(c->n_blocks - 1) * c->block_size
				 : 0;
	if (!c->n_blocks || e->size <= before)
		return err_set(err, RC_CORRUPT,
			       "a file has another size than its blocks");
	rest = e->size - before;
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		bool is_last = i + 1 == c->n_blocks;
		uint64_t need = is_last ? c->tail_off + rest : c->block_size;

		if (refs[i].data_len < need ||
		    (!is_last && refs[i].data_len != need))
			return err_set(err, RC_CORRUPT,
				       "blocks of a file do not have the "
				       "lengths it needs");
		if (!block_is_hole(&refs[i]) &&
		    (refs[i].off < f->data_off || refs[i].off > end ||
		     refs[i].stored_len > end - refs[i].off))
			return err_set(err, RC_CORRUPT,
				       "a block of a file lies outside the "
				       "data");
	}
	return RC_OK;
}

/* All blocks of a file are in the table then. */
static enum rc add_blocks(struct part *p, const struct stream_item *it,
			  const struct block_ref *refs, struct err *err)
{
	struct source *src = &p->e->sources[it->source];
	enum rc rc = check_content(&src->s, it->e, refs, err);
	size_t ignored;

	for (uint32_t i = 0; !rc && i < it->e->content.n_blocks; i++) {
		if (block_is_hole(&refs[i]))
			continue;
		rc = block_table_add(&p->blocks, it->source, &refs[i], &ignored,
				     err);
		if (!rc && uid_set_has(&src->bad_blocks, refs[i].off))
			rc = err_set(err, RC_CORRUPT,
				     "block at %" PRIu64 " is damaged",
				     refs[i].off);
	}
	return rc;
}

static void keep_blocks(struct part *p, const struct stream_item *it,
			const struct block_ref *refs)
{
	const struct content *c = &it->e->content;
	uint64_t left = it->e->size;
	struct err ignored;

	for (uint32_t i = 0; i < c->n_blocks; i++) {
		bool is_last = i + 1 == c->n_blocks;
		uint32_t len = is_last ? (uint32_t)left : c->block_size;
		size_t item;

		left -= len;
		if (!block_is_hole(&refs[i]) &&
		    !block_table_add(&p->blocks, it->source, &refs[i], &item,
				     &ignored))
			block_table_keep(&p->blocks, item,
					 is_last ? c->tail_off : 0, len);
	}
}

/* --- entries -------------------------------------------------------------- */

static void need_ancestors(struct marking *m, const struct entry *e)
{
	struct span uid = e->parent, parent, name;

	if (!e->parent.len && !e->name.len)
		return;
	if (m->any_parent &&
	    span_equal(uid, span_of(m->parent.p, m->parent.len)))
		return;
	m->any_parent = true;
	buf_clear(&m->parent);
	buf_append(&m->parent, uid.p, uid.len);
	for (;;) {
		entry_split_uid(uid, &parent, &name);
		/* If it is there, so is all above. */
		if (!uid_set_add(&m->p->needed, filter_hash(parent, name)) ||
		    !uid.len)
			return;
		uid = parent;
	}
}

static void count_kept(struct engine_report *r, const struct entry *e)
{
	r->entries++;
	if (e->type != ENTRY_REG)
		return;
	r->files++;
	r->plain_bytes += e->size;
}

static void count_deleted(struct engine_report *r, const struct entry *e)
{
	if (e->implicit)
		return;
	r->deleted++;
	if (e->type != ENTRY_REG)
		return;
	r->deleted_files++;
	r->deleted_bytes += e->size;
}

static void keep_entry(struct marking *m, const struct stream_item *it)
{
	const struct entry *e = it->e;
	struct part *p = m->p;
	uint64_t key = part_live_key(e, it->source);

	if (e->type == ENTRY_DIR)
		uid_set_add(&p->have, filter_hash(e->parent, e->name));
	if (e->implicit) {
		m->inferred = mem_grow(m->inferred, &m->cap, m->n + 1,
				       sizeof(*m->inferred));
		m->inferred[m->n++] =
			(struct inferred){ key,
					   filter_hash(e->parent, e->name) };
		return;
	}
	live_set_add(&p->live, key);
	p->n_live++;
	need_ancestors(m, e);
	count_kept(&p->e->report, e);
}

static enum rc mark(struct marking *m, const struct stream_item *it,
		    struct err *err)
{
	struct part *p = m->p;
	struct source *src = &p->e->sources[it->source];
	CLEANUP_FREE struct block_ref *owned = NULL;
	const struct block_ref *refs = NULL;
	const struct entry *e = it->e;
	bool hidden = is_hidden(p, e);
	bool stays = is_here(p, it) && !hidden && !it->is_double;
	enum rc rc = RC_OK;

	m->n_seen[it->source]++;
	if (e->type == ENTRY_REG) {
		rc = raw_shard_refs(&src->s, e, &refs, &owned, err);
		if (!rc)
			rc = add_blocks(p, it, refs, err);
	}
	if (hidden && is_here(p, it) && !it->is_double)
		count_deleted(&p->e->report, e);
	/* What goes anyway may be damaged. */
	if (rc && is_damage(rc) && !stays)
		return RC_OK;
	if (rc && is_damage(rc) && p->e->o->drop_corrupt) {
		uid_set_add(&p->lost, part_live_key(e, it->source));
		p->e->report.lost++;
		engine_lose(p->e, src->s.key, e, err->msg);
		return RC_OK;
	}
	if (rc)
		return err_prefix(
			err, "%s: '%.*s%s%.*s'", src->s.key,
			(int)(e->parent.len < 100 ? e->parent.len : 100),
			e->parent.p, e->parent.len ? "/" : "",
			(int)(e->name.len < 100 ? e->name.len : 100),
			e->name.p);
	if (!stays)
		return RC_OK;
	keep_blocks(p, it, refs);
	keep_entry(m, it);
	return RC_OK;
}

static void settle_inferred(struct marking *m)
{
	struct part *p = m->p;

	for (size_t i = 0; i < m->n; i++) {
		if (uid_set_has(&p->needed, m->inferred[i].uid)) {
			live_set_add(&p->live, m->inferred[i].key);
			p->e->report.entries++;
		} else {
			p->e->report.unneeded++;
		}
	}
}

/* An index that is shorter than it says would lose entries unseen. */
static enum rc check_seen(struct marking *m, const struct stream *st,
			  struct err *err)
{
	for (size_t i = 0; i < st->n; i++) {
		const struct source *src = &st->sources[i];

		if (!src->has_bad_pages &&
		    m->n_seen[i] != src->s.footer.n_entries)
			return err_set(err, RC_CHANGED,
				       "%s: %" PRIu64
				       " entries read, it has %" PRIu64,
				       src->s.key, m->n_seen[i],
				       src->s.footer.n_entries);
	}
	return RC_OK;
}

enum rc part_mark(struct part *p, struct err *err)
{
	struct engine *e = p->e;
	CLEANUP_FREE uint64_t *n_seen = xcalloc(e->n + 1, sizeof(*n_seen));
	struct marking m = { .p = p, .n_seen = n_seen };
	struct stream_item it;
	uint64_t max = 0;
	struct stream st;
	enum rc rc;

	buf_init(&m.parent, UID_MAX_LEN);
	for (size_t i = 0; i < e->n; i++)
		max += e->sources[i].s.footer.n_entries + e->sources[i].n_found;
	if (max > SIZE_MAX / 64)
		return err_set(err, RC_LIMIT, "%" PRIu64 " entries", max);
	live_set_init(&p->live, max);
	stream_open(&st, e->sources, e->n, e->o->drop_corrupt);
	while (!(rc = stream_next(&st, &it, err)) && !(rc = mark(&m, &it, err)))
		;
	if (rc == RC_NOENT)
		rc = check_seen(&m, &st, err);
	if (!rc) {
		settle_inferred(&m);
		block_table_settle(&p->blocks);
	}
	stream_close(&st);
	free(m.inferred);
	buf_release(&m.parent);
	return rc;
}

/* --- whom damage costs ---------------------------------------------------- */

static bool uses_block(const struct source *src, const struct entry *e,
		       uint64_t off)
{
	CLEANUP_FREE struct block_ref *owned = NULL;
	const struct block_ref *refs = NULL;
	struct err ignored;

	if (e->type != ENTRY_REG ||
	    raw_shard_refs(&src->s, e, &refs, &owned, &ignored))
		return false;
	for (uint32_t i = 0; i < e->content.n_blocks; i++) {
		if (!block_is_hole(&refs[i]) && refs[i].off == off)
			return true;
	}
	return false;
}

void part_name_files(struct part *p, size_t source, uint64_t off,
		     struct err *err)
{
	char text[ERR_MSG_MAX / 2] = "";
	struct uid_set stubs = { 0 };
	struct stream_item it;
	struct stream st;
	struct err ignored;
	uint64_t n = 0;

	stream_open(&st, p->e->sources, p->e->n, true);
	while (!stream_next(&st, &it, &ignored)) {
		size_t len = strlen(text);

		if (it.source != source ||
		    part_fate(p, &stubs, &it) != FATE_KEEP ||
		    !uses_block(&p->e->sources[source], it.e, off))
			continue;
		if (n++ < NAMES_MAX)
			snprintf(text + len, sizeof(text) - len,
				 "%s'%.*s%s%.*s'", len ? ", " : "",
				 (int)(it.e->parent.len < 40 ? it.e->parent.len
							     : 40),
				 it.e->parent.p, it.e->parent.len ? "/" : "",
				 (int)(it.e->name.len < 40 ? it.e->name.len
							   : 40),
				 it.e->name.p);
	}
	stream_close(&st);
	uid_set_release(&stubs);
	if (n) {
		size_t len = strlen(err->msg);

		snprintf(err->msg + len, sizeof(err->msg) - len,
			 "; it costs %s%s", text,
			 n > NAMES_MAX ? " and more" : "");
	}
}
