/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-decoded.h - files that are compressed as a whole, decoded once however
 * many blocks of them are asked for.
 *
 * Small ones are decoded in memory for each block, of which they have but one;
 * others into nameless temporary files.  Some of these are kept, the one that
 * was not used for longest goes first.  Any thread; who wants what is being
 * decoded waits.
 */
#ifndef DESFS_LEGACY_LEGACY_DECODED_H
#define DESFS_LEGACY_LEGACY_DECODED_H

#include "base/err.h"
#include "legacy/legacy-objects.h"
#include "legacy/legacy-place.h"

struct legacy_decoded;

/* All borrowed; segments may be NULL. */
struct legacy_segments;
struct legacy_decoded *legacy_decoded_new(struct store *st,
					  struct legacy_segments *segments,
					  const char *dir) MUST_CHECK;
void legacy_decoded_free(struct legacy_decoded *d);

/* As legacy_contents_read, of what o has inline with a codec; messages do not
 * begin with the key where it is the frame that is wrong.
 */
enum rc legacy_decoded_read(struct legacy_decoded *d,
			    const struct legacy_object *o,
			    const struct legacy_place *p, uint64_t off,
			    void *buf, size_t len, struct err *err) MUST_CHECK;

#endif
