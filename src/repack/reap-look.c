/* SPDX-License-Identifier: Apache-2.0 */
/* reap-look.c - whether a round of reap has anything to do. */
#include "config.h"

#include "repack/reap-look.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "repack/erasure-facts.h"
#include "repack/held.h"
#include "repack/strays.h"
#include "store/log-index.h"
#include "store/store-write.h"
#include "verify/archive-list.h"

struct looking {
	struct oplog *log;
	const struct reap_options *o;
	struct archive_list there;
	struct survey survey;
	struct old_set old;
	struct holds holds;
	struct erasure_known known;
};

static void release(struct looking *l)
{
	archive_list_release(&l->there);
	survey_release(&l->survey);
	old_set_release(&l->old);
	holds_release(&l->holds);
}

int64_t reap_settle(const struct reap_options *o)
{
	int64_t us = o->grace > FINISH_SETTLE / CLOCK_US_PER_SEC
			     ? FINISH_SETTLE
			     : o->grace * CLOCK_US_PER_SEC;

	return us < 0 ? 0 : us;
}

/* --- what there is -------------------------------------------------------- */

static enum rc note_zone(void *arg, const char *zone, struct store *place,
			 struct err *err)
{
	bool *has_zones = arg;

	(void)place;
	(void)err;
	if (zone)
		*has_zones = true;
	return RC_OK;
}

/* In this order: a shard that is listed, and whose run is over, is in the log.
 * *ret_is_known: false where the round has to be begun in any case, since runs
 * are alive or have left something, or since its beginning gives each of several
 * stores the records that others have.
 */
static enum rc read_all(struct looking *l, bool *ret_is_known, struct err *err)
{
	struct store *st = l->o->store;
	bool has_zones = false, has_tmp = true, changed;

	*ret_is_known = false;
	if (store_each_place(st, STORE_ZONES_KEY, note_zone, &has_zones, err))
		return err->rc;
	if (has_zones)
		return RC_OK;
	if (archive_list_read(&l->there, st, err) ||
	    store_has_tmp(st, &has_tmp, err))
		return err->rc;
	if (has_tmp)
		return RC_OK;
	oplog_want_all(l->log);
	oplog_keep_documents(l->log);
	if (oplog_read(l->log, st, &changed, err) ||
	    old_set_read(&l->old, st, oplog_state(l->log), err))
		return err->rc;
	*ret_is_known = true;
	return RC_OK;
}

static bool has_kind(const struct archive_list *there, enum object_kind kind)
{
	for (size_t i = 0; i < there->n; i++) {
		if (there->objects[i].kind == kind)
			return true;
	}
	return false;
}

/* --- shards --------------------------------------------------------------- */

/* A step tells of all that lies where shards do, whatever its name. */
static bool is_like_shard(const struct archive_object *o)
{
	size_t len = strlen(o->key);

	return o->kind == OBJECT_OTHER && strspn(o->key, "0123456789") == 8 &&
	       o->key[8] == '/' && !strcmp(o->key + len - 4, ".des");
}

/* Those that the log does not expect: nobody's, or back from a backup. */
static enum rc find_strays(const struct looking *l, bool *ret, struct err *err)
{
	CLEANUP(strays_release) struct strays strays = { .n = 0 };
	enum rc rc;

	*ret = false;
	for (size_t i = 0; i < l->there.n; i++) {
		const struct archive_object *o = &l->there.objects[i];

		*ret |= is_like_shard(o);
		if (o->kind == OBJECT_SHARD)
			strays_add(&strays, o->key, NULL);
	}
	rc = strays_sift(&strays, l->o->store, oplog_state(l->log), &l->old,
			 err);
	*ret |= strays.n > 0;
	return rc;
}

/* --- deletions ------------------------------------------------------------ */

static bool has_live(const struct looking *l)
{
	const struct oplog_state *state = oplog_state(l->log);

	for (size_t i = 0; i < oplog_state_n_tombstones(state); i++) {
		if (!oplog_state_tombstone(state, i)->done)
			return true;
	}
	return false;
}

static enum rc survey(struct looking *l, struct err *err)
{
	const struct oplog_state *state = oplog_state(l->log);
	struct store *st = l->o->store;

	l->known = (struct erasure_known){ .log = l->log,
					   .survey = &l->survey,
					   .old = &l->old,
					   .holds = &l->holds,
					   .now = clock_wall_us(),
					   .margin = ERASURE_MARGIN };
	if (!has_live(l))
		return RC_OK;
	if (has_kind(&l->there, OBJECT_HOLD) &&
	    holds_read(&l->holds, st, err))
		return err->rc;
	if (survey_read_known(&l->survey, st, l->log, err) ||
	    held_mark(&l->holds, st, state, &l->old, err))
		return err->rc;
	survey_add_all(&l->survey, state);
	return survey_look(&l->survey, st, l->o->jobs, err);
}

static bool is_counting_holder(const struct looking *l,
			       const struct survey_erasure *e)
{
	for (size_t i = 0; i < e->n_holders; i++) {
		if (!l->survey.shards[e->holders[i]].old)
			return true;
	}
	return false;
}

/* Whether a shard may have to be made again without it. */
static bool is_repack_due(const struct looking *l,
			  const struct survey_erasure *e)
{
	if (e->is_withdrawn)
		return false;
	/* Where it has a receipt it was not looked for. */
	return survey_is_finished(e) ||
	       (is_counting_holder(l, e) &&
		erasure_facts_status(&l->known, e).state != ERASURE_HELD);
}

/* What the finishing step would find, if no run is alive. */
static bool is_open(const struct looking *l, const struct survey_erasure *e,
		    bool *ret_is_held)
{
	int64_t settle = finish_settle(l->o->store, reap_settle(l->o));
	struct erasure_status s;

	*ret_is_held = false;
	if (survey_is_finished(e))
		return false;
	s = erasure_facts_status(&l->known, e);
	*ret_is_held = s.state == ERASURE_HELD;
	return !*ret_is_held &&
	       (s.state != ERASURE_PURGED ||
		!erasure_is_settled(&l->known, e, settle, INT64_MAX));
}

static bool is_finish_due(const struct looking *l, const struct survey_doc *d)
{
	size_t n_open = 0, n_held = 0;

	for (size_t i = 0; i < d->doc.n; i++) {
		bool is_held;

		n_open += is_open(l, &l->survey.erasures[d->members[i]],
				  &is_held);
		n_held += is_held;
	}
	return !n_open && n_held != d->doc.n;
}

static bool is_erasure_due(const struct looking *l)
{
	const struct survey *s = &l->survey;

	for (size_t i = 0; i < s->n_shards; i++) {
		if (s->shards[i].problem)
			return true;
	}
	for (size_t i = 0; i < s->n_erasures; i++) {
		if (is_repack_due(l, &s->erasures[i]))
			return true;
	}
	for (size_t i = 0; i < s->n_docs; i++) {
		if (is_finish_due(l, &s->docs[i]))
			return true;
	}
	return false;
}

/* --- all of it ------------------------------------------------------------ */

static bool is_return_due(const struct looking *l)
{
	const struct returned_options opts = { .store = l->o->store,
					       .archive_id = l->o->archive_id,
					       .secrets = l->o->secrets,
					       .n_secrets = l->o->n_secrets };

	return returned_is_due(l->log, &opts, &l->there);
}

static bool is_derived_due(const struct looking *l)
{
	return tidy_is_due(l->log, &l->there) ||
	       tombstone_aggregate_is_due(l->log, l->o->archive_id, &l->there);
}

static enum rc look_at_purge(const struct looking *l,
			     struct reap_totals *totals, bool *ret_is_due,
			     struct err *err)
{
	const struct purge_options opts = { .store = l->o->store,
					    .archive_id = l->o->archive_id };

	return purge_look(l->log, &opts, &totals->purge, ret_is_due, err);
}

static enum rc look_at_fold(const struct looking *l, struct reap_totals *totals,
			    bool *ret_is_due, struct err *err)
{
	const struct fold_options opts = { .store = l->o->store,
					   .archive_id = l->o->archive_id,
					   .settle = reap_settle(l->o) };

	return fold_look(l->log, &opts, &l->there, &totals->fold, ret_is_due,
			 err);
}

/* What costs nothing first. */
static enum rc is_due(struct looking *l, struct reap_totals *totals, bool *ret,
		      struct err *err)
{
	enum rc rc = find_strays(l, ret, err);

	if (!rc && !*ret)
		*ret = is_derived_due(l);
	if (!rc && !*ret)
		rc = look_at_purge(l, totals, ret, err);
	if (!rc && !*ret)
		rc = look_at_fold(l, totals, ret, err);
	if (rc || *ret)
		return rc;
	rc = survey(l, err);
	if (!rc)
		*ret = is_erasure_due(l);
	return rc;
}

static enum rc look(struct looking *l, struct reap_totals *totals,
		    struct reap_looked *ret, struct err *err)
{
	const struct erasure_list_options counting = { .store = l->o->store };
	bool is_known = false, due = true;

	if (read_all(l, &is_known, err))
		return err->rc;
	if (!is_known)
		return RC_OK;
	if (is_due(l, totals, &due, err))
		return err->rc;
	if (due)
		return RC_OK;
	erasure_list_known(&l->known, &counting, &totals->erasures);
	totals->has_erasures = true;
	ret->is_idle = true;
	ret->is_return_due = is_return_due(l);
	ret->has_index = archive_list_find(&l->there, LOG_INDEX_KEY);
	return RC_OK;
}

enum rc reap_look(struct oplog *log, const struct reap_options *opts,
		  struct reap_totals *totals, struct reap_looked *ret,
		  struct err *err)
{
	struct looking l = { .log = log, .o = opts };
	enum rc rc;

	*ret = (struct reap_looked){ .is_idle = false };
	rc = look(&l, totals, ret, err);
	release(&l);
	return rc;
}
