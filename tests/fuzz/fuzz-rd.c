/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-rd.c - the bounded reader: no read beyond the end, one form a number. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/rd.h"
#include "base/wr.h"
#include "fuzz.h"

/* What was read as a varint is written as the same bytes. */
static void same_form(uint64_t v, const uint8_t *p, size_t len)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 16);
	wr_varint(&b, v);
	if (!buf_ok(&b) || b.len != len || memcmp(b.p, p, len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { .p = data, .left = size };

	while (rd_ok(&r) && r.left) {
		uint8_t op = rd_u8(&r);
		const uint8_t *p = r.p;

		if (op < 128) {
			uint64_t v = rd_varint(&r);

			if (rd_ok(&r))
				same_form(v, p, (size_t)(r.p - p));
		} else if (op < 192) {
			rd_le(&r, 1 + op % 8);
		} else {
			rd_take(&r, op - 192);
		}
		if (rd_ok(&r) && r.p + r.left != data + size)
			abort();
	}
	return 0;
}
