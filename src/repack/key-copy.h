/* SPDX-License-Identifier: Apache-2.0 */
/* key-copy.h - the key of an entry, kept for longer than the entry is there. */
#ifndef DESFS_REPACK_KEY_COPY_H
#define DESFS_REPACK_KEY_COPY_H

#include "base/buf.h"
#include "shard/shard-entry.h"

/* A zeroed one is fine. */
struct key_copy {
	struct entry e; /* its key only */
	struct buf bytes;
};

static inline void key_copy_set(struct key_copy *k, const struct entry *from)
{
	struct buf *b = &k->bytes;

	if (!b->max)
		buf_init(b, 2 * UID_MAX_LEN);
	buf_clear(b);
	buf_append(b, from->parent.p, from->parent.len);
	buf_append(b, from->name.p, from->name.len);
	k->e.parent = span_of(b->p, from->parent.len);
	k->e.name =
		span_of((const char *)b->p + from->parent.len, from->name.len);
	k->e.created_at = from->created_at;
}

static inline void key_copy_release(struct key_copy *k)
{
	buf_release(&k->bytes);
}

#endif
