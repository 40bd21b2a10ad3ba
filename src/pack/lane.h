/* SPDX-License-Identifier: Apache-2.0 */
/* lane.h - blocks of one shard in the making: filled in order by one thread,
 * encoded by many, added to the shard in order again.
 *
 * The thread that fills them adds data and then the entry that the data are of.
 * Two blocks are open: what compresses goes into one, noise into the other, and
 * an entry into the block its data went into.  In the shard blocks come in the
 * order in which they began, and entries in that in which they were added.
 * Blocks in flight are bounded, so memory is; and nothing depends on which
 * worker is quick.
 */
#ifndef DESFS_PACK_LANE_H
#define DESFS_PACK_LANE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/codec.h"
#include "pack/content.h"
#include "pack/profile.h"
#include "shard/shard-build.h"

struct lane;
struct lane_pool;
struct report;
struct workers;

/* An entry with this label is in the shard, with its hash, or could not be put
 * there: failure, else NULL.
 */
typedef enum rc lane_told_fn(void *arg, uint64_t label, const struct entry *e,
			     const struct err *failure, struct err *err);

struct lane_options {
	struct shard_build *build;
	struct workers *workers;
	struct lane_pool *pool;
	struct report *report;
	struct block_sizes sizes;
	enum codec_id codec;
	int level;
	lane_told_fn *told; /* in the thread that adds; NULL: not wanted */
	void *told_arg;
};

/* Blocks in flight at most. */
#define LANE_WINDOW 32u

/* Bytes of memory that a lane of such blocks holds at most. */
uint64_t lane_memory(const struct block_sizes *sizes);

struct lane *lane_new(const struct lane_options *opts) MUST_CHECK;
/* Waits for the workers; what was not added to the shard is lost. */
void lane_free(struct lane *l);

/* Room for len bytes, at most sizes.large, until the next call that adds
 * anything.  They count once lane_keep says so; what is larger than sizes.group
 * has a block of its own then.
 */
enum rc lane_reserve(struct lane *l, size_t len, uint8_t **ret,
		     struct err *err) MUST_CHECK;
/* Instead of lane_keep: *ret is where the same bytes as those reserved are
 * already, which is the caller's to unref, or NULL.
 */
enum rc lane_same(struct lane *l, size_t len, struct content_parts **ret,
		  struct err *err) MUST_CHECK;
/* Keep the len bytes reserved last; *ret_off: where they are in their block. */
enum rc lane_keep(struct lane *l, size_t len, uint32_t *ret_off,
		  struct err *err) MUST_CHECK;

/* End open blocks that have data: large files begin with blocks of their own.
 */
enum rc lane_end_data(struct lane *l, struct err *err) MUST_CHECK;

/* Room for len bytes in a block of its own, until lane_whole takes it or the
 * next call of lane_reserve*.
 */
enum rc lane_reserve_whole(struct lane *l, size_t len, uint8_t **ret,
			   struct err *err) MUST_CHECK;
/* The len bytes in it are segment i of c. */
enum rc lane_whole(struct lane *l, struct content_parts *c, uint32_t i,
		   size_t len, struct err *err) MUST_CHECK;

/* The last segment of c is what was kept last, at off. */
void lane_tail(struct lane *l, struct content_parts *c, uint32_t off);

/* Add an entry; all is copied.  c: where its bytes are; NULL for an entry
 * without or whose bytes are those kept last, from off on.
 */
enum rc lane_entry(struct lane *l, const struct entry *e,
		   struct content_parts *c, uint32_t off,
		   struct err *err) MUST_CHECK;

/* Entries added from here on have this label; LANE_NO_LABEL: told is not called
 * for them.  So it is at first.
 */
#define LANE_NO_LABEL UINT64_MAX
void lane_label(struct lane *l, uint64_t label);

/* End all blocks and add them to the shard.  *ret: entries, without implied
 * directories.
 */
enum rc lane_finish(struct lane *l, uint64_t *ret, struct err *err) MUST_CHECK;

#endif
