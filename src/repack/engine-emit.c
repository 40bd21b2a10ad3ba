/* SPDX-License-Identifier: Apache-2.0 */
/* engine-emit.c - the entries of a part, once its blocks are there. */
#include "config.h"

#include "repack/engine-backend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "repack/key-copy.h"
#include "shard/shard-block.h"
#include "shard/shard-record.h"

#define RECORDS_WANTED (256u << 10) /* bytes of a block with records only */
#define RECORD_BLOCKS_MAX (512u << 10)

/* Records of entries that have none in the blocks that were copied. */
struct emission {
	struct part *p;
	struct buf records, hashes;
	uint32_t n;
	struct key_copy last;
};

enum rc part_refs(const struct part *p, const struct stream_item *it,
		  const struct block_ref *was, struct block_ref *to,
		  uint32_t *ret_tail_off, bool *ret_changed, struct err *err)
{
	const struct content *c = &it->e->content;
	uint64_t before = c->n_blocks > 1
				  ? (uint64_t)(c->n_blocks - 1) * c->block_size
				  : 0;

	*ret_tail_off = c->tail_off;
	*ret_changed = false;
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		bool is_last = i + 1 == c->n_blocks;
		const struct block_item *b;

		to[i] = was[i];
		if (block_is_hole(&was[i]))
			continue;
		b = block_table_find(&p->blocks, it->source, &was[i]);
		if (!b || !b->is_placed ||
		    (is_last &&
		     !block_table_moved(&p->blocks, b, c->tail_off,
					(uint32_t)(it->e->size - before),
					ret_tail_off)))
			return err_set(
				err, RC_CHANGED,
				"%s: block at %" PRIu64 " was not there before",
				p->e->sources[it->source].s.key, was[i].off);
		to[i] = b->now;
		*ret_changed |= b->is_changed;
	}
	return RC_OK;
}

static enum rc flush_records(struct emission *m, struct err *err)
{
	struct part *p = m->p;
	CLEANUP_BUF struct buf out = { .max = SIZE_MAX / 2 };
	const struct codec *c = codec_by_id(p->e->page_codec);
	struct block_parts parts = { .records = m->records.p,
				     .records_len = m->records.len,
				     .n_records = m->n,
				     .records_codec = c->id,
				     .level = c->level_default };
	struct block_ref ref;
	enum rc rc;

	if (!m->n)
		return RC_OK;
	if (!buf_ok(&m->records))
		return err_set(err, RC_NOMEM, "no memory for records");
	rc = block_build(&parts, &out, &ref, err);
	if (!rc)
		rc = part_add_block(p, out.p, &ref, err);
	if (!rc)
		rc = part_flush(p, err);
	buf_clear(&m->records);
	m->n = 0;
	return rc;
}

static enum rc add_record(struct emission *m, const struct entry *e,
			  struct err *err)
{
	const struct content *c = &e->content;
	struct record rec = { .entry = *e, .where = RECORD_NONE };

	if (c->n_blocks > RECORD_BLOCKS_MAX)
		return RC_OK;
	if (c->n_blocks) {
		rec.where = RECORD_HASHES;
		buf_clear(&m->hashes);
		for (uint32_t i = 0; i < c->n_blocks; i++)
			buf_append(&m->hashes, c->blocks[i].hash,
				   BLOCK_HASH_LEN);
		if (!buf_ok(&m->hashes))
			return err_set(err, RC_NOMEM, "no memory for records");
		rec.hashes = m->hashes.p;
		if (c->n_blocks == 1)
			rec.entry.content.block_size = 0;
	}
	rec.entry.has_hash = false;
	record_encode(&rec, m->n ? &m->last.e : NULL, &m->records);
	key_copy_set(&m->last, e);
	m->n++;
	return m->records.len < RECORDS_WANTED ? RC_OK : flush_records(m, err);
}

static enum rc emit_file(struct emission *m, const struct stream_item *it,
			 struct err *err)
{
	struct part *p = m->p;
	const struct raw_shard *s = &p->e->sources[it->source].s;
	CLEANUP_FREE struct block_ref *owned = NULL, *to = NULL;
	const struct block_ref *refs = NULL;
	struct entry e = *it->e;
	bool changed;
	enum rc rc;

	rc = raw_shard_refs(s, it->e, &refs, &owned, err);
	if (rc)
		return err_prefix(err, "%s", s->key);
	to = mem_array((size_t)e.content.n_blocks + 1, sizeof(*to));
	if (!to)
		return err_set(err, RC_NOMEM, "no memory for %u references",
			       e.content.n_blocks);
	rc = part_refs(p, it, refs, to, &e.content.tail_off, &changed, err);
	if (rc)
		return rc;
	e.content.blocks = e.content.n_blocks ? to : NULL;
	e.content.extents = NULL;
	e.content.n_extents = e.content.per_extent = 0;
	rc = shard_build_entry(p->build, &e, err);
	if (!rc &&
	    !live_set_is_marked(&p->live, part_live_key(it->e, it->source)))
		rc = add_record(m, &e, err);
	return rc;
}

static enum rc emit(struct emission *m, const struct stream_item *it,
		    enum fate fate, struct err *err)
{
	const struct entry *e = it->e;
	struct entry stub;
	enum rc rc;

	if (e->type == ENTRY_REG)
		return emit_file(m, it, err);
	if (fate == FATE_STUB) {
		stub = part_stub(e,
				 it->seq >= m->p->from && it->seq < m->p->to);
		e = &stub;
	}
	rc = shard_build_entry(m->p->build, e, err);
	if (!rc &&
	    (fate == FATE_STUB ||
	     !live_set_is_marked(&m->p->live, part_live_key(e, it->source))))
		rc = add_record(m, e, err);
	return rc;
}

enum rc part_emit(struct part *p, struct err *err)
{
	struct engine *e = p->e;
	struct emission m = { .p = p };
	struct uid_set stubs = { 0 };
	struct stream_item it;
	struct stream st;
	enum rc rc;

	buf_init(&m.records, BLOCK_RECORDS_MAX);
	buf_init(&m.hashes, BLOCK_RECORDS_MAX);
	stream_open(&st, e->sources, e->n, e->o->drop_corrupt);
	while (!(rc = stream_next(&st, &it, err))) {
		enum fate fate = part_fate(p, &stubs, &it);

		if (fate == FATE_KEEP || fate == FATE_STUB)
			rc = emit(&m, &it, fate, err);
		if (rc)
			break;
	}
	if (rc == RC_NOENT)
		rc = flush_records(&m, err);
	stream_close(&st);
	uid_set_release(&stubs);
	buf_release(&m.records);
	buf_release(&m.hashes);
	key_copy_release(&m.last);
	return rc;
}
