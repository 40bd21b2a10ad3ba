/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-meta.h - the tombstones in a sidecar (.meta) of a DES2 shard.
 *
 * The original deletes a file by a tombstone in a JSON document beside the
 * shard; nothing else says that it is gone.  The document comes in pieces, of
 * any size, and no more of it is kept than a tombstone:
 *
 *	m = legacy_meta_new(fn, arg);
 *	while (!rc && (read a piece))
 *		rc = legacy_meta_feed(m, p, n, &err);
 *	if (!rc)
 *		rc = legacy_meta_end(m, &err);
 *	legacy_meta_free(m);
 *
 * A uid is deleted if any tombstone may mean it, whatever created_at that has:
 * a shard has one file of a uid, and its time is recorded nowhere else, so that
 * a time that differs must not bring it back.  A tombstone means the uid in it
 * and what its key says, "uid" or "uid:TIMESTAMP", where the two differ.
 *
 * Where a sidecar is damaged, or of another version, it cannot be known what
 * was deleted: RC_CORRUPT, RC_UNSUPPORTED or RC_LIMIT, and no file of its shard
 * may be given out; uids that were told before are deleted all the same.
 *
 * For one thread at a time.
 */
#ifndef DESFS_LEGACY_LEGACY_META_H
#define DESFS_LEGACY_LEGACY_META_H

#include <stddef.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct legacy_meta;

/* A uid that is deleted: UTF-8, 0 to 65535 bytes, NUL may be in it.  One may
 * come more than once.  An error ends it all.
 */
typedef enum rc legacy_meta_fn(void *arg, struct span uid, struct err *err);

struct legacy_meta *legacy_meta_new(legacy_meta_fn *fn, void *arg) MUST_CHECK;
void legacy_meta_free(struct legacy_meta *m);

/* The next bytes.  After an error nothing may follow but legacy_meta_free. */
enum rc legacy_meta_feed(struct legacy_meta *m, const void *p, size_t len,
			 struct err *err) MUST_CHECK;
enum rc legacy_meta_end(struct legacy_meta *m, struct err *err) MUST_CHECK;

#endif
