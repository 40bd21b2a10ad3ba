/* SPDX-License-Identifier: Apache-2.0 */
/* shard-entry.h - one entry of a shard's index, as memory holds it.
 *
 * The meaning of each field is that of des-shard(5), ENTRIES.  An entry is a
 * view: the pointers are borrowed from the decoded page it came from (or, when
 * packing, from the packer) and live as long as that does.
 */
#ifndef DESFS_SHARD_SHARD_ENTRY_H
#define DESFS_SHARD_SHARD_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/span.h"
#include "shard/shard-format.h"

/* Values are those on disk. */
enum entry_type {
	ENTRY_REG = 1,
	ENTRY_DIR = 2,
	ENTRY_SYMLINK = 3,
	ENTRY_FIFO = 4,
	ENTRY_CHR = 5,
	ENTRY_BLK = 6,
	ENTRY_WHITEOUT = 7, /* the uid is gone as of created_at */
};

/* "file", "block device", ...; static. */
const char *entry_type_text(enum entry_type type);

#define ENTRY_HASH_LEN 32 /* SHA-256 of the content */
#define BLOCK_HASH_LEN 16 /* first half of SHA-256 of stored bytes */
#define LINK_GROUP_LEN 16 /* likewise of archive id and uid */

/* Where one block lies and how to know it is right. */
struct block_ref {
	uint64_t off;        /* in the shard, of the block's header */
	uint32_t stored_len; /* header and payload, bytes; 0: a hole */
	uint32_t data_len;   /* raw bytes of file data in it */
	uint8_t codec;       /* of the data part, enum codec_id */
	uint8_t hash[BLOCK_HASH_LEN]; /* of the stored bytes; zeros: a hole */
};

/* One page of a block list, see extents below. */
struct page_ref {
	uint64_t off;        /* from the start of the index region */
	uint32_t stored_len; /* header and payload, bytes */
	uint8_t hash[BLOCK_HASH_LEN]; /* of the stored bytes */
};

/* Where the bytes of a regular file are.  The file is n_blocks segments; all
 * but the last are whole blocks of block_size raw bytes, the last begins at
 * tail_off in its block.  Up to SHARD_INLINE_BLOCKS block references stand in
 * the page itself (blocks); more are in block list pages (extents), each with
 * per_extent references, the last with the rest.
 */
struct content {
	uint32_t n_blocks; /* 0 for an empty file */
	uint32_t block_size;
	uint32_t tail_off;
	const struct block_ref *blocks; /* n_blocks of them, or NULL */
	const struct page_ref *extents; /* n_extents of them, or NULL */
	uint32_t n_extents;
	uint32_t per_extent;
};

struct entry {
	struct span parent; /* uid up to the last '/', without it */
	struct span name;   /* uid after it; parent and name empty: the root */
	int64_t created_at; /* microseconds since 1970, UTC */
	enum entry_type type;
	bool implicit;     /* a directory only inferred from its children */
	bool has_opaque;   /* opaque_since is set (directories) */
	bool has_hash;     /* sha256 is set (regular files) */
	uint16_t mode;     /* permission bits, 07777 */
	uint32_t uid, gid; /* owner */
	int64_t mtime_s;   /* seconds since 1970 */
	uint32_t mtime_ns; /* 0 ... 999,999,999 */
	uint64_t size;     /* bytes; of a link's target for symbolic links */
	uint8_t sha256[ENTRY_HASH_LEN];
	struct content content;
	int64_t opaque_since; /* children created before it are hidden, us */
	struct span target;   /* symbolic link */
	uint32_t rdev_major, rdev_minor;
	uint8_t link_group[LINK_GROUP_LEN]; /* see link_group_of; zeros: none */
	uint32_t nlink;         /* names in the group; directories: 2 + subdirectories; 0 unknown */
	struct span xattrs;     /* packed list, see xattr_next(); empty: none */
	struct span meta;       /* opaque user metadata */
};

/* Compare two keys as the index does: parent, then name, bytewise. */
int entry_key_compare(struct span parent_a, struct span name_a,
		      struct span parent_b, struct span name_b);

/* The full order: key, then created_at, newest first. */
int entry_compare(const struct entry *a, const struct entry *b);

/* Can both be names of one file?  By all that names of one file share. */
bool entry_is_same_file(const struct entry *a, const struct entry *b);

/* Split a uid at its last '/', unless that is its first byte. */
void entry_split_uid(struct span uid, struct span *ret_parent,
		     struct span *ret_name);

/* Length of the uid an entry's parent and name make. */
size_t entry_uid_len(struct span parent, struct span name);

/* Write that uid (entry_uid_len bytes, no NUL) to out; returns its length. */
size_t entry_uid(struct span parent, struct span name, char *out);

/* What hard links have in common: a hash, since the smallest of their names may
 * have to be erased while the others stay.
 */
void link_group_of(const uint8_t archive_id[SHARD_ID_LEN],
		   struct span smallest_uid, uint8_t ret[LINK_GROUP_LEN]);

static inline bool link_group_is_set(const uint8_t group[LINK_GROUP_LEN])
{
	static const uint8_t none[LINK_GROUP_LEN];

	return memcmp(group, none, LINK_GROUP_LEN) != 0;
}

/* Walk a packed xattr list: at first *pos is 0; false at the end.  The list of a
 * decoded entry is well formed, so there is no error.
 */
bool xattr_next(struct span list, size_t *pos, struct span *ret_name,
		struct span *ret_value);

struct buf;

/* Append one attribute to a packed list.  A list must be in byte order of the
 * names, without doubles, to be accepted by a shard builder.
 */
void xattr_append(struct buf *list, struct span name, struct span value);

#endif
