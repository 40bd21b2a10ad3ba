/* SPDX-License-Identifier: Apache-2.0 */
/* shard-kinds.h - the formats of shards, told by their first and last bytes.
 *
 * Pure functions; any thread.  To read a shard of an older format: get its
 * first LEGACY_HEAD_SIZE and last LEGACY_TAIL_SIZE bytes (or all, if it is
 * smaller), find its index with legacy_index_locate, go through that with a
 * cursor (shard/legacy-cursor.h).
 */
#ifndef DESFS_SHARD_SHARD_KINDS_H
#define DESFS_SHARD_SHARD_KINDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LEGACY_HEAD_SIZE 16
#define LEGACY_TAIL_SIZE 72

enum shard_kind {
	SHARD_KIND_NONE, /* of no format that is known */
	SHARD_KIND_V3,   /* des-shard(5) */
	SHARD_KIND_DES2_V1,
	SHARD_KIND_DES2_V2,
	SHARD_KIND_DATAVISION,
};

/* "DES2 version 2", ...; static. */
const char *shard_kind_text(enum shard_kind kind);

/* The format of an object by its magic numbers: those at its end count where
 * those at its begin are of none, so that what is damaged is still known.  An
 * unknown version of DES2 is SHARD_KIND_DES2_V2.  The tail may be longer than
 * LEGACY_TAIL_SIZE.
 */
enum shard_kind shard_kind_of(const void *head, size_t head_len,
			      const void *tail, size_t tail_len) MUST_CHECK;

/* Where the parts of a shard of an older format are: offsets in the object. */
struct legacy_index {
	enum shard_kind kind;
	uint64_t size;               /* of the object */
	uint64_t off, len;           /* the index */
	uint64_t data_off, data_end; /* contents of files */
	uint64_t meta_off, meta_end; /* Datavision: metadata, else empty */
	uint64_t count;              /* Datavision: files, as the footer says;
					DES2 has that in the index */
};

/* Check header and footer of an object of so many bytes, and find its index.
 * RC_CORRUPT: of no older format, or damaged; RC_UNSUPPORTED: of format 3.
 */
enum rc legacy_index_locate(const void *head, size_t head_len, const void *tail,
			    size_t tail_len, uint64_t size,
			    struct legacy_index *ret,
			    struct err *err) MUST_CHECK;

#endif
