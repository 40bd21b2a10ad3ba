/* SPDX-License-Identifier: Apache-2.0 */
/* shard-build-end.c - what comes behind the entries: filter, directory of it,
 * info and footer.
 */
#include "config.h"

#include <string.h>

#include "base/mem.h"
#include "shard/shard-build-backend.h"
#include "shard/shard-filter.h"
#include "shard/shard-format.h"

static void hash_half(const void *p, size_t len, uint8_t out[BLOCK_HASH_LEN])
{
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	memcpy(out, hash, BLOCK_HASH_LEN);
}

/* The bits into *filter, the hash of each partition into *dir. */
static enum rc build_filter(struct shard_build *b, struct buf *filter,
			    struct buf *dir, struct err *err)
{
	struct shard_footer *f = &b->footer;
	uint32_t n, size;
	uint8_t *bits;

	filter_layout(f->n_entries, &n, &size);
	f->filter.len = (uint64_t)n * size;
	f->filter_dir.len = (uint64_t)n * BLOCK_HASH_LEN;
	bits = buf_reserve(filter, f->filter.len);
	if (!bits)
		return err_set(err, RC_NOMEM, "no memory for a filter");
	memset(bits, 0, f->filter.len);
	for (size_t i = 0; i < b->n_hashes; i++)
		filter_add(bits + (size_t)filter_partition(b->hashes[i], n) *
					   size,
			   size, b->hashes[i]);
	hash_half(bits, f->filter.len, f->filter.hash);
	filter->len += f->filter.len;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t hash[BLOCK_HASH_LEN];

		hash_half(bits + (size_t)i * size, size, hash);
		buf_append(dir, hash, sizeof(hash));
	}
	if (!buf_ok(dir))
		return err_set(err, RC_NOMEM, "no memory for a filter");
	hash_half(dir->p, f->filter_dir.len, f->filter_dir.hash);
	return RC_OK;
}

/* The filter is before the index, so that the upper pages, which come last in
 * it, are near the end of the shard however many entries there are.
 */
static void place_sections(struct shard_footer *f)
{
	f->filter.off = f->data_off + f->data_len;
	f->index_off = f->filter.off + f->filter.len;
	f->filter_dir.off = f->index_off + f->index_len;
	f->info.off = f->filter_dir.off + f->filter_dir.len;
}

/* What follows the filter directory in *tail. */
static enum rc build_tail(struct shard_build *b, struct buf *tail,
			  struct err *err)
{
	struct shard_footer *f = &b->footer;
	struct shard_info info = shard_build_info(b);
	size_t begin = tail->len;

	shard_info_encode(&info, tail);
	if (!buf_ok(tail))
		return err_set(err, RC_NOMEM, "no memory for a shard's tail");
	f->info.len = tail->len - begin;
	hash_half(tail->p + begin, f->info.len, f->info.hash);
	place_sections(f);
	sha256_final(&b->logical, f->logical_root);
	shard_footer_encode(f, tail);
	if (!buf_ok(tail))
		return err_set(err, RC_NOMEM, "no memory for a shard's tail");
	return RC_OK;
}

enum rc shard_build_finish(struct shard_build *b, struct shard_footer *ret,
			   uint64_t *ret_size, struct err *err)
{
	/* The filter has ten bits an entry; entries were counted in memory. */
	CLEANUP_BUF struct buf filter = { .max = SIZE_MAX / 2 };
	CLEANUP_BUF struct buf tail = { .max = SIZE_MAX / 2 };
	struct shard_footer *f = &b->footer;
	enum rc rc;

	if (b->finished)
		return err_set(err, RC_USAGE, "shard finished twice");
	b->finished = true;
	rc = shard_build_tree(b, err);
	if (rc)
		return rc;
	if (b->first)
		b->last = shard_build_copy_uid(&b->last_key, &b->last_len);
	f->dead_bytes = unused_bytes(&b->unused);
	rc = build_filter(b, &filter, &tail, err);
	if (!rc)
		rc = build_tail(b, &tail, err);
	if (!rc && filter.len)
		rc = b->sink.tail(b->sink.arg, filter.p, filter.len, err);
	if (!rc)
		rc = b->sink.flush_index(b->sink.arg, err);
	if (!rc)
		rc = b->sink.tail(b->sink.arg, tail.p, tail.len, err);
	if (rc)
		return rc;
	*ret = *f;
	*ret_size = f->info.off + f->info.len + SHARD_FOOTER_SIZE;
	return RC_OK;
}

struct shard_info shard_build_info(const struct shard_build *b)
{
	return (struct shard_info){ .first = span_of(b->first, b->first_len),
				    .last = span_of(b->last, b->last_len) };
}
