/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - shards of one day and slot in, their next revisions out. */
#include "config.h"

#include "repack/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "repack/engine-backend.h"
#include "repack/goes.h"
#include "repack/key-copy.h"
#include "shard/shard-format.h"
#include "verify/raw-ahead.h"

/* For the index of each source; their number divides it. */
#define AHEAD_BYTES (16u << 20)
#define AHEAD_MIN (1u << 20)

/* --- what is read --------------------------------------------------------- */

static enum rc source_open(struct source *src, struct engine *e,
			   const struct shard_meta *m, struct err *err)
{
	uint32_t ro_compat;
	enum rc rc;

	src->meta = m;
	rc = source_open_shard(src, e, err);
	if (rc && !strncmp(err->msg, m->key, strlen(m->key)))
		return rc;
	if (rc)
		return err_prefix(err, "%s", m->key);
	ro_compat = src->s.footer.header.ro_compat;
	if (ro_compat & ~SHARD_KNOWN_RO_COMPAT)
		return err_set(err, RC_UNSUPPORTED,
			       "%s: has features (%#x) that only a newer "
			       "version can repack",
			       m->key, ro_compat);
	src->s.ahead = raw_ahead_new(AHEAD_BYTES / e->n > AHEAD_MIN
					     ? AHEAD_BYTES / e->n
					     : AHEAD_MIN);
	return e->o->drop_corrupt ? source_recover(e, src, err) : RC_OK;
}

/* Pages have the codec they had. */
static enum rc page_codec(struct engine *e, struct err *err)
{
	e->page_codec = CODEC_NONE;
	if (e->o->recompress)
		e->page_codec = e->o->codec;
	for (size_t i = 0; i < e->n && !e->o->recompress; i++) {
		const struct raw_shard *s = &e->sources[i].s;
		uint8_t head[PAGE_HEADER_SIZE];
		enum rc rc;

		if (!s->footer.levels ||
		    s->footer.root_page.stored_len < sizeof(head))
			continue;
		rc = raw_shard_read(
			s, s->footer.index_off + s->footer.root_page.off, head,
			sizeof(head), err);
		if (rc)
			return err_prefix(err, "%s", s->key);
		if (head[5] && codec_by_id(head[5])) {
			e->page_codec = (enum codec_id)head[5];
			break;
		}
	}
	return RC_OK;
}

static enum rc check_together(const struct engine *e, struct err *err)
{
	const struct shard_header *a = &e->sources[0].s.footer.header;

	for (size_t i = 1; i < e->n; i++) {
		const struct shard_header *b = &e->sources[i].s.footer.header;

		if (a->day != b->day || a->slot != b->slot ||
		    a->n_bits != b->n_bits || a->route != b->route ||
		    memcmp(a->archive_id, b->archive_id, SHARD_ID_LEN) != 0)
			return err_set(err, RC_USAGE,
				       "%s and %s are not of one day and slot",
				       e->sources[0].s.key,
				       e->sources[i].s.key);
	}
	return RC_OK;
}

static enum rc open_sources(struct engine *e,
			    const struct shard_meta *const *in, struct err *err)
{
	e->part = OPLOG_PART_MAX;
	e->revision = e->o->free_revision;
	for (size_t i = 0; i < e->n; i++) {
		enum rc rc = source_open(&e->sources[i], e, in[i], err);

		if (rc)
			return rc;
		e->report.bytes_in += in[i]->size;
		if (in[i]->revision >= e->revision)
			e->revision = in[i]->revision + 1;
		if (in[i]->part < e->part)
			e->part = in[i]->part;
	}
	if (e->revision > OPLOG_REVISION_MAX)
		return err_set(err, RC_LIMIT,
			       "%s: cannot have more than %u revisions",
			       in[0]->key, OPLOG_REVISION_MAX);
	return check_together(e, err);
}

static void release_sources(struct engine *e)
{
	for (size_t i = 0; i < e->n; i++) {
		raw_ahead_free(e->sources[i].s.ahead);
		uid_set_release(&e->sources[i].bad_blocks);
		free(e->sources[i].found);
		arena_release(&e->sources[i].found_bytes);
	}
	free(e->sources);
	free(e->bounds);
}

/* --- parts ---------------------------------------------------------------- */

static void add_bound(struct engine *e, size_t *cap, uint64_t seq)
{
	e->bounds =
		mem_grow(e->bounds, cap, e->n_parts + 1, sizeof(*e->bounds));
	e->bounds[e->n_parts++] = seq;
}

/* Where parts begin: at another name, before there are too many bytes. */
static enum rc find_bounds(struct engine *e, struct err *err)
{
	CLEANUP(key_copy_release) struct key_copy last = { 0 };
	uint64_t sum = 0, seq = 0;
	struct stream_item it;
	struct stream st;
	size_t cap = 0;
	enum rc rc;

	e->n_parts = 0;
	add_bound(e, &cap, 0);
	if (!e->o->split_above)
		return RC_OK;
	stream_open(&st, e->sources, e->n, e->o->drop_corrupt);
	while (!(rc = stream_next(&st, &it, err))) {
		bool is_same =
			seq && !entry_key_compare(last.e.parent, last.e.name,
						  it.e->parent, it.e->name);

		seq++;
		if (it.is_double || it.e->type != ENTRY_REG ||
		    entry_goes(e->o->deleted, e->o->holds, it.e)) {
			key_copy_set(&last, it.e);
			continue;
		}
		if (sum && !is_same && sum + it.e->size > e->o->split_above) {
			add_bound(e, &cap, it.seq);
			sum = 0;
		}
		sum += it.e->size;
		key_copy_set(&last, it.e);
	}
	stream_close(&st);
	return rc == RC_NOENT ? RC_OK : rc;
}

static void part_release(struct part *p)
{
	part_check_drop(p);
	shard_build_free(p->build);
	shard_out_close(&p->out);
	live_set_release(&p->live);
	uid_set_release(&p->lost);
	uid_set_release(&p->needed);
	uid_set_release(&p->have);
	block_table_release(&p->blocks);
	free(p->placed.p);
	free(p->late.p);
	shard_meta_release(&p->meta);
}

/* All blocks are copied, and no entry goes. */
static bool nothing_changes(const struct engine *e)
{
	const struct engine_report *r = &e->report;

	return e->o->skip_same && e->n == 1 && e->n_parts == 1 && !r->deleted &&
	       !r->lost && !r->unneeded && !r->blocks_rewritten &&
	       !r->blocks_dropped;
}

/* One shard, or none if nothing of it is left. */
static enum rc run_part(struct part *p, struct err *err)
{
	enum rc rc = part_mark(p, err);

	if (!rc && p->n_live)
		rc = part_begin(p, err);
	if (!rc)
		rc = part_copy(p, err);
	if (rc || p->is_again || !p->n_live)
		return rc;
	p->e->is_same = nothing_changes(p->e);
	if (p->e->is_same)
		return RC_OK;
	rc = part_check_begin(p, err);
	if (!rc)
		rc = part_emit(p, err);
	blocks_check_hurry(p->check);
	if (!rc)
		rc = part_publish(p, err);
	return rc ? rc : part_check(p, err);
}

/* All parts.  *ret_again: more damage was found, so that files of parts that
 * are there already may have to go.
 */
static enum rc run_parts(struct engine *e, struct engine_result *ret,
			 bool *ret_again, struct err *err)
{
	size_t cap = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < e->n_parts && !rc && !*ret_again; i++) {
		/* Of a part that is not begun there is nothing to close. */
		struct part p = { .e = e,
				  .number = i,
				  .from = e->bounds[i],
				  .out = { .index = { .fd = -1 } } };

		p.to = i + 1 < e->n_parts ? e->bounds[i + 1] : UINT64_MAX;
		rc = run_part(&p, err);
		*ret_again = p.is_again;
		if (!rc && p.has_meta) {
			ret->shards = mem_grow(ret->shards, &cap, ret->n + 1,
					       sizeof(*ret->shards));
			ret->shards[ret->n++] = p.meta;
			e->report.bytes_out += p.meta.size;
			p.meta = (struct shard_meta){ 0 };
		}
		part_release(&p);
	}
	return rc;
}

static enum rc check_parts(const struct engine *e, struct err *err)
{
	if (e->n_parts > 1 &&
	    (uint64_t)e->o->free_part + e->n_parts - 2 > OPLOG_PART_MAX)
		return err_set(err, RC_LIMIT,
			       "%s: %zu parts, with those there are more than "
			       "%u",
			       e->sources[0].s.key, e->n_parts, OPLOG_PART_MAX);
	return RC_OK;
}

void engine_result_release(struct engine_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		shard_meta_release(&r->shards[i]);
	free(r->shards);
	*r = (struct engine_result){ 0 };
}

void engine_lose(struct engine *e, const char *key, const struct entry *entry,
		 const char *text)
{
	struct lost_item *l;

	e->lost = mem_grow(e->lost, &e->cap_lost, e->n_lost + 1,
			   sizeof(*e->lost));
	l = &e->lost[e->n_lost++];
	*l = (struct lost_item){ .key = key, .text = xstrdup(text) };
	if (!entry)
		return;
	l->uid = xcalloc(1, entry_uid_len(entry->parent, entry->name) + 1);
	l->uid_len = entry_uid(entry->parent, entry->name, l->uid);
}

/* All but the first n. */
static void forget_lost(struct engine *e, size_t n)
{
	while (e->n_lost > n) {
		e->n_lost--;
		free(e->lost[e->n_lost].uid);
		free(e->lost[e->n_lost].text);
	}
}

static void tell_lost(const struct engine *e)
{
	for (size_t i = 0; i < e->n_lost && e->o->lost; i++) {
		const struct lost_item *l = &e->lost[i];

		e->o->lost(e->o->lost_arg, l->key, l->uid, l->uid_len, l->text);
	}
}

/* From the beginning, as often as damage is met that was not known. */
static enum rc run_engine(struct engine *e, struct engine_result *ret,
			  struct err *err)
{
	const struct engine_report before = e->report;
	bool again = true;
	enum rc rc = RC_OK;

	e->n_lost_before = e->n_lost;
	while (again && !rc) {
		again = false;
		e->report = before;
		forget_lost(e, e->n_lost_before);
		rc = find_bounds(e, err);
		if (!rc)
			rc = check_parts(e, err);
		if (!rc)
			rc = run_parts(e, ret, &again, err);
		if (again)
			engine_result_release(ret);
	}
	ret->report = e->report;
	ret->is_same = e->is_same;
	return rc;
}

/* *ret_elsewhere: another copy may be whole. */
static enum rc run_once(struct engine *e, const struct shard_meta *const *in,
			struct engine_result *ret, bool *ret_elsewhere,
			struct err *err)
{
	enum rc rc;

	e->sources = xcalloc(e->n, sizeof(*e->sources));
	rc = open_sources(e, in, err);
	if (!rc)
		rc = page_codec(e, err);
	if (!rc)
		rc = run_engine(e, ret, err);
	if (rc)
		engine_result_release(ret);
	else
		tell_lost(e);
	forget_lost(e, 0);
	free(e->lost);
	release_sources(e);
	*ret_elsewhere = is_damage(rc) && e->has_places && !e->by_place;
	return rc;
}

enum rc engine_run(const struct engine_options *opts,
		   const struct shard_meta *const *in, size_t n,
		   struct engine_result *ret, struct err *err)
{
	struct engine e = { .o = opts, .n = n, .by_place = opts->drop_corrupt };
	bool elsewhere;
	enum rc rc;

	*ret = (struct engine_result){ 0 };
	if (!n || n > ENGINE_INPUTS_MAX)
		return err_set(err, RC_USAGE, "%zu shards to be repacked", n);
	rc = run_once(&e, in, ret, &elsewhere, err);
	if (!elsewhere)
		return rc;
	log_warn("%s", err->msg);
	e = (struct engine){ .o = opts, .n = n, .by_place = true };
	return run_once(&e, in, ret, &elsewhere, err);
}
