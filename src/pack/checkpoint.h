/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.h - the file that a long run leaves behind when it dies: what it
 * had published, and what there is to know to go on.
 *
 * Format: desfs-pack(1), CHECKPOINTS.  What is read is hostile: all lengths are
 * bounded, and of a shard it says only where to look.
 */
#ifndef DESFS_PACK_CHECKPOINT_H
#define DESFS_PACK_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/worker.h"
#include "volume/oplog.h"

#define CHECKPOINT_HEAD_MAX 1024u /* bytes of the first line */
#define CHECKPOINT_MAX (OPLOG_RECORD_MAX + CHECKPOINT_HEAD_MAX)

struct checkpoint {
	uint8_t archive_id[SHARD_ID_LEN];
	uint8_t options[SHARD_ID_LEN]; /* a digest of the run's */
	uint8_t past[SHARD_ID_LEN];    /* see past_id_add */
	struct worker worker;
	int64_t created_at;
	struct shard_meta *shards; /* in the order of their keys */
	size_t n_shards;
	bool is_cut; /* the last line was not written to its end */
};

/* The first line, and one more of its shards, in any order, if there are any.
 * Lines of other shards may follow.
 */
void checkpoint_encode_head(const struct checkpoint *c, struct buf *out);
void checkpoint_encode_shards(const struct checkpoint *c, struct buf *out);

/* All lines.  The last one may be cut, or have wrong bytes, when the machine
 * failed while it was written: then it says nothing.
 */
enum rc checkpoint_decode(const void *p, size_t len, struct checkpoint *ret,
			  struct err *err) MUST_CHECK;
/* What was decoded. */
void checkpoint_release(struct checkpoint *c);

/* The file, locked for as long as it is open: there is one run for it. */
struct checkpoint_file {
	const char *path; /* borrowed */
	char *name;
	int dirfd, fd;
	uint64_t size; /* bytes */
	bool is_empty; /* there was nothing in it, and there is not yet */
};

/* RC_EXISTS: another run has it.  What is in it goes to ret_text. */
enum rc checkpoint_file_open(struct checkpoint_file *f, const char *path,
			     struct buf *ret_text, struct err *err) MUST_CHECK;
/* In the place of what was there; durable. */
enum rc checkpoint_file_write(struct checkpoint_file *f, const void *p,
			      size_t len, struct err *err) MUST_CHECK;
/* Behind what was written; durable.  When that fails there may be a part of it,
 * and the next thing is to write all anew.
 */
enum rc checkpoint_file_append(struct checkpoint_file *f, const void *p,
			       size_t len, struct err *err) MUST_CHECK;
enum rc checkpoint_file_remove(struct checkpoint_file *f,
			       struct err *err) MUST_CHECK;
/* One that is empty still is removed.  A zeroed one may be closed. */
void checkpoint_file_close(struct checkpoint_file *f);

#endif
