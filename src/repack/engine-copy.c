/* SPDX-License-Identifier: Apache-2.0 */
/* engine-copy.c - the blocks of a part: read in large pieces and checked by
 * threads, copied or written anew in order by one.
 */
#include "config.h"

#include "repack/engine-backend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "base/workers.h"
#include "repack/engine-piece.h"

/* Bytes that are read at once.  From afar each time costs a request; what is
 * near stays in the processor's cache until it is looked at and written.
 */
static size_t chunk_bytes(const struct store *st)
{
	return store_is_remote(st) ? 4u << 20 : 1u << 20;
}

/* Neighbouring blocks, read at once. */
struct chunk {
	struct job job;
	struct part *p;
	const struct source *src;
	uint64_t off;
	size_t len;
	uint8_t *buf;
	struct piece *pieces;
	size_t n, cap;
	struct err err; /* rc: reading failed */
};

struct copying {
	struct part *p;
	size_t source;
	bool all; /* also what does not stay, to see whether it is whole */
	uint32_t *order; /* the table's items, by offset */
	size_t n_order, next;
	uint64_t at;           /* in the source's data */
	size_t chunk_max;      /* bytes, but for a larger block */
	struct chunk **flying; /* a ring */
	uint8_t **spare;       /* buffers of chunk_max, to be used again */
	size_t n_spare;
	size_t first, n_flying, max_flying;
};

static void chunk_free(struct chunk *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		piece_release(&c->pieces[i]);
	free(c->pieces);
	free(c->buf);
	free(c);
}

static void give_back(struct copying *c, struct chunk *ch)
{
	if (ch->len > c->chunk_max || c->n_spare == c->max_flying)
		return;
	c->spare[c->n_spare++] = ch->buf;
	ch->buf = NULL;
}

static enum rc get_buffer(struct copying *c, struct chunk *ch, struct err *err)
{
	if (ch->len <= c->chunk_max && c->n_spare)
		ch->buf = c->spare[--c->n_spare];
	else
		ch->buf = mem_array(
			ch->len > c->chunk_max ? ch->len : c->chunk_max, 1);
	return ch->buf ? RC_OK : err_set(err, RC_NOMEM, "no memory for blocks");
}

static void chunk_main(void *arg)
{
	struct chunk *c = arg;
	const struct source *src = c->src;

	if (raw_shard_get(&src->s, c->off, c->buf, c->len, &c->err))
		return;
	c->err.rc = RC_OK;
	if (c->p->e->o->progress)
		atomic_fetch_add(&c->p->e->o->progress->bytes_read, c->len);
	for (size_t i = 0; i < c->n; i++)
		piece_look(c->p, &c->pieces[i],
			   c->buf + (c->pieces[i].ref.off - c->off));
}

/* --- in order ------------------------------------------------------------- */

static enum rc damaged(struct copying *c, struct piece *pc, struct err *err)
{
	struct part *p = c->p;
	struct source *src = &p->e->sources[c->source];

	if (!is_damage(pc->rc))
		return err_set(err, pc->rc, "%s: block at %" PRIu64 ": %s",
			       src->s.key, pc->ref.off, pc->why);
	if (!pc->item || !pc->item->is_live) {
		log_warn("%s: block at %" PRIu64
			 ", which nothing that stays needs: %s",
			 src->s.key, pc->ref.off, pc->why);
		return RC_OK;
	}
	if (p->e->o->drop_corrupt) {
		uid_set_add(&src->bad_blocks, pc->ref.off);
		p->is_again = true;
		return RC_OK;
	}
	err_set(err, RC_CORRUPT, "%s: block at %" PRIu64 ": %s", src->s.key,
		pc->ref.off, pc->why);
	part_name_files(p, c->source, pc->ref.off, err);
	return err->rc;
}

/* No entry says what the hash of a block with records only is. */
static void hash_stored(const uint8_t *stored, struct block_ref *ref)
{
	uint8_t hash[SHA256_LEN];

	sha256_of(stored, ref->stored_len, hash);
	memcpy(ref->hash, hash, BLOCK_HASH_LEN);
}

static enum rc copy_piece(struct copying *c, struct piece *pc,
			  const uint8_t *stored, struct err *err)
{
	struct engine_report *r = &c->p->e->report;
	struct block_ref now = pc->ref;
	enum rc rc;

	if (!pc->item)
		hash_stored(stored, &now);
	rc = part_add_block(c->p, stored, &now, err);
	r->blocks_copied++;
	r->bytes_copied += now.stored_len;
	if (pc->item) {
		pc->item->now = now;
		pc->item->is_placed = true;
	}
	return rc;
}

static enum rc rewrite_piece(struct copying *c, struct piece *pc,
			     const uint8_t *stored, struct err *err)
{
	struct engine_report *r = &c->p->e->report;
	enum rc rc = piece_rewrite(c->p, pc, stored, err);

	if (rc)
		return err_prefix(err, "%s: block at %" PRIu64,
				  c->p->e->sources[c->source].s.key,
				  pc->ref.off);
	if (!pc->done.len) {
		r->blocks_dropped++;
		r->bytes_dropped += pc->ref.stored_len;
		return RC_OK;
	}
	rc = part_add_block(c->p, pc->done.p, &pc->now, err);
	r->blocks_rewritten++;
	r->bytes_rewritten += pc->now.stored_len;
	if (!pc->item)
		return rc;
	pc->item->now = pc->now;
	pc->item->is_placed = true;
	block_table_change(&c->p->blocks, pc->item);
	return rc;
}

static enum rc place_piece(struct copying *c, struct piece *pc,
			   const uint8_t *stored, struct err *err)
{
	if (pc->why)
		return damaged(c, pc, err);
	if (c->p->is_again || !c->p->build)
		return RC_OK;
	if (!piece_stays(pc)) {
		c->p->e->report.blocks_dropped++;
		c->p->e->report.bytes_dropped += pc->ref.stored_len;
		return RC_OK;
	}
	if (piece_is_as_before(c->p, pc, stored))
		return copy_piece(c, pc, stored, err);
	return rewrite_piece(c, pc, stored, err);
}

/* Wait for the oldest chunk. */
static enum rc retire(struct copying *c, struct err *err)
{
	struct chunk *ch = c->flying[c->first];
	enum rc rc = RC_OK;

	c->first = (c->first + 1) % c->max_flying;
	c->n_flying--;
	job_wait(c->p->e->o->workers, &ch->job);
	if (ch->err.rc) {
		*err = ch->err;
		rc = err->rc;
	}
	for (size_t i = 0; i < ch->n && !rc; i++)
		rc = place_piece(c, &ch->pieces[i],
				 ch->buf + (ch->pieces[i].ref.off - ch->off),
				 err);
	if (!rc)
		rc = part_flush(c->p, err);
	give_back(c, ch);
	chunk_free(ch);
	if (!rc && stop_requested())
		rc = err_set(err, RC_STOPPED, "stopped by a signal");
	return rc;
}

/* --- what there is to be read --------------------------------------------- */

/* Blocks that no entry refers to: those with records only, or dead ones. */
static enum rc gap_piece(struct copying *c, uint64_t end, struct piece *ret,
			 bool *ret_any, struct err *err)
{
	const struct raw_shard *s = &c->p->e->sources[c->source].s;
	uint64_t room = end - c->at, len;
	struct block_header h;
	uint8_t head[BLOCK_HEADER_SIZE];
	struct err why;

	*ret_any = false;
	if (room >= sizeof(head)) {
		enum rc rc = raw_shard_get(s, c->at, head, sizeof(head), err);

		if (rc)
			return rc;
		if (!block_header_decode(head, sizeof(head), &h, &why)) {
			len = (uint64_t)sizeof(head) + h.data_stored +
			      h.records_stored;
			if (len <= room) {
				*ret = (struct piece){
					.source = c->source,
					.ref = { .off = c->at,
						 .stored_len = (uint32_t)len,
						 .data_len = h.data_len },
				};
				*ret_any = true;
				return RC_OK;
			}
		}
	}
	log_warn("%s: %" PRIu64 " bytes at %" PRIu64
		 " that no entry refers to are no block",
		 s->key, room, c->at);
	c->at = end;
	return RC_OK;
}

/* The next block in the source's order. */
static enum rc next_piece(struct copying *c, struct piece *ret, bool *ret_any,
			  struct err *err)
{
	const struct shard_footer *f = &c->p->e->sources[c->source].s.footer;
	uint64_t end = f->data_off + f->data_len;

	for (;;) {
		struct block_item *b =
			c->next < c->n_order
				? &c->p->blocks.items[c->order[c->next]]
				: NULL;
		uint64_t to = b ? b->ref.off : end;
		enum rc rc;

		*ret_any = false;
		if (c->all && c->at < to) {
			rc = gap_piece(c, to, ret, ret_any, err);
			if (rc || *ret_any)
				return rc;
			continue;
		}
		if (!b)
			return RC_OK;
		if (b->ref.off < c->at)
			return err_set(err, RC_CORRUPT,
				       "%s: block at %" PRIu64
				       " begins within the one before it",
				       c->p->e->sources[c->source].s.key,
				       b->ref.off);
		c->next++;
		if (!c->all && !b->is_live)
			continue;
		*ret = (struct piece){ .ref = b->ref,
				       .item = b,
				       .source = c->source };
		*ret_any = true;
		return RC_OK;
	}
}

static enum rc launch(struct copying *c, struct chunk *ch, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && c->n_flying == c->max_flying)
		rc = retire(c, err);
	if (!rc)
		rc = get_buffer(c, ch, err);
	if (rc) {
		chunk_free(ch);
		return rc;
	}
	c->flying[(c->first + c->n_flying++) % c->max_flying] = ch;
	job_submit(c->p->e->o->workers, &ch->job, chunk_main, ch);
	return RC_OK;
}

static struct chunk *chunk_new(const struct copying *c, uint64_t off)
{
	struct chunk *ch = xcalloc(1, sizeof(*ch));

	ch->p = c->p;
	ch->src = &c->p->e->sources[c->source];
	ch->off = off;
	return ch;
}

static void chunk_add(struct chunk *ch, const struct piece *pc)
{
	ch->pieces =
		mem_grow(ch->pieces, &ch->cap, ch->n + 1, sizeof(*ch->pieces));
	ch->pieces[ch->n++] = *pc;
	ch->len += pc->ref.stored_len;
}

static enum rc read_source(struct copying *c, struct err *err)
{
	struct chunk *ch = NULL;
	bool any = false;
	enum rc rc;

	for (;;) {
		struct piece pc;

		rc = next_piece(c, &pc, &any, err);
		if (rc || !any)
			break;
		c->at = pc.ref.off + pc.ref.stored_len;
		if (ch && (ch->off + ch->len != pc.ref.off ||
			   ch->len + pc.ref.stored_len > c->chunk_max)) {
			rc = launch(c, ch, err);
			ch = NULL;
			if (rc)
				break;
		}
		if (!ch)
			ch = chunk_new(c, pc.ref.off);
		chunk_add(ch, &pc);
	}
	if (!rc && ch)
		rc = launch(c, ch, err);
	else
		chunk_free(ch);
	while (!rc && c->n_flying)
		rc = retire(c, err);
	return rc;
}

/* Nobody waits for what is left after a failure. */
static void drain(struct copying *c)
{
	while (c->n_flying) {
		struct chunk *ch = c->flying[c->first];

		c->first = (c->first + 1) % c->max_flying;
		c->n_flying--;
		job_wait(c->p->e->o->workers, &ch->job);
		chunk_free(ch);
	}
}

enum rc part_copy(struct part *p, struct err *err)
{
	struct copying c = { .p = p,
			     .all = p->number == 0,
			     .chunk_max = chunk_bytes(p->e->o->store),
			     .max_flying = p->e->o->n_workers < 4
						   ? p->e->o->n_workers + 4
						   : 8 };
	enum rc rc = RC_OK;

	c.flying = xcalloc(c.max_flying, sizeof(*c.flying));
	c.spare = xcalloc(c.max_flying, sizeof(*c.spare));
	for (size_t i = 0; i < p->e->n && !rc; i++) {
		c.source = i;
		c.order = block_table_order(&p->blocks, i, &c.n_order);
		c.next = 0;
		c.at = p->e->sources[i].s.footer.data_off;
		rc = read_source(&c, err);
		free(c.order);
	}
	drain(&c);
	p->n_pending = 0;
	free(c.flying);
	while (c.n_spare)
		free(c.spare[--c.n_spare]);
	free(c.spare);
	return rc;
}
