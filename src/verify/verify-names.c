/* SPDX-License-Identifier: Apache-2.0 */
/* verify-names.c - the names that damage costs where the damage hides them. */
#include "config.h"

#include "verify/verify-names.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/random.h"
#include "erase/tombstone-set.h"
#include "shard/shard-filter.h"
#include "verify/index-walk.h"
#include "verify/salvage-scan.h"
#include "verify/uid-set.h"

struct names {
	const struct verify_shard_job *job;
	const struct raw_shard *s;
	struct verify_report *report;
	struct salvage_scan *scan;
	bool is_counted; /* how many are lost */
	struct uid_set indexed, recorded;
};

/* Of one version. */
static uint64_t version_hash(const struct entry *e)
{
	uint64_t state = filter_hash(e->parent, e->name) ^
			 (uint64_t)e->created_at * 0x9e3779b97f4a7c15u;

	return random_next(&state);
}

static bool is_deleted(const struct names *n, const struct entry *e)
{
	return tombstone_set_hides(n->job->deleted, e->parent, e->name,
				   e->created_at);
}

typedef void entry_fn(struct names *n, const struct entry *e);

/* All entries that can be read. */
static void each_entry(struct names *n, entry_fn *fn)
{
	struct index_leaf leaf;
	struct index_walk walk;
	struct err err;
	enum rc rc;

	index_walk_init(&walk, n->s);
	while (!verify_is_stopped(n->report)) {
		rc = index_walk_next(&walk, &leaf, &err);
		if (rc == RC_NOENT)
			break;
		for (uint32_t i = 0; !rc && i < page_count(leaf.page); i++) {
			struct entry e;

			page_entry(leaf.page, i, &e);
			fn(n, &e);
		}
	}
	index_walk_release(&walk);
}

static void each_record(struct names *n, salvage_record_fn *fn)
{
	for (size_t i = 0; i < salvage_scan_count(n->scan); i++) {
		if (verify_is_stopped(n->report))
			return;
		salvage_scan_records(n->scan, i, fn, n);
	}
}

/* --- of the index --------------------------------------------------------- */

static void note_indexed(struct names *n, const struct entry *e)
{
	uid_set_add(&n->indexed, version_hash(e));
}

static void tell_unindexed(void *arg, const struct block_ref *own,
			   const struct record *rec)
{
	struct names *n = arg;
	const struct entry *e = &rec->entry;

	(void)own;
	/* A version may have more than one record; it is told once. */
	if (!uid_set_add(&n->indexed, version_hash(e)) || is_deleted(n, e))
		return;
	if (n->is_counted)
		verify_lost_name(n->report, e->parent, e->name);
	else
		verify_lost(n->report, FINDING_NO_OFFSET, e->parent, e->name);
}

/* --- of the data ---------------------------------------------------------- */

static void note_recorded(void *arg, const struct block_ref *own,
			  const struct record *rec)
{
	struct names *n = arg;

	(void)own;
	uid_set_add(&n->recorded, version_hash(&rec->entry));
}

/* Whether all blocks of a file are there; if not it is lost, not weak. */
static bool is_whole(const struct names *n, const struct entry *e)
{
	CLEANUP_FREE struct block_ref *owned = NULL;
	const struct block_ref *refs = NULL;
	struct err err;

	if (e->type != ENTRY_REG)
		return true;
	if (raw_shard_refs(n->s, e, &refs, &owned, &err))
		return false;
	for (uint32_t i = 0; i < e->content.n_blocks; i++) {
		if (!block_is_hole(&refs[i]) &&
		    !salvage_scan_find(n->scan, refs[i].hash))
			return false;
	}
	return true;
}

static void tell_unrecorded(struct names *n, const struct entry *e)
{
	/* What is only inferred has no record. */
	if (e->implicit || uid_set_has(&n->recorded, version_hash(e)) ||
	    is_deleted(n, e) || !is_whole(n, e))
		return;
	verify_weak(n->report, FINDING_NO_OFFSET, e->parent, e->name);
}

void verify_names(const struct verify_shard_job *job, const struct raw_shard *s,
		  bool has_footer, bool is_index_lost,
		  struct verify_report *report)
{
	struct names n = { .job = job,
			   .s = s,
			   .report = report,
			   .is_counted = has_footer || job->expect };
	struct err err;

	if (salvage_scan_new(s, &n.scan, &err))
		return;
	if (is_index_lost && has_footer)
		each_entry(&n, note_indexed);
	if (is_index_lost) {
		each_record(&n, tell_unindexed);
	} else {
		each_record(&n, note_recorded);
		each_entry(&n, tell_unrecorded);
	}
	uid_set_release(&n.indexed);
	uid_set_release(&n.recorded);
	salvage_scan_free(n.scan);
}
