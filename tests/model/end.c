/* SPDX-License-Identifier: Apache-2.0 */
/* end.c - whether deletions come to an end, and leave nothing behind. */
#include "config.h"

#include "end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "op-erase.h"
#include "op-log.h"
#include "op-repack.h"
#include "verify/index-walk.h"
#include "verify/raw-shard.h"
#include "repack/erasure-list.h"
#include "repack/erasure-verify.h"
#include "repack/reap.h"
#include "shard/shard-block.h"
#include "shard/shard-record.h"
#include "volume/oplog-state.h"

#define ROUNDS_MAX 12u
#define ROUND_US (INT64_C(25) * 3600 * 1000000)
#define GRACE 86400 /* seconds */

/* --- all that can be done ------------------------------------------------- */

static bool is_over(const struct reap_totals *t)
{
	return !t->repack.groups && !t->purge.purged && !t->purge.waiting &&
	       !t->fold.checkpoints && !t->fold.removed && !t->fold.waiting &&
	       !t->finish.finished && !t->finish.documents && !t->leftovers;
}

/* What was taken back after a repack is in an old revision only, which is kept
 * until it is asked for again.
 */
static void let_go(struct world *w, struct store *st, struct oplog *log,
		   bool *has_asked)
{
	struct err err;

	if (*has_asked)
		world_fail(w, "an old revision is kept that nobody needs");
	else if (op_erase_doubted(w, st, log, &err))
		world_fail(w, "asking again: %s", err.msg);
	*has_asked = true;
}

/* True: there was nothing to do. */
static bool reap(struct world *w, struct oplog *log, bool *has_asked)
{
	struct store *st = memory_open(w->memory, 0, w->skew[0], MEMORY_ACTOR);
	struct reap_totals totals = { 0 };
	struct err err;

	memory_advance(w->memory, ROUND_US);
	memory_show_clock(st);
	if (op_reap_round(w, st, log, GRACE, &totals, &err))
		world_fail(w, "reap: %s", err.msg);
	else if (totals.purge.failed)
		let_go(w, st, log, has_asked);
	store_close(st);
	return !totals.purge.failed && is_over(&totals);
}

void end_reap(struct world *w)
{
	CLEANUP_LOG struct oplog *log = op_new_log(w);
	CLEANUP_LOG struct oplog *fresh = op_new_log(w);
	const struct erasure_list_options o = { .store = w->exact, .jobs = 1 };
	struct erasure_counts counts;
	bool has_asked = false;
	unsigned int n = 0;
	struct err err;

	while (!w->has_failed && n < ROUNDS_MAX && !reap(w, log, &has_asked))
		n++;
	if (w->has_failed)
		return;
	if (n == ROUNDS_MAX)
		world_fail(w, "there is still something to do after %u rounds",
			   n);
	memory_show_clock(w->exact);
	if (erasure_list(fresh, &o, &counts, &err))
		world_fail(w, "list of deletions: %s", err.msg);
	else if (counts.open || counts.in_danger)
		world_fail(w, "deletions that are not done are left");
}

/* --- the search ----------------------------------------------------------- */

/* A version that is deleted. */
struct wanted {
	const struct model_version *v;
	uint8_t mark[MODEL_MARK_LEN]; /* its first bytes */
	bool is_gone;                 /* no version of its name is left */
};

struct search {
	struct world *w;
	struct wanted *wanted;
	size_t n_wanted;
	const char *key;
};

static bool is_in(const uint8_t *p, size_t len, const void *what, size_t n)
{
	return p && memmem(p, len, what, n);
}

/* Some version that need not be gone has the same bytes. */
static bool is_shared(const struct model *m, const struct model_version *v)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct model_version *o = &m->versions[i];

		if (o->seed == v->seed &&
		    model_ask(m, o, MODEL_ALWAYS) != MODEL_HIDDEN)
			return true;
	}
	return false;
}

/* Names and marks in bytes that are not compressed. */
static void search_bytes(struct search *s, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < s->n_wanted && !s->w->has_failed; i++) {
		const struct wanted *want = &s->wanted[i];
		const char *uid = want->v->uid;

		if (is_in(p, len, want->mark, sizeof(want->mark)) &&
		    !is_shared(&s->w->model, want->v))
			world_fail(s->w, "%s has bytes of %s, deleted", s->key,
				   uid);
		if (want->is_gone && is_in(p, len, uid, strlen(uid)))
			world_fail(s->w, "%s has the name %s, deleted", s->key,
				   uid);
	}
}

static void check_entry(struct search *s, const struct entry *e)
{
	const struct model *m = &s->w->model;
	char uid[MODEL_UID_MAX * 2];
	const struct model_version *v;
	size_t len;

	if (entry_uid_len(e->parent, e->name) > sizeof(uid))
		return;
	len = entry_uid(e->parent, e->name, uid);
	v = model_find(m, uid, len, e->created_at);
	if (v && model_ask(m, v, MODEL_ALWAYS) == MODEL_HIDDEN)
		world_fail(s->w, "%s has an entry of %s, deleted", s->key,
			   v->uid);
}

static void search_records(struct search *s, const uint8_t *p, size_t len,
			   uint32_t n)
{
	struct record_reader *r = NULL;
	struct record rec;
	struct err err;

	if (!n || record_reader_new(p, len, n, &r, &err))
		return;
	while (!record_next(r, &rec, &err))
		check_entry(s, &rec.entry);
	record_reader_free(r);
}

static void search_block(struct search *s, const uint8_t *p,
			 const struct block_header *h)
{
	CLEANUP_FREE uint8_t *data = xcalloc(h->data_len + 1, 1);
	CLEANUP_FREE uint8_t *records = xcalloc(h->records_len + 1, 1);
	struct err err;

	if (block_decode_data(p, h, data, &err) ||
	    block_decode_records(p, h, records, &err)) {
		world_fail(s->w, "%s: %s", s->key, err.msg);
		return;
	}
	search_bytes(s, data, h->data_len);
	search_bytes(s, records, h->records_len);
	search_records(s, records, h->records_len, h->n_records);
}

/* Also those that no entry refers to. */
static void search_blocks(struct search *s, const struct raw_shard *sh,
			  const struct buf *b)
{
	uint64_t at = sh->footer.data_off, end = at + sh->footer.data_len;

	while (at < end && !s->w->has_failed) {
		struct block_header h;
		struct err err;

		if (block_header_decode(b->p + at, BLOCK_HEADER_SIZE, &h,
					&err)) {
			world_fail(s->w, "%s: %s", s->key, err.msg);
			return;
		}
		search_block(s, b->p + at, &h);
		at += BLOCK_HEADER_SIZE + h.data_stored + h.records_stored;
	}
}

static void search_index(struct search *s, const struct raw_shard *sh)
{
	struct index_walk walk;
	struct index_leaf leaf;
	struct err err;
	enum rc rc;

	index_walk_init(&walk, sh);
	while (!(rc = index_walk_next(&walk, &leaf, &err))) {
		for (uint32_t i = 0; i < page_count(leaf.page); i++) {
			struct entry e;

			page_entry(leaf.page, i, &e);
			check_entry(s, &e);
		}
	}
	if (rc != RC_NOENT)
		world_fail(s->w, "%s: %s", s->key, err.msg);
	index_walk_release(&walk);
}

/* memory_each_fn */
static void search_object(void *arg, const char *key, const struct buf *b,
			  bool is_old)
{
	struct search *s = arg;
	struct raw_shard sh;
	struct err err;
	size_t len = strlen(key);

	s->key = key;
	search_bytes(s, b->p, b->len);
	if (len < 4 || strcmp(key + len - 4, ".des") != 0 || is_old ||
	    s->w->has_failed)
		return;
	if (raw_shard_open(&sh, s->w->exact, key, &err)) {
		world_fail(s->w, "%s: %s", key, err.msg);
		return;
	}
	search_blocks(s, &sh, b);
	search_index(s, &sh);
}

static void note_wanted(struct search *s)
{
	const struct model *m = &s->w->model;

	s->wanted = xcalloc(m->n + 1, sizeof(*s->wanted));
	for (size_t i = 0; i < m->n; i++) {
		struct wanted *want = &s->wanted[s->n_wanted];
		struct model_version mark = m->versions[i];

		if (model_ask(m, &mark, MODEL_ALWAYS) != MODEL_HIDDEN)
			continue;
		want->v = &m->versions[i];
		want->is_gone = model_is_gone(m, mark.uid);
		mark.size = sizeof(want->mark);
		model_bytes(&mark, want->mark);
		s->n_wanted++;
	}
}

void end_search(struct world *w)
{
	struct search s = { .w = w };

	note_wanted(&s);
	memory_each(w->memory, search_object, &s);
	free(s.wanted);
}

/* --- receipts ------------------------------------------------------------- */

static void found(void *arg, const char *text)
{
	world_fail(arg, "receipts: %s", text);
}

void end_verify(struct world *w)
{
	CLEANUP_LOG struct oplog *log = op_new_log(w);
	struct erasure_verified verified;
	struct err err;

	if (erasure_verify(log, w->exact, found, w, &verified, &err))
		world_fail(w, "receipts cannot be verified: %s", err.msg);
}
