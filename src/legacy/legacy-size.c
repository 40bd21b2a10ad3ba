/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-size.c - whether a file can be as large as an older index says. */
#include "config.h"

#include "legacy/legacy-size.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "legacy/legacy-outside.h"
#include "shard/shard-format.h"

/* Larger files have no room in an index. */
#define FILE_MAX \
	((uint64_t)EXTENTS_MAX * EXTENT_BLOCKS_MAX * LEGACY_BLOCK_LARGE)

/* A frame of that many bytes nobody has made, since all of it was in memory
 * then.
 */
#define FRAME_MAX (UINT64_C(1) << 40)

/* What says something of the one object, and not of the way to all. */
static bool is_damage(enum rc rc)
{
	return rc == RC_CORRUPT || rc == RC_USAGE || rc == RC_LIMIT ||
	       rc == RC_ACCESS || rc == RC_NOTDIR || rc == RC_UNSUPPORTED;
}

static enum rc check_max(const struct legacy_set_options *o,
			 const struct legacy_raw *r, struct err *err)
{
	bool is_frame = !r->is_external && r->codec != CODEC_NONE;
	uint64_t max = is_frame ? FRAME_MAX : FILE_MAX;

	if (r->size <= max)
		return RC_OK;
	return err_set(err, RC_CORRUPT,
		       "%s: says that the file has %" PRIu64
		       " bytes, of which at most %" PRIu64 " can be read",
		       legacy_objects_get(o->objects, r->object)->key, r->size,
		       max);
}

/* The object is asked for only where its size matters here. */
static enum rc check_external(const struct legacy_set_options *o,
			      const struct legacy_raw *r, struct span text,
			      struct err *err)
{
	CLEANUP_FREE char *key = NULL;
	struct object_info info;
	enum rc rc;

	if (!r->is_external || r->size < LEGACY_ASK_FROM)
		return RC_OK;
	key = xmemdup0(text.p, text.len);
	rc = legacy_outside_check(o->st, key, r->size, &info, err);
	if (is_damage(rc))
		err->rc = RC_CORRUPT;
	return rc ? err->rc : RC_OK;
}

enum rc legacy_size_check(const struct legacy_set_options *o,
			  const struct legacy_raw *r, struct span text,
			  struct err *err)
{
	if (r->kind != LEGACY_RAW_FILE)
		return RC_OK;
	return check_max(o, r, err) ? err->rc : check_external(o, r, text, err);
}
