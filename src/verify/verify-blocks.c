/* SPDX-License-Identifier: Apache-2.0 */
/* verify-blocks.c - the blocks of a shard, those nobody refers to among them.
 */
#include "config.h"

#include "verify/verify-blocks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shard/shard-format.h"
#include "verify/verify-block.h"

struct verify_blocks {
	struct verify_block *seen;
	uint64_t n, dead_bytes;
};

struct verify_blocks *verify_blocks_new(void)
{
	return xcalloc(1, sizeof(struct verify_blocks));
}

void verify_blocks_free(struct verify_blocks *b)
{
	struct verify_block *v, *next;

	if (!b)
		return;
	HASH_ITER(hh, b->seen, v, next)
	{
		HASH_DEL(b->seen, v);
		free(v);
	}
	free(b);
}

static bool is_same(const struct block_ref *a, const struct block_ref *b)
{
	return a->stored_len == b->stored_len && a->data_len == b->data_len &&
	       a->codec == b->codec &&
	       !memcmp(a->hash, b->hash, BLOCK_HASH_LEN);
}

struct verify_block *verify_blocks_note(struct verify_blocks *b,
					const struct block_ref *ref)
{
	struct verify_block *v = NULL;

	HASH_FIND(hh, b->seen, &ref->off, sizeof(ref->off), v);
	if (v)
		return is_same(ref, &v->ref) ? v : NULL;
	v = xcalloc(1, sizeof(*v));
	v->ref = *ref;
	HASH_ADD(hh, b->seen, ref.off, sizeof(v->ref.off), v);
	b->n++;
	return v;
}

/* --- what no file refers to ----------------------------------------------- */

/* The blocks between two that files refer to. */
struct gap {
	struct verify_blocks *blocks;
	const struct raw_shard *s;
	struct verify_report *report;
	struct buf stored;
	bool any_bad;
};

/* The block at off, at most room bytes; returns its length, 0 when damaged. */
static uint64_t check_dead(struct gap *g, uint64_t off, uint64_t room,
			   struct err *err)
{
	uint8_t head[BLOCK_HEADER_SIZE], *to, *data = NULL;
	struct block_header h;
	uint64_t len;

	if (room < sizeof(head)) {
		err_set(err, RC_CORRUPT, "%" PRIu64 " bytes are no block",
			room);
		return 0;
	}
	if (raw_shard_read(g->s, off, head, sizeof(head), err) ||
	    block_header_decode(head, sizeof(head), &h, err))
		return 0;
	len = (uint64_t)sizeof(head) + h.data_stored + h.records_stored;
	if (len > room) {
		err_set(err, RC_CORRUPT,
			"block of %" PRIu64 " bytes where %" PRIu64 " are left",
			len, room);
		return 0;
	}
	buf_clear(&g->stored);
	to = buf_reserve(&g->stored, len);
	if (!to) {
		err_set(err, RC_NOMEM, "no memory for a block");
		return 0;
	}
	if (raw_shard_read(g->s, off, to, len, err) ||
	    block_check(to, len, NULL, false, &h, err) ||
	    verify_block_decode(to, &h, &data, err))
		return 0;
	free(data);
	return len;
}

static void check_gap(struct gap *g, uint64_t off, uint64_t end)
{
	struct err err;

	while (off < end && !verify_is_stopped(g->report)) {
		uint64_t len = check_dead(g, off, end - off, &err);

		if (!len) {
			g->any_bad = true;
			verify_damage(g->report, off,
				      "%" PRIu64 " bytes that no file refers "
				      "to: %s",
				      end - off, err.msg);
			return;
		}
		g->blocks->n++;
		g->blocks->dead_bytes += len;
		off += len;
	}
}

static int by_offset(const struct verify_block *a, const struct verify_block *b)
{
	return (a->ref.off > b->ref.off) - (a->ref.off < b->ref.off);
}

static void check_counts(const struct verify_blocks *b,
			 const struct shard_footer *f,
			 struct verify_report *report)
{
	if (b->n != f->n_blocks)
		verify_damage(report, FINDING_NO_OFFSET,
			      "%" PRIu64 " blocks, the footer says %" PRIu64,
			      b->n, f->n_blocks);
	if (b->dead_bytes != f->dead_bytes)
		verify_damage(report, FINDING_NO_OFFSET,
			      "%" PRIu64 " bytes of blocks no entry refers to, "
			      "the footer says %" PRIu64,
			      b->dead_bytes, f->dead_bytes);
}

bool verify_blocks_rest(struct verify_blocks *b, const struct raw_shard *s,
			bool is_complete, struct verify_report *report)
{
	const struct shard_footer *f = &s->footer;
	struct gap g = { .blocks = b, .s = s, .report = report };
	uint64_t at = f->data_off, before = report->totals.damage;

	buf_init(&g.stored,
		 BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX + BLOCK_RECORDS_MAX);
	HASH_SORT(b->seen, by_offset);
	for (struct verify_block *v = b->seen; v; v = v->hh.next) {
		if (v->ref.off < at)
			verify_damage(report, v->ref.off,
				      "block begins within the one before it");
		else
			check_gap(&g, at, v->ref.off);
		if (v->ref.off + v->ref.stored_len > at)
			at = v->ref.off + v->ref.stored_len;
	}
	check_gap(&g, at, f->data_off + f->data_len);
	buf_release(&g.stored);
	report->totals.blocks += b->n;
	if (is_complete && !g.any_bad)
		check_counts(b, f, report);
	return report->totals.damage == before;
}
