/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-scan.h - reading the index of one shard of an older archive, and its
 * sidecar, into records (legacy-raw.h).
 */
#ifndef DESFS_LEGACY_LEGACY_SCAN_H
#define DESFS_LEGACY_LEGACY_SCAN_H

#include "base/err.h"
#include "base/spool.h"
#include "legacy/legacy-damage.h"
#include "legacy/legacy-name.h"
#include "legacy/legacy-objects.h"

/* Instead of a number: no such object could be read. */
#define LEGACY_OBJECT_NONE UINT32_MAX

/* A shard as it was listed, and what became of it. */
struct legacy_source {
	char *key;
	bool is_alone; /* there is none, but its sidecar */
	uint32_t day;
	uint64_t size;
	bool has_meta; /* there is a sidecar, of so many bytes */
	uint64_t meta_size;
	/* After legacy_scan: */
	bool is_read;
	bool is_gone;    /* it was removed since, and there is no sidecar */
	uint32_t object; /* its number: its state is known of that */
	struct object_info *meta_info; /* NULL: no sidecar could be read */
	unsigned int spool;            /* where its records are: in which, */
	uint64_t at, len;
	uint64_t n_entries;
	struct legacy_damage damage;
};

void legacy_source_release(struct legacy_source *s);

/* The key of the sidecar, and back; free() it. */
char *legacy_meta_key(const char *shard_key);
char *legacy_shard_key(const char *meta_key);

/* Read it into sp, with all that its sidecar deletes, even where the shard
 * itself cannot be read.  What is damaged is told in src->damage and no error.
 */
enum rc legacy_scan(struct legacy_source *src, struct store *st,
		    struct legacy_objects *objects, struct spool *sp,
		    struct err *err) MUST_CHECK;

#endif
