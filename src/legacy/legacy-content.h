/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-content.h - the bytes of files of an older archive.
 *
 * What can be checked is, before a byte is given out: the SHA-256 of a big file
 * once for each state of its object, the size of an external one, and that a
 * compressed one comes to just the bytes the index says.  Memory is bounded
 * whatever they say; a large compressed file is decoded into a nameless
 * temporary file, of which a few are kept.  Any thread.
 */
#ifndef DESFS_LEGACY_LEGACY_CONTENT_H
#define DESFS_LEGACY_LEGACY_CONTENT_H

#include "base/err.h"
#include "legacy/legacy-objects.h"
#include "legacy/legacy-place.h"

/* Bytes of a spool of this room that are kept in memory. */
#define LEGACY_SPOOL_MEMORY (256u << 10)

struct legacy_contents;

/* All borrowed. */
struct legacy_contents *legacy_contents_new(struct store *st,
					    struct legacy_objects *objects,
					    const char *dir) MUST_CHECK;
void legacy_contents_free(struct legacy_contents *c);

/* Exactly len bytes of a file at off, which it has; text as in place.
 * RC_CORRUPT: damaged; the message begins with the object's key.
 */
enum rc legacy_contents_read(struct legacy_contents *c,
			     const struct legacy_place *p, const char *text,
			     uint64_t off, void *buf, size_t len, bool is_ahead,
			     struct err *err) MUST_CHECK;

/* Does a read cost a request?  Then it is worth while to tell beforehand of
 * several that follow each other.
 */
bool legacy_contents_cost(const struct legacy_contents *c) MUST_CHECK;

/* Bytes of an object from off to end, in which several files lie, are about to
 * be read; as legacy_segments_expect.
 */
void legacy_contents_expect(struct legacy_contents *c, uint32_t object,
			    uint64_t off, uint64_t end, bool is_sparse);

/* Of files without a hash, see legacy-outside.h; text is the object's key. */
uint64_t legacy_contents_turn(struct legacy_contents *c,
			      const struct legacy_place *p,
			      struct span text) MUST_CHECK;
bool legacy_contents_have_changed(struct legacy_contents *c) MUST_CHECK;

#endif
