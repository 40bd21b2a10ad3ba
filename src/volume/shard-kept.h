/* SPDX-License-Identifier: Apache-2.0 */
/* shard-kept.h - the parts of a shard in the index cache, and second tries when
 * they or the store mislead.
 *
 * Any thread; no lock is held during I/O.
 */
#ifndef DESFS_VOLUME_SHARD_KEPT_H
#define DESFS_VOLUME_SHARD_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "volume/shard-file.h"

/* Where a shard's data ends. */
static inline uint64_t shard_data_end(const struct shard_footer *f)
{
	return f->data_off + f->data_len;
}

/* True: the index cache has the bytes, appended to ret. */
bool shard_load_kept(const struct shard_handle *h, uint64_t off, size_t len,
		     struct buf *ret);
/* The bytes are right: keep them in the index cache, unless they are from there
 * or data.
 */
void shard_handle_keep(const struct shard_handle *h, uint64_t off,
		       const struct shard_bytes *b, size_t len);
/* The bytes are wrong.  True: they came from the index cache, and the next read
 * will not have them from there.
 */
bool shard_handle_distrust(const struct shard_handle *h,
			   const struct shard_bytes *b);
/* Forget what was kept of a shard, unless that was done since its epoch was the
 * one given.
 */
void shard_distrust(struct shard_env *env, const struct shard_file *sf,
		    uint32_t epoch);

/* len bytes at off from the store, past all caches.  When the object's tag has
 * moved since info, the shard is opened anew; when it is missing, the log is
 * looked at again; then it is read once more.  Of an opened shard.
 */
enum rc shard_store_read(struct shard_env *env, const struct shard_file *sf,
			 const struct object_info *info, uint64_t off,
			 void *buf, size_t len, bool is_ahead,
			 struct err *err) MUST_CHECK;

/* A shard is missing: see what the log says by now.  False: no use to ask the
 * store once more.
 */
bool shard_look_again(struct shard_env *env, const struct shard_file *sf);
/* The error for rc: a store that has not what the log names is damaged, one
 * that has not what was replaced is RC_CHANGED.
 */
enum rc shard_missing(const struct shard_file *sf, enum rc rc, struct err *err);

#endif
