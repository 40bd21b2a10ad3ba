/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-segments.h - reading small files of remote objects one after the other
 * with few requests.
 *
 * Who reads an object from its begin to its end, file by file, gets ever larger
 * pieces of it with one request; a file that is read on its own costs its own
 * bytes.  Any thread; who wants bytes that are on their way waits for them.
 */
#ifndef DESFS_LEGACY_LEGACY_SEGMENTS_H
#define DESFS_LEGACY_LEGACY_SEGMENTS_H

#include "base/err.h"
#include "legacy/legacy-objects.h"

struct legacy_segments;
struct legacy_segments *legacy_segments_new(struct store *st) MUST_CHECK;
void legacy_segments_free(struct legacy_segments *s); /* takes NULL */

/* As store_read of the object in the state it was seen in. */
enum rc legacy_segments_read(struct legacy_segments *s,
			     const struct legacy_object *o, uint64_t off,
			     void *buf, size_t len, bool is_ahead,
			     struct err *err) MUST_CHECK;

#endif
