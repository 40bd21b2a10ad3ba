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
#include "repack/goes.h"
#include "shard/shard-record.h"
#include "verify/raw-ahead.h"

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

/* --- entries -------------------------------------------------------------- */

struct comparing {
	struct part *p;
	const struct raw_shard *s; /* the new one */
	struct index_walk walk;
	struct index_leaf leaf;
	uint32_t i;
	struct files_check *files;
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
	return changed ? files_check_add(c->files, now, is, err) : RC_OK;
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

static enum rc check_entries(struct part *p, const struct raw_shard *s,
			     struct err *err)
{
	struct comparing c = { .p = p, .s = s };
	struct err of_files;
	enum rc rc;

	buf_init(&c.a, ROW_MAX);
	buf_init(&c.b, ROW_MAX);
	index_walk_init(&c.walk, s);
	c.files = files_check_new(p, s);
	rc = compare_entries(&c, err);
	if (files_check_end(c.files, &of_files) && !rc) {
		*err = of_files;
		rc = err->rc;
	}
	index_walk_release(&c.walk);
	buf_release(&c.a);
	buf_release(&c.b);
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

enum rc part_check_begin(struct part *p, struct err *err)
{
	if (!store_upload_can_read(p->out.upload))
		return RC_OK;
	return blocks_check_begin(p, NULL, p->out.upload, &p->check, err);
}

void part_check_drop(struct part *p)
{
	blocks_check_drop(STEAL_PTR(p->check));
}

/* The blocks, if that has not begun, while the entries are compared. */
static enum rc check_both(struct part *p, const struct raw_shard *s,
			  struct err *err)
{
	struct blocks_check *blocks;
	struct err of_blocks;
	enum rc rc = RC_OK;
	bool has_late;

	if (p->existed)
		part_check_drop(p);
	blocks = STEAL_PTR(p->check);
	has_late = blocks;
	if (!blocks)
		rc = blocks_check_begin(p, s, NULL, &blocks, err);
	if (!rc)
		rc = check_entries(p, s, err);
	if (!rc && has_late)
		rc = check_blocks(p, &p->late, s, err);
	if (blocks_check_end(blocks, &of_blocks)) {
		*err = of_blocks;
		rc = err->rc;
	}
	return rc;
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
