/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-run.c - do the parts of a section lie back to back?
 *
 * Where one does not, what comes after it tells whether its offset was changed
 * (the next one goes on where it would have) or bytes were left out before it
 * (the next one goes on behind it), as when a program failed at a file and went
 * on, or somebody took entries out of an index.  So a file is never given out
 * from where it is not, and never refused where it is.
 */
#include "config.h"

#include <inttypes.h>

#include "shard/legacy-backend.h"

/* Each has to read on in the index, past entries of external files. */
#define SCOUTS_MAX 64
#define SCOUT_ENTRIES_MAX 1024

void legacy_run_init(struct legacy_run *run, const char *what, uint64_t begin,
		     uint64_t end)
{
	*run = (struct legacy_run){
		.what = what,
		.begin = begin,
		.end = end,
		.next = begin,
		.other = begin,
	};
}

static void misplaced(struct legacy_cursor *c, const struct legacy_run *run,
		      uint64_t next)
{
	legacy_damage(c,
		      "%s is at byte %" PRIu64 ", not at %" PRIu64
		      ", where the one before it ends",
		      run->what, run->off, next);
}

void legacy_run_add(struct legacy_cursor *c, struct legacy_run *run,
		    uint64_t off, uint64_t len, uint64_t other_len)
{
	bool is_within =
		off >= run->begin && off <= run->end && len <= run->end - off;
	bool is_next = off == run->next || off == run->other;
	uint64_t from = is_next ? off : run->next;

	run->off = off;
	run->gap = 0;
	if (!is_within)
		legacy_damage(c,
			      "%s of %" PRIu64 " bytes at byte %" PRIu64
			      " is not within bytes %" PRIu64 " to %" PRIu64
			      ", its section",
			      run->what, len, off, run->begin, run->end);
	else if (!is_next && off > run->next)
		run->gap = off - run->next;
	else if (!is_next)
		misplaced(c, run, run->next);
	run->next = len <= run->end - from ? from + len : from;
	run->other = run->next;
	if (len != other_len && other_len <= run->end - from)
		run->other = from + other_len;
	else if (run->gap)
		run->other = off + len;
}

/* The first part of the run in the entries to come; the end without any. */
static enum rc look(struct legacy_cursor *scout, bool is_meta, uint64_t *ret,
		    struct err *err)
{
	uint64_t n = 0;

	while (scout->format->has_more(scout)) {
		struct legacy_entry e = { 0 };
		enum rc rc;

		if (n++ == SCOUT_ENTRIES_MAX)
			return err_set(err, RC_CORRUPT, "nothing within reach");
		rc = scout->format->next(scout, &e, err);
		scout->n++;
		*ret = is_meta ? e.meta_off : e.off;
		if (rc || is_meta || !e.is_external)
			return rc;
	}
	*ret = is_meta ? scout->meta.end : scout->data.end;
	return RC_OK;
}

static enum rc look_ahead(const struct legacy_cursor *c, bool is_meta,
			  uint64_t *ret, struct err *err)
{
	struct legacy_cursor *scout =
		legacy_cursor_new(&c->ix, c->read, c->arg);
	enum rc rc;

	scout->is_scout = true;
	scout->count = c->count;
	scout->n = c->n;
	legacy_seek(&scout->index, c->index.off);
	rc = look(scout, is_meta, ret, err);
	legacy_cursor_free(scout);
	return rc;
}

enum rc legacy_run_settle(struct legacy_cursor *c, struct legacy_run *run,
			  struct err *err)
{
	const uint64_t gap = run->gap;
	uint64_t next = 0;
	enum rc rc = RC_CORRUPT;

	run->gap = 0;
	if (!gap || c->is_scout || c->damage.rc)
		return RC_OK;
	if (c->scouts++ < SCOUTS_MAX)
		rc = look_ahead(c, run == &c->meta, &next, err);
	if (rc && rc != RC_CORRUPT)
		return rc;
	if (rc || next != run->other) {
		misplaced(c, run, run->off - gap);
		return RC_OK;
	}
	if (!run->gaps)
		run->gaps_off = run->off - gap;
	run->gaps += gap;
	run->next = run->other;
	return RC_OK;
}

enum rc legacy_run_end(const struct legacy_run *run, struct err *err)
{
	uint64_t off = run->gaps ? run->gaps_off : run->next;
	uint64_t gaps = run->gaps;

	if (run->next != run->end && run->other != run->end)
		gaps += run->end - run->next;
	if (!gaps)
		return RC_OK;
	return err_set(err, RC_CORRUPT,
		       "%" PRIu64 " bytes of %s, from byte %" PRIu64
		       " on, belong to no entry",
		       gaps, run->what, off);
}
