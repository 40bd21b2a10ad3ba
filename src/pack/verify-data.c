/* SPDX-License-Identifier: Apache-2.0 */
/* verify-data.c - every block of a shard's data checked, every file hashed.
 *
 * The files come in the order of the index, which is nearly that of their
 * blocks; a few decoded blocks are kept, so that each is read once.
 */
#include "config.h"

#include "pack/verify-data.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/table.h"
#include "shard/shard-format.h"
#include "shard/shard-record.h"

/* Files of two kinds take turns, and up to 16 blocks begin while one lasts; of
 * large ones fewer are enough.
 */
#define KEPT_BLOCKS 20u
#define KEPT_BYTES (16u << 20)

struct seen {
	uint64_t off;         /* the key */
	struct block_ref ref; /* by which it was met first */
	bool is_bad;
	UT_hash_handle hh;
};

struct kept {
	uint64_t off, used; /* used: when last, 0 never */
	uint8_t *data;
	uint32_t len;
};

struct verify_data {
	const struct raw_shard *s;
	struct verify_report *report;
	struct seen *seen;
	struct kept kept[KEPT_BLOCKS];
	uint64_t kept_bytes, clock;
	struct buf stored;
	uint64_t n_blocks, dead_bytes;
	bool any_bad;
};

struct verify_data *verify_data_new(const struct raw_shard *s,
				    struct verify_report *report)
{
	struct verify_data *d = xcalloc(1, sizeof(*d));

	d->s = s;
	d->report = report;
	buf_init(&d->stored,
		 BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX + BLOCK_RECORDS_MAX);
	return d;
}

void verify_data_free(struct verify_data *d)
{
	struct seen *s, *next;

	if (!d)
		return;
	HASH_ITER(hh, d->seen, s, next)
	{
		HASH_DEL(d->seen, s);
		free(s);
	}
	for (size_t i = 0; i < KEPT_BLOCKS; i++)
		free(d->kept[i].data);
	buf_release(&d->stored);
	free(d);
}

static enum rc check_records(const uint8_t *stored,
			     const struct block_header *h, struct err *err)
{
	CLEANUP_FREE uint8_t *raw = mem_array(h->records_len, 1);
	struct record_reader *r = NULL;
	struct record rec;
	enum rc rc;

	if (!raw)
		return err_set(err, RC_NOMEM, "no memory for records");
	rc = block_decode_records(stored, h, raw, err);
	if (!rc)
		rc = record_reader_new(raw, h->records_len, h->n_records, &r,
				       err);
	while (!rc)
		rc = record_next(r, &rec, err);
	record_reader_free(r);
	return rc == RC_NOENT ? RC_OK : rc;
}

/* Decode the block in d->stored. */
static enum rc decode(struct verify_data *d, const struct block_header *h,
		      uint8_t **ret, struct err *err)
{
	CLEANUP_FREE uint8_t *data = mem_array(h->data_len, 1);
	enum rc rc;

	if (!data)
		return err_set(err, RC_NOMEM, "no memory for a block");
	rc = block_decode_data(d->stored.p, h, data, err);
	if (!rc)
		rc = check_records(d->stored.p, h, err);
	if (!rc)
		*ret = STEAL_PTR(data);
	return rc;
}

static struct kept *find_kept(struct verify_data *d, uint64_t off)
{
	for (size_t i = 0; i < KEPT_BLOCKS; i++) {
		if (d->kept[i].used && d->kept[i].off == off)
			return &d->kept[i];
	}
	return NULL;
}

/* The place not used for longest, or an empty one if that will do. */
static struct kept *oldest_kept(struct verify_data *d, bool is_empty)
{
	struct kept *oldest = NULL;

	for (size_t i = 0; i < KEPT_BLOCKS; i++) {
		struct kept *k = &d->kept[i];

		if ((k->used || is_empty) &&
		    (!oldest || k->used < oldest->used))
			oldest = k;
	}
	return oldest;
}

static void drop_kept(struct verify_data *d, struct kept *k)
{
	free(k->data);
	d->kept_bytes -= k->len;
	*k = (struct kept){ 0 };
}

static struct kept *make_room(struct verify_data *d, uint32_t len)
{
	struct kept *k;

	while (d->kept_bytes && d->kept_bytes + len > KEPT_BYTES)
		drop_kept(d, oldest_kept(d, false));
	k = oldest_kept(d, true);
	drop_kept(d, k);
	return k;
}

static struct seen *note_seen(struct verify_data *d,
			      const struct block_ref *ref)
{
	struct seen *s = NULL;

	HASH_FIND(hh, d->seen, &ref->off, sizeof(ref->off), s);
	if (s)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->off = ref->off;
	s->ref = *ref;
	HASH_ADD(hh, d->seen, off, sizeof(s->off), s);
	d->n_blocks++;
	return s;
}

static bool is_same(const struct block_ref *a, const struct block_ref *b)
{
	return a->stored_len == b->stored_len && a->data_len == b->data_len &&
	       a->codec == b->codec &&
	       !memcmp(a->hash, b->hash, BLOCK_HASH_LEN);
}

/* The decoded block; NULL when it is damaged, which is reported once. */
static struct kept *load(struct verify_data *d, const struct block_ref *ref)
{
	struct seen *s = note_seen(d, ref);
	struct kept *k = find_kept(d, ref->off);
	struct block_header h;
	uint8_t *data = NULL;
	struct err err;
	enum rc rc;

	if (s->is_bad)
		return NULL;
	if (!is_same(ref, &s->ref)) {
		verify_damage(d->report, ref->off,
			      "block that two files state differently");
		return NULL;
	}
	if (!k) {
		rc = raw_shard_block(d->s, ref, &d->stored, &h, &err);
		if (!rc)
			rc = decode(d, &h, &data, &err);
		if (rc) {
			s->is_bad = true;
			d->any_bad = true;
			verify_damage(d->report, ref->off,
				      "block of %u bytes: %s", ref->stored_len,
				      err.msg);
			return NULL;
		}
		k = make_room(d, h.data_len);
		d->kept_bytes += h.data_len;
		*k = (struct kept){ .off = ref->off,
				    .data = data,
				    .len = h.data_len };
	}
	k->used = ++d->clock;
	return k;
}

bool verify_data_file(struct verify_data *d, const struct entry *e,
		      const struct block_ref *refs)
{
	struct sha256 sum;
	const struct content *c = &e->content;
	uint8_t hash[SHA256_LEN];
	uint64_t left = e->size;
	bool is_whole = true;

	sha256_init(&sum);
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		bool is_last = i + 1 == c->n_blocks;
		uint32_t from = is_last ? c->tail_off : 0;
		uint64_t len = is_last ? left : c->block_size;
		const struct kept *k;

		left -= len;
		if (block_is_hole(&refs[i])) {
			sha256_update_zeros(&sum, len);
			continue;
		}
		k = load(d, &refs[i]);
		if (k)
			sha256_update(&sum, k->data + from, len);
		is_whole &= !!k;
	}
	if (!is_whole)
		return false;
	sha256_final(&sum, hash);
	if (!e->has_hash || !memcmp(hash, e->sha256, SHA256_LEN))
		return true;
	verify_damage(d->report, FINDING_NO_OFFSET,
		      "SHA-256 of a file is not the one its entry states");
	return false;
}

/* --- what no file refers to ----------------------------------------------- */

/* The block at off, at most room bytes; returns its length, 0 when damaged. */
static uint64_t check_dead(struct verify_data *d, uint64_t off, uint64_t room,
			   struct err *err)
{
	uint8_t head[BLOCK_HEADER_SIZE], *to, *data = NULL;
	struct block_header h;
	uint64_t len;

	if (room < sizeof(head)) {
		err_set(err, RC_CORRUPT, "%" PRIu64 " bytes are no block",
			room);
		return 0;
	}
	if (raw_shard_read(d->s, off, head, sizeof(head), err) ||
	    block_header_decode(head, sizeof(head), &h, err))
		return 0;
	len = (uint64_t)sizeof(head) + h.data_stored + h.records_stored;
	if (len > room) {
		err_set(err, RC_CORRUPT,
			"block of %" PRIu64 " bytes where %" PRIu64 " are left",
			len, room);
		return 0;
	}
	buf_clear(&d->stored);
	to = buf_reserve(&d->stored, len);
	if (!to) {
		err_set(err, RC_NOMEM, "no memory for a block");
		return 0;
	}
	if (raw_shard_read(d->s, off, to, len, err) ||
	    block_check(to, len, NULL, false, &h, err) ||
	    decode(d, &h, &data, err))
		return 0;
	free(data);
	return len;
}

static void check_gap(struct verify_data *d, uint64_t off, uint64_t end)
{
	struct err err;

	while (off < end) {
		uint64_t len = check_dead(d, off, end - off, &err);

		if (!len) {
			d->any_bad = true;
			verify_damage(d->report, off,
				      "%" PRIu64 " bytes that no file refers "
				      "to: %s",
				      end - off, err.msg);
			return;
		}
		d->n_blocks++;
		d->dead_bytes += len;
		off += len;
	}
}

static int by_offset(const struct seen *a, const struct seen *b)
{
	return (a->off > b->off) - (a->off < b->off);
}

static void check_counts(struct verify_data *d)
{
	const struct shard_footer *f = &d->s->footer;

	if (d->n_blocks != f->n_blocks)
		verify_damage(d->report, FINDING_NO_OFFSET,
			      "%" PRIu64 " blocks, the footer says %" PRIu64,
			      d->n_blocks, f->n_blocks);
	if (d->dead_bytes != f->dead_bytes)
		verify_damage(d->report, FINDING_NO_OFFSET,
			      "%" PRIu64 " bytes of blocks no entry refers to, "
			      "the footer says %" PRIu64,
			      d->dead_bytes, f->dead_bytes);
}

void verify_data_rest(struct verify_data *d, bool is_complete)
{
	const struct shard_footer *f = &d->s->footer;
	uint64_t at = f->data_off;
	struct seen *s;

	HASH_SORT(d->seen, by_offset);
	for (s = d->seen; s; s = s->hh.next) {
		if (s->off < at)
			verify_damage(d->report, s->off,
				      "block begins within the one before it");
		else
			check_gap(d, at, s->off);
		if (s->off + s->ref.stored_len > at)
			at = s->off + s->ref.stored_len;
	}
	check_gap(d, at, f->data_off + f->data_len);
	d->report->totals.blocks += d->n_blocks;
	if (is_complete && !d->any_bad)
		check_counts(d);
}
