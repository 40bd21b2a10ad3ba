/* SPDX-License-Identifier: Apache-2.0 */
/* legacy.h - what targets of older formats share: an object is gone through,
 * and its files decoded.
 */
#ifndef DESFS_TESTS_FUZZ_LEGACY_H
#define DESFS_TESTS_FUZZ_LEGACY_H

#include <stdlib.h>
#include <string.h>

#include "base/json-check.h"
#include "base/mem.h"
#include "codec/frame.h"
#include "seal.h"
#include "shard/legacy-cursor.h"
#include "shard/shard-kinds.h"

/* Longer files are not decoded. */
#define LEGACY_PLAIN_MAX (1u << 20)

struct legacy_object {
	const uint8_t *p;
	size_t len;
};

static inline enum rc legacy_object_read(void *arg, uint64_t off, void *p,
					 size_t len, struct err *err)
{
	const struct legacy_object *o = arg;

	(void)err;
	SEAL_CHECK(len && off <= o->len && len <= o->len - off);
	memcpy(p, o->p + off, len);
	return RC_OK;
}

static inline void legacy_decode(const struct legacy_object *o,
				 const struct legacy_entry *e)
{
	size_t len = (size_t)e->plain_len;
	struct err err = { 0 };
	size_t used = 0;
	uint8_t *out;
	enum rc rc;

	if (e->plain_len > LEGACY_PLAIN_MAX)
		return;
	out = mem_array(len, 1);
	SEAL_CHECK(out);
	rc = frame_decode_whole(e->codec, o->p + e->off, (size_t)e->stored_len,
				out, len, &used, &err);
	SEAL_CHECK(rc == RC_CORRUPT || (!rc && used <= e->stored_len));
	free(out);
}

static inline void legacy_check(const struct legacy_object *o,
				const struct legacy_index *ix,
				const struct legacy_entry *e)
{
	struct json_check check;

	SEAL_CHECK(e->uid.p && e->uid.len <= UID_MAX_LEN);
	SEAL_CHECK(e->plain_len <= INT64_MAX);
	SEAL_CHECK(e->meta.len == e->meta_len ||
		   (!e->meta.len && e->meta_len > LEGACY_META_MAX));
	SEAL_CHECK(e->meta_len <= o->len && e->meta_off <= o->len);
	json_check_init(&check);
	SEAL_CHECK(!e->meta.len ||
		   (json_check_feed(&check, e->meta.p, e->meta.len) &&
		    json_check_end(&check)));
	if (e->is_external) {
		SEAL_CHECK(e->codec == CODEC_NONE);
		SEAL_CHECK(ix->kind == SHARD_KIND_DATAVISION ||
			   e->hash.len == LEGACY_HASH_DIGITS);
		return;
	}
	SEAL_CHECK(!e->hash.len && e->off >= ix->data_off &&
		   e->stored_len <= ix->data_end - e->off);
	legacy_decode(o, e);
}

/* Of these kinds only. */
static inline void legacy_walk(const struct legacy_object *o, enum shard_kind a,
			       enum shard_kind b)
{
	struct legacy_cursor *c;
	struct legacy_index ix;
	struct legacy_entry e;
	struct err err = { 0 };
	size_t n = 0;
	enum rc rc = legacy_index_locate(o->p, o->len, o->p, o->len, o->len,
					 &ix, &err);

	if (rc || (ix.kind != a && ix.kind != b))
		return;
	c = legacy_cursor_new(&ix, legacy_object_read, (void *)(uintptr_t)o);
	while ((rc = legacy_cursor_next(c, &e, &err)) != RC_NOENT) {
		SEAL_CHECK(!rc || rc == RC_CORRUPT);
		SEAL_CHECK(++n <= o->len);
		if (!rc)
			legacy_check(o, &ix, &e);
	}
	SEAL_CHECK(legacy_cursor_next(c, &e, &err) == RC_NOENT);
	legacy_cursor_free(c);
}

#endif
