/* SPDX-License-Identifier: Apache-2.0 */
/* wr.h - little-endian writing into a struct buf, the twin of rd.h.
 *
 * Failures are those of the buffer: write freely, then ask buf_ok.
 */
#ifndef DESFS_BASE_WR_H
#define DESFS_BASE_WR_H

#include <stdint.h>

#include "base/buf.h"

/* The low n bytes (1 to 8) of v. */
static inline void wr_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *p = buf_reserve(b, n);

	if (!p)
		return;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
	b->len += n;
}

static inline void wr_u8(struct buf *b, uint8_t v)
{
	wr_le(b, v, 1);
}

static inline void wr_u16(struct buf *b, uint16_t v)
{
	wr_le(b, v, 2);
}

static inline void wr_u32(struct buf *b, uint32_t v)
{
	wr_le(b, v, 4);
}

static inline void wr_u64(struct buf *b, uint64_t v)
{
	wr_le(b, v, 8);
}

/* Unsigned LEB128, shortest form. */
static inline void wr_varint(struct buf *b, uint64_t v)
{
	uint8_t *p = buf_reserve(b, 10);
	size_t n = 0;

	if (!p)
		return;
	while (v >= 0x80) {
		p[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	b->len += n;
}

/* Signed number as zigzag varint. */
static inline void wr_zigzag(struct buf *b, int64_t v)
{
	wr_varint(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

/* Store v over n bytes already written at off. */
static inline void wr_patch_le(struct buf *b, size_t off, uint64_t v, size_t n)
{
	if (b->failed)
		return;
	for (size_t i = 0; i < n; i++)
		b->p[off + i] = (uint8_t)(v >> 8 * i);
}

#endif
