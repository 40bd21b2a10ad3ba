/* SPDX-License-Identifier: Apache-2.0 */
/* verify-data.c - single files of a shard read back and hashed.
 *
 * The files come in the order of the index, which is nearly that of their
 * blocks; a few decoded blocks are kept, so that each is read once.
 */
#include "config.h"

#include "verify/verify-data.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256-many.h"
#include "shard/shard-format.h"
#include "verify/verify-block.h"
#include "verify/verify-blocks.h"

/* Files of two kinds take turns, and up to 16 blocks begin while one lasts; of
 * large ones fewer are enough.
 */
#define KEPT_BLOCKS 20u
#define KEPT_BYTES (16u << 20)
#define LATER_MAX 256u /* files that wait for others */

struct kept {
	uint64_t off, used; /* used: when last, 0 never */
	uint8_t *data;
	uint32_t len;
};

struct verify_data {
	const struct raw_shard *s;
	struct verify_report *report;
	struct verify_blocks *blocks;
	struct kept kept[KEPT_BLOCKS];
	uint64_t kept_bytes, clock;
	struct buf stored;
	/* Files in kept blocks, and what their entries say. */
	struct sha256_message later[LATER_MAX];
	uint8_t want[LATER_MAX][SHA256_LEN];
	size_t n_later;
	uint64_t hashed; /* when last none waited */
	bool any_bad;    /* of those that waited */
};

struct verify_data *verify_data_new(const struct raw_shard *s,
				    struct verify_report *report)
{
	struct verify_data *d = xcalloc(1, sizeof(*d));

	d->s = s;
	d->report = report;
	d->blocks = verify_blocks_new();
	buf_init(&d->stored,
		 BLOCK_HEADER_SIZE + BLOCK_SIZE_MAX + BLOCK_RECORDS_MAX);
	return d;
}

void verify_data_free(struct verify_data *d)
{
	if (!d)
		return;
	verify_blocks_free(d->blocks);
	for (size_t i = 0; i < KEPT_BLOCKS; i++)
		free(d->kept[i].data);
	buf_release(&d->stored);
	free(d);
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

static void tell_other(struct verify_data *d)
{
	verify_damage(d->report, FINDING_NO_OFFSET,
		      "SHA-256 of a file is not the one its entry states");
}

static void hash_later(struct verify_data *d)
{
	sha256_many(d->later, d->n_later);
	for (size_t i = 0; i < d->n_later; i++) {
		if (!memcmp(d->later[i].hash, d->want[i], SHA256_LEN))
			continue;
		tell_other(d);
		d->any_bad = true;
	}
	d->n_later = 0;
	d->hashed = d->clock;
}

static void drop_kept(struct verify_data *d, struct kept *k)
{
	if (k->used > d->hashed)
		hash_later(d);
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

/* The decoded block; NULL when it is damaged, which is reported once. */
static struct kept *load(struct verify_data *d, const struct block_ref *ref)
{
	struct verify_block *s = verify_blocks_note(d->blocks, ref);
	struct kept *k = find_kept(d, ref->off);
	struct block_header h;
	uint8_t *data = NULL;
	struct err err;
	enum rc rc;

	if (!s) {
		verify_damage(d->report, ref->off,
			      "block that two files state differently");
		return NULL;
	}
	if (s->is_bad)
		return NULL;
	if (!k) {
		rc = raw_shard_block(d->s, ref, &d->stored, &h, &err);
		if (!rc)
			rc = verify_block_decode(d->stored.p, &h, &data, &err);
		if (rc) {
			s->is_bad = true;
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

/* One that has these bytes: references in pages of their own are compared with
 * no entry when they are decoded.
 */
static const struct kept *load_bytes(struct verify_data *d,
				     const struct block_ref *ref, uint32_t from,
				     uint64_t len)
{
	const struct kept *k = load(d, ref);

	if (!k || (from <= k->len && len <= k->len - from))
		return k;
	verify_damage(d->report, ref->off,
		      "block of %u bytes, a file has some behind them", k->len);
	return NULL;
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
		k = load_bytes(d, &refs[i], from, len);
		if (k)
			sha256_update(&sum, k->data + from, len);
		is_whole &= !!k;
	}
	if (!is_whole)
		return false;
	sha256_final(&sum, hash);
	if (!e->has_hash || !memcmp(hash, e->sha256, SHA256_LEN))
		return true;
	tell_other(d);
	return false;
}

bool verify_data_later(struct verify_data *d, const struct entry *e,
		       const struct block_ref *refs)
{
	const struct kept *k;

	if (e->content.n_blocks != 1 || block_is_hole(refs))
		return verify_data_file(d, e, refs) && !d->any_bad;
	/* Before it is loaded: what is loaded by then waits for nobody. */
	if (d->n_later == LATER_MAX)
		hash_later(d);
	k = load_bytes(d, refs, e->content.tail_off, e->size);
	if (!k || !e->has_hash)
		return k && !d->any_bad;
	d->later[d->n_later] =
		(struct sha256_message){ .p = k->data + e->content.tail_off,
					 .len = e->size };
	memcpy(d->want[d->n_later++], e->sha256, SHA256_LEN);
	return !d->any_bad;
}

bool verify_data_end(struct verify_data *d)
{
	hash_later(d);
	return !d->any_bad;
}
