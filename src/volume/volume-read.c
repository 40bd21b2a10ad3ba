/* SPDX-License-Identifier: Apache-2.0 */
/* volume-read.c - entry and offset to bytes. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "cache/block-cache.h"
#include "shard/shard-block.h"
#include "volume/volume-ahead.h"
#include "volume/volume-forget.h"
#include "volume/volume-hide.h"
#include "volume/volume-near.h"
#include "volume/volume-old.h"
#include "volume/volume-state.h"

/* A file being read. */
struct source {
	struct shard_handle h;
	const struct volume_entry *ve;
	struct block_cache_item *extents; /* block list page used last */
	uint32_t i_extents;               /* which one that is */
};

static void source_close(struct source *s)
{
	block_cache_unref(s->extents);
	shard_handle_release(&s->h);
}

static enum rc corrupt(const struct source *s, const char *what,
		       struct err *err)
{
	const struct entry *e = &s->ve->e;

	shard_env_note(s->h.env, RC_CORRUPT);
	return err_set(err, RC_CORRUPT, "%s: %.*s%s%.*s: %s", s->h.sf->meta.key,
		       (int)(e->parent.len < 128 ? e->parent.len : 128),
		       e->parent.len ? e->parent.p : "",
		       e->parent.len ? "/" : "",
		       (int)(e->name.len < 128 ? e->name.len : 128),
		       e->name.len ? e->name.p : "", what);
}

/* Whether size and number of blocks fit. */
static bool is_sound(const struct entry *e)
{
	const struct content *c = &e->content;
	uint64_t before;

	if (!e->size || !c->n_blocks)
		return !e->size && !c->n_blocks;
	if (c->n_blocks == 1)
		return true;
	before = (uint64_t)(c->n_blocks - 1) * c->block_size;
	if (!c->block_size || e->size <= before ||
	    e->size - before > c->block_size)
		return false;
	return c->blocks || (c->extents && c->per_extent &&
			     (c->n_blocks - 1) / c->per_extent < c->n_extents);
}

static enum rc source_open_any(struct source *s, struct volume *v,
			       const struct volume_entry *ve, struct err *err)
{
	const struct shard_file *sf = shard_set_get(v->set, ve->node.shard);
	enum rc rc;

	*s = (struct source){ .ve = ve };
	if (!sf || ve->e.type != ENTRY_REG)
		return err_set(err, RC_USAGE, "%.*s: not a regular file",
			       (int)ve->e.name.len, ve->e.name.p);
	rc = shard_handle_open(&s->h, &v->env, sf, err);
	if (rc)
		return rc;
	if (!is_sound(&ve->e)) {
		rc = corrupt(s, "size and number of blocks do not fit", err);
		source_close(s);
	}
	return rc;
}

/* Of a file that is not deleted. */
static enum rc source_open(struct source *s, struct volume *v,
			   const struct volume_entry *ve, struct err *err)
{
	enum rc rc = volume_check_live(v, &ve->e, err);

	return rc ? rc : source_open_any(s, v, ve, err);
}

/* The reference of block i; valid until the next call. */
static enum rc source_block(struct source *s, uint32_t i,
			    const struct block_ref **ret, struct err *err)
{
	const struct content *c = &s->ve->e.content;
	const struct page *page;
	uint32_t extent;

	if (c->blocks) {
		*ret = &c->blocks[i];
		return RC_OK;
	}
	if (!c->extents || !c->per_extent || i / c->per_extent >= c->n_extents)
		return corrupt(s, "block without reference", err);
	extent = i / c->per_extent;
	if (!s->extents || s->i_extents != extent) {
		enum rc rc;

		block_cache_unref(s->extents);
		s->extents = NULL;
		rc = shard_handle_page(&s->h, &c->extents[extent], PAGE_EXTENT,
				       &s->extents, err);
		if (rc)
			return rc;
		s->i_extents = extent;
	}
	page = block_cache_object(s->extents);
	if (i % c->per_extent >= page_count(page))
		return corrupt(s, "block list is too short", err);
	*ret = &page_blocks(page)[i % c->per_extent];
	return RC_OK;
}

/* What is known around block i, whose reference source_block gave. */
static struct volume_near source_near(const struct source *s, uint32_t i,
				      const struct block_ref *ref,
				      uint32_t wanted)
{
	const struct content *c = &s->ve->e.content;
	struct volume_near n = { .ve = s->ve,
				 .refs = c->blocks,
				 .n = c->n_blocks,
				 .k = i,
				 .wanted = wanted,
				 .is_made = s->h.env->features &
					    SHARD_INCOMPAT_UNHASHED };

	if (!c->blocks) {
		n.k = i % c->per_extent;
		n.refs = ref - n.k;
		n.n = page_count(block_cache_object(s->extents));
	}
	if (n.n - n.k > c->n_blocks - i)
		n.n = n.k + (c->n_blocks - i);
	n.behind = c->n_blocks - i - (n.n - n.k);
	return n;
}

/* A piece of a file: what it has in one block. */
struct piece {
	uint32_t i;      /* of the block */
	uint64_t start;  /* in the file */
	uint64_t len;    /* in the file */
	uint32_t at;     /* in the block */
	uint32_t wanted; /* blocks from this one on that the call wants */
};

static struct piece piece_at(const struct entry *e, uint64_t off)
{
	const struct content *c = &e->content;
	struct piece p = { 0 };

	if (c->n_blocks > 1) {
		p.i = (uint32_t)(off / c->block_size);
		p.start = (uint64_t)p.i * c->block_size;
	}
	p.len = e->size - p.start;
	if (p.i + 1 < c->n_blocks)
		p.len = c->block_size;
	else
		p.at = c->tail_off;
	return p;
}

static enum rc check_file(const struct source *s, const uint8_t *p,
			  struct err *err)
{
	const struct entry *e = &s->ve->e;
	uint8_t hash[SHA256_LEN];

	sha256_of(p, e->size, hash);
	if (memcmp(hash, e->sha256, ENTRY_HASH_LEN))
		return corrupt(s, "content does not match its SHA-256", err);
	return RC_OK;
}

/* Where bytes go, in order: len of them at p, which are hold's to keep. hold is
 * the taker's from here on; NULL: the bytes stay as they are.
 */
typedef void take_fn(void *arg, const uint8_t *p, size_t len,
		     struct block_cache_item *hold);

/* What holes read as; never written, so that it takes no memory. */
static uint8_t zeros[64 << 10];

static void take_zeros(take_fn *take, void *arg, size_t len)
{
	while (len) {
		size_t n = len < sizeof(zeros) ? len : sizeof(zeros);

		take(arg, zeros, n, NULL);
		len -= n;
	}
}

/* The block, or as much of it as is needed.  Files read in order begin with the
 * first of a block; who begins within one may need nothing else of it.
 */
static enum rc load_block(struct source *s, const struct piece *p, uint64_t at,
			  size_t len, const struct block_ref *ref,
			  struct block_cache_item **ret, struct err *err)
{
	struct volume_near near = source_near(s, p->i, ref, p->wanted);
	struct fetch_hint hint = { volume_near_tell, &near };
	uint64_t want = at + len;

	/* Small files whole: there may be a hash to check. */
	if (s->ve->e.content.n_blocks == 1)
		want = p->at + p->len;
	if (p->at > ref->data_len || p->len > ref->data_len - p->at)
		return corrupt(s, "its block is too short", err);
	/* All blocks of a READ are held, so none may be larger than told. */
	if (p->i + 1 < s->ve->e.content.n_blocks && p->len != ref->data_len)
		return corrupt(s, "its block is too long", err);
	if (at)
		return shard_handle_prefix(&s->h, ref, (size_t)want, &hint, ret,
					   err);
	return shard_handle_block(&s->h, ref, &hint, ret, err);
}

/* Hand on len bytes at off, which lie in the piece.  check: the whole file too.
 */
static enum rc read_piece(struct source *s, const struct piece *p, uint64_t off,
			  size_t len, bool check, take_fn *take, void *arg,
			  struct err *err)
{
	uint64_t at = p->at + (off - p->start);
	const struct block_ref *ref = NULL;
	struct block_cache_item *item = NULL;
	const struct shard_block *b;
	enum rc rc;

	rc = source_block(s, p->i, &ref, err);
	if (rc)
		return rc;
	if (block_is_hole(ref)) {
		take_zeros(take, arg, len);
		return RC_OK;
	}
	rc = load_block(s, p, at, len, ref, &item, err);
	if (rc)
		return rc;
	b = block_cache_object(item);
	/* Another reference may have told another length. */
	if (at + len > b->len || (check && p->at + p->len > b->len))
		rc = corrupt(s, "its block is too short", err);
	if (!rc && check)
		rc = check_file(s, b->data + p->at, err);
	if (rc)
		block_cache_unref(item);
	else
		take(arg, b->data + at, len, item);
	return rc;
}

/* Hand on up to len bytes at off. */
static enum rc read_range(struct volume *v, const struct volume_entry *ve,
			  uint64_t off, size_t len, take_fn *take, void *arg,
			  size_t *ret_len, struct err *err)
{
	const struct entry *e = &ve->e;
	bool check = v->verify == VERIFY_FILE && !off && e->has_hash &&
		     e->content.n_blocks == 1;
	uint32_t first = 0, n_blocks = 0;
	size_t done = 0;
	struct source s;
	enum rc rc;

	volume_count(&v->reads, 1);
	rc = source_open(&s, v, ve, err);
	if (rc)
		return rc;
	if (off >= e->size)
		len = 0;
	else if (len > e->size - off)
		len = (size_t)(e->size - off);
	if (len) {
		first = piece_at(e, off).i;
		n_blocks = piece_at(e, off + len - 1).i - first + 1;
		volume_ahead_read(v->ahead, ve, first, n_blocks);
	}
	while (done < len && !rc) {
		struct piece p = piece_at(e, off + done);
		uint64_t left = p.start + p.len - (off + done);
		size_t n = len - done < left ? len - done : (size_t)left;

		p.wanted = piece_at(e, off + len - 1).i - p.i + 1;
		rc = read_piece(&s, &p, off + done, n, check, take, arg, err);
		done += n;
	}
	source_close(&s);
	volume_ahead_done(v->ahead, ve, first, n_blocks);
	/* It may have been deleted meanwhile, and its blocks forgotten. */
	if (!rc) {
		rc = volume_check_live(v, e, err);
		if (rc == RC_DELETED)
			volume_forget_entry(v, ve);
	}
	if (rc)
		return rc;
	volume_count(&v->bytes_served, len);
	*ret_len = len;
	return RC_OK;
}

/* The same, where it is now if its shard was replaced and is gone. */
static enum rc again_at(struct volume *v, const struct volume_entry *ve,
			enum rc rc, struct volume_entry *ret, struct err *err)
{
	CLEANUP_VIEW struct view *view = NULL;

	if (rc != RC_CHANGED || !volume_is_replaced(v, ve->node.shard))
		return rc;
	view = volume_view(v);
	return volume_current(v, view, ve, ret, err);
}

static void take_copy(void *arg, const uint8_t *p, size_t len,
		      struct block_cache_item *hold)
{
	uint8_t **to = arg;

	memcpy(*to, p, len);
	*to += len;
	block_cache_unref(hold);
}

enum rc volume_read(struct volume *v, const struct volume_entry *ve,
		    uint64_t off, void *buf, size_t len, size_t *ret_len,
		    struct err *err)
{
	struct volume_entry now;
	uint8_t *to = buf;
	enum rc rc = read_range(v, ve, off, len, take_copy, &to, ret_len, err);

	if (rc != RC_CHANGED || again_at(v, ve, rc, &now, err))
		return rc ? err->rc : RC_OK;
	to = buf;
	rc = read_range(v, &now, off, len, take_copy, &to, ret_len, err);
	volume_entry_release(&now);
	return rc;
}

static void take_piece(void *arg, const uint8_t *p, size_t len,
		       struct block_cache_item *hold)
{
	struct volume_pieces *to = arg;
	size_t n = to->n + 1;

	to->iov = mem_grow(to->iov, &to->cap, n, sizeof(*to->iov));
	to->holds = mem_grow(to->holds, &to->cap_holds, n, sizeof(*to->holds));
	to->iov[to->n] = (struct iovec){ (void *)(uintptr_t)p, len };
	to->holds[to->n] = hold;
	to->n = n;
}

enum rc volume_read_pieces(struct volume *v, const struct volume_entry *ve,
			   uint64_t off, size_t len, struct volume_pieces *ret,
			   struct err *err)
{
	struct volume_pieces pieces = { 0 };
	struct volume_entry now;
	enum rc rc = read_range(v, ve, off, len, take_piece, &pieces,
				&pieces.len, err);

	if (rc == RC_CHANGED) {
		volume_pieces_release(&pieces);
		rc = again_at(v, ve, rc, &now, err);
		if (rc)
			return rc;
		rc = read_range(v, &now, off, len, take_piece, &pieces,
				&pieces.len, err);
		volume_entry_release(&now);
	}
	if (rc)
		volume_pieces_release(&pieces);
	else
		*ret = pieces;
	return rc;
}

void volume_pieces_release(struct volume_pieces *p)
{
	for (size_t i = 0; i < p->n; i++)
		block_cache_unref(p->holds[i]);
	free(p->iov);
	free(p->holds);
	*p = (struct volume_pieces){ 0 };
}

/* Whether to load it: told before, so that who looks then knows of it, and
 * taken back if another was faster all the same.
 */
static bool begin_load(const struct source *s, const struct block_ref *ref,
		       volume_load_fn *fn, void *arg)
{
	const struct shard_env *env = s->h.env;
	uint32_t shard = s->ve->node.shard;

	if (block_is_hole(ref) || shard_env_has_block(env, shard, ref))
		return false;
	fn(arg, true);
	if (!shard_env_has_block(env, shard, ref))
		return true;
	fn(arg, false);
	return false;
}

enum rc volume_load_block(struct volume *v, const struct volume_entry *ve,
			  uint32_t i, volume_load_fn *fn, void *arg,
			  struct err *err)
{
	const struct block_ref *ref = NULL;
	struct block_cache_item *item = NULL;
	struct source s;
	enum rc rc;

	rc = source_open(&s, v, ve, err);
	if (rc)
		return rc;
	rc = source_block(&s, i, &ref, err);
	if (!rc && begin_load(&s, ref, fn, arg)) {
		rc = shard_handle_block(&s.h, ref, NULL, &item, err);
		block_cache_unref(item);
	}
	source_close(&s);
	return rc;
}

enum rc volume_each_block(struct volume *v, const struct volume_entry *ve,
			  volume_block_fn *fn, void *arg, struct err *err)
{
	struct source s;
	enum rc rc;

	rc = source_open_any(&s, v, ve, err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < ve->e.content.n_blocks && !rc; i++) {
		const struct block_ref *ref = NULL;

		rc = source_block(&s, i, &ref, err);
		if (!rc && !block_is_hole(ref))
			fn(arg, &s.h, ref);
	}
	source_close(&s);
	return rc;
}

static enum rc seek_range(struct volume *v, const struct volume_entry *ve,
			  uint64_t off, bool want_data, uint64_t *ret,
			  struct err *err)
{
	const struct entry *e = &ve->e;
	uint64_t at = off;
	struct source s;
	enum rc rc;

	rc = source_open(&s, v, ve, err);
	if (rc)
		return rc;
	while (!rc && at < e->size) {
		struct piece p = piece_at(e, at);
		const struct block_ref *ref = NULL;

		rc = source_block(&s, p.i, &ref, err);
		if (!rc && block_is_hole(ref) != want_data)
			break;
		at = p.start + p.len;
	}
	source_close(&s);
	if (rc)
		return rc;
	/* The end counts as a hole, from within the file. */
	if (off >= e->size || (want_data && at >= e->size))
		return err_set(err, RC_LIMIT, "no %s from %llu on",
			       want_data ? "data" : "hole",
			       (unsigned long long)off);
	*ret = at < e->size ? at : e->size;
	return RC_OK;
}

enum rc volume_seek(struct volume *v, const struct volume_entry *ve,
		    uint64_t off, bool want_data, uint64_t *ret,
		    struct err *err)
{
	struct volume_entry now;
	enum rc rc = seek_range(v, ve, off, want_data, ret, err);

	if (rc != RC_CHANGED || again_at(v, ve, rc, &now, err))
		return rc ? err->rc : RC_OK;
	rc = seek_range(v, &now, off, want_data, ret, err);
	volume_entry_release(&now);
	return rc;
}
