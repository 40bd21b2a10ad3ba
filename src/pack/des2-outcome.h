/* SPDX-License-Identifier: Apache-2.0 */
/* des2-outcome.h - what became of the files of a shard, kept until the shard
 * itself is safe.
 *
 * When another run takes a shard's name its files are packed anew, and nothing
 * was told of them.  For one thread.
 */
#ifndef DESFS_PACK_DES2_OUTCOME_H
#define DESFS_PACK_DES2_OUTCOME_H

#include <stdint.h>

#include "base/err.h"
#include "base/spool.h"
#include "pack/des2-record.h"

enum des2_result {
	DES2_PACKED,
	DES2_THERE,
	DES2_FAILED,
	DES2_AGAIN, /* listed before; a failure, too */
	DES2_ERASED,
};

struct pack;

struct des2_outcome {
	struct spool spool;
};

void des2_outcome_init(struct des2_outcome *o, const char *spool_dir);
void des2_outcome_release(struct des2_outcome *o);

/* sha256 of its content, or NULL.  text: of DES2_THERE, the key of its shard;
 * of those that failed, with code, why.
 */
struct des2_told {
	enum des2_result result;
	const uint8_t *sha256;
	enum rc code;
	const char *text;
};

enum rc des2_outcome_add(struct des2_outcome *o, const struct des2_record *r,
			 const struct des2_told *told,
			 struct err *err) MUST_CHECK;

/* Report all of them and forget them.  key is the shard of those packed; NULL:
 * there is none, and only those that failed are reported.
 */
enum rc des2_outcome_tell(struct des2_outcome *o, struct pack *p,
			  const char *key, struct err *err) MUST_CHECK;

enum rc des2_outcome_forget(struct des2_outcome *o, struct err *err) MUST_CHECK;

#endif
