/* SPDX-License-Identifier: Apache-2.0 */
/* shard-out.h - a shard on its way into a store: the sink of a shard builder.
 */
#ifndef DESFS_PACK_SHARD_OUT_H
#define DESFS_PACK_SHARD_OUT_H

#include "base/err.h"
#include "base/spool.h"
#include "shard/shard-build.h"
#include "volume/oplog.h"

#define SHARD_OUT_INDEX_MEMORY (4u << 20) /* bytes; more are spooled */

struct report;
struct store;
struct store_upload;

struct shard_out {
	struct store_upload *upload;
	struct spool index; /* kept aside until the data are complete */
	struct report *report;
};

/* report: where bytes written are counted, or NULL. */
enum rc shard_out_open(struct shard_out *o, struct store *st,
		       struct report *report, const char *spool_dir,
		       struct err *err) MUST_CHECK;
/* What was not committed is removed. */
void shard_out_close(struct shard_out *o);

/* What is left to be committed once all is written; *o is closed. */
struct shard_out shard_out_take(struct shard_out *o);

struct shard_sink shard_out_sink(struct shard_out *o);

/* Publish under the key that footer and size give; fills ret, to be released.
 * *ret_existed: the store had it already.
 */
enum rc shard_out_commit(struct shard_out *o, const struct shard_footer *f,
			 uint64_t size, struct shard_info info,
			 struct shard_meta *ret, bool *ret_existed,
			 struct err *err) MUST_CHECK;

#endif
