/* SPDX-License-Identifier: Apache-2.0 */
/* shard-build.h - entries in order and their blocks, to the bytes of a shard.
 *
 * No I/O and no threads: the caller compresses blocks where it likes
 * (block_encode is pure), and writes the bytes the builder hands to the sink.
 *
 * Order of calls: shard_build_new; then, in the order of the index, for each
 * entry its blocks (shard_build_block in the order they are to lie in the
 * shard) and the entry itself (shard_build_entry) once all blocks it refers to
 * were added; at last shard_build_finish.  Ancestors' directory entries are the
 * caller's to add.
 *
 * The index comes second in the shard but is made along with the data, so the
 * sink has two ends; the caller keeps index bytes aside (they are small) and
 * writes them after the data when shard_build_finish asks.
 */
#ifndef DESFS_SHARD_SHARD_BUILD_H
#define DESFS_SHARD_SHARD_BUILD_H

#include <stdint.h>

#include "base/err.h"
#include "codec/codec.h"
#include "shard/shard-entry.h"
#include "shard/shard-footer.h"

struct shard_sink {
	/* The next bytes of header and data, to be written at once. */
	enum rc (*data)(void *arg, const void *p, size_t len, struct err *err);
	/* The next bytes of the index region, to be kept aside. */
	enum rc (*index)(void *arg, const void *p, size_t len, struct err *err);
	/* Write all bytes kept aside now, in order. */
	enum rc (*flush_index)(void *arg, struct err *err);
	/* The bytes before the index, the filter, and those behind it: filter
	 * directory, info, footer.
	 */
	enum rc (*tail)(void *arg, const void *p, size_t len, struct err *err);
	void *arg;
};

struct shard_build_options {
	struct shard_header header;
	uint32_t page_raw;   /* bytes a leaf page may grow to; 0: default;
				at most PAGE_RAW_WANTED_MAX */
	enum codec_id codec; /* of pages */
	int level;
};

/* Bytes of memory kept for each entry until the shard is finished. */
#define SHARD_BUILD_ENTRY_BYTES 8u

struct shard_build;

/* Writes the header to the sink. */
enum rc shard_build_new(const struct shard_build_options *opts,
			const struct shard_sink *sink, struct shard_build **ret,
			struct err *err) MUST_CHECK;
void shard_build_free(struct shard_build *b);

/* Append a block's stored bytes; fills ref->off.  Its other fields are those
 * block_encode gave.
 */
enum rc shard_build_block(struct shard_build *b, const void *stored, size_t len,
			  struct block_ref *ref, struct err *err) MUST_CHECK;

/* Leave room for so many blocks of len bytes together, whose bytes are made
 * when they are read: the caller knows where they lie.
 */
void shard_build_leave(struct shard_build *b, uint64_t len, uint64_t n_blocks);

/* Append an entry.  content.blocks holds all n_blocks references, whatever
 * their number (the builder makes block list pages); the memory stays the
 * caller's. Out of order, too long, or ill-formed: RC_LIMIT or RC_USAGE.
 */
enum rc shard_build_entry(struct shard_build *b, const struct entry *e,
			  struct err *err) MUST_CHECK;

/* The same of an entry without content.blocks, whose references are asked for
 * in their order, once each: n of them from the one with number i on.
 */
typedef enum rc shard_blocks_fn(void *arg, uint32_t i, uint32_t n,
				struct block_ref *ret, struct err *err);
enum rc shard_build_entry_of(struct shard_build *b, const struct entry *e,
			     shard_blocks_fn *fn, void *arg,
			     struct err *err) MUST_CHECK;

/* Write what remains; fills ret with the footer as written and the shard's
 * size.
 */
enum rc shard_build_finish(struct shard_build *b, struct shard_footer *ret,
			   uint64_t *ret_size, struct err *err) MUST_CHECK;

/* First and last uid added so far, borrowed until the builder is freed; valid
 * after shard_build_finish.
 */
struct shard_info shard_build_info(const struct shard_build *b);

#endif
