/* SPDX-License-Identifier: Apache-2.0 */
/* archive.c - small archives for tests, made in a temporary directory. */
#include "config.h"

#include "archive.h"

#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "shard/route.h"
#include "shard/shard-block.h"
#include "shard/shard-build.h"
#include "store/store-write.h"
#include "unit.h"
#include "volume/oplog.h"

#define OK(call)                                 \
	do {                                     \
		struct err err;                  \
		if (call)                        \
			fail_msg("%s", err.msg); \
	} while (0)

/* What goes into one shard. */
struct shard {
	struct entry *entries;
	const struct archive_entry **specs; /* NULL: implied */
	size_t n, cap, cap_specs;
	struct buf bytes, index;
};

void archive_begin(struct archive *a, unsigned int route)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	struct store *st = NULL;
	bool existed;

	*a = (struct archive){ .route = route };
	snprintf(a->dir, sizeof(a->dir), "/tmp/desfs-unit-XXXXXX");
	assert_non_null(mkdtemp(a->dir));
	a->descriptor = (struct descriptor){ .format = 3,
					     .n_bits = ARCHIVE_N_BITS,
					     .route = route,
					     .created_at = ARCHIVE_TIME(0, 0) };
	descriptor_set_id(&a->descriptor);
	descriptor_encode(&a->descriptor, &b);
	OK(store_create(&st, a->dir, NULL, &err));
	OK(store_put(st, DESCRIPTOR_KEY, b.p, b.len, &existed, &err));
	store_close(st);
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void archive_end(struct archive *a)
{
	assert_int_equal(nftw(a->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

char *archive_shard_path(const struct archive *a, unsigned int i)
{
	char *pattern = xasprintf("%s/2*/*.des", a->dir), *path;
	glob_t g;

	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(i < g.gl_pathc);
	path = xstrdup(g.gl_pathv[i]);
	globfree(&g);
	free(pattern);
	return path;
}

static enum rc take(void *arg, const void *p, size_t len, struct err *err)
{
	struct shard *s = arg;

	(void)err;
	buf_append(&s->bytes, p, len);
	return RC_OK;
}

static enum rc take_index(void *arg, const void *p, size_t len, struct err *err)
{
	struct shard *s = arg;

	(void)err;
	buf_append(&s->index, p, len);
	return RC_OK;
}

static enum rc flush_index(void *arg, struct err *err)
{
	struct shard *s = arg;

	return take(s, s->index.p, s->index.len, err);
}

/* The first of its entries that is not before e. */
static size_t find_entry(const struct shard *s, const struct entry *e)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (entry_compare(&s->entries[mid], e) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_entry(struct shard *s, struct entry e,
		      const struct archive_entry *spec)
{
	size_t i = find_entry(s, &e);

	if (i < s->n && !entry_compare(&s->entries[i], &e)) {
		if (spec) {
			s->entries[i] = e;
			s->specs[i] = spec;
		}
		return;
	}
	s->entries = mem_grow(s->entries, &s->cap, s->n + 1, sizeof(e));
	s->specs = mem_grow(s->specs, &s->cap_specs, s->n + 1, sizeof(spec));
	memmove(s->entries + i + 1, s->entries + i, (s->n - i) * sizeof(e));
	memmove(s->specs + i + 1, s->specs + i, (s->n - i) * sizeof(spec));
	s->entries[i] = e;
	s->specs[i] = spec;
	s->n++;
}

static void add_above(struct shard *s, struct span uid, int64_t created_at)
{
	while (uid.len) {
		struct entry e = { .type = ENTRY_DIR,
				   .implicit = true,
				   .mode = 0755,
				   .created_at = created_at };

		uid.len = route_parent_len(uid.p, uid.len);
		entry_split_uid(uid, &e.parent, &e.name);
		add_entry(s, e, NULL);
	}
}

static void add_spec(struct shard *s, const struct archive_entry *spec,
		     int64_t created_at)
{
	struct span uid = span_of(spec->uid, strlen(spec->uid));
	struct entry e = {
		.type = spec->type,
		.created_at = created_at,
		.implicit = spec->implicit,
		.has_opaque = spec->opaque_since,
		.opaque_since = spec->opaque_since,
		.mode = spec->type == ENTRY_DIR ? 0755 : 0644,
		.mtime_s = 1000000000,
		.nlink = 1,
	};

	entry_split_uid(uid, &e.parent, &e.name);
	if (spec->mode)
		e.mode = spec->mode;
	if (spec->type == ENTRY_REG)
		e.size = spec->content ? strlen(spec->content) : spec->size;
	if (spec->type == ENTRY_SYMLINK) {
		e.target = span_of(spec->content, strlen(spec->content));
		e.size = e.target.len;
	}
	add_above(s, uid, created_at);
	add_entry(s, e, spec);
}

static uint8_t *content_of(const struct archive_entry *spec, uint64_t size)
{
	uint8_t *p = xcalloc(size ? size : 1, 1);

	for (uint64_t i = 0; i < size; i++) {
		if (spec->content)
			p[i] = (uint8_t)spec->content[i];
		else if (i < spec->hole_from || i >= spec->hole_to)
			p[i] = archive_pattern(i);
	}
	return p;
}

static struct block_ref add_block(struct shard_build *b, const uint8_t *p,
				  size_t len)
{
	CLEANUP_BUF struct buf out = { .max = 1u << 20 };
	struct block_ref ref = { 0 };

	OK(block_encode(p, len, NULL, 0, 0, CODEC_ZSTD, 3, &out, &ref, &err));
	OK(shard_build_block(b, out.p, out.len, &ref, &err));
	return ref;
}

static void build_file(struct shard_build *b, struct entry *e,
		       const struct archive_entry *spec)
{
	uint32_t n = (uint32_t)((e->size + ARCHIVE_BLOCK - 1) / ARCHIVE_BLOCK);
	CLEANUP_FREE uint8_t *p = content_of(spec, e->size);
	CLEANUP_FREE struct block_ref *refs = xcalloc(n, sizeof(*refs));

	e->has_hash = true;
	sha256_of(p, e->size, e->sha256);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t off = (uint64_t)i * ARCHIVE_BLOCK;
		uint64_t left = e->size - off;
		size_t len = left < ARCHIVE_BLOCK ? left : ARCHIVE_BLOCK;

		if (off >= spec->hole_from && off < spec->hole_to)
			refs[i].data_len = (uint32_t)len;
		else
			refs[i] = add_block(b, p + off, len);
	}
	e->content = (struct content){ .n_blocks = n,
				       .blocks = refs,
				       .block_size = ARCHIVE_BLOCK };
	OK(shard_build_entry(b, e, &err));
}

/* Texts share one block. */
static void build_texts(struct shard_build *b, struct shard *s,
			struct block_ref *ret)
{
	CLEANUP_BUF struct buf texts = { .max = 1u << 20 };

	for (size_t i = 0; i < s->n; i++) {
		struct entry *e = &s->entries[i];

		if (e->type != ENTRY_REG || !e->size || !s->specs[i]->content)
			continue;
		e->has_hash = true;
		sha256_of(s->specs[i]->content, e->size, e->sha256);
		e->content =
			(struct content){ .n_blocks = 1,
					  .blocks = ret,
					  .block_size = ARCHIVE_BLOCK,
					  .tail_off = (uint32_t)texts.len };
		buf_append(&texts, s->specs[i]->content, e->size);
	}
	if (texts.len)
		*ret = add_block(b, texts.p, texts.len);
}

static void build(struct archive *a, struct shard *s, struct shard_meta *m)
{
	struct shard_build_options opts = {
		.header = { .day = m->day,
			    .slot = m->slot,
			    .revision = (uint16_t)m->revision,
			    .n_bits = ARCHIVE_N_BITS,
			    .route = (uint8_t)a->route,
			    .block_size = ARCHIVE_BLOCK },
		.page_raw = 2048,
		.codec = CODEC_ZSTD,
		.level = 3,
	};
	struct shard_sink sink = { take, take_index, flush_index, take, s };
	struct shard_build *b = NULL;
	struct block_ref texts = { 0 };
	struct shard_footer f;
	struct shard_info info;

	memcpy(opts.header.archive_id, a->descriptor.archive_id, SHARD_ID_LEN);
	OK(shard_build_new(&opts, &sink, &b, &err));
	build_texts(b, s, &texts);
	for (size_t i = 0; i < s->n; i++) {
		if (s->entries[i].size && !s->entries[i].content.n_blocks &&
		    s->entries[i].type == ENTRY_REG)
			build_file(b, &s->entries[i], s->specs[i]);
		else
			OK(shard_build_entry(b, &s->entries[i], &err));
	}
	OK(shard_build_finish(b, &f, &m->size, &err));
	info = shard_build_info(b);
	memcpy(m->root, f.root, SHARD_ROOT_LEN);
	m->first = xmemdup0(info.first.p, info.first.len);
	m->first_len = info.first.len;
	m->last = xmemdup0(info.last.p, info.last.len);
	m->last_len = info.last.len;
	m->created_min = f.created_min;
	m->created_max = f.created_max;
	m->n_entries = f.n_entries;
	m->n_files = f.n_files;
	m->plain_bytes = f.plain_bytes;
	shard_build_free(b);
}

static void commit(struct archive *a, struct store *st,
		   struct oplog_record *record)
{
	CLEANUP_BUF struct buf b = { .max = OPLOG_RECORD_MAX };
	char key[128];
	bool existed;

	/* Later records have later names. */
	record->time = ARCHIVE_TIME(100, a->n_records++);
	oplog_record_encode(record, a->descriptor.archive_id, &b);
	OK(oplog_record_key(record->time, key, sizeof(key), &err));
	OK(store_put(st, key, b.p, b.len, &existed, &err));
	oplog_record_release(record);
}

/* Build the shards of a run. */
static void add_shards(struct archive *a, struct store *st,
		       const struct archive_run *run,
		       struct oplog_record *record)
{
	struct shard shards[1 << ARCHIVE_N_BITS] = { 0 };

	for (size_t i = 0; i < run->n; i++) {
		const struct archive_entry *e = &run->entries[i];
		uint32_t slot =
			route_slot((enum route_kind)a->route, ARCHIVE_N_BITS,
				   e->uid, strlen(e->uid));

		add_spec(&shards[slot], e, ARCHIVE_TIME(run->day, run->second));
	}
	record->shards = xcalloc(ARRAY_LEN(shards), sizeof(*record->shards));
	for (uint32_t i = 0; i < ARRAY_LEN(shards); i++) {
		struct shard *s = &shards[i];
		struct shard_meta *m = &record->shards[record->n_shards];
		char key[SHARD_KEY_TEXT];
		bool existed;

		if (!s->n)
			continue;
		record->n_shards++;
		*m = (struct shard_meta){ .day = ARCHIVE_DAY + run->day,
					  .slot = i,
					  .revision = run->revision,
					  .n_bits = ARCHIVE_N_BITS,
					  .route = a->route };
		buf_init(&s->bytes, 1u << 30);
		buf_init(&s->index, 1u << 30);
		build(a, s, m);
		shard_key(m, key);
		m->key = xstrdup(key);
		OK(store_put(st, key, s->bytes.p, s->bytes.len, &existed,
			     &err));
		buf_release(&s->bytes);
		buf_release(&s->index);
		free(s->entries);
		free(s->specs);
	}
}

void archive_add(struct archive *a, unsigned int day, unsigned int second,
		 const struct archive_entry *entries, size_t n)
{
	const struct archive_run run = {
		.day = day, .second = second, .entries = entries, .n = n
	};
	struct oplog_record record = { 0 };
	struct store *st = NULL;

	OK(store_create(&st, a->dir, NULL, &err));
	add_shards(a, st, &run, &record);
	commit(a, st, &record);
	store_close(st);
}

/* Replace what counts of a day. */
static void add_replaced(struct archive *a, struct store *st, uint32_t day,
			 struct oplog_record *record)
{
	struct oplog *log = oplog_new();
	bool changed;

	oplog_expect(log, a->descriptor.archive_id);
	OK(oplog_read(log, st, &changed, &err));
	record->replaces = xcalloc(oplog_count(log), sizeof(*record->replaces));
	for (size_t i = 0; i < oplog_count(log); i++) {
		const struct shard_meta *m = oplog_shard(log, i);
		struct oplog_replaced *r =
			&record->replaces[record->n_replaces];

		if (m->day != day)
			continue;
		record->n_replaces++;
		r->key = xstrdup(m->key);
		memcpy(r->root, m->root, SHARD_ROOT_LEN);
	}
	oplog_free(log);
}

void archive_repack(struct archive *a, const struct archive_run *run,
		    bool purge)
{
	struct oplog_record record = { .kind = OPLOG_REPACK };
	struct store *st = NULL;

	OK(store_create(&st, a->dir, NULL, &err));
	add_replaced(a, st, ARCHIVE_DAY + run->day, &record);
	add_shards(a, st, run, &record);
	for (size_t i = 0; purge && i < record.n_replaces; i++)
		OK(store_remove(st, record.replaces[i].key, &err));
	commit(a, st, &record);
	store_close(st);
}
