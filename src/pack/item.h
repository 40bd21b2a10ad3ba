/* SPDX-License-Identifier: Apache-2.0 */
/* item.h - what the walk found out about one name, on its way through the
 * sorter.
 *
 * An item is a view, like struct entry: its spans are borrowed.  Encoded items
 * are for files of one's own run only; the encoding may change any time.
 */
#ifndef DESFS_PACK_ITEM_H
#define DESFS_PACK_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-entry.h"

#define ITEM_NO_DIR UINT64_MAX

struct item {
	struct span parent, name; /* the key; not in the encoded bytes */
	enum entry_type type;
	bool implicit;
	uint16_t mode;
	uint32_t uid, gid;
	int64_t mtime_s, ctime_s;
	uint32_t mtime_ns, ctime_ns;
	uint64_t dev, ino; /* with ctime: to notice changes; never packed */
	uint64_t size;     /* as in struct entry */
	uint32_t rdev_major, rdev_minor;
	uint32_t nlink;
	/* Other names of the file may be in the sources; once links_find was
	 * asked: number of the group, 0 when there is none.
	 */
	uint64_t link;
	uint32_t source; /* number of the source it was found in */
	uint64_t dir; /* its directory's place in struct dirs, or ITEM_NO_DIR */
	struct span target, xattrs;
	uint8_t link_group[LINK_GROUP_LEN]; /* as in struct entry */

	/* What comparing with the archive decided. */
	int64_t created_at; /* microseconds since 1970, UTC */
	bool has_opaque;
	int64_t opaque_since;

	/* Of a feed's record, see feed.h; else false and zeros. */
	bool is_fed, has_sha256;
	uint64_t number, place;
	uint8_t sha256[ENTRY_HASH_LEN];
	struct span meta;
};

void item_encode(const struct item *it, struct buf *out);

/* The spans are borrowed from p; the key is left empty. */
enum rc item_decode(const void *p, size_t len, struct item *ret,
		    struct err *err) MUST_CHECK;

/* Are both looks at one file in one state?  By what fstat(2) tells, or a feed.
 */
bool item_is_same_state(const struct item *a, const struct item *b);

/* Keys for the sorter, which orders them as entry_key_compare does: names have
 * neither NUL nor, but in parent, a '/'.
 */
void item_key_encode(struct span parent, struct span name, struct buf *out);

/* Behind a key: in the order of keys what is newer comes first.  Eight bytes.
 */
#define ITEM_NEWEST_BYTES 8
void item_put_newest(int64_t created_at, struct buf *out);
int64_t item_get_newest(const char p[ITEM_NEWEST_BYTES]);

/* A directory that is known by what is below it only; desfs-archive(5), TREE.
 */
struct item item_implied(struct span uid, int64_t created_at);

/* False when there is no NUL. */
bool item_key_decode(struct span key, struct span *ret_parent,
		     struct span *ret_name) MUST_CHECK;

#endif
