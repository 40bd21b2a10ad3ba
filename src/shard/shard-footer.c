/* SPDX-License-Identifier: Apache-2.0 */
/* shard-footer.c - header and footer of a shard, bytes to struct and back. */
#include "config.h"

#include "shard/shard-footer.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/rd.h"
#include "base/sha256.h"
#include "base/wr.h"
#include "shard/route.h"
#include "shard/shard-filter.h"

#define HEADER_CRC_OFF (SHARD_HEADER_SIZE - 4)
#define FOOTER_ROOT_OFF 468
#define FOOTER_CRC_OFF 500

static void write_zeros_to(struct buf *out, size_t end)
{
	while (out->len < end && buf_ok(out))
		wr_u8(out, 0);
}

/* Header and footer begin alike: from the version to the writer. */
static void write_common(const struct shard_header *h, uint16_t size,
			 struct buf *out)
{
	wr_u16(out, SHARD_VERSION);
	wr_u16(out, size);
	wr_u32(out, h->incompat);
	wr_u32(out, h->ro_compat);
	wr_u32(out, h->compat);
	buf_append(out, h->archive_id, SHARD_ID_LEN);
	wr_u32(out, h->day);
	wr_u32(out, h->slot);
	wr_u8(out, h->n_bits);
	wr_u8(out, h->route);
	wr_u16(out, 0);
	wr_u32(out, h->part);
	wr_u32(out, h->revision);
	wr_u32(out, h->block_size);
	buf_append(out, h->writer, SHARD_WRITER_LEN);
}

/* The version comes first, so that a newer one is told from damage. */
static enum rc read_common(struct rd *r, const char *what, uint16_t want_size,
			   struct shard_header *h, struct err *err)
{
	uint16_t version = rd_u16(r);
	uint16_t size = rd_u16(r);
	const uint8_t *p;

	if (version != SHARD_VERSION)
		return err_set(err, RC_UNSUPPORTED,
			       "%s: format version %u, this program reads %d",
			       what, version, SHARD_VERSION);
	h->incompat = rd_u32(r);
	h->ro_compat = rd_u32(r);
	h->compat = rd_u32(r);
	if (size != want_size)
		return err_set(err, RC_CORRUPT, "%s: states %u bytes, not %u",
			       what, size, want_size);
	p = rd_take(r, SHARD_ID_LEN);
	if (p)
		memcpy(h->archive_id, p, SHARD_ID_LEN);
	h->day = rd_u32(r);
	h->slot = rd_u32(r);
	h->n_bits = rd_u8(r);
	h->route = rd_u8(r);
	if (rd_u16(r))
		rd_fail(r);
	h->part = rd_u32(r);
	h->revision = rd_u32(r);
	h->block_size = rd_u32(r);
	p = rd_take(r, SHARD_WRITER_LEN);
	if (p)
		memcpy(h->writer, p, SHARD_WRITER_LEN);
	return RC_OK;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static bool text_is_padded(const char *text, size_t n)
{
	size_t len = strnlen(text, n);

	return all_zero((const uint8_t *)text + len, n - len);
}

/* Flags say something only once the checksum says that they were written. */
static enum rc check_features(const struct shard_header *h, uint32_t known,
			      const char *what, struct err *err)
{
	if (h->incompat & ~known)
		return err_set(err, RC_UNSUPPORTED,
			       "%s: needs features 0x%x of a newer version",
			       what, h->incompat & ~known);
	return RC_OK;
}

static enum rc check_common(const struct shard_header *h, const char *what,
			    struct err *err)
{
	if (h->n_bits < 4 || h->n_bits > 16)
		return err_set(err, RC_CORRUPT, "%s: n_bits is %u, not 4 to 16",
			       what, h->n_bits);
	if (h->slot >> h->n_bits)
		return err_set(err, RC_CORRUPT, "%s: slot %u with n_bits %u",
			       what, h->slot, h->n_bits);
	if (h->route > ROUTE_PARENT)
		return err_set(err, RC_CORRUPT, "%s: route is %u, not 0 or 1",
			       what, h->route);
	if (h->block_size < BLOCK_SIZE_MIN || h->block_size > BLOCK_SIZE_MAX)
		return err_set(err, RC_CORRUPT,
			       "%s: block size is %u, not %u to %u", what,
			       h->block_size, BLOCK_SIZE_MIN, BLOCK_SIZE_MAX);
	if (!text_is_padded(h->writer, SHARD_WRITER_LEN))
		return err_set(err, RC_CORRUPT, "%s: writer is not text", what);
	return RC_OK;
}

void shard_header_encode(const struct shard_header *h, struct buf *out)
{
	size_t start = out->len;

	buf_append(out, SHARD_HEADER_MAGIC, SHARD_MAGIC_LEN);
	write_common(h, SHARD_HEADER_SIZE, out);
	write_zeros_to(out, start + HEADER_CRC_OFF);
	if (buf_ok(out))
		wr_u32(out, crc32c(out->p + start, HEADER_CRC_OFF));
}

static uint32_t crc_at(const uint8_t *p, size_t off)
{
	struct rd r = { .p = p + off, .left = 4 };

	return rd_u32(&r);
}

enum rc shard_header_decode(const uint8_t *p, size_t len,
			    struct shard_header *ret, struct err *err)
{
	struct rd r = { .p = p, .left = len };
	struct shard_header h = { 0 };
	const uint8_t *magic = rd_take(&r, SHARD_MAGIC_LEN);
	enum rc rc;

	if (!magic || memcmp(magic, SHARD_HEADER_MAGIC, SHARD_MAGIC_LEN))
		return err_set(err, RC_CORRUPT, "header: no shard magic");
	rc = read_common(&r, "header", SHARD_HEADER_SIZE, &h, err);
	if (rc)
		return rc;
	if (len != SHARD_HEADER_SIZE)
		return err_set(err, RC_CORRUPT, "header: ill-formed");
	if (crc_at(p, HEADER_CRC_OFF) != crc32c(p, HEADER_CRC_OFF))
		return err_set(err, RC_CORRUPT, "header: checksum mismatch");
	rc = check_features(&h, SHARD_KNOWN_INCOMPAT, "header", err);
	if (rc)
		return rc;
	if (!rd_ok(&r) || !all_zero(r.p, r.left - 4))
		return err_set(err, RC_CORRUPT, "header: ill-formed");
	rc = check_common(&h, "header", err);
	if (rc)
		return rc;
	*ret = h;
	return RC_OK;
}

static void write_section(const struct shard_section *s, struct buf *out)
{
	wr_u64(out, s->off);
	wr_u64(out, s->len);
	buf_append(out, s->hash, BLOCK_HASH_LEN);
}

static void read_section(struct rd *r, struct shard_section *s)
{
	const uint8_t *p;

	s->off = rd_u64(r);
	s->len = rd_u64(r);
	p = rd_take(r, BLOCK_HASH_LEN);
	if (p)
		memcpy(s->hash, p, BLOCK_HASH_LEN);
}

static void write_counts(const struct shard_footer *f, struct buf *out)
{
	wr_u64(out, (uint64_t)f->created_min);
	wr_u64(out, (uint64_t)f->created_max);
	wr_u64(out, f->n_entries);
	wr_u64(out, f->n_files);
	wr_u64(out, f->plain_bytes);
	wr_u64(out, f->n_blocks);
	wr_u64(out, f->dead_bytes);
	wr_u64(out, f->data_off);
	wr_u64(out, f->data_len);
	wr_u64(out, f->index_off);
	wr_u64(out, f->index_len);
	wr_u64(out, f->root_page.off);
	wr_u32(out, f->root_page.stored_len);
	wr_u32(out, f->levels);
	buf_append(out, f->root_page.hash, BLOCK_HASH_LEN);
}

static void read_counts(struct rd *r, struct shard_footer *f)
{
	uint32_t levels;
	const uint8_t *p;

	f->created_min = (int64_t)rd_u64(r);
	f->created_max = (int64_t)rd_u64(r);
	f->n_entries = rd_u64(r);
	f->n_files = rd_u64(r);
	f->plain_bytes = rd_u64(r);
	f->n_blocks = rd_u64(r);
	f->dead_bytes = rd_u64(r);
	f->data_off = rd_u64(r);
	f->data_len = rd_u64(r);
	f->index_off = rd_u64(r);
	f->index_len = rd_u64(r);
	f->root_page.off = rd_u64(r);
	f->root_page.stored_len = rd_u32(r);
	levels = rd_u32(r);
	if (levels > PAGE_LEVELS_MAX)
		rd_fail(r);
	f->levels = (uint8_t)levels;
	p = rd_take(r, BLOCK_HASH_LEN);
	if (p)
		memcpy(f->root_page.hash, p, BLOCK_HASH_LEN);
}

void shard_footer_encode(struct shard_footer *f, struct buf *out)
{
	size_t start = out->len;

	buf_append(out, SHARD_FOOTER_MAGIC, SHARD_MAGIC_LEN);
	write_common(&f->header, SHARD_FOOTER_SIZE, out);
	write_counts(f, out);
	write_section(&f->filter, out);
	write_section(&f->filter_dir, out);
	write_section(&f->info, out);
	buf_append(out, f->header_hash, BLOCK_HASH_LEN);
	buf_append(out, f->logical_root, SHARD_ROOT_LEN);
	write_zeros_to(out, start + FOOTER_ROOT_OFF);
	if (!buf_ok(out))
		return;
	sha256_of(out->p + start, FOOTER_ROOT_OFF, f->root);
	buf_append(out, f->root, SHARD_ROOT_LEN);
	if (buf_ok(out))
		wr_u32(out, crc32c(out->p + start, FOOTER_CRC_OFF));
	buf_append(out, SHARD_END_MAGIC, SHARD_MAGIC_LEN);
}

/* The parts must follow one another without gap from header to footer. */
static bool sections_tile(const struct shard_footer *f, uint64_t shard_size)
{
	const struct {
		uint64_t off, len;
	} parts[] = {
		{ f->data_off, f->data_len },
		{ f->filter.off, f->filter.len },
		{ f->index_off, f->index_len },
		{ f->filter_dir.off, f->filter_dir.len },
		{ f->info.off, f->info.len },
	};
	uint64_t at = SHARD_HEADER_SIZE;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].off != at || parts[i].len > shard_size - at)
			return false;
		at += parts[i].len;
	}
	return shard_size - at == SHARD_FOOTER_SIZE;
}

/* A tree of pages with entries, or neither. */
static bool root_page_is_sound(const struct shard_footer *f)
{
	const struct page_ref *root = &f->root_page;

	if (!f->n_entries)
		return !f->levels && !root->off && !root->stored_len &&
		       !f->index_len;
	return f->levels && root->stored_len >= PAGE_HEADER_SIZE &&
	       root->stored_len <= PAGE_HEADER_SIZE + PAGE_RAW_MAX &&
	       root->off <= f->index_len &&
	       root->stored_len <= f->index_len - root->off;
}

/* The filter's size follows from the number of entries, and so bounds that too.
 */
static bool filter_is_sound(const struct shard_footer *f)
{
	uint32_t n, size;

	if (f->n_entries > SHARD_ENTRIES_MAX)
		return false;
	filter_layout(f->n_entries, &n, &size);
	return f->filter.len == (uint64_t)n * size &&
	       f->filter_dir.len == (uint64_t)n * BLOCK_HASH_LEN;
}

static bool counts_are_sound(const struct shard_footer *f)
{
	return f->n_files <= f->n_entries && (f->n_files || !f->plain_bytes) &&
	       f->dead_bytes <= f->data_len &&
	       f->n_blocks <= f->data_len / BLOCK_HEADER_SIZE &&
	       f->created_min <= f->created_max;
}

static enum rc check_footer(const struct shard_footer *f, uint64_t shard_size,
			    struct err *err)
{
	if (shard_size < SHARD_HEADER_SIZE + SHARD_FOOTER_SIZE ||
	    !sections_tile(f, shard_size))
		return err_set(err, RC_CORRUPT,
			       "footer: its sections do not make up %llu bytes",
			       (unsigned long long)shard_size);
	if (!root_page_is_sound(f))
		return err_set(err, RC_CORRUPT,
			       "footer: root page outside the index");
	if (!filter_is_sound(f) || f->info.len > SHARD_INFO_MAX)
		return err_set(err, RC_CORRUPT,
			       "footer: section lengths out of bounds");
	if (!counts_are_sound(f))
		return err_set(err, RC_CORRUPT,
			       "footer: counts that contradict each other");
	return RC_OK;
}

enum rc shard_footer_decode(const uint8_t *p, size_t len, uint64_t shard_size,
			    struct shard_footer *ret, struct err *err)
{
	return shard_footer_decode_of(p, len, shard_size, SHARD_KNOWN_INCOMPAT,
				      ret, err);
}

enum rc shard_footer_decode_of(const uint8_t *p, size_t len,
			       uint64_t shard_size, uint32_t known,
			       struct shard_footer *ret, struct err *err)
{
	struct rd r = { .p = p, .left = len };
	struct shard_footer f = { 0 };
	uint8_t root[SHARD_ROOT_LEN];
	const uint8_t *h;
	enum rc rc;

	h = rd_take(&r, SHARD_MAGIC_LEN);
	if (!h || len != SHARD_FOOTER_SIZE ||
	    memcmp(h, SHARD_FOOTER_MAGIC, SHARD_MAGIC_LEN) ||
	    memcmp(p + len - SHARD_MAGIC_LEN, SHARD_END_MAGIC, SHARD_MAGIC_LEN))
		return err_set(err, RC_CORRUPT, "footer: no footer magic");
	rc = read_common(&r, "footer", SHARD_FOOTER_SIZE, &f.header, err);
	if (rc)
		return rc;
	if (crc_at(p, FOOTER_CRC_OFF) != crc32c(p, FOOTER_CRC_OFF))
		return err_set(err, RC_CORRUPT, "footer: checksum mismatch");
	rc = check_features(&f.header, known, "footer", err);
	if (rc)
		return rc;
	read_counts(&r, &f);
	read_section(&r, &f.filter);
	read_section(&r, &f.filter_dir);
	read_section(&r, &f.info);
	h = rd_take(&r, BLOCK_HASH_LEN);
	if (h)
		memcpy(f.header_hash, h, BLOCK_HASH_LEN);
	h = rd_take(&r, SHARD_ROOT_LEN);
	if (h)
		memcpy(f.logical_root, h, SHARD_ROOT_LEN);
	if (!rd_ok(&r) || !all_zero(r.p, (size_t)(p + FOOTER_ROOT_OFF - r.p)))
		return err_set(err, RC_CORRUPT, "footer: ill-formed");
	sha256_of(p, FOOTER_ROOT_OFF, root);
	memcpy(f.root, p + FOOTER_ROOT_OFF, SHARD_ROOT_LEN);
	if (memcmp(root, f.root, SHARD_ROOT_LEN))
		return err_set(err, RC_CORRUPT,
			       "footer: root hash does not match");
	rc = check_common(&f.header, "footer", err);
	if (!rc)
		rc = check_footer(&f, shard_size, err);
	if (rc)
		return rc;
	*ret = f;
	return RC_OK;
}

void shard_info_encode(const struct shard_info *info, struct buf *out)
{
	wr_u32(out, (uint32_t)info->first.len);
	buf_append(out, info->first.p, info->first.len);
	wr_u32(out, (uint32_t)info->last.len);
	buf_append(out, info->last.p, info->last.len);
}

enum rc shard_info_decode(const uint8_t *p, size_t len, struct shard_info *ret,
			  struct err *err)
{
	struct rd r = { .p = p, .left = len };
	struct shard_info info = { 0 };

	info.first.len = rd_u32(&r);
	info.first.p = (const char *)rd_take(&r, info.first.len);
	info.last.len = rd_u32(&r);
	info.last.p = (const char *)rd_take(&r, info.last.len);
	if (!rd_ok(&r) || r.left || info.first.len > UID_MAX_LEN ||
	    info.last.len > UID_MAX_LEN)
		return err_set(err, RC_CORRUPT, "info section: ill-formed");
	*ret = info;
	return RC_OK;
}
