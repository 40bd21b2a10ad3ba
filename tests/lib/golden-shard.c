/* SPDX-License-Identifier: Apache-2.0 */
/* golden-shard.c - the good shards: every kind of entry, few bytes. */
#include "config.h"

#include "golden-shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/sha256.h"
#include "shard/shard-block.h"
#include "shard/shard-build.h"
#include "shard/shard-record.h"

#define SHARD_MAX (1u << 20)
#define CREATED 1795256130123456 /* 2026-11-21T10:15:30.123456Z */
#define N_MANY 3000u
#define MANY_PER_BLOCK 500u
#define N_BIG 600u /* segments: two block lists */
#define BIG_TAIL 1234u

struct maker {
	struct shard_build *b;
	struct buf *out, index;
	struct buf data, records, stored; /* of the block being filled */
	uint32_t n_records;
	struct entry before; /* last one recorded in this block */
	enum codec_id codec;
};

_Noreturn void golden_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	abort();
}

static struct span str(const char *s)
{
	return span_of(s, strlen(s));
}

static enum rc take_data(void *arg, const void *p, size_t len, struct err *err)
{
	struct maker *m = arg;

	(void)err;
	buf_append(m->out, p, len);
	return RC_OK;
}

static enum rc take_index(void *arg, const void *p, size_t len, struct err *err)
{
	struct maker *m = arg;

	(void)err;
	buf_append(&m->index, p, len);
	return RC_OK;
}

static enum rc flush_index(void *arg, struct err *err)
{
	struct maker *m = arg;

	return take_data(m, m->index.p, m->index.len, err);
}

static void set_archive_id(uint8_t id[SHARD_ID_LEN])
{
	for (uint8_t i = 0; i < SHARD_ID_LEN; i++)
		id[i] = (uint8_t)(0xa0 + i);
}

static void maker_init(struct maker *m, enum codec_id codec, uint32_t page_raw,
		       struct buf *out)
{
	struct shard_build_options opts = {
		.header = { .day = 20261121,
			    .n_bits = 4,
			    .route = 1,
			    .block_size = 4096 },
		.page_raw = page_raw,
		.codec = codec,
		.level = 3,
	};
	struct shard_sink sink = { take_data, take_index, flush_index,
				   take_data, m };
	struct err err = { 0 };

	*m = (struct maker){ .out = out, .codec = codec };
	buf_init(&m->index, SHARD_MAX);
	buf_init(&m->data, SHARD_MAX);
	buf_init(&m->records, SHARD_MAX);
	buf_init(&m->stored, SHARD_MAX);
	set_archive_id(opts.header.archive_id);
	/* Stored bytes depend on no library. */
	snprintf(opts.header.writer, sizeof(opts.header.writer), "%s",
		 codec == CODEC_NONE ? "golden" : codec_libraries());
	GOLDEN_MUST(!shard_build_new(&opts, &sink, &m->b, &err));
}

static void maker_end(struct maker *m)
{
	struct shard_footer f;
	struct err err = { 0 };
	uint64_t size = 0;

	GOLDEN_MUST(!shard_build_finish(m->b, &f, &size, &err));
	GOLDEN_MUST(buf_ok(m->out) && size == m->out->len);
	shard_build_free(m->b);
	buf_release(&m->index);
	buf_release(&m->data);
	buf_release(&m->records);
	buf_release(&m->stored);
}

/* The block is complete: data and records so far. */
static void seal(struct maker *m, struct block_ref *ref)
{
	struct err err = { 0 };

	GOLDEN_MUST(!block_encode(m->data.p, m->data.len, m->records.p,
				  m->records.len, m->n_records, m->codec, 3,
				  &m->stored, ref, &err));
	GOLDEN_MUST(!shard_build_block(m->b, m->stored.p, m->stored.len, ref,
				       &err));
	buf_clear(&m->stored);
	buf_clear(&m->data);
	buf_clear(&m->records);
	m->n_records = 0;
}

static void record(struct maker *m, const struct entry *e,
		   enum record_content where, const uint8_t *hashes)
{
	struct record r = { .entry = *e, .where = where, .hashes = hashes };

	record_encode(&r, m->n_records ? &m->before : NULL, &m->records);
	m->before = *e;
	m->n_records++;
}

/* Put a small file into the block that is being filled; seal gives ref.  With
 * same, its bytes are those of a file put before.
 */
static void put(struct maker *m, struct entry *e, const char *text,
		const struct entry *same, const struct block_ref *ref)
{
	e->size = strlen(text);
	e->content.n_blocks = 1;
	e->content.blocks = ref;
	e->content.tail_off =
		same ? same->content.tail_off : (uint32_t)m->data.len;
	e->has_hash = true;
	sha256_of(text, e->size, e->sha256);
	if (!same)
		buf_append(&m->data, text, e->size);
	record(m, e, RECORD_HERE, NULL);
}

/* Fill a file of n blocks of 4096 bytes, each hole a hole, the last one
 * tail bytes long; is_data says which are stored.
 */
static void put_large(struct maker *m, struct entry *e, uint32_t n,
		      uint32_t tail, bool (*is_data)(uint32_t i),
		      struct block_ref *refs)
{
	struct sha256 h;
	uint8_t block[4096];
	uint8_t *hashes = calloc(n, BLOCK_HASH_LEN);

	GOLDEN_MUST(hashes);
	sha256_init(&h);
	e->size = (uint64_t)(n - 1) * 4096 + tail;
	e->has_hash = true;
	e->content.n_blocks = n;
	e->content.block_size = 4096;
	e->content.blocks = refs;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = i + 1 < n ? 4096 : tail;

		memset(block, 0, sizeof(block));
		if (is_data(i))
			for (uint32_t k = 0; k < len; k++)
				block[k] = (uint8_t)(i + k / 64);
		sha256_update(&h, block, len);
		if (!is_data(i)) {
			refs[i].data_len = len;
			continue;
		}
		buf_append(&m->data, block, len);
		if (i + 1 < n) {
			seal(m, &refs[i]);
			memcpy(hashes + (size_t)i * BLOCK_HASH_LEN,
			       refs[i].hash, BLOCK_HASH_LEN);
		}
	}
	sha256_final(&h, e->sha256);
	if (is_data(n - 1))
		memset(hashes + (size_t)(n - 1) * BLOCK_HASH_LEN, 0xff,
		       BLOCK_HASH_LEN);
	record(m, e, RECORD_HASHES, hashes);
	if (is_data(n - 1))
		seal(m, &refs[n - 1]);
	free(hashes);
}

static bool few_are_data(uint32_t i)
{
	return i == 0 || i == 1 || i == 300 || i + 1 == N_BIG;
}

static bool all_but_the_second(uint32_t i)
{
	return i != 1;
}

static bool none_is_data(uint32_t i)
{
	(void)i;
	return false;
}

/* One entry of the small shard; text is the content of a small file. */
struct item {
	const char *parent, *name;
	const char *text;
	struct entry e;
};

#define SPAN(text_)                                    \
	{                                              \
		.p = (text_), .len = sizeof(text_) - 1 \
	}
#define IS(type_, mode_) .type = ENTRY_##type_, .mode = (mode_)
#define AT(n_) .created_at = CREATED - (n_)
#define HARD IS(REG, 0644), .nlink = 3
#define XATTRS SPAN("\6user.a\0011\13user.binary\3\0\377\n")

static const struct item small_items[] = {
	{ "", "", NULL, { IS(DIR, 0755), .nlink = 6 } },
	{ "", "/abs", "slash first\n", { IS(REG, 0600) } },
	{ "", "big", NULL, { IS(REG, 0644) } },
	{ "", "dev", NULL, { IS(DIR, 0700), .nlink = 2 } },
	{ "", "dir", NULL, { IS(DIR, 01777), .nlink = 2, .xattrs = XATTRS } },
	{ "", "empty", NULL, { IS(REG, 0444) } },
	{ "", "fifo", NULL, { IS(FIFO, 0622) } },
	{ "", "gone", NULL, { IS(WHITEOUT, 0) } },
	{ "", "gone", "was\n", { IS(REG, 0644), AT(9) } },
	{ "", "implied", NULL, { IS(DIR, 0755), .implicit = true } },
	{ "",
	  "link",
	  NULL,
	  { IS(SYMLINK, 0777), .size = 8, .target = SPAN("../a\n\xff b") } },
	{ "", "mid", NULL, { IS(REG, 04755) } },
	{ "", "notes", "third\n", { IS(REG, 0644) } },
	{ "", "notes", "2nd\n", { IS(REG, 0640), AT(1) } },
	{ "", "notes", "1\n", { IS(REG, 0600), AT(99) } },
	{ "",
	  "opaque",
	  NULL,
	  { IS(DIR, 0755), .nlink = 2, .has_opaque = true,
	    .opaque_since = CREATED - 50 } },
	{ "", "sparse", NULL, { IS(REG, 0600) } },
	{ "dev",
	  "blk",
	  NULL,
	  { IS(BLK, 0660), .rdev_major = 8, .rdev_minor = 1048575 } },
	{ "dev",
	  "chr",
	  NULL,
	  { IS(CHR, 0620), .rdev_major = 4095, .rdev_minor = 1 } },
	{ "dir", "hard1", "hard\n", { HARD } },
	{ "dir", "hard2", "hard\n", { HARD } },
	{ "dir",
	  "meta",
	  "metadata\n",
	  { IS(REG, 0644), .meta = SPAN("{\"k\":1}") } },
	{ "dir",
	  "xattrs",
	  "attributes\n",
	  { IS(REG, 0644), .xattrs = XATTRS } },
	{ "dir", "\xff\n", "odd name\n", { IS(REG, 0644) } },
	{ "implied", "hard3", "hard\n", { HARD } },
	{ "opaque", "new", "new\n", { IS(REG, 0644) } },
	{ "opaque", "old", "hidden\n", { IS(REG, 0644), AT(51) } },
};
#define N_SMALL ARRAY_LEN(small_items)

static void fill(struct entry *e, size_t i, const char *parent,
		 const char *name)
{
	e->parent = str(parent);
	e->name = str(name);
	e->uid = 1000;
	e->gid = 100 + i % 3;
	e->mtime_s = i % 5 ? 1700000000 - (int64_t)i : -1;
	e->mtime_ns = i % 3 ? (uint32_t)i * 12345u : 0;
	if (!e->created_at)
		e->created_at = CREATED;
	if (e->type != ENTRY_DIR && !e->nlink)
		e->nlink = 1;
	if (e->type == ENTRY_REG && e->nlink > 1) {
		uint8_t id[SHARD_ID_LEN];

		set_archive_id(id);
		link_group_of(id, str("dir/hard1"), e->link_group);
	}
}

static struct entry *named(struct entry *es, const char *name)
{
	for (size_t i = 0; i < N_SMALL; i++)
		if (span_equal(es[i].name, str(name)))
			return &es[i];
	golden_fail(__FILE__, __LINE__, name);
}

/* Small files in one block, large ones, a block without data for the rest, and
 * one block that nothing refers to, as a repack leaves it.
 */
static void make_small(const struct golden *g, struct buf *out)
{
	static struct block_ref big[N_BIG];
	struct entry es[N_SMALL];
	struct block_ref mid[3] = { 0 }, sparse[2] = { 0 };
	struct block_ref small = { 0 }, rest = { 0 }, dead = { 0 };
	const struct entry *hard = NULL;
	struct maker m;
	struct err err = { 0 };

	memset(big, 0, sizeof(big));
	maker_init(&m, g->codec, 0, out);
	for (size_t i = 0; i < N_SMALL; i++) {
		es[i] = small_items[i].e;
		fill(&es[i], i, small_items[i].parent, small_items[i].name);
		if (!small_items[i].text)
			continue;
		put(&m, &es[i], small_items[i].text,
		    es[i].nlink > 1 ? hard : NULL, &small);
		if (es[i].nlink > 1)
			hard = &es[i];
	}
	seal(&m, &small);
	put_large(&m, named(es, "big"), N_BIG, BIG_TAIL, few_are_data, big);
	put_large(&m, named(es, "mid"), 3, 4096, all_but_the_second, mid);
	put_large(&m, named(es, "sparse"), 2, 100, none_is_data, sparse);
	for (size_t i = 0; i < N_SMALL; i++)
		if (!es[i].size || es[i].type == ENTRY_SYMLINK)
			record(&m, &es[i], RECORD_NONE, NULL);
	seal(&m, &rest);
	buf_append_str(&m.data, "of a file that is gone\n");
	seal(&m, &dead);
	for (size_t i = 0; i < N_SMALL; i++)
		GOLDEN_MUST(!shard_build_entry(m.b, &es[i], &err));
	maker_end(&m);
}

static void put_many(struct maker *m, struct entry *es, char (*names)[16],
		     struct block_ref *refs)
{
	char text[32];

	for (size_t i = 0; i < N_MANY; i++) {
		struct block_ref *ref = &refs[i / MANY_PER_BLOCK];

		es[i].type = ENTRY_REG;
		es[i].mode = 0644;
		snprintf(names[i], sizeof(names[i]), "f%05zu", i);
		fill(&es[i], i, "many", names[i]);
		snprintf(text, sizeof(text), "file number %zu\n", i);
		put(m, &es[i], text, NULL, ref);
		/* Hashes do not shrink: a few are enough. */
		es[i].has_hash = i % 50 == 0;
		if ((i + 1) % MANY_PER_BLOCK == 0)
			seal(m, ref);
	}
}

/* Three levels of pages. */
static void make_many(const struct golden *g, struct buf *out)
{
	struct block_ref refs[N_MANY / MANY_PER_BLOCK] = { 0 }, rest = { 0 };
	struct entry dirs[] = { { IS(DIR, 0755), .nlink = 3 },
				{ IS(DIR, 0755), .nlink = 2 } };
	struct entry *es = calloc(N_MANY, sizeof(*es));
	char(*names)[16] = calloc(N_MANY, sizeof(*names));
	struct maker m;
	struct err err = { 0 };

	GOLDEN_MUST(es && names);
	maker_init(&m, g->codec, 1024, out);
	put_many(&m, es, names, refs);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		fill(&dirs[i], i, "", i ? "many" : "");
		record(&m, &dirs[i], RECORD_NONE, NULL);
	}
	seal(&m, &rest);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		GOLDEN_MUST(!shard_build_entry(m.b, &dirs[i], &err));
	for (size_t i = 0; i < N_MANY; i++)
		GOLDEN_MUST(!shard_build_entry(m.b, &es[i], &err));
	maker_end(&m);
	free(es);
	free(names);
}

/* The example of des-shard(5): a directory with one file. */
static void make_example(const struct golden *g, struct buf *out)
{
	struct entry root = { IS(DIR, 0755), .nlink = 2 };
	struct entry file = { IS(REG, 0644) };
	struct block_ref ref = { 0 };
	struct maker m;
	struct err err = { 0 };

	maker_init(&m, g->codec, 0, out);
	fill(&root, 1, "", "");
	fill(&file, 2, "", "hello");
	record(&m, &root, RECORD_NONE, NULL);
	put(&m, &file, "Hello, world\n", NULL, &ref);
	seal(&m, &ref);
	GOLDEN_MUST(!shard_build_entry(m.b, &root, &err));
	GOLDEN_MUST(!shard_build_entry(m.b, &file, &err));
	maker_end(&m);
}

static void make_empty(const struct golden *g, struct buf *out)
{
	struct maker m;

	maker_init(&m, g->codec, 0, out);
	maker_end(&m);
}

const struct golden golden_good[] = {
	{ "good-v3-example.des", "OK", "one file, nothing compressed",
	  make_example, CODEC_NONE },
	{ "good-v3-empty.des", "OK", "no entries", make_empty, CODEC_NONE },
	{ "good-v3-none.des", "OK", "every kind of entry, nothing compressed",
	  make_small, CODEC_NONE },
	{ "good-v3-small.des", "OK", "the same, zstd", make_small, CODEC_ZSTD },
	{ "good-v3-lz4.des", "OK", "the same, lz4", make_small, CODEC_LZ4 },
	{ "good-v3-many.des", "OK", "3,002 entries, three levels of pages",
	  make_many, CODEC_ZSTD },
};
const size_t golden_n_good = ARRAY_LEN(golden_good);

void golden_make_good(const char *name, struct buf *out)
{
	for (size_t i = 0; i < golden_n_good; i++)
		if (strcmp(golden_good[i].name, name) == 0) {
			golden_good[i].make(&golden_good[i], out);
			return;
		}
	golden_fail(__FILE__, __LINE__, name);
}
