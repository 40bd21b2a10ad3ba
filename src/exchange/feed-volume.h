/* SPDX-License-Identifier: Apache-2.0 */
/* feed-volume.h - all that an archive has, as a feed for another one.
 *
 * Records are all versions of all entries, shard by shard: also whiteouts, and
 * directories with what they hide.  Directories that are only implied are left
 * to be implied again.  Contents come by way of memory or of a file in the
 * spool directory, and keep their holes.
 *
 * The feed is good for one run at a time, and for as long as the volume, which
 * is not refreshed meanwhile.
 */
#ifndef DESFS_EXCHANGE_FEED_VOLUME_H
#define DESFS_EXCHANGE_FEED_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/feed.h"
#include "volume/oplog-record.h"
#include "volume/volume.h"

struct feed_volume_options {
	struct volume *volume;
	const char *spool; /* directory for temporary files */
	const char *url;   /* of the volume */
	/* Entries of a shard that could not be read, n of them or all; from the
	 * thread that lists.
	 */
	void (*lost)(void *arg, const struct shard_meta *shard, uint64_t n,
		     const struct err *why);
	/* As that of struct feed; numbers are for feed_volume_get. */
	void (*result)(void *arg, const struct feed_result *r);
	void *arg;
};

struct feed_volume;

struct feed_volume *feed_volume_new(const struct feed_volume_options *opts)
	MUST_CHECK;
void feed_volume_free(struct feed_volume *f);

/* Valid for as long. */
const struct feed *feed_volume_feed(const struct feed_volume *f);

/* The entry that a record was made of. */
enum rc feed_volume_get(const struct feed_volume *f, uint64_t number,
			struct volume_entry *ret, struct err *err) MUST_CHECK;

/* The number of an entry's record, which may have none, see feed_volume_has. */
uint64_t feed_volume_number(const struct volume_entry *ve);
bool feed_volume_has(const struct entry *e);

/* All bytes of a regular file that are in no hole, in order, in pieces. */
typedef enum rc feed_volume_bytes_fn(void *arg, uint64_t off, const void *p,
				     size_t len, struct err *err);
enum rc feed_volume_read(struct volume *v, const struct volume_entry *ve,
			 feed_volume_bytes_fn *fn, void *arg,
			 struct err *err) MUST_CHECK;

#endif
