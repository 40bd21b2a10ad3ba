/* SPDX-License-Identifier: Apache-2.0 */
/* golden-bad.c - the bad shards: good ones with one fault each.
 *
 * All checksums above the fault are made right again, so that what the name
 * says is the only thing wrong.
 */
#include "config.h"

#include "golden-shard.h"

#include <string.h>

#include "base/compiler.h"
#include "base/crc32c.h"
#include "base/sha256.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

#define HASH_LEN 16

static uint64_t get(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n)
		v = v << 8 | p[--n];
	return v;
}

static void set(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint8_t *footer(const struct buf *b)
{
	return b->p + b->len - SHARD_FOOTER_SIZE;
}

static uint8_t *page(const struct buf *b)
{
	const uint8_t *f = footer(b);

	return b->p + get(f + 200, 8) + get(f + 216, 8);
}

static uint8_t *block(const struct buf *b)
{
	return b->p + SHARD_HEADER_SIZE;
}

static void hash(uint8_t *out, const uint8_t *p, size_t len)
{
	uint8_t digest[SHA256_LEN];

	sha256_of(p, len, digest);
	memcpy(out, digest, HASH_LEN);
}

static void fix_footer_crc(const struct buf *b)
{
	set(footer(b) + 500, 4, crc32c(footer(b), 500));
}

static void fix_footer(const struct buf *b)
{
	sha256_of(footer(b), 468, footer(b) + 468);
	fix_footer_crc(b);
}

static void fix_header(const struct buf *b)
{
	set(b->p + 188, 4, crc32c(b->p, 188));
	hash(footer(b) + 344, b->p, SHARD_HEADER_SIZE);
	fix_footer(b);
}

/* A changed field of the header, in the footer too. */
static void fix_both(const struct buf *b)
{
	uint16_t size = SHARD_FOOTER_SIZE;

	memcpy(footer(b) + 8, b->p + 8, 120);
	set(footer(b) + 10, 2, size);
	fix_header(b);
}

/* The CRC of a page or block, which lies before the bytes from rest on. */
static void fix_crc(uint8_t *p, size_t rest, size_t len)
{
	uint32_t crc = crc32c(p, rest - 4);

	set(p + rest - 4, 4, crc32c_more(crc, p + rest, len - rest));
}

static void fix_page_hash(const struct buf *b)
{
	hash(footer(b) + 232, page(b), get(footer(b) + 224, 4));
	fix_footer(b);
}

static void fix_page(const struct buf *b)
{
	fix_crc(page(b), PAGE_HEADER_SIZE, get(footer(b) + 224, 4));
	fix_page_hash(b);
}

static size_t block_len(const struct buf *b)
{
	return BLOCK_HEADER_SIZE + get(block(b) + 16, 4) +
	       get(block(b) + 24, 4);
}

/* Where the bytes are, searched from p on. */
static uint8_t *find(const struct buf *b, uint8_t *p, const void *what,
		     size_t len)
{
	for (; p + len <= b->p + b->len; p++)
		if (memcmp(p, what, len) == 0)
			return p;
	golden_fail(__FILE__, __LINE__, "the bytes to be changed are there");
}

/* The shard has one block, of len bytes, whose hash was old. */
static void fix_block_hash(const struct buf *b, const uint8_t *old, size_t len)
{
	hash(find(b, page(b), old, HASH_LEN), block(b), len);
	fix_page(b);
}

#define CHANGE_BLOCK(b_, change_)                            \
	do {                                                 \
		size_t len_ = block_len(b_);                 \
		uint8_t old_[HASH_LEN];                      \
		hash(old_, block(b_), len_);                 \
		change_;                                     \
		fix_crc(block(b_), BLOCK_HEADER_SIZE, len_); \
		fix_block_hash(b_, old_, len_);              \
	} while (0)

/* Bytes in the root page's payload, the first such. */
#define CHANGE_PAGE(b_, at_, old_, value_)                                  \
	do {                                                                \
		find(b_, page(b_), old_, sizeof(old_) - 1)[at_] = (value_); \
		fix_page(b_);                                               \
	} while (0)

static void insert(struct buf *b, uint8_t *at, size_t n)
{
	size_t off = (size_t)(at - b->p);

	GOLDEN_MUST(buf_reserve(b, n));
	memmove(b->p + off + n, b->p + off, b->len - off);
	memset(b->p + off, 0, n);
	b->len += n;
}

/* What lies behind the pages has moved by n. */
static void move_tail(const struct buf *b, size_t n)
{
	static const size_t offsets[] = { 248, 280, 312 };

	for (size_t i = 0; i < ARRAY_LEN(offsets); i++)
		set(footer(b) + offsets[i], 8,
		    get(footer(b) + offsets[i], 8) + n);
}

/* One zero more in the root page's payload. */
static void grow_page(struct buf *b, size_t payload_off)
{
	uint64_t len = get(footer(b) + 224, 4) + 1;

	insert(b, page(b) + PAGE_HEADER_SIZE + payload_off, 1);
	set(footer(b) + 208, 8, get(footer(b) + 208, 8) + 1);
	set(footer(b) + 224, 4, len);
	set(page(b) + 12, 4, len - PAGE_HEADER_SIZE);
	set(page(b) + 16, 4, len - PAGE_HEADER_SIZE);
	move_tail(b, 1);
}

/* Of the first hard link in the root page. */
static void clear_link_group(const struct buf *b)
{
	const struct span uid = { "dir/hard1", strlen("dir/hard1") };
	uint8_t group[LINK_GROUP_LEN];

	link_group_of(b->p + 24, uid, group);
	memset(find(b, page(b), group, sizeof(group)), 0, sizeof(group));
	fix_page(b);
}

/* A change of a shard made from good-v3-example.des, or another. */
#define BAD(name_, ...)                                                \
	static void bad_##name_(const struct golden *g, struct buf *b) \
	{                                                              \
		(void)g;                                               \
		golden_make_good("good-v3-example.des", b);            \
		__VA_ARGS__;                                           \
	}

BAD(short, b->len = 300)
BAD(truncated, b->len -= 100)
BAD(header_magic, b->p[4] = '\n'; fix_header(b))
BAD(header_crc, b->p[64] ^= 1)
BAD(header_hash, b->p[64] ^= 1; set(b->p + 188, 4, crc32c(b->p, 188)))
BAD(header_zeros, b->p[130] = 1; fix_header(b))
BAD(header_other, b->p[52] = 1; fix_header(b))
BAD(n_bits, b->p[48] = 17; fix_both(b))
BAD(slot, b->p[44] = 16; fix_both(b))
BAD(route, b->p[49] = 2; fix_both(b))
BAD(block_size, set(b->p + 60, 4, 4095); fix_both(b))
BAD(version, b->p[8] = 4; fix_both(b))
BAD(incompat, b->p[12] = 1; fix_both(b))
BAD(footer_magic, footer(b)[0] = 'X'; fix_footer(b))
BAD(footer_end, footer(b)[511] = 'X')
BAD(footer_crc, footer(b)[500] ^= 1)
BAD(footer_root, footer(b)[468] ^= 1; fix_footer_crc(b))
BAD(footer_zeros, footer(b)[400] = 1; fix_footer(b))
BAD(logical_root, footer(b)[360] ^= 1; fix_footer(b))
BAD(gap, insert(b, b->p + get(footer(b) + 200, 8), 8); move_tail(b, 8);
    set(footer(b) + 200, 8, get(footer(b) + 200, 8) + 8); fix_footer(b))
BAD(index_huge, set(footer(b) + 208, 8, UINT64_MAX - 700); fix_footer(b))
BAD(levels, footer(b)[228] = 9; fix_footer(b))
BAD(count, footer(b)[144]++; fix_footer(b))
BAD(created, footer(b)[128]--; fix_footer(b))
BAD(dead, footer(b)[176]++; fix_footer(b))
BAD(xattrs, footer(b)[20] = 1; fix_footer(b))
BAD(filter_hash, b->p[get(footer(b) + 248, 8)] ^= 1)
BAD(filter_denies, uint8_t *filter = b->p + get(footer(b) + 248, 8);
    memset(filter, 0, 2); hash(filter + 2, filter, 2);
    hash(footer(b) + 264, filter, 2); hash(footer(b) + 296, filter + 2, 16);
    fix_footer(b))
BAD(info, uint8_t *info = b->p + get(footer(b) + 312, 8); info[12] = 'p';
    hash(footer(b) + 328, info, get(footer(b) + 320, 8)); fix_footer(b))
BAD(page_hash, page(b)[30] ^= 1;
    fix_crc(page(b), PAGE_HEADER_SIZE, get(footer(b) + 224, 4)))
BAD(page_crc, page(b)[20] ^= 1; fix_page_hash(b))
BAD(page_kind, page(b)[4] = 3; fix_page(b))
BAD(page_codec, page(b)[5] = 3; fix_page(b))
BAD(page_level, page(b)[6] = 2; fix_page(b))
BAD(page_zero, page(b)[7] = 1; fix_page(b))
BAD(page_count, set(page(b) + 8, 4, UINT32_MAX); fix_page(b))
BAD(page_raw, set(page(b) + 12, 4, UINT32_MAX); fix_page(b))
BAD(page_lz4, b->len = 0; golden_make_good("good-v3-lz4.des", b);
    page(b)[PAGE_HEADER_SIZE] ^= 1; fix_page(b))
BAD(page_zstd, b->len = 0; golden_make_good("good-v3-small.des", b);
    page(b)[12]++; fix_page(b))
BAD(varint, uint8_t *p = page(b) + PAGE_HEADER_SIZE; GOLDEN_MUST(*p == 1);
    grow_page(b, 1); page(b)[PAGE_HEADER_SIZE] = 0x81; fix_page(b))
BAD(left_over, grow_page(b, get(page(b) + 16, 4)); fix_page(b))
BAD(order, CHANGE_PAGE(b, 0, "\0\5hello", 5); CHANGE_PAGE(b, 1, "\5\5he", 0))
BAD(flags, CHANGE_PAGE(b, 1, "\x82\4\x21", 0x0c))
BAD(type, CHANGE_PAGE(b, 0, "\x82\4\x21", 0x80))
BAD(dir_with_hash, CHANGE_PAGE(b, 0, "\x82\4\x21", 0xa2);
    CHANGE_PAGE(b, 2, "\xa2\4\x21", 1))
BAD(name, CHANGE_PAGE(b, 2, "hello", '/'))
BAD(links, uint8_t *end = page(b) + get(footer(b) + 224, 4);
    GOLDEN_MUST(end[-2] == 2); end[-2] = 0; fix_page(b))
BAD(link_group, b->len = 0; golden_make_good("good-v3-none.des", b);
    clear_link_group(b))
BAD(mode, CHANGE_PAGE(b, 3, "\xed\3\xa4\3", 0x43))
BAD(nanoseconds, CHANGE_PAGE(b, 3, "\x72\x60\0\0", 0x80))
BAD(size, CHANGE_PAGE(b, 5, "\x72\x60\0\0\0\x0d", 14))
BAD(dir_with_size, CHANGE_PAGE(b, 4, "\x72\x60\0\0\0\x0d", 1))
BAD(content, uint8_t sha[SHA256_LEN]; sha256_of("Hello, world\n", 13, sha);
    find(b, page(b), sha, SHA256_LEN)[9] ^= 1; fix_page(b))
BAD(block_crc, block(b)[BLOCK_HEADER_SIZE] ^= 1)
BAD(block_hash, block(b)[BLOCK_HEADER_SIZE] ^= 1;
    fix_crc(block(b), BLOCK_HEADER_SIZE, block_len(b)))
BAD(block_magic, CHANGE_BLOCK(b, block(b)[0] = 'X'))
BAD(block_codec, CHANGE_BLOCK(b, block(b)[5] = 9))
BAD(block_raw, CHANGE_BLOCK(b, set(block(b) + 12, 4, UINT32_MAX)))
BAD(block_zeros, CHANGE_BLOCK(b, block(b)[32] = 1))
BAD(block_dictionary, CHANGE_BLOCK(b, block(b)[28] = 1))
BAD(block_data, CHANGE_BLOCK(b, block(b)[BLOCK_HEADER_SIZE] = 'J'))
BAD(record, CHANGE_BLOCK(b, *find(b, block(b), "\x82\4", 2) = 0x80))
BAD(record_count, CHANGE_BLOCK(b, block(b)[8] = 3))

#define ROW(file_, rc_, fn_, what_)                                    \
	{                                                              \
		"bad-" file_ ".des", rc_, what_, bad_##fn_, CODEC_NONE \
	}
#define ROW_C(file_, fn_, what_) ROW(file_, "CORRUPT", fn_, what_)

const struct golden golden_bad[] = {
	ROW("version-4", "UNSUPPORTED", version, "version 4"),
	ROW("incompat", "UNSUPPORTED", incompat, "incompatible feature 1"),
	ROW_C("short", short, "300 bytes"),
	ROW_C("truncated", truncated, "the last 100 bytes are lost"),
	ROW_C("header-magic", header_magic, "CR LF became LF LF"),
	ROW_C("header-crc", header_crc, "a changed byte"),
	ROW_C("header-hash", header_hash, "not the hash in the footer"),
	ROW_C("header-zeros", header_zeros, "a byte that must be zero"),
	ROW_C("header-other", header_other, "part differs from the footer's"),
	ROW_C("n-bits", n_bits, "n_bits is 17"),
	ROW_C("slot", slot, "slot 16 of 16"),
	ROW_C("route", route, "route 2"),
	ROW_C("block-size", block_size, "block size 4095"),
	ROW_C("footer-magic", footer_magic, "first magic of the footer"),
	ROW_C("footer-end", footer_end, "last magic of the footer"),
	ROW_C("footer-crc", footer_crc, "CRC of the footer"),
	ROW_C("footer-root", footer_root, "root is not the footer's hash"),
	ROW_C("footer-zeros", footer_zeros, "a byte that must be zero"),
	ROW_C("logical-root", logical_root, "not the entries' hash"),
	ROW_C("gap", gap, "8 bytes between data and index"),
	ROW_C("index-huge", index_huge, "length that wraps around"),
	ROW_C("levels", levels, "9 levels of pages"),
	ROW_C("count", count, "one entry more in the footer"),
	ROW_C("created", created, "range of created_at"),
	ROW_C("dead", dead, "bytes of unreferenced blocks"),
	ROW_C("xattrs", xattrs, "feature xattrs without any"),
	ROW_C("filter-hash", filter_hash, "a bit of the filter"),
	ROW_C("filter-denies", filter_denies, "a filter of zeros"),
	ROW_C("info", info, "last uid is another"),
	ROW_C("page-hash", page_hash, "not the hash in the footer"),
	ROW_C("page-crc", page_crc, "CRC of the page"),
	ROW_C("page-kind", page_kind, "a block list for root page"),
	ROW_C("page-codec", page_codec, "codec 3"),
	ROW_C("page-level", page_level, "a leaf of level 2"),
	ROW_C("page-zero", page_zero, "a byte that must be zero"),
	ROW_C("page-count", page_count, "4294967295 entries"),
	ROW_C("page-raw", page_raw, "raw length 4294967295"),
	ROW_C("page-lz4", page_lz4, "not an LZ4 frame"),
	ROW_C("page-zstd", page_zstd, "raw length is not the frame's"),
	ROW_C("varint", varint, "1 as 81 00"),
	ROW_C("left-over", left_over, "a byte behind the payload's fields"),
	ROW_C("page-order", order, "two names exchanged"),
	ROW_C("flags", flags, "unknown flag 0x400"),
	ROW_C("type", type, "type 0"),
	ROW_C("dir-with-hash", dir_with_hash,
	      "a directory with a content hash"),
	ROW_C("name", name, "a slash in a name"),
	ROW_C("links", links, "a number of links that needs no saying"),
	ROW_C("link-group", link_group, "a link group of zeros"),
	ROW_C("mode", mode, "mode 020644"),
	ROW_C("nanoseconds", nanoseconds, "2147508338 of them"),
	ROW_C("size", size, "one byte more than its segments have"),
	ROW_C("dir-with-size", dir_with_size, "a directory of one byte"),
	ROW_C("content", content, "SHA-256 of the content"),
	ROW_C("block-crc", block_crc, "a changed byte"),
	ROW_C("block-hash", block_hash, "a changed byte, CRC made right"),
	ROW_C("block-data", block_data, "likewise, hash made right"),
	ROW_C("block-magic", block_magic, "magic of a block"),
	ROW_C("block-codec", block_codec, "codec 9 of the records"),
	ROW_C("block-raw", block_raw, "raw length 4294967295"),
	ROW_C("block-zeros", block_zeros, "a byte that must be zero"),
	ROW_C("block-dictionary", block_dictionary, "dictionary 1"),
	ROW_C("record", record, "a record of type 0"),
	ROW_C("record-count", record_count, "a record less than counted"),
};
const size_t golden_n_bad = ARRAY_LEN(golden_bad);
