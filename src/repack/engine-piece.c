/* SPDX-License-Identifier: Apache-2.0 */
/* engine-piece.c - one block on its way through the engine.
 *
 * A record names the blocks of its file by their hashes, so it changes with
 * them.  Those that write shards put the blocks first, so their new hashes are
 * known by then; a record that names a block behind its own keeps the old one,
 * which costs no more than its use for salvaging.
 */
#include "config.h"

#include "repack/engine-piece.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "repack/engine-backend.h"
#include "repack/goes.h"
#include "repack/key-copy.h"
#include "shard/shard-record.h"

void piece_release(struct piece *pc)
{
	free(pc->why);
	buf_release(&pc->data);
	buf_release(&pc->done);
}

bool piece_stays(const struct piece *pc)
{
	return pc->item ? pc->item->is_live : pc->n_kept > 0;
}

/* --- records -------------------------------------------------------------- */

/* All records of a checked block. */
struct records {
	uint8_t *raw;
	struct record_reader *reader;
};

static enum rc records_open(struct records *r, const uint8_t *stored,
			    const struct block_header *h, struct err *err)
{
	enum rc rc;

	*r = (struct records){ .raw = mem_array(h->records_len, 1) };
	if (!r->raw)
		return err_set(err, RC_NOMEM, "no memory for records");
	rc = block_decode_records(stored, h, r->raw, err);
	if (!rc)
		rc = record_reader_new(r->raw, h->records_len, h->n_records,
				       &r->reader, err);
	return rc;
}

static void records_close(struct records *r)
{
	record_reader_free(r->reader);
	free(r->raw);
}

static bool record_is_kept(const struct part *p, size_t source,
			   const struct entry *e)
{
	return live_set_has(&p->live, part_live_key(e, source)) &&
	       !entry_goes(p->e->o->deleted, p->e->o->holds, e);
}

static enum rc look_at_records(struct part *p, struct piece *pc,
			       const uint8_t *stored, struct err *err)
{
	struct records r = { 0 };
	struct record rec;
	enum rc rc = RC_OK;

	if (!pc->h.n_records)
		return RC_OK;
	rc = records_open(&r, stored, &pc->h, err);
	while (!rc && !(rc = record_next(r.reader, &rec, err))) {
		if (entry_goes(p->e->o->deleted, p->e->o->holds, &rec.entry) ||
		    !live_set_mark(&p->live,
				   part_live_key(&rec.entry, pc->source), true))
			continue;
		pc->n_kept++;
		pc->names_blocks |= rec.where == RECORD_HASHES;
	}
	records_close(&r);
	return rc == RC_NOENT ? RC_OK : rc;
}

static bool hash_is_own(const uint8_t *hash)
{
	for (size_t i = 0; i < BLOCK_HASH_LEN; i++) {
		if (hash[i] != RECORD_HASH_OWN)
			return false;
	}
	return true;
}

static bool names_changed(const struct part *p, const struct record *rec)
{
	for (uint32_t i = 0; i < rec->entry.content.n_blocks; i++) {
		if (block_table_changed(&p->blocks,
					rec->hashes + i * BLOCK_HASH_LEN))
			return true;
	}
	return false;
}

bool piece_is_as_before(const struct part *p, const struct piece *pc,
			const uint8_t *stored)
{
	struct records r = { 0 };
	struct record rec;
	bool same = true;
	struct err err;

	if (pc->data.len || p->e->o->recompress ||
	    pc->n_kept != pc->h.n_records)
		return false;
	if (!pc->names_blocks || !block_table_any_changed(&p->blocks))
		return true;
	if (!records_open(&r, stored, &pc->h, &err)) {
		while (same && !record_next(r.reader, &rec, &err)) {
			if (rec.where == RECORD_HASHES)
				same = !names_changed(p, &rec);
		}
	}
	records_close(&r);
	return same;
}

/* The bytes of a content's last segment are in this block now, at *ret. */
static bool tail_moved(const struct part *p, const struct piece *pc,
		       const struct record *rec, uint32_t *ret)
{
	const struct content *c = &rec->entry.content;
	const struct block_item *b = pc->item;
	uint64_t before = c->n_blocks > 1
				  ? (uint64_t)(c->n_blocks - 1) * c->block_size
				  : 0;

	if (rec->where == RECORD_HASHES) {
		const uint8_t *last =
			rec->hashes + (c->n_blocks - 1) * BLOCK_HASH_LEN;

		if (!hash_is_own(last))
			b = block_table_changed(&p->blocks, last);
		if (!b && !hash_is_own(last)) {
			*ret = c->tail_off;
			return true;
		}
	}
	if (!b || rec->entry.size <= before ||
	    rec->entry.size - before > UINT32_MAX)
		return false;
	return block_table_moved(&p->blocks, b, c->tail_off,
				 (uint32_t)(rec->entry.size - before), ret);
}

/* Hashes as they are now. */
static const uint8_t *new_hashes(const struct part *p, const struct record *rec,
				 struct buf *hold)
{
	uint32_t n = rec->entry.content.n_blocks;

	buf_clear(hold);
	buf_append(hold, rec->hashes, (size_t)n * BLOCK_HASH_LEN);
	if (!buf_ok(hold))
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *h = hold->p + (size_t)i * BLOCK_HASH_LEN;
		const struct block_item *b = block_table_changed(&p->blocks, h);

		if (b)
			memcpy(h, b->now.hash, BLOCK_HASH_LEN);
	}
	return hold->p;
}

struct rewriting {
	struct part *p;
	struct piece *pc;
	struct buf out, hashes;
	uint32_t n;
	struct key_copy last;
};

static enum rc rewrite_record(struct rewriting *w, struct record *rec,
			      struct err *err)
{
	struct part *p = w->p;
	struct content *c = &rec->entry.content;
	uint64_t key = part_live_key(&rec->entry, w->pc->source);

	if (rec->where != RECORD_NONE &&
	    !tail_moved(p, w->pc, rec, &c->tail_off)) {
		/* Not of the entry that stays under this name. */
		live_set_mark(&p->live, key, false);
		return RC_OK;
	}
	if (rec->where == RECORD_HASHES) {
		rec->hashes = new_hashes(p, rec, &w->hashes);
		if (!rec->hashes)
			return err_set(err, RC_NOMEM, "no memory for records");
	}
	record_encode(rec, w->n ? &w->last.e : NULL, &w->out);
	key_copy_set(&w->last, &rec->entry);
	live_set_mark(&p->live, key, true);
	w->n++;
	return RC_OK;
}

static enum rc rewrite_records(struct rewriting *w, const uint8_t *stored,
			       struct err *err)
{
	struct records r = { 0 };
	struct record rec;
	enum rc rc;

	if (!w->pc->h.n_records)
		return RC_OK;
	rc = records_open(&r, stored, &w->pc->h, err);
	while (!rc && !(rc = record_next(r.reader, &rec, err))) {
		if (record_is_kept(w->p, w->pc->source, &rec.entry))
			rc = rewrite_record(w, &rec, err);
	}
	records_close(&r);
	if (rc && rc != RC_NOENT)
		return rc;
	return buf_ok(&w->out)
		       ? RC_OK
		       : err_set(err, RC_LIMIT, "records of a block too long");
}

/* What stays has the codec it had, at its usual level. */
static enum codec_id codec_for(const struct part *p, uint8_t was, int *ret)
{
	const struct engine_options *o = p->e->o;
	enum codec_id id = o->recompress ? o->codec : (enum codec_id)was;

	*ret = o->recompress ? o->level : codec_by_id(id)->level_default;
	return id;
}

/* A block that is not copied is compared with its hash here; of one that is
 * the copy is, when it is read back.
 */
static enum rc check_hash(struct piece *pc, const uint8_t *stored,
			  struct err *err)
{
	uint8_t hash[SHA256_LEN];

	if (pc->is_hashed)
		return RC_OK;
	pc->is_hashed = true;
	sha256_of(stored, pc->ref.stored_len, hash);
	if (!pc->item)
		memcpy(pc->ref.hash, hash, BLOCK_HASH_LEN);
	return memcmp(hash, pc->ref.hash, BLOCK_HASH_LEN) != 0
		       ? err_set(err, RC_CORRUPT, "block hash mismatch")
		       : RC_OK;
}

enum rc piece_rewrite(struct part *p, struct piece *pc, const uint8_t *stored,
		      struct err *err)
{
	struct rewriting w = { .p = p, .pc = pc };
	bool is_new = pc->data.len > 0;
	enum codec_id codec;
	enum rc rc;
	int level;

	if (pc->is_rewritten)
		return RC_OK;
	pc->is_rewritten = true;
	buf_init(&pc->done, SIZE_MAX / 2);
	buf_init(&w.out, BLOCK_RECORDS_MAX);
	buf_init(&w.hashes, BLOCK_RECORDS_MAX);
	codec = codec_for(p, pc->h.records_codec, &level);
	rc = check_hash(pc, stored, err);
	if (!rc)
		rc = rewrite_records(&w, stored, err);
	if (!rc && (w.n || pc->item))
		rc = block_with_records(is_new ? pc->data.p : stored,
					is_new ? &pc->data_h : &pc->h, w.out.p,
					w.out.len, w.n, codec, level, &pc->done,
					&pc->now, err);
	buf_release(&w.out);
	buf_release(&w.hashes);
	key_copy_release(&w.last);
	return rc;
}

/* --- data ----------------------------------------------------------------- */

/* The bytes that stay, together. */
static void join(const struct part *p, const struct block_item *b,
		 uint8_t *data)
{
	const struct block_part *part = &p->blocks.parts[b->first_part];

	for (uint32_t i = 0; b->is_cut && i < b->n_parts; i++)
		memmove(data + part[i].to, data + part[i].off, part[i].len);
}

static enum rc encode_data(const struct part *p, struct piece *pc,
			   const uint8_t *stored, struct err *err)
{
	CLEANUP_FREE uint8_t *data = mem_array(pc->h.data_len, 1);
	struct block_parts parts = { 0 };
	enum rc rc;

	if (!data)
		return err_set(err, RC_NOMEM, "no memory for a block");
	rc = block_decode_data(stored, &pc->h, data, err);
	if (rc)
		return rc;
	join(p, pc->item, data);
	parts.data = data;
	parts.data_len = block_table_len(&p->blocks, pc->item);
	parts.data_codec = codec_for(p, pc->h.data_codec, &parts.level);
	buf_init(&pc->data, BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX);
	rc = block_build(&parts, &pc->data, NULL, err);
	return rc ? rc
		  : block_header_decode(pc->data.p, BLOCK_HEADER_SIZE,
					&pc->data_h, err);
}

/* What of it stays, and is it other than before?  That is encoded at once,
 * unless its records have to wait for the hashes of other blocks.
 */
static enum rc look(struct part *p, struct piece *pc, const uint8_t *stored,
		    struct err *err)
{
	bool is_data = pc->item && pc->item->is_live;
	enum rc rc =
		block_check(stored, pc->ref.stored_len,
			    pc->item ? &pc->ref : NULL, false, &pc->h, err);

	if (!rc && (!pc->item || p->e->o->drop_corrupt))
		rc = check_hash(pc, stored, err);
	/* What has data that nobody refers to goes, with its records. */
	if (rc || !(is_data || (!pc->item && !pc->h.data_len)))
		return rc;
	rc = look_at_records(p, pc, stored, err);
	if (!rc && is_data && (pc->item->is_cut || p->e->o->recompress)) {
		rc = check_hash(pc, stored, err);
		if (!rc)
			rc = encode_data(p, pc, stored, err);
	}
	if (!rc && !pc->names_blocks && !piece_is_as_before(p, pc, stored))
		rc = piece_rewrite(p, pc, stored, err);
	return rc;
}

void piece_look(struct part *p, struct piece *pc, const uint8_t *stored)
{
	struct err err = { 0 };

	pc->rc = look(p, pc, stored, &err);
	if (pc->rc)
		pc->why = xstrdup(err.msg);
}
