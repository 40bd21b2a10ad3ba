/* SPDX-License-Identifier: Apache-2.0 */
/* raw-shard.c - a shard's parts read straight from the store, without caches.
 */
#include "config.h"

#include "verify/raw-shard.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "run/throttle.h"
#include "shard/shard-format.h"
#include "verify/raw-ahead.h"

/* Another answer than was asked for says nothing of the shard. */
static enum rc not_read(struct err *err)
{
	if (err->rc == RC_CORRUPT)
		err->rc = RC_IO;
	return err->rc;
}

enum rc raw_shard_open(struct raw_shard *ret, struct store *st, const char *key,
		       struct err *err)
{
	CLEANUP_BUF struct buf tail = { .max = SHARD_FOOTER_SIZE };
	enum rc rc;

	*ret = (struct raw_shard){ .store = st, .key = key };
	rc = store_read_tail(st, key, SHARD_FOOTER_SIZE, &tail, &ret->info,
			     err);
	/* No shard is empty, but an answer may be. */
	if (!rc && !ret->info.size && store_is_remote(st))
		rc = store_read_tail(st, key, SHARD_FOOTER_SIZE, &tail,
				     &ret->info, err);
	if (rc)
		return not_read(err);
	return shard_footer_decode(tail.p, tail.len, ret->info.size,
				   &ret->footer, err);
}

enum rc raw_shard_get(const struct raw_shard *s, uint64_t off, void *buf,
		      size_t len, struct err *err)
{
	if (store_read(s->store, s->key, &s->info, off, buf, len, err))
		return store_is_remote(s->store) ? not_read(err) : err->rc;
	return RC_OK;
}

/* Of a disk of ours an error says that bytes are lost. */
static bool may_be_whole(const struct raw_shard *s, enum rc rc)
{
	return rc == RC_TIMEOUT || rc == RC_ACCESS || rc == RC_NOMEM ||
	       (rc == RC_IO && store_is_remote(s->store));
}

void raw_shard_failed(const struct raw_shard *s, const struct err *err)
{
	struct raw_trouble *t = s->trouble;

	if (t && may_be_whole(s, err->rc) && !atomic_exchange(&t->has, true))
		t->err = *err;
}

enum rc raw_shard_read(const struct raw_shard *s, uint64_t off, void *buf,
		       size_t len, struct err *err)
{
	if (s->ahead)
		return raw_ahead_read(s->ahead, s, off, buf, len, err);
	throttle_wait(s->throttle, 0, len);
	if (raw_shard_get(s, off, buf, len, err)) {
		raw_shard_failed(s, err);
		return err->rc;
	}
	return RC_OK;
}

static bool hash_is(const void *p, size_t len, const uint8_t want[])
{
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	return !memcmp(hash, want, BLOCK_HASH_LEN);
}

/* The header is written before the compatible features are known. */
static bool headers_agree(const struct shard_header *h,
			  const struct shard_header *f)
{
	return h->incompat == f->incompat && h->ro_compat == f->ro_compat &&
	       !(h->compat & ~f->compat) &&
	       !memcmp(h->archive_id, f->archive_id, SHARD_ID_LEN) &&
	       h->day == f->day && h->slot == f->slot &&
	       h->n_bits == f->n_bits && h->route == f->route &&
	       h->part == f->part && h->revision == f->revision &&
	       h->block_size == f->block_size &&
	       !memcmp(h->writer, f->writer, SHARD_WRITER_LEN);
}

enum rc raw_shard_header(const struct raw_shard *s, struct shard_header *ret,
			 struct err *err)
{
	uint8_t bytes[SHARD_HEADER_SIZE];
	enum rc rc;

	rc = raw_shard_read(s, 0, bytes, sizeof(bytes), err);
	if (!rc)
		rc = shard_header_decode(bytes, sizeof(bytes), ret, err);
	/* A version that nobody wrote is damage. */
	if (rc && rc != RC_UNSUPPORTED)
		return rc;
	if (!hash_is(bytes, sizeof(bytes), s->footer.header_hash))
		return err_set(err, RC_CORRUPT,
			       "header: not the one the footer names");
	if (rc)
		return rc;
	if (!headers_agree(ret, &s->footer.header))
		return err_set(err, RC_CORRUPT,
			       "header: says other than the footer");
	return RC_OK;
}

enum rc raw_shard_section(const struct raw_shard *s,
			  const struct shard_section *section, uint64_t max,
			  struct buf *ret, struct err *err)
{
	uint8_t *to;
	enum rc rc;

	if (section->len > max)
		return err_set(err, RC_CORRUPT,
			       "section of %llu bytes, at most %llu",
			       (unsigned long long)section->len,
			       (unsigned long long)max);
	to = buf_reserve(ret, section->len);
	if (!to)
		return err_set(err, RC_NOMEM, "no memory for %llu bytes",
			       (unsigned long long)section->len);
	rc = raw_shard_read(s, section->off, to, section->len, err);
	if (rc)
		return rc;
	ret->len += section->len;
	if (!hash_is(to, section->len, section->hash))
		return err_set(err, RC_CORRUPT, "hash mismatch");
	return RC_OK;
}

enum rc raw_shard_page(const struct raw_shard *s, const struct page_ref *ref,
		       struct page **ret, struct err *err)
{
	CLEANUP_FREE uint8_t *stored = NULL;
	const struct shard_footer *f = &s->footer;
	enum rc rc;

	if (ref->off > f->index_len ||
	    ref->stored_len > f->index_len - ref->off)
		return err_set(err, RC_CORRUPT, "page outside the index");
	stored = mem_array(ref->stored_len, 1);
	if (!stored)
		return err_set(err, RC_NOMEM, "no memory for a page");
	rc = raw_shard_read(s, f->index_off + ref->off, stored, ref->stored_len,
			    err);
	if (rc)
		return rc;
	return page_decode(stored, ref->stored_len, ref, ret, err);
}

static bool lies_in_data(const struct shard_footer *f,
			 const struct block_ref *ref)
{
	uint64_t end = f->data_off + f->data_len;

	return ref->off >= f->data_off && ref->off <= end &&
	       ref->stored_len <= end - ref->off;
}

enum rc raw_shard_block(const struct raw_shard *s, const struct block_ref *ref,
			struct buf *out, struct block_header *ret,
			struct err *err)
{
	uint8_t *to;
	enum rc rc;

	if (!lies_in_data(&s->footer, ref))
		return err_set(err, RC_CORRUPT, "block outside the data");
	buf_clear(out);
	to = buf_reserve(out, ref->stored_len);
	if (!to)
		return err_set(err, RC_NOMEM, "no memory for a block");
	rc = raw_shard_read(s, ref->off, to, ref->stored_len, err);
	if (rc)
		return rc;
	out->len = ref->stored_len;
	return block_check(to, ref->stored_len, ref, !s->is_hashed, ret, err);
}

static enum rc read_extent(const struct raw_shard *s, const struct content *c,
			   uint32_t i, struct block_ref *to, struct err *err)
{
	uint64_t first = (uint64_t)i * c->per_extent;
	struct page *page = NULL;
	uint32_t want;
	enum rc rc;

	if (first >= c->n_blocks)
		return err_set(err, RC_CORRUPT, "too many block list pages");
	want = c->n_blocks - (uint32_t)first;
	if (want > c->per_extent && i + 1 < c->n_extents)
		want = c->per_extent;
	rc = raw_shard_page(s, &c->extents[i], &page, err);
	if (rc)
		return rc;
	if (page_kind(page) != PAGE_EXTENT || page_count(page) != want)
		rc = err_set(err, RC_CORRUPT,
			     "block list page does not hold %u references",
			     want);
	else
		memcpy(to + first, page_blocks(page), want * sizeof(*to));
	page_free(page);
	return rc;
}

enum rc raw_shard_refs(const struct raw_shard *s, const struct entry *e,
		       const struct block_ref **ret,
		       struct block_ref **ret_owned, struct err *err)
{
	const struct content *c = &e->content;
	CLEANUP_FREE struct block_ref *refs = NULL;

	*ret_owned = NULL;
	if (!c->n_blocks || c->blocks) {
		*ret = c->blocks;
		return RC_OK;
	}
	refs = mem_array(c->n_blocks, sizeof(*refs));
	if (!refs)
		return err_set(err, RC_NOMEM, "no memory for %u references",
			       c->n_blocks);
	for (uint32_t i = 0; i < c->n_extents; i++) {
		enum rc rc = read_extent(s, c, i, refs, err);

		if (rc)
			return rc;
	}
	*ret = refs;
	*ret_owned = STEAL_PTR(refs);
	return RC_OK;
}

enum rc raw_shard_meta(const struct raw_shard *s, struct shard_meta *ret,
		       struct err *err)
{
	CLEANUP_BUF struct buf bytes = { .max = SHARD_INFO_MAX };
	const struct shard_footer *f = &s->footer;
	const struct shard_header *h = &f->header;
	struct shard_info info;
	enum rc rc;

	rc = raw_shard_section(s, &f->info, SHARD_INFO_MAX, &bytes, err);
	if (!rc)
		rc = shard_info_decode(bytes.p, bytes.len, &info, err);
	if (rc)
		return err_prefix(err, "info section");
	*ret = (struct shard_meta){
		.key = xstrdup(s->key),
		.size = s->info.size,
		.day = h->day,
		.slot = h->slot,
		.part = h->part,
		.revision = h->revision,
		.n_bits = h->n_bits,
		.route = h->route,
		.first = xmemdup0(info.first.p, info.first.len),
		.last = xmemdup0(info.last.p, info.last.len),
		.first_len = info.first.len,
		.last_len = info.last.len,
		.created_min = f->created_min,
		.created_max = f->created_max,
		.n_entries = f->n_entries,
		.n_files = f->n_files,
		.plain_bytes = f->plain_bytes,
		.incompat = h->incompat,
		.ro_compat = h->ro_compat,
		.compat = h->compat,
	};
	memcpy(ret->root, f->root, SHARD_ROOT_LEN);
	return RC_OK;
}
