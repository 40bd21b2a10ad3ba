/* SPDX-License-Identifier: Apache-2.0 */
/* shard-format.h - numbers of shard format v3; des-shard(5) is the description. */
#ifndef DESFS_SHARD_SHARD_FORMAT_H
#define DESFS_SHARD_SHARD_FORMAT_H

#include <stdint.h>

#define SHARD_VERSION 3

/* The header: fixed size, at offset 0. */
#define SHARD_HEADER_SIZE 192
#define SHARD_HEADER_MAGIC "DES3\r\n\x1a\n"

/* The footer: fixed size, at the very end. */
#define SHARD_FOOTER_SIZE 512
#define SHARD_FOOTER_MAGIC "DES3FOOT"
#define SHARD_END_MAGIC "3SEDdone"

#define SHARD_MAGIC_LEN 8
#define SHARD_ID_LEN 16
#define SHARD_ROOT_LEN 32
#define SHARD_WRITER_LEN 64

/* Features this program knows; the sets are as in ext4: an unknown incompatible
 * one forbids reading, an unknown read-only compatible one forbids repacking.
 */
#define SHARD_KNOWN_INCOMPAT 0u
/* Hashes of blocks are not those of their bytes, which nobody knew.  Only what
 * makes blocks when they are read may have that, and only who knows that it
 * reads from there may read it: it is none of the known ones.
 */
#define SHARD_INCOMPAT_UNHASHED 1u
#define SHARD_KNOWN_RO_COMPAT 0u
/* Some entry has extended attributes. */
#define SHARD_COMPAT_XATTRS 1u

#define BLOCK_MAGIC 0x4b4c4244u /* "DBLK" */
#define BLOCK_HEADER_SIZE 40
#define PAGE_MAGIC 0x47504744u /* "DGPG" */
#define PAGE_HEADER_SIZE 24

/* Limits a reader checks before it allocates. */
#define BLOCK_SIZE_MIN (4u << 10)
#define BLOCK_SIZE_MAX (16u << 20)
#define BLOCK_SIZE_DEFAULT (128u << 10)
#define BLOCK_RECORDS_MAX (64u << 20)
#ifndef PAGE_RAW_DEFAULT /* tests/bench/sizes builds with others */
#define PAGE_RAW_DEFAULT (16u << 10)
#endif
#define PAGE_RAW_MAX (8u << 20)
/* A builder ends a page that has come to so much, so that it keeps the limits. */
#define PAGE_RAW_WANTED_MAX (256u << 10)
#define PAGE_ENTRIES_MAX 65536u
#define PAGE_BLOCKS_MAX 65536u
#define PAGE_LEVELS_MAX 8
#define UID_MAX_LEN 65535u
#define XATTRS_MAX (1u << 20)
#define META_MAX (64u << 10)
#define LINK_TARGET_MAX 65535u
#define SHARD_INFO_MAX (256u << 10)
#define SHARD_ENTRIES_MAX (UINT64_C(1) << 40)

/* Block references of one file kept in its own page; more go to block lists. */
#define SHARD_INLINE_BLOCKS 64u
/* References in a block list page; doubled until a file has at most
 * EXTENTS_MAX pages.
 */
#define EXTENT_BLOCKS 512u
#define EXTENTS_MAX 1024u
#define EXTENT_BLOCKS_MAX 65536u

/* The filter: 16 KiB partitions, at most 10 bits an entry. */
#define FILTER_PARTITION_SIZE (16u << 10)
#define FILTER_BITS_PER_ENTRY 10u
#define FILTER_PROBES 7u

#endif
