/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-record.c - the records of a block: read, written, read again.
 *
 * Input: their number in two bytes, the records.
 */
#include "config.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/rd.h"
#include "fuzz.h"
#include "same.h"
#include "seal.h"
#include "shard/shard-columns.h"
#include "shard/shard-record.h"

static void free_reader(struct record_reader **rr)
{
	record_reader_free(*rr);
}

/* The uid of the last record, which its reader gives away. */
struct last {
	struct entry e;
	char *uid;
};

static void keep_uid(struct last *last, const struct entry *e)
{
	size_t len = entry_uid_len(e->parent, e->name);
	char *uid = mem_array(len, 1);

	SEAL_CHECK(uid && entry_uid(e->parent, e->name, uid) == len);
	free(last->uid);
	last->uid = uid;
	entry_split_uid(span_of(uid, len), &last->e.parent, &last->e.name);
}

/* Reads all records and writes them to out; true when all were good. */
static bool copy_records(const uint8_t *p, size_t len, uint32_t n,
			 struct buf *out)
{
	CLEANUP(free_reader) struct record_reader *rr = NULL;
	struct last last = { 0 };
	struct record rec;
	struct err err = { 0 };
	enum rc rc;

	if (record_reader_new(p, len, n, &rr, &err))
		return false;
	for (rc = record_next(rr, &rec, &err); !rc;
	     rc = record_next(rr, &rec, &err)) {
		SEAL_CHECK(entry_is_sound(&rec.entry) && !rec.entry.has_hash);
		record_encode(&rec, last.uid ? &last.e : NULL, out);
		keep_uid(&last, &rec.entry);
	}
	free(last.uid);
	SEAL_CHECK(buf_ok(out));
	return rc == RC_NOENT;
}

static bool same_record(const struct record *a, const struct record *b)
{
	return !entry_compare(&a->entry, &b->entry) &&
	       same_attributes(&a->entry, &b->entry) && a->where == b->where &&
	       same_content(&a->entry.content, &b->entry.content) &&
	       (a->where != RECORD_HASHES ||
		!memcmp(a->hashes, b->hashes,
			(size_t)a->entry.content.n_blocks * BLOCK_HASH_LEN));
}

static void compare(const uint8_t *p, size_t len, const struct buf *out,
		    uint32_t n)
{
	CLEANUP(free_reader) struct record_reader *ra = NULL;
	CLEANUP(free_reader) struct record_reader *rb = NULL;
	struct record a, b;
	struct err err = { 0 };

	SEAL_CHECK(!record_reader_new(p, len, n, &ra, &err));
	SEAL_CHECK(!record_reader_new(out->p, out->len, n, &rb, &err));
	while (n--) {
		SEAL_CHECK(!record_next(ra, &a, &err));
		SEAL_CHECK(!record_next(rb, &b, &err));
		SEAL_CHECK(same_record(&a, &b));
	}
	SEAL_CHECK(record_next(rb, &b, &err) == RC_NOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf out = { .max = SIZE_MAX / 2 };
	struct rd r = { .p = data, .left = size };
	uint32_t n = rd_u16(&r);

	if (rd_ok(&r) && copy_records(r.p, r.left, n, &out))
		compare(r.p, r.left, &out, n);
	return 0;
}
