/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-frame.c - frames of whole files: decoded as a stream and at once, and
 * the input itself encoded.
 *
 * Input: the codec, the expected length in three bytes, the frame.
 */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/rd.h"
#include "codec/frame.h"
#include "fuzz.h"
#include "seal.h"

#define PLAIN_MAX (1u << 20)

struct ends {
	const uint8_t *p;
	size_t left, step;
	struct buf out;
};

static enum rc give(void *arg, void *p, size_t max, size_t *ret,
		    struct err *err)
{
	struct ends *e = arg;
	size_t n = e->left < e->step ? e->left : e->step;

	(void)err;
	SEAL_CHECK(max);
	if (n > max)
		n = max;
	if (n)
		memcpy(p, e->p, n);
	e->p += n;
	e->left -= n;
	*ret = n;
	return RC_OK;
}

static enum rc take(void *arg, const void *p, size_t len, struct err *err)
{
	struct ends *e = arg;

	(void)err;
	buf_append(&e->out, p, len);
	SEAL_CHECK(len && buf_ok(&e->out));
	return RC_OK;
}

/* What goes out beyond plain_len makes the buffer fail. */
static enum rc stream(enum codec_id codec, const uint8_t *p, size_t len,
		      size_t step, size_t plain_len, struct ends *e)
{
	const struct frame_io io = { .read = give, .write = take, .arg = e };
	struct err err = { 0 };
	uint64_t used = 0;
	enum rc rc;

	*e = (struct ends){ .p = p, .left = len, .step = step };
	buf_init(&e->out, plain_len);
	rc = frame_decode(codec, &io, plain_len, &used, &err);
	SEAL_CHECK(rc || (used <= len && e->out.len == plain_len));
	return rc;
}

static void decode(enum codec_id codec, const uint8_t *p, size_t len,
		   size_t plain_len)
{
	CLEANUP_FREE uint8_t *whole = mem_array(plain_len, 1);
	struct err err = { 0 };
	struct ends a, b;
	enum rc rc, rc_a, rc_b;

	SEAL_CHECK(whole);
	rc = frame_decode_whole(codec, p, len, whole, plain_len, NULL, &err);
	rc_a = stream(codec, p, len, 13, plain_len, &a);
	rc_b = stream(codec, p, len, SIZE_MAX, plain_len, &b);
	SEAL_CHECK(!rc || rc == RC_CORRUPT);
	SEAL_CHECK(!rc_a || rc_a == RC_CORRUPT || rc_a == RC_LIMIT);
	SEAL_CHECK(rc_a == rc_b);
	if (!rc_a && plain_len)
		SEAL_CHECK(!memcmp(a.out.p, b.out.p, plain_len));
	/* Within a window that is too short, a stream is stricter. */
	SEAL_CHECK(rc_a || !rc);
	if (!rc && !rc_a && plain_len)
		SEAL_CHECK(!memcmp(a.out.p, whole, plain_len));
	buf_release(&a.out);
	buf_release(&b.out);
}

static void encode(enum codec_id codec, const uint8_t *p, size_t len)
{
	struct ends e = { .p = p, .left = len, .step = 1000 };
	const struct frame_io io = { .read = give, .write = take, .arg = &e };
	struct err err = { 0 };
	uint64_t stored = 0;
	struct ends back;

	buf_init(&e.out, 2 * PLAIN_MAX + len);
	SEAL_CHECK(!frame_encode(codec, 1, &io, len, &stored, &err));
	SEAL_CHECK(stored == e.out.len);
	SEAL_CHECK(!stream(codec, e.out.p, e.out.len, 4096, len, &back));
	SEAL_CHECK(!len || !memcmp(back.out.p, p, len));
	buf_release(&e.out);
	buf_release(&back.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { .p = data, .left = size };
	enum codec_id codec = (enum codec_id)(rd_u8(&r) % (CODEC_LZ4 + 1));
	size_t plain_len = (size_t)rd_le(&r, 3);

	if (!rd_ok(&r) || plain_len > PLAIN_MAX)
		return 0;
	decode(codec, r.p, r.left, plain_len);
	encode(codec, r.p, r.left);
	return 0;
}
