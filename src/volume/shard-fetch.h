/* SPDX-License-Identifier: Apache-2.0 */
/* shard-fetch.h - pages and blocks of remote shards through the fetcher.
 *
 * Any thread; no lock is held during I/O.
 */
#ifndef DESFS_VOLUME_SHARD_FETCH_H
#define DESFS_VOLUME_SHARD_FETCH_H

#include "volume/fetch.h"
#include "volume/shard-file.h"

/* The fetcher of an environment, which must outlive it. */
struct fetch *shard_fetch_new(struct shard_env *env);

/* True when the bytes come through the fetcher: those of data and index, once
 * the shard is open.  Then *rc is the result.
 */
bool shard_fetch(const struct shard_handle *h, uint64_t off, size_t len,
		 const struct fetch_hint *hint, struct fetch_bytes *ret,
		 enum rc *rc, struct err *err);

/* After decoding failed with rc: read the bytes of this hash once more, from a
 * mirror if there is one, when they came through the fetcher.  False: that does
 * not help either.
 */
bool shard_fetch_again(const struct shard_handle *h, uint64_t off, size_t len,
		       const uint8_t *hash, enum rc rc,
		       struct shard_bytes *ret);

/* Forget stored bytes that were read ahead. */
void shard_fetch_forget(const struct shard_handle *h, uint64_t off, size_t len);

#endif
