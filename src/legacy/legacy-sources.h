/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-sources.h - the shards of an older archive as a list shows them, and
 * what was read of each.
 */
#ifndef DESFS_LEGACY_LEGACY_SOURCES_H
#define DESFS_LEGACY_LEGACY_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/spool.h"
#include "legacy/legacy-bits.h"
#include "legacy/legacy-options.h"
#include "legacy/legacy-scan.h"

/* Threads that read remote shards; each has a spool. */
#define LEGACY_THREADS 8u

struct legacy_sources {
	struct legacy_source *p; /* by key */
	size_t n, cap;
	struct legacy_bits bits;
	struct legacy_damage damage; /* what stands where shards may be */
};

void legacy_sources_release(struct legacy_sources *s);

/* List them into ret, which is zeroed. */
enum rc legacy_sources_list(struct store *st, const struct legacy_options *o,
			    struct legacy_sources *ret,
			    struct err *err) MUST_CHECK;

/* Whether an older archive is there at all. */
enum rc legacy_sources_exist(struct store *st, bool *ret,
			     struct err *err) MUST_CHECK;

/* Read those that are not as they were before, and take over what is known of
 * the others; *ret_changed: there were some, or some are gone.
 */
enum rc legacy_sources_read(struct legacy_sources *s,
			    struct legacy_sources *before, struct store *st,
			    struct legacy_objects *objects,
			    struct spool spools[LEGACY_THREADS],
			    bool *ret_changed, struct err *err) MUST_CHECK;

/* Write spools anew that are mostly records of shards as they were once.  If
 * that fails they stay as they are.
 */
void legacy_sources_tidy(struct legacy_sources *s,
			 struct spool spools[LEGACY_THREADS]);

#endif
