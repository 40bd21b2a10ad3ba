/* SPDX-License-Identifier: Apache-2.0 */
/* shard-build.c - entries in order and their blocks, to the bytes of a shard:
 * what is added.
 */
#include "config.h"

#include "shard/shard-build.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/shard-build-backend.h"
#include "shard/shard-columns.h"
#include "shard/shard-filter.h"
#include "shard/shard-format.h"
#include "shard/shard-record.h"

#define ROW_MAX (4u << 20) /* bytes of an entry, for the logical root */

void shard_build_free(struct shard_build *b)
{
	if (!b)
		return;
	shard_build_free_pages(b);
	free(b->hashes);
	unused_release(&b->unused);
	free(b->first);
	free(b->last);
	buf_release(&b->last_bytes);
	buf_release(&b->row);
	free(b);
}

static void free_build(struct shard_build **b)
{
	shard_build_free(*b);
}

enum rc shard_build_new(const struct shard_build_options *opts,
			const struct shard_sink *sink, struct shard_build **ret,
			struct err *err)
{
	CLEANUP(free_build) struct shard_build *b = xcalloc(1, sizeof(*b));
	CLEANUP_BUF struct buf head = { .max = SHARD_HEADER_SIZE };
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	b->opts = *opts;
	if (!b->opts.page_raw)
		b->opts.page_raw = PAGE_RAW_DEFAULT;
	if (b->opts.page_raw > PAGE_RAW_WANTED_MAX)
		return err_set(err, RC_USAGE, "index pages of %u bytes",
			       b->opts.page_raw);
	b->sink = *sink;
	b->footer.header = opts->header;
	b->footer.data_off = SHARD_HEADER_SIZE;
	sha256_init(&b->logical);
	buf_init(&b->row, ROW_MAX);
	buf_init(&b->last_bytes, 2 * UID_MAX_LEN);
	shard_header_encode(&opts->header, &head);
	if (!buf_ok(&head))
		return err_set(err, RC_NOMEM, "no memory for a shard header");
	sha256_of(head.p, head.len, hash);
	memcpy(b->footer.header_hash, hash, BLOCK_HASH_LEN);
	rc = sink->data(sink->arg, head.p, head.len, err);
	if (rc)
		return rc;
	*ret = STEAL_PTR(b);
	return RC_OK;
}

void shard_build_leave(struct shard_build *b, uint64_t len, uint64_t n_blocks)
{
	b->footer.data_len += len;
	b->footer.n_blocks += n_blocks;
}

enum rc shard_build_block(struct shard_build *b, const void *stored, size_t len,
			  struct block_ref *ref, struct err *err)
{
	enum rc rc;

	ref->off = b->footer.data_off + b->footer.data_len;
	rc = b->sink.data(b->sink.arg, stored, len, err);
	if (rc)
		return rc;
	shard_build_leave(b, len, 1);
	unused_add(&b->unused, ref->off, ref->off + len);
	return RC_OK;
}

/* --- entries -------------------------------------------------------------- */

static enum rc check_entry(const struct shard_build *b, const struct entry *e,
			   struct err *err)
{
	if (!entry_is_sound(e))
		return err_set(err, RC_LIMIT,
			       "%.*s%s%.*s: beyond what an entry can hold",
			       (int)(e->parent.len < 200 ? e->parent.len : 200),
			       e->parent.p, e->parent.len ? "/" : "",
			       (int)(e->name.len < 200 ? e->name.len : 200),
			       e->name.p);
	if (b->footer.n_entries && entry_compare(&b->last_key, e) >= 0)
		return err_set(err, RC_USAGE, "%.*s: entry out of order",
			       (int)(e->name.len < 200 ? e->name.len : 200),
			       e->name.p);
	return RC_OK;
}

char *shard_build_copy_uid(const struct entry *e, size_t *ret_len)
{
	char *uid = xcalloc(1, entry_uid_len(e->parent, e->name) + 1);

	*ret_len = entry_uid(e->parent, e->name, uid);
	return uid;
}

static enum rc remember_key(struct shard_build *b, const struct entry *e,
			    struct err *err)
{
	struct buf *bytes = &b->last_bytes;
	const char *p;

	buf_clear(bytes);
	buf_append(bytes, e->parent.p, e->parent.len);
	buf_append(bytes, e->name.p, e->name.len);
	if (!buf_ok(bytes))
		return err_set(err, RC_NOMEM, "no memory for a name");
	p = (const char *)bytes->p;
	b->last_key.parent = span_of(p, e->parent.len);
	b->last_key.name = span_of(p + e->parent.len, e->name.len);
	b->last_key.created_at = e->created_at;
	if (!b->first)
		b->first = shard_build_copy_uid(e, &b->first_len);
	return RC_OK;
}

static enum rc count_entry(struct shard_build *b, const struct entry *e,
			   struct err *err)
{
	struct shard_footer *f = &b->footer;
	struct buf *row = &b->row;

	buf_clear(row);
	record_encode_logical(e, row);
	if (!buf_ok(row))
		return err_set(err, RC_NOMEM, "no memory for an entry");
	sha256_update(&b->logical, row->p, row->len);
	b->hashes = mem_grow(b->hashes, &b->cap_hashes, b->n_hashes + 1,
			     sizeof(*b->hashes));
	b->hashes[b->n_hashes++] = filter_hash(e->parent, e->name);
	if (!f->n_entries || e->created_at < f->created_min)
		f->created_min = e->created_at;
	if (!f->n_entries || e->created_at > f->created_max)
		f->created_max = e->created_at;
	f->n_entries++;
	if (e->type == ENTRY_REG) {
		f->n_files++;
		f->plain_bytes += e->size;
	}
	if (e->xattrs.len)
		f->header.compat |= SHARD_COMPAT_XATTRS;
	return RC_OK;
}

/* from NULL: all references are inline. */
static enum rc add_entry(struct shard_build *b, const struct entry *e,
			 const struct blocks_source *from, struct err *err)
{
	struct extents extents = { 0 };
	enum rc rc = RC_OK;

	if (from)
		rc = shard_build_extents(b, e, from, &extents, err);
	else
		shard_build_use_blocks(b, e->content.blocks,
				       e->content.n_blocks);
	if (!rc)
		rc = count_entry(b, e, err);
	if (!rc)
		rc = shard_build_add_to_page(b, e, &extents, err);
	free(extents.refs);
	return rc ? rc : remember_key(b, e, err);
}

static enum rc read_array(void *arg, uint32_t i, uint32_t n,
			  struct block_ref *ret, struct err *err)
{
	const struct block_ref *blocks = arg;

	(void)err;
	memcpy(ret, blocks + i, n * sizeof(*ret));
	return RC_OK;
}

enum rc shard_build_entry(struct shard_build *b, const struct entry *e,
			  struct err *err)
{
	const struct blocks_source all = {
		read_array, (void *)(uintptr_t)e->content.blocks
	};
	enum rc rc = check_entry(b, e, err);

	if (rc)
		return rc;
	return add_entry(
		b, e, e->content.n_blocks > SHARD_INLINE_BLOCKS ? &all : NULL,
		err);
}

enum rc shard_build_entry_of(struct shard_build *b, const struct entry *e,
			     shard_blocks_fn *fn, void *arg, struct err *err)
{
	const struct blocks_source from = { fn, arg };
	struct block_ref inlined[SHARD_INLINE_BLOCKS];
	struct entry full = *e;
	enum rc rc;

	if (e->content.n_blocks <= SHARD_INLINE_BLOCKS) {
		full.content.blocks = inlined;
		rc = fn(arg, 0, e->content.n_blocks, inlined, err);
		return rc ? rc : shard_build_entry(b, &full, err);
	}
	rc = check_entry(b, e, err);
	return rc ? rc : add_entry(b, e, &from, err);
}
