/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-segments.h - several files of a remote object with one request.
 *
 * Who says beforehand what he is going to read, file by file, gets it with one
 * request; all other reads are requests of their own, and so are those of a
 * request that failed.  Memory is bounded.  Any thread; who wants bytes that are
 * on their way waits for them.
 */
#ifndef DESFS_LEGACY_LEGACY_SEGMENTS_H
#define DESFS_LEGACY_LEGACY_SEGMENTS_H

#include "base/err.h"
#include "legacy/legacy-objects.h"

struct legacy_segments;
struct legacy_segments *legacy_segments_new(struct store *st) MUST_CHECK;
void legacy_segments_free(struct legacy_segments *s); /* takes NULL */

/* Bytes that are read with one request at most. */
#define LEGACY_SEGMENT_MAX (UINT64_C(8) << 20)

/* The caller is about to read from off to end, at most LEGACY_SEGMENT_MAX bytes
 * that the object has, piece by piece.  is_sparse: less than half of it, and
 * others may want the rest.
 */
void legacy_segments_expect(struct legacy_segments *s,
			    const struct legacy_object *o, uint64_t off,
			    uint64_t end, bool is_sparse);

/* As store_read of the object in the state it was seen in. */
enum rc legacy_segments_read(struct legacy_segments *s,
			     const struct legacy_object *o, uint64_t off,
			     void *buf, size_t len, bool is_ahead,
			     struct err *err) MUST_CHECK;

#endif
