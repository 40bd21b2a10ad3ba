/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-set-backend.h - files that count, and the directories above them, in
 * the order of shards; for legacy-set.c only.
 */
#ifndef DESFS_LEGACY_LEGACY_SET_BACKEND_H
#define DESFS_LEGACY_LEGACY_SET_BACKEND_H

#include "legacy/legacy-raw.h"
#include "legacy/legacy-set.h"

struct legacy_layout {
	struct legacy_set_options o;
	struct sorter *sorter; /* by day, slot, directory, name, time */
	struct buf key, value;
	uint64_t *seen; /* hashes of day and directory, added lately */
	uint8_t secret[16];
	uint64_t file_bytes, dir_bytes; /* added to the sorter */
	bool is_marked; /* legacy-set.c's: the path shown last */
};

/* o is borrowed. */
struct legacy_layout *legacy_layout_new(const struct legacy_set_options *o)
	MUST_CHECK;
void legacy_layout_free(struct legacy_layout *l);

enum rc legacy_layout_add(struct legacy_layout *l, struct span path,
			  const struct legacy_raw *r, struct span text,
			  struct span meta, struct err *err) MUST_CHECK;
enum rc legacy_layout_make(struct legacy_layout *l, struct legacy_shards **ret,
			   struct err *err) MUST_CHECK;

#endif
