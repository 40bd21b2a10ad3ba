/* SPDX-License-Identifier: Apache-2.0 */
/* engine-check.c - a new shard read back and compared with what it was made of.
 *
 * Every block is hashed.  A file whose blocks are those it had before has the
 * same bytes then; of all others the bytes are hashed.
 */
#include "config.h"

#include "repack/engine-backend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "base/workers.h"
#include "pack/raw-ahead.h"
#include "pack/verify-data.h"
#include "repack/goes.h"
#include "shard/shard-record.h"

#define CHUNK_BYTES (4u << 20)
#define ROW_MAX (4u << 20)
#define INDEX_AHEAD (4u << 20)

/* --- sections ------------------------------------------------------------- */

static enum rc check_filter(const struct raw_shard *s, struct err *err)
{
	CLEANUP_BUF struct buf filter = { .max = SIZE_MAX / 2 };
	CLEANUP_BUF struct buf dir = { .max = SIZE_MAX / 2 };
	const struct shard_footer *f = &s->footer;
	size_t n, size;
	enum rc rc;

	rc = raw_shard_section(s, &f->filter, f->filter.len, &filter, err);
	if (!rc)
		rc = raw_shard_section(s, &f->filter_dir, f->filter_dir.len,
				       &dir, err);
	n = dir.len / BLOCK_HASH_LEN;
	size = n ? filter.len / n : 0;
	for (size_t i = 0; i < n && !rc; i++) {
		uint8_t hash[SHA256_LEN];

		sha256_of(filter.p + i * size, size, hash);
		if (memcmp(hash, dir.p + i * BLOCK_HASH_LEN, BLOCK_HASH_LEN))
			rc = err_set(err, RC_CORRUPT,
				     "partition %zu: hash mismatch", i);
	}
	return rc ? err_prefix(err, "filter") : RC_OK;
}

enum rc check_sections(const struct raw_shard *s, const struct shard_meta *m,
		       struct err *err)
{
	struct shard_header header;
	struct shard_meta is = { 0 };
	enum rc rc;

	if (s->info.size != m->size ||
	    memcmp(s->footer.root, m->root, SHARD_ROOT_LEN) != 0)
		return err_set(err, RC_CORRUPT,
			       "size or root hash is not that of the log");
	rc = raw_shard_header(s, &header, err);
	if (!rc)
		rc = check_filter(s, err);
	if (!rc)
		rc = raw_shard_meta(s, &is, err);
	if (!rc &&
	    (!span_equal(span_of(is.first, is.first_len),
			 span_of(m->first, m->first_len)) ||
	     !span_equal(span_of(is.last, is.last_len),
			 span_of(m->last, m->last_len)) ||
	     is.n_entries != m->n_entries || is.plain_bytes != m->plain_bytes))
		rc = err_set(err, RC_CORRUPT,
			     "names or counts are not those of the log");
	shard_meta_release(&is);
	return rc;
}

/* --- blocks --------------------------------------------------------------- */

/* Neighbouring blocks. */
struct look {
	struct job job;
	const struct raw_shard *s;
	const struct placed *at;
	size_t n;
	uint8_t *buf; /* cap bytes, kept for the next */
	size_t cap;
	struct err err;
};

static enum rc hash_blocks(struct look *l, struct err *err)
{
	const struct placed *last = &l->at[l->n - 1];
	size_t len = (size_t)(last->off + last->len - l->at->off);
	uint8_t *buf = l->buf;
	enum rc rc;

	if (l->cap < len) {
		free(l->buf);
		l->cap = len > CHUNK_BYTES ? len : CHUNK_BYTES;
		l->buf = buf = mem_array(l->cap, 1);
	}
	if (!buf) {
		l->cap = 0;
		return err_set(err, RC_NOMEM, "no memory for blocks");
	}
	rc = store_read(l->s->store, l->s->key, &l->s->info, l->at->off, buf,
			len, err);
	for (size_t i = 0; i < l->n && !rc; i++) {
		uint8_t hash[SHA256_LEN];

		sha256_of(buf + (l->at[i].off - l->at->off), l->at[i].len,
			  hash);
		if (memcmp(hash, l->at[i].hash, BLOCK_HASH_LEN) != 0)
			rc = err_set(err, RC_CORRUPT,
				     "block at %" PRIu64 ": hash mismatch",
				     l->at[i].off);
	}
	return rc;
}

static void look_main(void *arg)
{
	struct look *l = arg;

	l->err.rc = RC_OK;
	l->err.rc = hash_blocks(l, &l->err);
}

/* Blocks from first on that are read together. */
static size_t how_many(const struct part *p, size_t first)
{
	size_t n = 1, len = p->placed[first].len;

	while (first + n < p->n_placed &&
	       len + p->placed[first + n].len <= CHUNK_BYTES)
		len += p->placed[first + n++].len;
	return n;
}

static enum rc end_look(struct workers *w, struct look *l, struct err *err)
{
	job_wait(w, &l->job);
	if (l->err.rc)
		*err = l->err;
	return l->err.rc;
}

static enum rc check_blocks(const struct part *p, const struct raw_shard *s,
			    struct err *err)
{
	struct workers *w = p->e->o->workers;
	size_t max = p->e->o->n_workers + 2, begun = 0, ended = 0, first = 0;
	CLEANUP_FREE struct look *looks = xcalloc(max, sizeof(*looks));
	enum rc rc = RC_OK;

	while (first < p->n_placed && !rc) {
		struct look *l = &looks[begun % max];

		if (begun - ended == max)
			rc = end_look(w, &looks[ended++ % max], err);
		if (!rc && stop_requested())
			rc = err_set(err, RC_STOPPED, "stopped by a signal");
		if (rc)
			break;
		l->s = s;
		l->at = &p->placed[first];
		l->n = how_many(p, first);
		first += l->n;
		job_submit(w, &l->job, look_main, l);
		begun++;
	}
	while (ended < begun) {
		struct err one;

		if (end_look(w, &looks[ended++ % max], &one) && !rc) {
			*err = one;
			rc = one.rc;
		}
	}
	for (size_t i = 0; i < max; i++)
		free(looks[i].buf);
	return rc;
}

/* The blocks, on a thread of its own while the entries are compared. */
struct blocks_check {
	const struct part *p;
	const struct raw_shard *s;
	struct err err;
};

static void blocks_main(void *arg)
{
	struct blocks_check *b = arg;

	b->err.rc = RC_OK;
	b->err.rc = check_blocks(b->p, b->s, &b->err);
}

/* --- entries -------------------------------------------------------------- */

struct comparing {
	struct part *p;
	const struct raw_shard *s; /* the new one */
	struct index_walk walk;
	struct index_leaf leaf;
	uint32_t i;
	struct verify_data *data;
	struct verify_report report;
	struct buf a, b;
	uint64_t n;
};

/* RC_NOENT at the end. */
static enum rc next_new(struct comparing *c, struct entry *ret, struct err *err)
{
	if (!c->leaf.page || ++c->i >= page_count(c->leaf.page)) {
		enum rc rc = index_walk_next(&c->walk, &c->leaf, err);

		c->i = 0;
		if (rc)
			return rc;
	}
	page_entry(c->leaf.page, c->i, ret);
	c->n++;
	return RC_OK;
}

static bool same_refs(const struct block_ref *a, const struct block_ref *b,
		      uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (a[i].off != b[i].off ||
		    a[i].stored_len != b[i].stored_len ||
		    a[i].data_len != b[i].data_len ||
		    a[i].codec != b[i].codec ||
		    memcmp(a[i].hash, b[i].hash, BLOCK_HASH_LEN) != 0)
			return false;
	}
	return true;
}

static enum rc compare_content(struct comparing *c,
			       const struct stream_item *it,
			       const struct entry *now, struct err *err)
{
	const struct raw_shard *old = &c->p->e->sources[it->source].s;
	CLEANUP_FREE struct block_ref *own_old = NULL, *own_new = NULL;
	CLEANUP_FREE struct block_ref *want = NULL;
	const struct block_ref *was = NULL, *is = NULL;
	uint32_t n = it->e->content.n_blocks, tail_off;
	bool changed;
	enum rc rc;

	if (now->content.n_blocks != n ||
	    (n > 1 && now->content.block_size != it->e->content.block_size))
		return err_set(err, RC_CORRUPT, "other segments");
	want = mem_array((size_t)n + 1, sizeof(*want));
	if (!want)
		return err_set(err, RC_NOMEM, "no memory for references");
	rc = raw_shard_refs(old, it->e, &was, &own_old, err);
	if (!rc)
		rc = raw_shard_refs(c->s, now, &is, &own_new, err);
	if (!rc)
		rc = part_refs(c->p, it, was, want, &tail_off, &changed, err);
	if (rc)
		return rc;
	if (!same_refs(want, is, n) || (n && tail_off != now->content.tail_off))
		return err_set(err, RC_CORRUPT, "other blocks");
	if (changed && !verify_data_file(c->data, now, is)) {
		CLEANUP_FREE char *text = verify_report_first(&c->report);

		return err_set(err, RC_CORRUPT, "%s",
			       text ? text : "other bytes");
	}
	return RC_OK;
}

static enum rc compare_entry(struct comparing *c, const struct stream_item *it,
			     enum fate fate, struct err *err)
{
	struct entry was = *it->e, now;
	enum rc rc = next_new(c, &now, err);

	if (rc == RC_NOENT)
		return err_set(err, RC_CORRUPT, "an entry is missing");
	if (rc)
		return rc;
	if (fate == FATE_STUB)
		was = part_stub(it->e,
				it->seq >= c->p->from && it->seq < c->p->to);
	else if (entry_goes(c->p->e->o->deleted, c->p->e->o->holds, &now))
		return err_set(err, RC_CORRUPT, "what is deleted is there");
	buf_clear(&c->a);
	buf_clear(&c->b);
	record_encode_logical(&was, &c->a);
	record_encode_logical(&now, &c->b);
	if (!buf_ok(&c->a) || !buf_ok(&c->b))
		return err_set(err, RC_NOMEM, "no memory for an entry");
	if (c->a.len != c->b.len || memcmp(c->a.p, c->b.p, c->a.len) != 0)
		return err_set(err, RC_CORRUPT, "an entry is another one");
	return was.type == ENTRY_REG ? compare_content(c, it, &now, err)
				     : RC_OK;
}

static enum rc compare_entries(struct comparing *c, struct err *err)
{
	struct engine *e = c->p->e;
	struct uid_set stubs = { 0 };
	struct stream_item it;
	struct entry more;
	struct stream st;
	enum rc rc;

	stream_open(&st, e->sources, e->n, e->o->drop_corrupt);
	while (!(rc = stream_next(&st, &it, err))) {
		enum fate fate = part_fate(c->p, &stubs, &it);

		if (fate == FATE_KEEP || fate == FATE_STUB)
			rc = compare_entry(c, &it, fate, err);
		if (rc)
			break;
	}
	stream_close(&st);
	uid_set_release(&stubs);
	if (rc != RC_NOENT)
		return rc;
	rc = next_new(c, &more, err);
	if (!rc || c->n != c->s->footer.n_entries)
		return err_set(err, RC_CORRUPT,
			       "it does not have the entries it should");
	return rc == RC_NOENT ? RC_OK : rc;
}

static void tell_nobody(void *arg, const struct finding *f)
{
	(void)arg;
	(void)f;
}

static enum rc check_entries(struct part *p, const struct raw_shard *s,
			     struct err *err)
{
	const struct verify_options nobody = { .fn = tell_nobody };
	struct comparing c = { .p = p, .s = s, .report = { .key = s->key } };
	struct verify_totals ignored = { 0 };
	enum rc rc;

	buf_init(&c.a, ROW_MAX);
	buf_init(&c.b, ROW_MAX);
	index_walk_init(&c.walk, s);
	c.data = verify_data_new(s, &c.report);
	rc = compare_entries(&c, err);
	verify_data_free(c.data);
	index_walk_release(&c.walk);
	/* Its first finding is in err. */
	verify_report_tell(&c.report, &nobody, &ignored);
	buf_release(&c.a);
	buf_release(&c.b);
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

static enum rc check_both(struct part *p, const struct raw_shard *s,
			  struct err *err)
{
	struct blocks_check blocks = { .p = p, .s = s };
	struct workers *w = NULL;
	enum rc rc = workers_start(&w, "check", 1, 1, err);

	if (rc)
		return rc;
	workers_submit(w, blocks_main, &blocks);
	rc = check_entries(p, s, err);
	workers_stop(w);
	if (blocks.err.rc)
		*err = blocks.err;
	return blocks.err.rc ? blocks.err.rc : rc;
}

/* A block that was damaged before it was copied, in a way its checksum does not
 * show.
 */
static bool was_damaged(struct part *p, struct err *err)
{
	CLEANUP_BUF struct buf stored = { .max = SIZE_MAX / 2 };

	for (size_t i = 0; i < p->blocks.n; i++) {
		const struct block_item *b = &p->blocks.items[i];
		const struct raw_shard *s = &p->e->sources[b->source].s;
		struct block_header ignored;

		if (!b->is_placed || b->is_changed ||
		    !is_damage(raw_shard_block(s, &b->ref, &stored, &ignored,
					       err)))
			continue;
		err_prefix(err, "%s: block at %" PRIu64, s->key, b->ref.off);
		part_name_files(p, b->source, b->ref.off, err);
		return true;
	}
	return false;
}

static enum rc not_as_written(struct part *p, const char *zone, struct err *err)
{
	struct err old;

	if (is_damage(err->rc) && was_damaged(p, &old)) {
		*err = old;
		return err->rc;
	}
	return err_prefix(err, "%s, read back%s%s", p->meta.key,
			  zone ? " from " : "", zone ? zone : "");
}

static enum rc check_in(void *arg, const char *zone, struct store *place,
			struct err *err)
{
	struct part *p = arg;
	struct raw_shard s;
	enum rc rc;

	rc = raw_shard_open(&s, place, p->meta.key, err);
	if (rc)
		return not_as_written(p, zone, err);
	s.ahead = raw_ahead_new(INDEX_AHEAD);
	rc = check_sections(&s, &p->meta, err);
	if (!rc)
		rc = check_both(p, &s, err);
	raw_ahead_free(s.ahead);
	return rc ? not_as_written(p, zone, err) : RC_OK;
}

enum rc part_check(struct part *p, struct err *err)
{
	return store_each_place(p->e->o->store, p->meta.key, check_in, p, err);
}
