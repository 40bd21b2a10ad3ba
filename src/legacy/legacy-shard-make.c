/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-shard-make.c - making shards of entries of older ones. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/version.h"
#include "legacy/legacy-shard.h"
#include "shard/route.h"
#include "shard/shard-block.h"
#include "shard/shard-build.h"

enum part { PART_HEADER, PART_FILTER, PART_INDEX, PART_REST };

static struct legacy_shard *current(struct legacy_shards *s)
{
	return &s->shards[s->n - 1];
}

/* Bytes of a part, which comes in one piece or in several. */
static enum rc add_to(struct legacy_shards *s, enum part part, const void *p,
		      size_t len, struct err *err)
{
	struct legacy_part *to = &current(s)->parts[part];

	if (!to->len)
		to->at = spool_len(&s->bytes);
	to->len += len;
	return spool_append(&s->bytes, p, len, err);
}

static enum rc sink_data(void *arg, const void *p, size_t len, struct err *err)
{
	return add_to(arg, PART_HEADER, p, len, err);
}

static enum rc sink_index(void *arg, const void *p, size_t len, struct err *err)
{
	struct legacy_shards *s = arg;

	return spool_append(&s->index, p, len, err);
}

static enum rc sink_flush_index(void *arg, struct err *err)
{
	struct legacy_shards *s = arg;
	uint64_t len = spool_len(&s->index);
	uint8_t bytes[8192];
	enum rc rc = RC_OK;

	for (uint64_t at = 0; at < len && !rc; at += sizeof(bytes)) {
		size_t n = sizeof(bytes);

		if (n > len - at)
			n = (size_t)(len - at);
		rc = spool_read(&s->index, at, bytes, n, err);
		if (!rc)
			rc = add_to(s, PART_INDEX, bytes, n, err);
	}
	return rc ? rc : spool_clear(&s->index, err);
}

/* The filter comes first, if there are entries, which there are. */
static enum rc sink_tail(void *arg, const void *p, size_t len, struct err *err)
{
	struct legacy_shards *s = arg;
	bool is_filter = !current(s)->parts[PART_FILTER].len;

	return add_to(s, is_filter ? PART_FILTER : PART_REST, p, len, err);
}

enum rc legacy_shards_begin(struct legacy_shards *s,
			    const uint8_t archive_id[SHARD_ID_LEN],
			    const struct legacy_shard *which, struct err *err)
{
	const struct shard_sink sink = { .data = sink_data,
					 .index = sink_index,
					 .flush_index = sink_flush_index,
					 .tail = sink_tail,
					 .arg = s };
	struct shard_build_options o = { .codec = CODEC_NONE };
	struct shard_header *h = &o.header;

	s->shards = mem_grow(s->shards, &s->cap, s->n + 1, sizeof(*s->shards));
	s->shards[s->n++] =
		(struct legacy_shard){ .day = which->day,
				       .slot = which->slot,
				       .part = which->part,
				       .revision = which->revision,
				       .data_off = SHARD_HEADER_SIZE,
				       .data_end = SHARD_HEADER_SIZE,
				       .starts = s->n_starts };
	h->incompat = SHARD_INCOMPAT_UNHASHED;
	h->day = which->day;
	h->slot = which->slot;
	h->part = which->part;
	h->n_bits = LEGACY_N_BITS;
	h->route = ROUTE_PARENT;
	h->revision = which->revision;
	h->block_size = LEGACY_BLOCK;
	memcpy(h->archive_id, archive_id, SHARD_ID_LEN);
	snprintf(h->writer, sizeof(h->writer), "desfs %s, of an older program",
		 version_text());
	return shard_build_new(&o, &sink, &s->build, err);
}

enum rc legacy_shards_place(struct legacy_shards *s, uint64_t size,
			    uint32_t nth, uint64_t *ret_start, struct err *err)
{
	struct legacy_shard *shard = current(s);
	const struct legacy_start at = { shard->data_end, s->n_places + nth };
	uint64_t n = (size - 1) / legacy_block_size(size) + 1;
	uint64_t len = size + n * BLOCK_HEADER_SIZE;

	shard_build_leave(s->build, len, n);
	*ret_start = shard->data_end;
	shard->data_end += len;
	shard->n_starts++;
	s->n_starts++;
	return spool_append(&s->starts, &at, sizeof(at), err);
}

/* --- entries -------------------------------------------------------------- */

struct blocks {
	const struct legacy_place *place;
	uint8_t origin[SHA256_LEN];
};

/* shard_blocks_fn */
static enum rc next_blocks(void *arg, uint32_t i, uint32_t n,
			   struct block_ref *ret, struct err *err)
{
	const struct blocks *b = arg;
	const struct legacy_place *p = b->place;

	(void)err;
	for (uint32_t k = 0; k < n; k++) {
		uint64_t number = (uint64_t)i + k;
		uint64_t left = p->size - number * p->block_size;
		uint32_t len =
			left < p->block_size ? (uint32_t)left : p->block_size;
		uint8_t hash[SHA256_LEN];
		struct sha256 h;

		sha256_init(&h);
		sha256_update(&h, b->origin, sizeof(b->origin));
		sha256_update(&h, &number, sizeof(number));
		sha256_final(&h, hash);
		ret[k] = (struct block_ref){
			.off = p->start + number * ((uint64_t)p->block_size +
						    BLOCK_HEADER_SIZE),
			.stored_len = len + BLOCK_HEADER_SIZE,
			.data_len = len,
			.codec = CODEC_NONE,
		};
		memcpy(ret[k].hash, hash, BLOCK_HASH_LEN);
	}
	return RC_OK;
}

/* Where the bytes come from, all of it. */
static void set_origin(struct blocks *b, struct span text, struct span origin)
{
	const struct legacy_place *p = b->place;
	const uint64_t numbers[] = { p->size,       p->off,  p->stored_len,
				     p->block_size, p->how,  p->codec,
				     origin.len,    text.len };
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, numbers, sizeof(numbers));
	sha256_update(&h, origin.p, origin.len);
	sha256_update(&h, text.p, text.len);
	sha256_update(&h, p->sha256, sizeof(p->sha256));
	sha256_final(&h, b->origin);
}

static enum rc add_place(struct legacy_shards *s, struct legacy_place *p,
			 struct span text, struct err *err)
{
	p->text = spool_len(&s->texts);
	p->text_len = (uint32_t)text.len;
	if (spool_append(&s->texts, text.p, text.len, err) ||
	    spool_append(&s->places, p, sizeof(*p), err))
		return err->rc;
	s->n_places++;
	return RC_OK;
}

enum rc legacy_shards_add(struct legacy_shards *s, struct entry *e,
			  struct legacy_place *place, struct span text,
			  struct span origin, struct err *err)
{
	struct blocks b = { .place = place };
	struct content *c = &e->content;

	if (!place)
		return shard_build_entry(s->build, e, err);
	place->block_size = legacy_block_size(place->size);
	c->block_size = place->block_size;
	c->n_blocks = (uint32_t)((place->size - 1) / place->block_size + 1);
	set_origin(&b, text, origin);
	if (shard_build_entry_of(s->build, e, next_blocks, &b, err))
		return err->rc;
	return add_place(s, place, text, err);
}

/* --- the end -------------------------------------------------------------- */

static enum rc add_text(struct legacy_shards *s, struct span uid,
			uint64_t *ret_at, uint32_t *ret_len, struct err *err)
{
	*ret_at = spool_len(&s->texts);
	*ret_len = (uint32_t)uid.len;
	return spool_append(&s->texts, uid.p, uid.len, err);
}

static void place_parts(struct legacy_shard *shard,
			const struct shard_footer *f)
{
	shard->pad_end = f->data_off + f->data_len;
	shard->parts[PART_FILTER].off = f->filter.off;
	shard->parts[PART_INDEX].off = f->index_off;
	shard->parts[PART_REST].off = f->filter_dir.off;
}

static void set_key(struct legacy_shard *shard)
{
	char root[HEX_TEXT(8)], revision[16] = "";

	hex_encode(shard->root, 8, root);
	if (shard->revision)
		snprintf(revision, sizeof(revision), "R%03" PRIu32 "_",
			 shard->revision % 1000);
	snprintf(shard->key, sizeof(shard->key),
		 "%08" PRIu32 "/%08" PRIu32 "_%0*" PRIX32 "_%04" PRIu32
		 "_%s%s.des",
		 shard->day, shard->day, (int)route_hex_width(LEGACY_N_BITS),
		 shard->slot, shard->part, revision, root);
}

enum rc legacy_shards_end(struct legacy_shards *s, struct err *err)
{
	struct legacy_shard *shard = current(s);
	struct shard_footer f;
	struct shard_info info;

	shard_build_leave(s->build, LEGACY_SHARD_PAD, 0);
	if (shard_build_finish(s->build, &f, &shard->size, err))
		return err->rc;
	place_parts(shard, &f);
	memcpy(shard->root, f.root, SHARD_ROOT_LEN);
	shard->n_entries = f.n_entries;
	shard->n_files = f.n_files;
	shard->plain_bytes = f.plain_bytes;
	shard->created_min = f.created_min;
	shard->created_max = f.created_max;
	set_key(shard);
	info = shard_build_info(s->build);
	if (add_text(s, info.first, &shard->first, &shard->first_len, err) ||
	    add_text(s, info.last, &shard->last, &shard->last_len, err))
		return err->rc;
	shard_build_free(s->build);
	s->build = NULL;
	return RC_OK;
}
