/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-content.c - the bytes of files of an older archive. */
#include "config.h"

#include "legacy/legacy-content.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "legacy/legacy-decoded.h"
#include "legacy/legacy-outside.h"
#include "legacy/legacy-segments.h"

struct legacy_contents {
	struct store *st;
	struct legacy_objects *objects;
	struct legacy_decoded *decoded;
	struct legacy_outside *outside;
	struct legacy_segments *segments; /* NULL: requests cost nothing */
};

struct legacy_contents *legacy_contents_new(struct store *st,
					    struct legacy_objects *objects,
					    const char *dir)
{
	struct legacy_contents *c = xcalloc(1, sizeof(*c));

	c->st = st;
	c->objects = objects;
	c->segments = store_is_remote(st) ? legacy_segments_new(st) : NULL;
	c->decoded = legacy_decoded_new(st, c->segments, dir);
	c->outside = legacy_outside_new(st);
	return c;
}

void legacy_contents_free(struct legacy_contents *c)
{
	if (!c)
		return;
	legacy_decoded_free(c->decoded);
	legacy_outside_free(c->outside);
	legacy_segments_free(c->segments);
	free(c);
}

static enum rc read_inline(struct legacy_contents *c,
			   const struct legacy_place *p, uint64_t off,
			   void *buf, size_t len, bool is_ahead,
			   struct err *err)
{
	struct legacy_object *o = legacy_objects_get(c->objects, p->object);
	enum rc rc;

	if (p->codec != CODEC_NONE)
		rc = legacy_decoded_read(c->decoded, o, p, off, buf, len, err);
	else if (c->segments)
		rc = legacy_segments_read(c->segments, o, p->off + off, buf,
					  len, is_ahead, err);
	else if (is_ahead)
		rc = store_read_ahead(c->st, o->key, &o->info, p->off + off,
				      buf, len, err);
	else
		rc = store_read(c->st, o->key, &o->info, p->off + off, buf, len,
				err);
	if (rc == RC_CHANGED || rc == RC_NOENT)
		atomic_store(&o->is_changed, true);
	if (p->codec != CODEC_NONE && (rc == RC_CORRUPT || rc == RC_LIMIT)) {
		/* What cannot be decoded is as good as damaged. */
		err->rc = RC_CORRUPT;
		return err_prefix(
			err, "%s: frame of %" PRIu64 " bytes at byte %" PRIu64,
			o->key, p->stored_len, p->off);
	}
	return rc;
}

enum rc legacy_contents_read(struct legacy_contents *c,
			     const struct legacy_place *p, const char *text,
			     uint64_t off, void *buf, size_t len, bool is_ahead,
			     struct err *err)
{
	switch ((enum legacy_how)p->how) {
	case LEGACY_INLINE:
		return read_inline(c, p, off, buf, len, is_ahead, err);
	case LEGACY_OUTSIDE:
	case LEGACY_EXTERNAL:
		return legacy_outside_read(c->outside, p, text, off, buf, len,
					   is_ahead, err);
	case LEGACY_DAMAGED: break;
	}
	return err_set(err, RC_CORRUPT, "%s", text);
}

bool legacy_contents_cost(const struct legacy_contents *c)
{
	return c->segments;
}

void legacy_contents_expect(struct legacy_contents *c, uint32_t object,
			    uint64_t off, uint64_t end, bool is_sparse)
{
	if (c->segments)
		legacy_segments_expect(c->segments,
				       legacy_objects_get(c->objects, object),
				       off, end, is_sparse);
}

uint64_t legacy_contents_turn(struct legacy_contents *c,
			      const struct legacy_place *p, struct span text)
{
	CLEANUP_FREE char *key = xmemdup0(text.p, text.len);

	return legacy_outside_turn(c->outside, p, key);
}

bool legacy_contents_have_changed(struct legacy_contents *c)
{
	return legacy_outside_has_changed(c->outside);
}
