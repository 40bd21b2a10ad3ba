/* SPDX-License-Identifier: Apache-2.0 */
/* make-hostile.c - make-hostile ARCHIVE TARGET: an archive nobody would pack.
 *
 * It is well formed, so nothing refuses it as damaged; but its names lead out
 * of the tree, and its links to TARGET, an absolute path.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "shard/route.h"
#include "shard/shard-block.h"
#include "shard/shard-build.h"
#include "shard/shard-format.h"
#include "store/store-write.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"

#define CREATED 1767261600000000 /* 2026-01-01 10:00 */
#define DAY 20260101
#define N_BITS 4
#define SLOTS (1u << N_BITS)
#define PARTS 2

static const char content[] = "written by a hostile archive\n";

/* In each slot the rows of part 0 make one shard, those of part 1 another. */
struct row {
	const char *parent, *name;
	enum entry_type type;
	const char *target; /* "TARGET" stands for the argument */
	const char *group;  /* of hard links */
	unsigned int part;
	size_t name_len; /* when the name has a NUL */
	unsigned int mode;
};

static struct row rows[] = {
	{ "", "", .type = ENTRY_DIR, .mode = 0755 },
	{ "", "good", .type = ENTRY_REG },
	{ "", "zz-good", .type = ENTRY_REG },
	/* names that are none */
	{ "", "..", .type = ENTRY_DIR },
	{ "..", "dotdot-child", .type = ENTRY_REG },
	{ "", ".", .type = ENTRY_DIR },
	{ ".", "dot-child", .type = ENTRY_REG },
	{ "", "/absolute", .type = ENTRY_REG },
	{ "", "nul\0inside", .type = ENTRY_REG, .name_len = 10 },
	{ "", "dir", .type = ENTRY_DIR },
	{ "dir", "", .type = ENTRY_REG },
	{ "dir", "..", .type = ENTRY_DIR },
	{ "dir/..", "child", .type = ENTRY_REG },
	{ "dir/../..", "climbs", .type = ENTRY_REG },
	{ "dir", "good", .type = ENTRY_REG },
	/* files beneath a link */
	{ "", "link", .type = ENTRY_SYMLINK, .target = "TARGET" },
	{ "link", "beneath", .type = ENTRY_REG },
	{ "", "up", .type = ENTRY_SYMLINK, .target = ".." },
	{ "up", "beneath-up", .type = ENTRY_REG },
	/* a link and a directory of one name and time */
	{ "", "both", .type = ENTRY_SYMLINK, .target = "TARGET" },
	{ "", "both", .type = ENTRY_DIR, .part = 1 },
	{ "both", "beneath-both", .type = ENTRY_REG },
	{ "", "both2", .type = ENTRY_DIR },
	{ "", "both2", .type = ENTRY_SYMLINK, .target = "TARGET", .part = 1 },
	{ "both2", "beneath-both2", .type = ENTRY_REG },
	/* a file over a link */
	{ "", "over", .type = ENTRY_SYMLINK, .target = "TARGET/canary" },
	{ "", "over", .type = ENTRY_REG, .part = 1 },
	/* groups of hard links with files that are not of the tree */
	{ "", "hard1", .type = ENTRY_REG, .group = "TARGET/canary" },
	{ "", "hard2", .type = ENTRY_REG, .group = "../outside/canary" },
	{ "", "hard3", .type = ENTRY_REG, .group = "link/canary" },
	{ "", "hard4", .type = ENTRY_SYMLINK, .target = "TARGET/canary",
	  .group = "hard4" },
	{ "", "hard5", .type = ENTRY_REG, .group = "hard4" },
	/* what needs to be asked for */
	{ "", "setuid", .type = ENTRY_REG, .mode = 06755 },
	{ "", "device", .type = ENTRY_CHR, .mode = 0666 },
};

#define ROWS ARRAY_LEN(rows)

struct image {
	struct buf data, index;
};

static void must(enum rc rc, const struct err *err)
{
	if (rc) {
		fprintf(stderr, "make-hostile: %s\n", err->msg);
		exit(1);
	}
}

static enum rc take_data(void *arg, const void *p, size_t len, struct err *err)
{
	struct image *im = arg;

	(void)err;
	buf_append(&im->data, p, len);
	return RC_OK;
}

static enum rc take_index(void *arg, const void *p, size_t len, struct err *err)
{
	struct image *im = arg;

	(void)err;
	buf_append(&im->index, p, len);
	return RC_OK;
}

static enum rc flush_index(void *arg, struct err *err)
{
	struct image *im = arg;

	return take_data(im, im->index.p, im->index.len, err);
}

static struct span text(const char *s)
{
	return span_of(s ? s : "", s ? strlen(s) : 0);
}

/* s with TARGET replaced; never freed. */
static const char *with_target(const char *s, const char *target)
{
	if (!s || strncmp(s, "TARGET", 6))
		return s;
	return xasprintf("%s%s", target, s + 6);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a;
	const struct row *y = b;

	return entry_key_compare(text(x->parent), span_of(x->name, x->name_len),
				 text(y->parent),
				 span_of(y->name, y->name_len));
}

static void prepare(const char *target)
{
	for (size_t i = 0; i < ROWS; i++) {
		rows[i].name = with_target(rows[i].name, target);
		rows[i].target = with_target(rows[i].target, target);
		rows[i].group = with_target(rows[i].group, target);
		if (!rows[i].name_len)
			rows[i].name_len = strlen(rows[i].name);
		if (!rows[i].mode)
			rows[i].mode = 0755;
	}
	qsort(rows, ROWS, sizeof(rows[0]), compare_rows);
}

static uint32_t slot_of(const struct row *row)
{
	struct span parent = text(row->parent);
	struct span name = span_of(row->name, row->name_len);
	char uid[4096];
	size_t len;

	if (entry_uid_len(parent, name) > sizeof(uid))
		abort();
	len = entry_uid(parent, name, uid);
	return route_slot(ROUTE_PARENT, N_BITS, uid, len);
}

static struct entry entry_of(const struct row *row,
			     const uint8_t archive_id[SHARD_ID_LEN])
{
	struct entry e = {
		.parent = text(row->parent),
		.name = span_of(row->name, row->name_len),
		.created_at = CREATED,
		.type = row->type,
		.mode = (uint16_t)row->mode,
		.mtime_s = 1,
		.target = text(row->target),
		.size = row->target ? strlen(row->target) : 0,
		.nlink = row->group ? 2 : 1,
		.rdev_major = row->type == ENTRY_CHR ? 1 : 0,
		.rdev_minor = row->type == ENTRY_CHR ? 3 : 0,
	};

	if (row->group)
		link_group_of(archive_id, text(row->group), e.link_group);
	return e;
}

static void add_content(struct shard_build *b, struct entry *e,
			struct block_ref *ref)
{
	struct buf stored;
	struct err err = { 0 };
	size_t len = sizeof(content) - 1;

	buf_init(&stored, 1u << 20);
	must(block_encode((const uint8_t *)content, len, NULL, 0, 0, CODEC_NONE,
			  0, &stored, ref, &err),
	     &err);
	must(shard_build_block(b, stored.p, stored.len, ref, &err), &err);
	buf_release(&stored);
	e->size = len;
	e->has_hash = true;
	sha256_of(content, len, e->sha256);
	e->content = (struct content){ .n_blocks = 1,
				       .block_size = BLOCK_SIZE_DEFAULT,
				       .blocks = ref };
}

/* Returns the number of entries. */
static size_t build(struct shard_build *b, const struct descriptor *d,
		    uint32_t slot, unsigned int part, struct shard_meta *m)
{
	struct err err = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++) {
		struct entry e = entry_of(&rows[i], d->archive_id);
		struct block_ref ref = { 0 };

		if (slot_of(&rows[i]) != slot || rows[i].part != part)
			continue;
		if (e.type == ENTRY_REG)
			add_content(b, &e, &ref);
		must(shard_build_entry(b, &e, &err), &err);
		if (!n++) {
			m->first_len = entry_uid_len(e.parent, e.name);
			m->first = xcalloc(1, m->first_len + 1);
			entry_uid(e.parent, e.name, m->first);
		}
		free(m->last);
		m->last_len = entry_uid_len(e.parent, e.name);
		m->last = xcalloc(1, m->last_len + 1);
		entry_uid(e.parent, e.name, m->last);
	}
	return n;
}

static void fill_meta(struct shard_meta *m, const struct shard_footer *f,
		      uint64_t size)
{
	char key[SHARD_KEY_TEXT];

	m->size = size;
	memcpy(m->root, f->root, SHARD_ROOT_LEN);
	m->day = f->header.day;
	m->slot = f->header.slot;
	m->part = f->header.part;
	m->n_bits = f->header.n_bits;
	m->route = f->header.route;
	m->created_min = f->created_min;
	m->created_max = f->created_max;
	m->n_entries = f->n_entries;
	m->n_files = f->n_files;
	m->plain_bytes = f->plain_bytes;
	shard_key(m, key);
	m->key = xstrdup(key);
}

static bool make_shard(struct store *st, const struct descriptor *d,
		       uint32_t slot, unsigned int part, struct shard_meta *m)
{
	struct shard_build_options opts = {
		.header = { .day = DAY,
			    .slot = slot,
			    .part = part,
			    .n_bits = N_BITS,
			    .route = ROUTE_PARENT,
			    .block_size = BLOCK_SIZE_DEFAULT },
		.codec = CODEC_NONE,
	};
	struct image im = { .data.max = 1u << 24, .index.max = 1u << 24 };
	struct shard_sink sink = { take_data, take_index, flush_index,
				   take_data, &im };
	struct shard_build *b = NULL;
	struct shard_footer f;
	struct err err = { 0 };
	uint64_t size = 0;
	bool existed, any;

	memcpy(opts.header.archive_id, d->archive_id, SHARD_ID_LEN);
	must(shard_build_new(&opts, &sink, &b, &err), &err);
	any = build(b, d, slot, part, m) > 0;
	if (any) {
		must(shard_build_finish(b, &f, &size, &err), &err);
		fill_meta(m, &f, size);
		must(store_put(st, m->key, im.data.p, im.data.len, &existed,
			       &err),
		     &err);
	}
	shard_build_free(b);
	buf_release(&im.data);
	buf_release(&im.index);
	return any;
}

static void put_record(struct store *st, const struct descriptor *d,
		       struct oplog_record *r)
{
	struct buf out = { .max = 1u << 24 };
	struct err err = { 0 };
	char key[128];
	bool existed;

	r->time = CREATED;
	oplog_record_encode(r, d->archive_id, &out);
	must(oplog_record_key(r->time, key, sizeof(key), &err), &err);
	must(store_put(st, key, out.p, out.len, &existed, &err), &err);
	buf_release(&out);
}

int main(int argc, char **argv)
{
	struct descriptor d = { .format = 3,
				.n_bits = N_BITS,
				.route = ROUTE_PARENT,
				.created_at = CREATED };
	struct shard_meta shards[SLOTS * PARTS] = { 0 };
	struct oplog_record record = { .shards = shards };
	struct buf out = { .max = DESCRIPTOR_MAX };
	struct store *st = NULL;
	struct err err = { 0 };
	bool existed;

	if (argc != 3) {
		fprintf(stderr, "usage: make-hostile ARCHIVE TARGET\n");
		return 2;
	}
	prepare(argv[2]);
	must(store_create(&st, argv[1], NULL, &err), &err);
	descriptor_set_id(&d);
	descriptor_encode(&d, &out);
	must(store_put(st, DESCRIPTOR_KEY, out.p, out.len, &existed, &err),
	     &err);
	for (unsigned int i = 0; i < SLOTS * PARTS; i++)
		if (make_shard(st, &d, i / PARTS, i % PARTS,
			       &shards[record.n_shards]))
			record.n_shards++;
	put_record(st, &d, &record);
	for (size_t i = 0; i < record.n_shards; i++)
		shard_meta_release(&shards[i]);
	buf_release(&out);
	store_close(st);
	return 0;
}
