/* SPDX-License-Identifier: Apache-2.0 */
/* shard-maker.c - shards of a few files, as desfs-pack makes them, in memory.
 */
#include "config.h"

#include "shard-maker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "shard/route.h"
#include "shard/shard-block.h"
#include "shard/shard-build.h"
#include "shard/shard-record.h"

#define ENTRIES_MAX 64u
#define SEGMENTS_MAX (MODEL_FILE_MAX / MAKER_BLOCK + 1)
#define FILES_A_BLOCK 3u

struct item {
	struct entry e;
	const struct model_version *v; /* NULL: a directory */
	struct block_ref refs[SEGMENTS_MAX];
	uint8_t hashes[SEGMENTS_MAX][BLOCK_HASH_LEN];
	const struct item *same; /* whose bytes are the same */
};

struct maker {
	struct item items[ENTRIES_MAX];
	size_t n;
	enum codec_id codec;
	struct shard_build *build;
	struct buf *bytes, index;
	/* The open block: items from first on are in it, up to (without) end.
	 */
	size_t first, end, n_files;
	struct buf data;
};

static void must(enum rc rc, const struct err *err)
{
	if (!rc)
		return;
	fprintf(stderr, "shard-maker: %s\n", err->msg);
	abort();
}

static enum rc take(void *arg, const void *p, size_t len, struct err *err)
{
	struct maker *mk = arg;

	(void)err;
	buf_append(mk->bytes, p, len);
	return RC_OK;
}

static enum rc take_index(void *arg, const void *p, size_t len, struct err *err)
{
	struct maker *mk = arg;

	(void)err;
	buf_append(&mk->index, p, len);
	return RC_OK;
}

static enum rc flush_index(void *arg, struct err *err)
{
	struct maker *mk = arg;

	return take(mk, mk->index.p, mk->index.len, err);
}

static void add(struct maker *mk, const struct entry *e,
		const struct model_version *v)
{
	size_t i = 0;

	while (i < mk->n && entry_compare(&mk->items[i].e, e) < 0)
		i++;
	if (i < mk->n && !entry_compare(&mk->items[i].e, e))
		return;
	assert(mk->n < ENTRIES_MAX);
	memmove(&mk->items[i + 1], &mk->items[i],
		(mk->n - i) * sizeof(*mk->items));
	mk->items[i] = (struct item){ .e = *e, .v = v };
	mk->n++;
}

static uint32_t slot_of(const struct descriptor *d, struct span uid)
{
	return route_slot((enum route_kind)d->route, d->n_bits, uid.p, uid.len);
}

/* The directories above a uid: copies in the slot of the uid, and themselves in
 * their own, with copies of what is above them.
 */
static void add_above(struct maker *mk, const struct descriptor *d,
		      uint32_t slot, struct span uid, int64_t created_at)
{
	bool is_in = slot_of(d, uid) == slot;

	while (uid.len) {
		struct entry e = { .type = ENTRY_DIR,
				   .mode = 0755,
				   .mtime_s = 1000000000,
				   .created_at = created_at };

		uid.len = route_parent_len(uid.p, uid.len);
		entry_split_uid(uid, &e.parent, &e.name);
		e.implicit = slot_of(d, uid) != slot;
		is_in = is_in || !e.implicit;
		if (is_in)
			add(mk, &e, NULL);
	}
}

static void add_version(struct maker *mk, const struct descriptor *d,
			uint32_t slot, const struct model_version *v)
{
	struct span uid = span_of(v->uid, strlen(v->uid));
	struct entry e = { .type = ENTRY_REG,
			   .created_at = v->created_at,
			   .mode = 0644,
			   .mtime_s = 1000000000,
			   .nlink = 1,
			   .size = v->size };
	uint8_t bytes[MODEL_FILE_MAX];

	add_above(mk, d, slot, uid, v->created_at);
	if (slot_of(d, uid) != slot)
		return;
	entry_split_uid(uid, &e.parent, &e.name);
	model_bytes(v, bytes);
	sha256_of(bytes, v->size, e.sha256);
	e.has_hash = true;
	add(mk, &e, v);
}

/* A block of data and of the records of items first to end. */
static void put_block(struct maker *mk, const uint8_t *data, size_t len,
		      size_t first, size_t end, struct block_ref *ret)
{
	CLEANUP_BUF struct buf records = { .max = 1u << 20 };
	CLEANUP_BUF struct buf out = { .max = 1u << 20 };
	const struct entry *prev = NULL;
	struct block_parts parts;
	struct err err = { 0 };

	for (size_t i = first; i < end; i++) {
		struct item *it = &mk->items[i];
		struct record r = { .entry = it->e, .where = RECORD_NONE };

		if (it->e.type == ENTRY_REG && it->e.size)
			r.where = it->same || it->e.content.n_blocks > 1
					  ? RECORD_HASHES
					  : RECORD_HERE;
		r.hashes = it->hashes[0];
		record_encode(&r, prev, &records);
		prev = &it->e;
	}
	parts = (struct block_parts){ .data = data,
				      .data_len = len,
				      .records = records.p,
				      .records_len = records.len,
				      .n_records = (uint32_t)(end - first),
				      .data_codec = mk->codec,
				      .records_codec = mk->codec,
				      .level = 3 };
	*ret = (struct block_ref){ 0 };
	must(block_build(&parts, &out, ret, &err), &err);
	must(shard_build_block(mk->build, out.p, out.len, ret, &err), &err);
}

static void put_entry(struct maker *mk, struct item *it)
{
	struct err err = { 0 };

	it->e.content.blocks = it->same ? it->same->refs : it->refs;
	must(shard_build_entry(mk->build, &it->e, &err), &err);
}

static void end_block(struct maker *mk)
{
	struct block_ref ref;

	if (mk->first == mk->end)
		return;
	put_block(mk, mk->data.p, mk->data.len, mk->first, mk->end, &ref);
	for (size_t i = mk->first; i < mk->end; i++) {
		struct item *it = &mk->items[i];

		if (it->e.content.n_blocks == 1 && !it->same)
			it->refs[0] = ref;
		put_entry(mk, it);
	}
	mk->first = mk->end;
	mk->n_files = 0;
	buf_clear(&mk->data);
}

static void set_content(struct item *it)
{
	it->e.content =
		(struct content){ .n_blocks = (it->v->size + MAKER_BLOCK - 1) /
					      MAKER_BLOCK,
				  .block_size = MAKER_BLOCK };
}

/* A file of several blocks; its record is in the last. */
static void put_large(struct maker *mk, size_t i)
{
	struct item *it = &mk->items[i];
	uint8_t bytes[MODEL_FILE_MAX];
	uint32_t n;

	end_block(mk);
	set_content(it);
	n = it->e.content.n_blocks;
	model_bytes(it->v, bytes);
	for (uint32_t k = 0; k < n; k++) {
		size_t off = (size_t)k * MAKER_BLOCK;
		size_t len = it->v->size - off;
		bool is_last = k + 1 == n;

		if (!is_last)
			len = MAKER_BLOCK;
		else
			memset(it->hashes[k], RECORD_HASH_OWN, BLOCK_HASH_LEN);
		put_block(mk, bytes + off, len, i, is_last ? i + 1 : i,
			  &it->refs[k]);
		if (!is_last)
			memcpy(it->hashes[k], it->refs[k].hash, BLOCK_HASH_LEN);
	}
	put_entry(mk, it);
	mk->first = mk->end = i + 1;
}

/* An item before this one that has the same bytes in a block that is there. */
static const struct item *find_same(const struct maker *mk,
				    const struct item *it)
{
	for (size_t i = 0; i < mk->first; i++) {
		const struct item *o = &mk->items[i];

		if (o->v && !o->same && o->v->seed == it->v->seed &&
		    o->v->size == it->v->size && o->e.content.n_blocks == 1)
			return o;
	}
	return NULL;
}

static void put_small(struct maker *mk, size_t i)
{
	struct item *it = &mk->items[i];
	uint8_t bytes[MODEL_FILE_MAX];

	if (mk->n_files == FILES_A_BLOCK ||
	    mk->data.len + it->v->size > MAKER_BLOCK)
		end_block(mk);
	set_content(it);
	it->same = find_same(mk, it);
	if (it->same) {
		it->e.content.tail_off = it->same->e.content.tail_off;
		memcpy(it->hashes[0], it->same->refs[0].hash, BLOCK_HASH_LEN);
	} else {
		it->e.content.tail_off = (uint32_t)mk->data.len;
		model_bytes(it->v, bytes);
		buf_append(&mk->data, bytes, it->v->size);
	}
	mk->n_files++;
	mk->end = i + 1;
}

static void put_items(struct maker *mk)
{
	for (size_t i = 0; i < mk->n; i++) {
		if (!mk->items[i].v)
			mk->end = i + 1;
		else if (mk->items[i].v->size > MAKER_BLOCK)
			put_large(mk, i);
		else
			put_small(mk, i);
	}
	end_block(mk);
}

static void set_meta(struct maker *mk, const struct shard_footer *f,
		     uint64_t size, struct shard_meta *m)
{
	struct shard_info info = shard_build_info(mk->build);
	char key[SHARD_KEY_TEXT];

	m->size = size;
	memcpy(m->root, f->root, SHARD_ROOT_LEN);
	m->first = xmemdup0(info.first.p, info.first.len);
	m->first_len = info.first.len;
	m->last = xmemdup0(info.last.p, info.last.len);
	m->last_len = info.last.len;
	m->created_min = f->created_min;
	m->created_max = f->created_max;
	m->n_entries = f->n_entries;
	m->n_files = f->n_files;
	m->plain_bytes = f->plain_bytes;
	shard_key(m, key);
	m->key = xstrdup(key);
}

static void make_one(struct maker *mk, const struct descriptor *d, uint32_t day,
		     uint32_t slot, struct made_shard *ret)
{
	struct shard_build_options opts = {
		.header = { .day = day,
			    .slot = slot,
			    .n_bits = (uint8_t)d->n_bits,
			    .route = (uint8_t)d->route,
			    .block_size = MAKER_BLOCK },
		.page_raw = 2048,
		.codec = mk->codec,
		.level = 3,
	};
	struct shard_sink sink = { take, take_index, flush_index, take, mk };
	struct shard_footer f;
	struct err err = { 0 };
	uint64_t size = 0;

	ret->meta = (struct shard_meta){
		.day = day, .slot = slot, .n_bits = d->n_bits, .route = d->route
	};
	buf_init(&ret->bytes, 1u << 24);
	mk->bytes = &ret->bytes;
	mk->first = mk->end = mk->n_files = 0;
	buf_clear(&mk->data);
	buf_clear(&mk->index);
	memcpy(opts.header.archive_id, d->archive_id, SHARD_ID_LEN);
	must(shard_build_new(&opts, &sink, &mk->build, &err), &err);
	put_items(mk);
	must(shard_build_finish(mk->build, &f, &size, &err), &err);
	set_meta(mk, &f, size, &ret->meta);
	shard_build_free(mk->build);
}

void make_shards(const struct descriptor *d, uint32_t day,
		 const struct model_version *versions, size_t n,
		 enum codec_id codec, struct made_shard ret[MAKER_SLOTS])
{
	struct maker *mk = xcalloc(1, sizeof(*mk));

	mk->codec = codec;
	buf_init(&mk->data, MAKER_BLOCK);
	buf_init(&mk->index, 1u << 24);
	for (uint32_t slot = 0; slot < MAKER_SLOTS; slot++) {
		ret[slot] = (struct made_shard){ 0 };
		mk->n = 0;
		for (size_t i = 0; i < n; i++)
			add_version(mk, d, slot, &versions[i]);
		if (mk->n)
			make_one(mk, d, day, slot, &ret[slot]);
	}
	buf_release(&mk->data);
	buf_release(&mk->index);
	free(mk);
}

void made_shards_release(struct made_shard shards[MAKER_SLOTS])
{
	for (size_t i = 0; i < MAKER_SLOTS; i++) {
		shard_meta_release(&shards[i].meta);
		buf_release(&shards[i].bytes);
	}
}
