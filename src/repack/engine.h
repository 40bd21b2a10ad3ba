/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - shards of one day and slot in, their next revisions out.
 *
 * One engine for what is deleted, merged (several in, one out), split (one in,
 * several out), recompressed, or freed of damage.  Blocks of which nothing goes
 * are copied as they are stored; of others what stays is written anew.  What
 * came out is in the store, read back and compared, but no log record names it:
 * that is for the caller.
 *
 * Output depends on the input and the options alone.  Memory: about 40 bytes
 * an entry, 32 MiB for each thread, and little else.
 */
#ifndef DESFS_REPACK_ENGINE_H
#define DESFS_REPACK_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/codec.h"
#include "volume/oplog.h"

struct holds;
struct store;
struct tombstone_set;
struct workers;

#define ENGINE_INPUTS_MAX 64u /* shards taken together at most */

/* What is lost for good, told where it is found: uid is NULL if no name is
 * known, and text says how many.
 */
typedef void engine_lost_fn(void *arg, const char *key, const void *uid,
			    size_t uid_len, const char *text);

/* Counted on the way, to be looked at from any thread. */
struct engine_progress {
	_Atomic uint64_t bytes_read, bytes_written;
	_Atomic uint64_t shards_done;
};

struct engine_options {
	struct store *store;
	const uint8_t *archive_id; /* for shards that have lost theirs */
	struct workers *workers; /* for blocks; the engine runs in none */
	unsigned int n_workers;
	const char *spool_dir;
	const struct tombstone_set *deleted; /* NULL: nothing is */
	const struct holds *holds;           /* what they keep stays; or NULL */
	/* Leave out what is damaged, instead of failing. */
	bool drop_corrupt;
	/* Of one shard that would not change nothing comes out. */
	bool skip_same;
	bool recompress; /* all, with codec and level */
	enum codec_id codec;
	int level;
	uint64_t split_above; /* plain bytes of a part at most; 0: one part */
	uint32_t free_part;   /* the first number no shard of the slot has */
	/* No revision below it comes out: what a lost repack made may be
	 * removed at any time, and has the same key if it has the same
	 * contents.
	 */
	uint32_t free_revision;
	engine_lost_fn *lost; /* may be NULL, as progress */
	void *lost_arg;
	struct engine_progress *progress;
};

struct engine_report {
	uint64_t entries, files, plain_bytes; /* that stayed */
	uint64_t deleted, deleted_files, deleted_bytes;
	uint64_t lost;     /* entries, with those nobody can name */
	uint64_t unneeded; /* copies of directories with nothing below */
	uint64_t blocks_copied, blocks_rewritten, blocks_dropped;
	uint64_t bytes_copied, bytes_rewritten, bytes_dropped; /* stored */
	uint64_t bytes_in, bytes_out;                          /* of shards */
};

/* What came out; there may be none. */
struct engine_result {
	struct shard_meta *shards;
	size_t n;
	bool is_same; /* nothing came out for that, see skip_same */
	struct engine_report report;
};

/* in: n shards of one day, slot, n_bits and route, as the log has them.
 * RC_CORRUPT names the object, the offset and what it costs.  What was
 * published stays in the store whatever happens: the same shard may be another
 * run's.
 */
enum rc engine_run(const struct engine_options *opts,
		   const struct shard_meta *const *in, size_t n,
		   struct engine_result *ret, struct err *err) MUST_CHECK;
void engine_result_release(struct engine_result *r);

#endif
