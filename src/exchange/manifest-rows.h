/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-rows.h - the records of a manifest kept aside in a temporary file,
 * in their order: where their content is, and what the report repeats.
 *
 * One thread adds; when it is done, any number may read.
 */
#ifndef DESFS_EXCHANGE_MANIFEST_ROWS_H
#define DESFS_EXCHANGE_MANIFEST_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/spool.h"
#include "shard/shard-entry.h"

/* What fstat(2) says of a file that stays as it is. */
struct manifest_state {
	uint64_t dev, ino, size;
	int64_t mtime_s, ctime_s;
	uint32_t mtime_ns, ctime_ns;
};

struct manifest_state manifest_state_of(const struct stat *st);
bool manifest_state_is(const struct manifest_state *s, const struct stat *st);

struct manifest_row {
	struct manifest_state state; /* size is the record's */
	bool has_uid, has_size;
	struct span uid, created_at, source; /* source ends with a NUL */
};

struct manifest_rows {
	struct spool spool;
	struct buf one;
};

/* dir is where the temporary file goes; borrowed. */
void manifest_rows_init(struct manifest_rows *r, const char *dir);
void manifest_rows_release(struct manifest_rows *r);

/* Its place is manifest_rows_end before that. */
uint64_t manifest_rows_end(const struct manifest_rows *r);
enum rc manifest_rows_add(struct manifest_rows *r,
			  const struct manifest_row *row,
			  struct err *err) MUST_CHECK;

/* The row at a place, and the next one's; borrowed from bytes, whose maximum
 * must be MANIFEST_ROW_MAX.
 */
#define MANIFEST_ROW_MAX (256u << 10)
enum rc manifest_rows_read(const struct manifest_rows *r, uint64_t place,
			   struct buf *bytes, struct manifest_row *ret,
			   uint64_t *ret_next, struct err *err) MUST_CHECK;

#endif
