/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-cursor.h - the entries of a shard of an older format, one by one.
 *
 * A cursor reads the index (and Datavision's metadata) in order and in pieces
 *of 1 MiB: it needs about 3 MiB however large they are.  It is used by one
 *thread at a time.
 *
 *	c = legacy_cursor_new(&index, read, arg);
 *	while ((rc = legacy_cursor_next(c, &e, &err)) != RC_NOENT) {
 *		if (rc == RC_CORRUPT)
 *			note(&e, &err);  and go on
 *		else if (rc)
 *			break;           could not be read
 *		else
 *			use(&e);
 *	}
 *
 * These formats have no checksums, but what their writers made has no gaps:
 * contents (and Datavision's metadata) lie back to back in the order of the
 * index, and fill their section.  So an entry whose offset or length was
 * changed is found, and is damage.  Bytes that were left out on purpose are
 * told once, at the end, and do not hide what comes after them.
 */
#ifndef DESFS_SHARD_LEGACY_CURSOR_H
#define DESFS_SHARD_LEGACY_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/legacy-entry.h"
#include "shard/shard-kinds.h"

/* Read exactly len bytes of the object at off. */
typedef enum rc legacy_read_fn(void *arg, uint64_t off, void *p, size_t len,
			       struct err *err);

struct legacy_cursor;

/* The index is copied; free with legacy_cursor_free. */
struct legacy_cursor *legacy_cursor_new(const struct legacy_index *index,
					legacy_read_fn *read,
					void *arg) MUST_CHECK;
void legacy_cursor_free(struct legacy_cursor *c);

/* The next entry.  RC_NOENT: there are no more.
 *
 * RC_CORRUPT: damage, with its offset in the object; the next call goes on.
 * With uid.p set, one entry is wrong, its uid in ret, which may be no UTF-8:
 * nothing else of ret may be used, the file cannot be read.  With uid.p NULL it
 * is the index that is wrong; what was given is right as far as can be told.
 * All other results are those of read, or RC_NOMEM; then nothing follows.
 */
enum rc legacy_cursor_next(struct legacy_cursor *c, struct legacy_entry *ret,
			   struct err *err) MUST_CHECK;

/* True after RC_NOENT: the index could not be followed to its end, so that
 * there may be entries nobody saw.  The original refuses such a shard whole.
 */
bool legacy_cursor_is_cut(const struct legacy_cursor *c) MUST_CHECK;

#endif
