/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c - frames by codec, and files without one. */
#include "config.h"

#include "codec/frame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "codec/frame-backend.h"

enum rc frame_fill(const struct frame_io *io, uint8_t *p, size_t len,
		   size_t *ret, struct err *err)
{
	size_t have = 0;

	while (have < len) {
		size_t n = 0;
		enum rc rc = io->read(io->arg, p + have, len - have, &n, err);

		if (rc)
			return rc;
		if (!n)
			break;
		have += n;
	}
	*ret = have;
	return RC_OK;
}

enum rc frame_plain(const struct frame_io *io, uint8_t *p, uint64_t left,
		    size_t *ret, struct err *err)
{
	size_t len = left < FRAME_PART ? (size_t)left : FRAME_PART;
	enum rc rc = frame_fill(io, p, len, ret, err);

	if (!rc && *ret < len)
		return err_set(err, RC_CHANGED,
			       "file ends %" PRIu64 " bytes early",
			       left - *ret);
	return rc;
}

enum rc frame_not_begun(const char *what, const uint8_t *p, size_t len,
			struct err *err)
{
	char found[HEX_TEXT(4)];

	hex_encode(p, len < 4 ? len : 4, found);
	return err_set(err, RC_CORRUPT,
		       "%zu bytes that begin with \"%s\" are "
		       "no %s frame",
		       len, found, what);
}

enum rc frame_states(const char *what, uint64_t states, uint64_t plain_len,
		     struct err *err)
{
	return err_set(err, RC_CORRUPT,
		       "%s frame states %" PRIu64 " bytes, not %" PRIu64, what,
		       states, plain_len);
}

enum rc frame_cut(const char *what, uint64_t used, uint64_t got,
		  uint64_t plain_len, struct err *err)
{
	return err_set(err, RC_CORRUPT,
		       "%s frame is cut after %" PRIu64 " bytes, with %" PRIu64
		       " of %" PRIu64 " in it",
		       what, used, got, plain_len);
}

enum rc frame_too_long(const char *what, uint64_t plain_len, struct err *err)
{
	return err_set(err, RC_CORRUPT,
		       "%s frame holds more than %" PRIu64 " bytes", what,
		       plain_len);
}

enum rc frame_too_short(const char *what, uint64_t got, uint64_t plain_len,
			struct err *err)
{
	return err_set(err, RC_CORRUPT,
		       "%s frame holds %" PRIu64 " bytes, not %" PRIu64, what,
		       got, plain_len);
}

/* When there are fewer bytes, that is rc_short. */
static enum rc copy(const struct frame_io *io, uint64_t len, uint64_t *ret,
		    enum rc rc_short, struct err *err)
{
	CLEANUP_FREE uint8_t *p = mem_array(FRAME_PART, 1);
	enum rc rc = RC_OK;

	if (!p)
		return err_set(err, RC_NOMEM, "no memory to copy a file");
	for (*ret = 0; !rc && *ret < len;) {
		uint64_t left = len - *ret;
		size_t n = 0;

		rc = io->read(io->arg, p,
			      left < FRAME_PART ? (size_t)left : FRAME_PART, &n,
			      err);
		if (!rc && !n)
			return err_set(err, rc_short,
				       "there are %" PRIu64
				       " bytes, not %" PRIu64,
				       *ret, len);
		if (!rc)
			rc = io->write(io->arg, p, n, err);
		*ret += n;
	}
	return rc;
}

static const struct frame_codec *frame_codec(enum codec_id codec)
{
	switch (codec) {
	case CODEC_NONE: return NULL;
	case CODEC_ZSTD: return &frame_zstd;
	case CODEC_LZ4: return &frame_lz4;
	}
	return NULL;
}

enum rc frame_decode(enum codec_id codec, const struct frame_io *io,
		     uint64_t plain_len, uint64_t *ret_used, struct err *err)
{
	const struct frame_codec *f = frame_codec(codec);
	uint64_t used = 0;
	enum rc rc;

	if (f)
		rc = f->decode(io, plain_len, &used, err);
	else
		rc = copy(io, plain_len, &used, RC_CORRUPT, err);
	if (ret_used)
		*ret_used = used;
	return rc;
}

enum rc frame_decode_whole(enum codec_id codec, const void *in, size_t len,
			   void *out, size_t out_len, size_t *ret_used,
			   struct err *err)
{
	const struct frame_codec *f = frame_codec(codec);
	size_t used = out_len;
	enum rc rc = RC_OK;

	if (f)
		rc = f->decode_whole(in, len, out, out_len, &used, err);
	else if (len < out_len)
		return err_set(err, RC_CORRUPT, "there are %zu bytes, not %zu",
			       len, out_len);
	else if (out_len)
		memcpy(out, in, out_len);
	if (ret_used)
		*ret_used = used;
	return rc;
}

enum rc frame_encode(enum codec_id codec, int level, const struct frame_io *io,
		     uint64_t plain_len, uint64_t *ret_stored, struct err *err)
{
	const struct frame_codec *f = frame_codec(codec);
	const struct codec *limits = codec_by_id(codec);

	*ret_stored = 0;
	if (!f)
		return copy(io, plain_len, ret_stored, RC_CHANGED, err);
	if (level < limits->level_min || level > limits->level_max)
		return err_set(err, RC_USAGE, "level of %s is %d, not %d to %d",
			       limits->name, level, limits->level_min,
			       limits->level_max);
	return f->encode(level, io, plain_len, ret_stored, err);
}
