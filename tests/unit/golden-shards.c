/* SPDX-License-Identifier: Apache-2.0 */
/* golden-shards.c - the shards of tests/golden are read, or refused, as said.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "../lib/golden-shard.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/sha256.h"
#include "shard/shard-block.h"
#include "shard/shard-filter.h"
#include "shard/shard-footer.h"
#include "shard/shard-page.h"
#include "shard/shard-record.h"

#define FILE_MAX (1u << 20)

/* One shard that is read whole. */
struct check {
	const uint8_t *p;
	size_t len;
	struct shard_footer f;
	struct shard_info info;
	struct sha256 logical;
	uint64_t n_entries, n_files, plain;
	uint8_t *is_used; /* by offset: an entry refers to the block there */
	bool has_xattrs;
	int64_t created_min, created_max;
	struct err err;
};

static enum rc corrupt(struct check *c, const char *what)
{
	return err_set(&c->err, RC_CORRUPT, "%s", what);
}

static bool hash_is(const uint8_t *p, size_t len, const uint8_t *hash)
{
	uint8_t digest[SHA256_LEN];

	sha256_of(p, len, digest);
	return memcmp(digest, hash, BLOCK_HASH_LEN) == 0;
}

static enum rc check_ends(struct check *c)
{
	const struct shard_section *parts[] = { &c->f.filter, &c->f.filter_dir,
						&c->f.info };
	struct shard_header h;
	size_t len = c->len < SHARD_FOOTER_SIZE ? c->len : SHARD_FOOTER_SIZE;
	enum rc rc = shard_footer_decode(c->p + c->len - len, len, c->len,
					 &c->f, &c->err);

	if (rc)
		return rc;
	rc = shard_header_decode(c->p, SHARD_HEADER_SIZE, &h, &c->err);
	if (rc)
		return rc;
	h.compat = c->f.header.compat;
	if (!hash_is(c->p, SHARD_HEADER_SIZE, c->f.header_hash) ||
	    memcmp(&h, &c->f.header, sizeof(h)) != 0)
		return corrupt(c, "header and footer");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!hash_is(c->p + parts[i]->off, parts[i]->len,
			     parts[i]->hash))
			return corrupt(c, "hash of a part");
	return shard_info_decode(c->p + c->f.info.off, c->f.info.len, &c->info,
				 &c->err);
}

/* Records are well formed; that they agree with the index is desread.py's. */
static enum rc check_records(struct check *c, const uint8_t *stored,
			     const struct block_header *h)
{
	uint8_t *p = malloc(h->records_len + 1);
	struct record_reader *rr = NULL;
	struct record rec;
	enum rc rc = block_decode_records(stored, h, p, &c->err);

	if (!rc)
		rc = record_reader_new(p, h->records_len, h->n_records, &rr,
				       &c->err);
	while (!rc)
		rc = record_next(rr, &rec, &c->err);
	record_reader_free(rr);
	free(p);
	return rc == RC_NOENT ? RC_OK : rc;
}

static uint64_t data_end(const struct shard_footer *f)
{
	return f->data_off + f->data_len;
}

static enum rc check_blocks(struct check *c)
{
	uint64_t off = c->f.data_off, end = data_end(&c->f), n = 0;
	struct block_header h;
	enum rc rc = RC_OK;

	for (; !rc && off < end; n++) {
		size_t len;

		rc = block_header_decode(c->p + off, end - off, &h, &c->err);
		if (rc)
			return rc;
		len = BLOCK_HEADER_SIZE + (size_t)h.data_stored +
		      h.records_stored;
		if (len > end - off)
			return corrupt(c, "block beyond the data");
		rc = block_check(c->p + off, len, NULL, false, &h, &c->err);
		if (!rc)
			rc = check_records(c, c->p + off, &h);
		off += len;
	}
	if (!rc && n != c->f.n_blocks)
		return corrupt(c, "number of blocks");
	return rc;
}

static enum rc check_segment(struct check *c, const struct block_ref *ref,
			     size_t from, size_t len, struct sha256 *content)
{
	const uint8_t *stored = c->p + ref->off;
	uint8_t *data = calloc(1, (size_t)ref->data_len + 1);
	struct block_header h;
	enum rc rc = RC_OK;

	if (from + len > ref->data_len)
		rc = corrupt(c, "segment beyond its block");
	if (!rc && !block_is_hole(ref)) {
		if (ref->off + ref->stored_len > data_end(&c->f))
			rc = corrupt(c, "block beyond the data");
		if (!rc)
			rc = block_check(stored, ref->stored_len, ref, true, &h,
					 &c->err);
		if (!rc)
			rc = block_decode_data(stored, &h, data, &c->err);
		if (!rc)
			c->is_used[ref->off] = 1;
	}
	if (!rc)
		sha256_update(content, data + from, len);
	free(data);
	return rc;
}

static enum rc check_page(struct check *c, const struct page_ref *ref,
			  struct page **ret)
{
	if (ref->off > c->f.index_len ||
	    ref->stored_len > c->f.index_len - ref->off)
		return corrupt(c, "page beyond the index");
	return page_decode(c->p + c->f.index_off + ref->off, ref->stored_len,
			   ref, ret, &c->err);
}

static enum rc check_content(struct check *c, const struct entry *e)
{
	struct sha256 h;
	const struct content *k = &e->content;
	uint64_t left = e->size;
	uint8_t digest[SHA256_LEN];
	struct page *list = NULL;
	enum rc rc = RC_OK;

	sha256_init(&h);
	for (uint32_t i = 0; !rc && i < k->n_blocks; i++) {
		const struct block_ref *refs = k->blocks;
		uint32_t at = i;
		bool is_last = i + 1 == k->n_blocks;
		size_t len = is_last ? left : k->block_size;

		if (!refs && i % k->per_extent == 0) {
			page_free(list);
			list = NULL;
			rc = check_page(c, &k->extents[i / k->per_extent],
					&list);
			if (rc)
				break;
		}
		if (!refs) {
			at = i % k->per_extent;
			if (page_kind(list) != PAGE_EXTENT ||
			    at >= page_count(list))
				return corrupt(c, "block list");
			refs = page_blocks(list);
		}
		rc = check_segment(c, &refs[at], is_last ? k->tail_off : 0, len,
				   &h);
		left -= len;
	}
	page_free(list);
	sha256_final(&h, digest);
	if (!rc && (left || (e->has_hash &&
			     memcmp(digest, e->sha256, SHA256_LEN) != 0)))
		return corrupt(c, "content");
	return rc;
}

static enum rc check_filter(struct check *c, const struct entry *e)
{
	uint32_t n = (uint32_t)(c->f.filter_dir.len / BLOCK_HASH_LEN);
	uint32_t size = (uint32_t)(c->f.filter.len / n);
	uint64_t h = filter_hash(e->parent, e->name);
	size_t off = c->f.filter.off + (size_t)filter_partition(h, n) * size;

	if (!filter_may_contain(c->p + off, size, h))
		return corrupt(c, "filter");
	return RC_OK;
}

static bool is_uid(const struct entry *e, struct span uid)
{
	struct span parent, name;

	entry_split_uid(uid, &parent, &name);
	return !entry_key_compare(parent, name, e->parent, e->name);
}

static enum rc check_entry(struct check *c, const struct entry *e)
{
	CLEANUP_BUF struct buf form = { 0 };
	enum rc rc = check_filter(c, e);

	if (!rc && e->type == ENTRY_REG)
		rc = check_content(c, e);
	buf_init(&form, FILE_MAX);
	record_encode_logical(e, &form);
	sha256_update(&c->logical, form.p, form.len);
	if (!rc && !c->n_entries && !is_uid(e, c->info.first))
		rc = corrupt(c, "first uid");
	c->n_entries++;
	if (!rc && c->n_entries == c->f.n_entries && !is_uid(e, c->info.last))
		rc = corrupt(c, "last uid");
	if (e->type == ENTRY_REG) {
		c->n_files++;
		c->plain += e->size;
	}
	c->has_xattrs |= e->xattrs.len > 0;
	if (e->created_at < c->created_min)
		c->created_min = e->created_at;
	if (e->created_at > c->created_max)
		c->created_max = e->created_at;
	return rc;
}

/* The pages below ref; a shard has at most PAGE_LEVELS_MAX levels. */
static enum rc check_pages(struct check *c, const struct page_ref *ref,
			   unsigned int level)
{
	struct page *p = NULL;
	enum rc rc = check_page(c, ref, &p);

	if (!rc && (page_kind(p) != (level > 1 ? PAGE_NODE : PAGE_LEAF)))
		rc = corrupt(c, "kind of a page");
	for (uint32_t i = 0; !rc && i < page_count(p); i++) {
		struct page_child child;
		struct entry e;

		if (level == 1) {
			page_entry(p, i, &e);
			rc = check_entry(c, &e);
			continue;
		}
		page_child(p, i, &child);
		if (child.level != level - 1 ||
		    child.first_ordinal != c->n_entries)
			rc = corrupt(c, "child of a page");
		else
			rc = check_pages(c, &child.ref, level - 1);
	}
	page_free(p);
	return rc;
}

/* After all else, which checked the blocks. */
static enum rc check_dead(struct check *c)
{
	uint64_t dead = 0, off = c->f.data_off;

	while (off < data_end(&c->f)) {
		struct block_header h;
		uint64_t len;
		enum rc rc = block_header_decode(
			c->p + off, data_end(&c->f) - off, &h, &c->err);

		if (rc)
			return rc;
		len = BLOCK_HEADER_SIZE + (uint64_t)h.data_stored +
		      h.records_stored;
		if (!c->is_used[off])
			dead += len;
		off += len;
	}
	return dead == c->f.dead_bytes ? RC_OK : corrupt(c, "dead bytes");
}

static enum rc check_shard(struct check *c)
{
	uint8_t digest[SHA256_LEN];
	enum rc rc = check_ends(c);

	c->created_min = INT64_MAX;
	c->created_max = INT64_MIN;
	sha256_init(&c->logical);
	if (!rc)
		rc = check_blocks(c);
	if (!rc && c->f.levels)
		rc = check_pages(c, &c->f.root_page, c->f.levels);
	sha256_final(&c->logical, digest);
	if (rc)
		return rc;
	if (!c->n_entries)
		c->created_min = c->created_max = 0;
	if (c->n_entries != c->f.n_entries || c->n_files != c->f.n_files ||
	    c->plain != c->f.plain_bytes ||
	    c->created_min != c->f.created_min ||
	    c->created_max != c->f.created_max ||
	    c->has_xattrs != (c->f.header.compat == SHARD_COMPAT_XATTRS))
		return corrupt(c, "totals");
	if (memcmp(digest, c->f.logical_root, sizeof(digest)) != 0)
		return corrupt(c, "logical root");
	return check_dead(c);
}

static FILE *open_golden(const char *name)
{
	const char *src = getenv("SRCDIR");
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/golden/%s", src ? src : ".",
		 name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be opened", path);
	return f;
}

static void load(const char *name, struct buf *out)
{
	FILE *f = open_golden(name);

	buf_init(out, FILE_MAX);
	assert_non_null(buf_reserve(out, FILE_MAX));
	out->len = fread(out->p, 1, FILE_MAX, f);
	fclose(f);
	assert_true(out->len > 0);
}

/* All of a shard, from memory of its own size: a sanitizer sees overruns. */
static enum rc read_whole(const char *name, struct err *err)
{
	struct check c = { 0 };
	struct buf b;
	uint8_t *p;
	enum rc rc;

	load(name, &b);
	p = malloc(b.len);
	assert_non_null(p);
	memcpy(p, b.p, b.len);
	c.p = p;
	c.len = b.len;
	c.is_used = calloc(1, b.len);
	assert_non_null(c.is_used);
	buf_release(&b);
	rc = check_shard(&c);
	*err = c.err;
	free(c.is_used);
	free(p);
	return rc;
}

static void every_golden_shard_ends_in_the_result_stated(void **state)
{
	FILE *table = open_golden("shards.tsv");
	char line[256];
	unsigned int n = 0, n_wrong = 0;

	(void)state;
	while (fgets(line, sizeof(line), table)) {
		struct err err = { 0 };
		enum rc rc, rc_want = RC_OK;
		char *want;

		if (*line == '#')
			continue;
		want = strchr(line, '\t');
		assert_non_null(want);
		*want++ = '\0';
		if (!strncmp(want, "CORRUPT\t", 8))
			rc_want = RC_CORRUPT;
		else if (!strncmp(want, "UNSUPPORTED\t", 12))
			rc_want = RC_UNSUPPORTED;
		else
			assert_memory_equal(want, "OK\t", 3);
		rc = read_whole(line, &err);
		n++;
		if (rc == rc_want)
			continue;
		n_wrong++;
		print_message("# %s: %s: %s\n", line, rc_text(rc), err.msg);
	}
	fclose(table);
	assert_int_equal(n, golden_n_good + golden_n_bad);
	assert_int_equal(n_wrong, 0);
}

/* The writer in the header names the libraries that compressed. */
static void good_shards_are_made_again_byte_for_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < golden_n_good; i++) {
		struct shard_header was, is;
		struct err err = { 0 };
		struct buf old, made;

		load(golden_good[i].name, &old);
		buf_init(&made, FILE_MAX);
		golden_good[i].make(&golden_good[i], &made);
		assert_int_equal(shard_header_decode(old.p, SHARD_HEADER_SIZE,
						     &was, &err),
				 RC_OK);
		assert_int_equal(shard_header_decode(made.p, SHARD_HEADER_SIZE,
						     &is, &err),
				 RC_OK);
		if (memcmp(was.writer, is.writer, SHARD_WRITER_LEN) == 0) {
			assert_int_equal(made.len, old.len);
			assert_memory_equal(made.p, old.p, old.len);
		}
		buf_release(&old);
		buf_release(&made);
	}
}

static void codecs_do_not_change_the_logical_root(void **state)
{
	const char *names[] = { "good-v3-none.des", "good-v3-small.des",
				"good-v3-lz4.des" };
	struct shard_footer f[ARRAY_LEN(names)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct err err = { 0 };
		struct buf b;

		load(names[i], &b);
		assert_int_equal(shard_footer_decode(
					 b.p + b.len - SHARD_FOOTER_SIZE,
					 SHARD_FOOTER_SIZE, b.len, &f[i], &err),
				 RC_OK);
		buf_release(&b);
		assert_memory_equal(f[i].logical_root, f[0].logical_root,
				    SHARD_ROOT_LEN);
	}
	assert_memory_not_equal(f[0].root, f[1].root, SHARD_ROOT_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_golden_shard_ends_in_the_result_stated),
		cmocka_unit_test(good_shards_are_made_again_byte_for_byte),
		cmocka_unit_test(codecs_do_not_change_the_logical_root),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
