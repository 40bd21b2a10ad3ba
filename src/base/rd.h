/* SPDX-License-Identifier: Apache-2.0 */
/* rd.h - bounded little-endian reader for untrusted bytes.
 *
 * The first read beyond the end, or value out of bounds, makes the reader bad
 * for good; all later reads give 0 or NULL.  So a parser reads a whole record
 * and asks rd_ok once.
 */
#ifndef DESFS_BASE_RD_H
#define DESFS_BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline bool rd_ok(const struct rd *r)
{
	return !r->bad;
}

static inline void rd_fail(struct rd *r)
{
	r->bad = true;
	r->left = 0;
}

/* The next n bytes, borrowed; NULL when there are fewer.  rd_take(r, 0) is not
 * NULL while the reader is good.
 */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > r->left) {
		rd_fail(r);
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

/* The next n bytes (1 to 8) as an unsigned little-endian number. */
static inline uint64_t rd_le(struct rd *r, size_t n)
{
	const uint8_t *p = rd_take(r, n);
	uint64_t v = 0;

	if (!p)
		return 0;
	for (size_t i = n; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static inline uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)rd_le(r, 1);
}

static inline uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)rd_le(r, 2);
}

static inline uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)rd_le(r, 4);
}

static inline uint64_t rd_u64(struct rd *r)
{
	return rd_le(r, 8);
}

/* An unsigned LEB128 number (DWARF 4, section 7.6), at most 10 bytes, in its
 * shortest form: a longer form is bad, so that one value has one encoding.
 */
static inline uint64_t rd_varint(struct rd *r)
{
	uint64_t v = 0;

	/* What most of them are. */
	if (r->left && *r->p < 0x80) {
		r->left--;
		return *r->p++;
	}
	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t b = rd_u8(r);

		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			if (!b && shift)
				break;
			return v;
		}
	}
	rd_fail(r);
	return 0;
}

/* A varint that is at most max; anything above is bad. */
static inline uint64_t rd_varint_max(struct rd *r, uint64_t max)
{
	uint64_t v = rd_varint(r);

	if (v > max) {
		rd_fail(r);
		return 0;
	}
	return v;
}

/* A signed number as a zigzag varint: 0, -1, 1, -2, ... */
static inline int64_t rd_zigzag(struct rd *r)
{
	uint64_t v = rd_varint(r);

	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

#endif
