/* SPDX-License-Identifier: Apache-2.0 */
/* salvage-scan.c - all intact blocks of a shard, found without its index. */
#include "config.h"

#include "verify/salvage-scan.h"

#include <stdlib.h>
#include <string.h>
#include "base/table.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/wr.h"
#include "shard/shard-format.h"

#define WINDOW (1u << 20)
#define MAGIC_LEN 4u

struct scan_block {
	struct block_ref ref; /* its hash is the key */
	UT_hash_handle hh;
};

struct salvage_scan {
	struct raw_shard s;
	struct scan_block **blocks;
	size_t n, cap;
	struct scan_block *by_hash;
	struct buf stored;
	uint8_t *window;
};

void salvage_scan_free(struct salvage_scan *scan)
{
	if (!scan)
		return;
	HASH_CLEAR(hh, scan->by_hash);
	for (size_t i = 0; i < scan->n; i++)
		free(scan->blocks[i]);
	free(scan->blocks);
	free(scan->window);
	buf_release(&scan->stored);
	free(scan);
}

static void add(struct salvage_scan *scan, const struct block_ref *ref)
{
	struct scan_block *b = xcalloc(1, sizeof(*b)), *known;

	b->ref = *ref;
	scan->blocks = mem_grow(scan->blocks, &scan->cap, scan->n + 1,
				sizeof(struct scan_block *));
	scan->blocks[scan->n++] = b;
	HASH_FIND(hh, scan->by_hash, b->ref.hash, BLOCK_HASH_LEN, known);
	if (!known)
		HASH_ADD_KEYPTR(hh, scan->by_hash, b->ref.hash, BLOCK_HASH_LEN,
				b);
}

/* The stored bytes of the block at off into scan->stored. */
static bool read_block(struct salvage_scan *scan, uint64_t off,
		       struct block_header *ret)
{
	uint64_t left = scan->s.info.size - off, len;
	uint8_t head[BLOCK_HEADER_SIZE], *to;
	struct err err;

	if (left < sizeof(head) ||
	    raw_shard_read(&scan->s, off, head, sizeof(head), &err) ||
	    block_header_decode(head, sizeof(head), ret, &err))
		return false;
	len = (uint64_t)sizeof(head) + ret->data_stored + ret->records_stored;
	if (len > left)
		return false;
	buf_clear(&scan->stored);
	to = buf_reserve(&scan->stored, len);
	if (!to || raw_shard_read(&scan->s, off, to, len, &err) ||
	    block_check(to, len, NULL, false, ret, &err))
		return false;
	scan->stored.len = len;
	return true;
}

/* True when a block begins at off; *ret is its length. */
static bool take_block(struct salvage_scan *scan, uint64_t off, uint64_t *ret)
{
	struct block_ref ref = { .off = off };
	uint8_t hash[SHA256_LEN];
	struct block_header h;

	if (!read_block(scan, off, &h))
		return false;
	sha256_of(scan->stored.p, scan->stored.len, hash);
	memcpy(ref.hash, hash, BLOCK_HASH_LEN);
	ref.stored_len = (uint32_t)scan->stored.len;
	ref.data_len = h.data_len;
	ref.codec = h.data_codec;
	add(scan, &ref);
	*ret = ref.stored_len;
	return true;
}

/* Where the next magic is, from off on; the size when there is none. */
static uint64_t next_magic(struct salvage_scan *scan, uint64_t off)
{
	CLEANUP_BUF struct buf magic = { .max = MAGIC_LEN };
	uint64_t size = scan->s.info.size;
	struct err err;

	wr_u32(&magic, BLOCK_MAGIC);
	while (buf_ok(&magic) && off + MAGIC_LEN <= size) {
		size_t n = WINDOW;
		const uint8_t *at;

		if (n > size - off)
			n = (size_t)(size - off);
		/* What cannot be read holds no block. */
		if (raw_shard_read(&scan->s, off, scan->window, n, &err))
			return size;
		at = memmem(scan->window, n, magic.p, MAGIC_LEN);
		if (at)
			return off + (uint64_t)(at - scan->window);
		off += n - (MAGIC_LEN - 1);
		if (n < WINDOW)
			break;
	}
	return size;
}

enum rc salvage_scan_new(const struct raw_shard *s, struct salvage_scan **ret,
			 struct err *err)
{
	struct salvage_scan *scan = xcalloc(1, sizeof(*scan));
	uint64_t off = SHARD_HEADER_SIZE, size = s->info.size, len;

	(void)err;
	scan->s = *s;
	scan->window = xcalloc(1, WINDOW);
	buf_init(&scan->stored,
		 BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX + BLOCK_RECORDS_MAX);
	while (off < size) {
		if (take_block(scan, off, &len))
			off += len;
		else
			off = next_magic(scan, off + 1);
	}
	*ret = scan;
	return RC_OK;
}

size_t salvage_scan_count(const struct salvage_scan *scan)
{
	return scan->n;
}

const struct block_ref *salvage_scan_block(const struct salvage_scan *scan,
					   size_t i)
{
	return &scan->blocks[i]->ref;
}

const struct block_ref *salvage_scan_find(const struct salvage_scan *scan,
					  const uint8_t hash[BLOCK_HASH_LEN])
{
	struct scan_block *b;

	HASH_FIND(hh, scan->by_hash, hash, BLOCK_HASH_LEN, b);
	return b ? &b->ref : NULL;
}

void salvage_scan_records(struct salvage_scan *scan, size_t i,
			  salvage_record_fn *fn, void *arg)
{
	const struct block_ref *own = &scan->blocks[i]->ref;
	CLEANUP_FREE uint8_t *raw = NULL;
	struct record_reader *r = NULL;
	struct block_header h;
	struct record rec;
	struct err err;

	if (!read_block(scan, own->off, &h) || !h.n_records)
		return;
	raw = mem_array(h.records_len, 1);
	if (!raw || block_decode_records(scan->stored.p, &h, raw, &err) ||
	    record_reader_new(raw, h.records_len, h.n_records, &r, &err))
		return;
	while (!record_next(r, &rec, &err))
		fn(arg, own, &rec);
	record_reader_free(r);
}
