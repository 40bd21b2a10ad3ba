/* SPDX-License-Identifier: Apache-2.0 */
/* shard-footer.h - the two fixed-size ends of a shard: bytes to struct and back.
 *
 * Byte tables: des-shard(5), HEADER and FOOTER.  Pure functions; any thread.
 */
#ifndef DESFS_SHARD_SHARD_FOOTER_H
#define DESFS_SHARD_SHARD_FOOTER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

/* What is known of a shard before its first byte is written. */
struct shard_header {
	uint32_t incompat, ro_compat, compat; /* feature flags */
	uint8_t archive_id[SHARD_ID_LEN];
	uint32_t day;  /* as a decimal number YYYYMMDD, UTC */
	uint32_t slot; /* 0 ... 2^n_bits - 1 */
	uint8_t n_bits;
	uint8_t route; /* enum route_kind */
	uint32_t part;
	uint32_t revision;
	uint32_t block_size;           /* bytes */
	/* What made it, text; stored without the last NUL. */
	char writer[SHARD_WRITER_LEN + 1];
};

/* A byte range of the shard and the first half of its SHA-256. */
struct shard_section {
	uint64_t off;
	uint64_t len;
	uint8_t hash[BLOCK_HASH_LEN];
};

struct shard_footer {
	struct shard_header header;
	int64_t created_min, created_max; /* microseconds */
	uint64_t n_entries;
	uint64_t n_files;     /* regular ones */
	uint64_t plain_bytes; /* sum of their sizes */
	uint64_t n_blocks;
	uint64_t dead_bytes; /* stored bytes of blocks no entry refers to */
	uint64_t data_off, data_len;
	uint64_t index_off, index_len; /* pages: leaves, block lists, directories */
	struct page_ref root_page;     /* off counts from index_off */
	uint8_t levels;		       /* 1: the root page is a leaf; 0: no entries */
	struct shard_section filter;	 /* partitions, see shard-filter.h */
	struct shard_section filter_dir; /* BLOCK_HASH_LEN for each of them */
	struct shard_section info;	 /* first and last uid */
	uint8_t header_hash[BLOCK_HASH_LEN];
	uint8_t logical_root[SHARD_ROOT_LEN];
	uint8_t root[SHARD_ROOT_LEN];
};

void shard_header_encode(const struct shard_header *h, struct buf *out);
enum rc shard_header_decode(const uint8_t *p, size_t len,
			    struct shard_header *ret,
			    struct err *err) MUST_CHECK;

/* Encode and fill in f->root, which hashes everything before it. */
void shard_footer_encode(struct shard_footer *f, struct buf *out);

/* p is the last SHARD_FOOTER_SIZE bytes of a shard of shard_size bytes.
 * RC_CORRUPT: damaged, or sections that do not tile the shard.
 * RC_UNSUPPORTED: a version or incompatible feature not known here.
 */
enum rc shard_footer_decode(const uint8_t *p, size_t len, uint64_t shard_size,
			    struct shard_footer *ret,
			    struct err *err) MUST_CHECK;

/* The same for who knows these incompatible features. */
enum rc shard_footer_decode_of(const uint8_t *p, size_t len,
			       uint64_t shard_size, uint32_t known,
			       struct shard_footer *ret,
			       struct err *err) MUST_CHECK;

/* The info section: first and last uid.  The spans are borrowed from p. */
struct shard_info {
	struct span first, last; /* uids in index order */
};
void shard_info_encode(const struct shard_info *info, struct buf *out);
enum rc shard_info_decode(const uint8_t *p, size_t len, struct shard_info *ret,
			  struct err *err) MUST_CHECK;

#endif
