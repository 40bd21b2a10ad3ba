/* SPDX-License-Identifier: Apache-2.0 */
/* shard-kinds.c - the table of formats. */
#include "config.h"

#include "shard/shard-kinds.h"

#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "shard/legacy-backend.h"
#include "shard/shard-datavision.h"
#include "shard/shard-des2.h"
#include "shard/shard-format.h"

/* Where formats have their magic numbers. */
static const struct kind {
	const char *head, *tail;
	size_t tail_off; /* from the end */
	enum shard_kind kind;
} kinds[] = {
	{ SHARD_HEADER_MAGIC, SHARD_END_MAGIC, SHARD_MAGIC_LEN, SHARD_KIND_V3 },
	{ DES2_MAGIC, DES2_FOOTER_MAGIC, DES2_FOOTER_SIZE, SHARD_KIND_DES2_V2 },
	{ DATAVISION_MAGIC, DATAVISION_FOOTER_MAGIC, DATAVISION_FOOTER_SIZE,
	  SHARD_KIND_DATAVISION },
};

static const struct {
	const char *text;
	const struct legacy_format *format;
} formats[] = {
	[SHARD_KIND_NONE] = { "no shard", NULL },
	[SHARD_KIND_V3] = { "format 3", NULL },
	[SHARD_KIND_DES2_V1] = { "DES2 version 1", &legacy_des2 },
	[SHARD_KIND_DES2_V2] = { "DES2 version 2", &legacy_des2 },
	[SHARD_KIND_DATAVISION] = { "Datavision", &legacy_datavision },
};

const char *shard_kind_text(enum shard_kind kind)
{
	return formats[kind].text;
}

const struct legacy_format *legacy_format_of(enum shard_kind kind)
{
	return formats[kind].format;
}

static bool begins_with(const uint8_t *p, size_t len, const char *magic)
{
	return len >= strlen(magic) && !memcmp(p, magic, strlen(magic));
}

enum shard_kind shard_kind_of(const void *head, size_t head_len,
			      const void *tail, size_t tail_len)
{
	const uint8_t *h = head;
	const uint8_t *t = tail;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!begins_with(h, head_len, kinds[i].head))
			continue;
		if (kinds[i].kind == SHARD_KIND_DES2_V2 &&
		    head_len > DES2_VERSION_OFF && h[DES2_VERSION_OFF] == 1)
			return SHARD_KIND_DES2_V1;
		return kinds[i].kind;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t off = kinds[i].tail_off;

		if (off <= tail_len &&
		    begins_with(t + tail_len - off, off, kinds[i].tail))
			return kinds[i].kind;
	}
	return SHARD_KIND_NONE;
}

enum rc legacy_magic(const char *what, uint64_t off, const uint8_t *p,
		     const char *magic, struct err *err)
{
	char found[HEX_TEXT(SHARD_MAGIC_LEN)];
	size_t len = strlen(magic);

	if (!memcmp(p, magic, len))
		return RC_OK;
	hex_encode(p, len, found);
	return err_set(err, RC_CORRUPT,
		       "%s at byte %" PRIu64 " begins with %s, not with \"%s\"",
		       what, off, found, magic);
}

enum rc legacy_index_locate(const void *head, size_t head_len, const void *tail,
			    size_t tail_len, uint64_t size,
			    struct legacy_index *ret, struct err *err)
{
	const struct legacy_ends ends = { head, tail, head_len, tail_len,
					  size };
	enum shard_kind kind = shard_kind_of(head, head_len, tail, tail_len);
	const struct legacy_format *format = legacy_format_of(kind);

	if (kind == SHARD_KIND_V3)
		return err_set(err, RC_UNSUPPORTED,
			       "a shard of format 3, not of an older one");
	if (!format)
		return err_set(err, RC_CORRUPT,
			       "%" PRIu64 " bytes that neither begin nor end "
			       "as a shard of any format does",
			       size);
	*ret = (struct legacy_index){ .kind = kind, .size = size };
	if (head_len < LEGACY_HEAD_SIZE && head_len < size)
		return err_set(err, RC_USAGE, "only %zu bytes of a shard's %d",
			       head_len, LEGACY_HEAD_SIZE);
	if (tail_len < LEGACY_TAIL_SIZE && tail_len < size)
		return err_set(err, RC_USAGE, "only %zu bytes of a shard's %d",
			       tail_len, LEGACY_TAIL_SIZE);
	return format->locate(&ends, ret, err);
}
