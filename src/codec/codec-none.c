/* SPDX-License-Identifier: Apache-2.0 */
/* codec-none.c - bytes stored as they are. */
#include "config.h"

#include <string.h>

#include "codec/codec-backend.h"

static enum rc none_encode(const void *in, size_t len, int level, void *out,
			   size_t cap, size_t *ret_len, struct err *err)
{
	(void)level;
	(void)err;
	*ret_len = 0;
	if (len > cap)
		return RC_OK;
	if (len)
		memcpy(out, in, len);
	*ret_len = len;
	return RC_OK;
}

static enum rc none_decode(const void *in, size_t len, void *out,
			   size_t out_len, struct err *err)
{
	if (len != out_len)
		return err_set(err, RC_CORRUPT,
			       "stored data is %zu bytes, not %zu", len,
			       out_len);
	if (len)
		memcpy(out, in, len);
	return RC_OK;
}

static size_t none_prefix(const void *in, size_t len, size_t out_len,
			  size_t want)
{
	(void)in;
	(void)len;
	return want < out_len ? want : out_len;
}

static enum rc none_decode_prefix(const void *in, size_t len, size_t out_len,
				  void *out, size_t prefix_len, struct err *err)
{
	if (len != out_len || prefix_len > len)
		return err_set(err, RC_CORRUPT,
			       "stored data is %zu bytes, not %zu", len,
			       out_len);
	return none_decode(in, prefix_len, out, prefix_len, err);
}

const struct codec codec_none = {
	.name = "none",
	.id = CODEC_NONE,
	.encode = none_encode,
	.decode = none_decode,
	.prefix = none_prefix,
	.decode_prefix = none_decode_prefix,
};
