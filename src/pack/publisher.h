/* SPDX-License-Identifier: Apache-2.0 */
/* publisher.h - publishes shards that are written in full, while those who
 * wrote them go on with others.
 *
 * Publishing is waiting: for a disk, or for a server to answer.  A failure is
 * the run's, see pack_fail.
 */
#ifndef DESFS_PACK_PUBLISHER_H
#define DESFS_PACK_PUBLISHER_H

#include "pack/shard-out.h"

struct feed_told;
struct pack;
struct publisher;

/* Uploads that are published or wait for it at most, if n publish at a time. */
unsigned int publisher_uploads(unsigned int n);

enum rc publisher_start(struct pack *p, unsigned int n, struct publisher **ret,
			struct err *err) MUST_CHECK;
/* Publish all there is, free; takes NULL. */
void publisher_stop(struct publisher *pub);

/* Publish *out, which is taken over, see shard_out_commit, and hand the shard
 * to pack_add_shard.  Waits while there is too much to publish.  told, which is
 * taken over too, is told of then; it may be NULL.
 */
void publisher_add(struct publisher *pub, uint32_t slot, struct shard_out *out,
		   const struct shard_footer *f, uint64_t size,
		   struct shard_info info, struct feed_told *told);

#endif
