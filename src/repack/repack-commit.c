/* SPDX-License-Identifier: Apache-2.0 */
/* repack-commit.c - the record that makes new revisions count. */
#include "config.h"

#include "repack/repack-backend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store-write.h"
#include "verify/raw-shard.h"
#include "volume/oplog-state.h"

static enum rc read_all(struct repacking *r, struct err *err)
{
	bool changed;

	oplog_want_all(r->log);
	return oplog_read(r->log, r->o->store, &changed, err);
}

/* What is replaced must still count, and what was left out still be deleted. */
static enum rc look_again(struct repacking *r, const struct repack_event *event,
			  bool *ret_beaten, struct err *err)
{
	const struct oplog_state *state;
	enum rc rc = read_all(r, err);

	if (rc)
		return rc;
	state = oplog_state(r->log);
	for (size_t i = 0; i < event->n_in; i++)
		*ret_beaten |= !oplog_state_find(state, event->in[i]->key);
	if (!*ret_beaten && oplog_state_n_withdrawn(state) != r->n_withdrawn)
		return err_set(
			err, RC_CHANGED,
			"a deletion was taken back meanwhile; run again");
	return RC_OK;
}

static enum rc look_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	const struct shard_meta *m = arg;
	struct raw_shard s;
	enum rc rc = raw_shard_open(&s, place, m->key, err);

	if (rc == RC_NOENT)
		err_set(err, RC_CHANGED,
			"gone when it was to count, a clean-up took it for a "
			"dead run's; run again");
	else if (!rc && (s.info.size != m->size ||
			 memcmp(s.footer.root, m->root, SHARD_ROOT_LEN) != 0))
		rc = err_set(err, RC_CORRUPT, "it is not what was made");
	if (rc && zone)
		err_prefix(err, "store %s", zone);
	return rc ? err_prefix(err, "%s", m->key) : RC_OK;
}

/* Still there in every place, and what was made: a clean-up that does not see
 * the run's mark may have taken it for dead.  RC_CHANGED: it is gone.
 */
static enum rc look_at_out(struct repacking *r,
			   const struct repack_event *event, struct err *err)
{
	for (size_t i = 0; i < event->out->n; i++) {
		struct shard_meta *m = &event->out->shards[i];

		if (store_each_place(r->o->store, m->key, look_in, m, err))
			return err->rc;
	}
	return RC_OK;
}

/* What it replaces is there still: nobody purges that unless what came in its
 * place was read.
 */
static enum rc look_at_out_again(struct repacking *r,
				 const struct repack_event *event,
				 struct oplog_record *rec, struct err *err)
{
	struct err why;
	enum rc rc = look_at_out(r, event, err);

	if (rc && rc != RC_CHANGED)
		log_warn("log/%s: not looked at again: %s", rec->name,
			 err->msg);
	if (rc != RC_CHANGED)
		return RC_OK;
	rec->shards = event->out->shards;
	rec->n_shards = event->out->n;
	if (oplog_take_back(r->o->store, rec, r->o->archive_id, &why))
		err_prefix(err, "log/%s names what is gone (%s)", rec->name,
			   why.msg);
	rec->shards = NULL;
	rec->n_shards = 0;
	return err->rc;
}

static enum rc write_record(struct repacking *r,
			    const struct repack_event *event,
			    struct oplog_record *rec, struct err *err)
{
	CLEANUP_FREE struct oplog_replaced *replaces =
		xcalloc(event->n_in + 1, sizeof(*replaces));
	enum rc rc;

	for (size_t i = 0; i < event->n_in; i++) {
		replaces[i].key = event->in[i]->key;
		memcpy(replaces[i].root, event->in[i]->root, SHARD_ROOT_LEN);
	}
	rec->kind = OPLOG_REPACK;
	rec->shards = event->out->shards;
	rec->n_shards = event->out->n;
	rec->replaces = replaces;
	rec->n_replaces = event->n_in;
	rec->grace = r->o->grace;
	rec->why = event->why;
	rec->n_lost = event->out->report.lost;
	rc = oplog_write(r->log, r->o->store, rec, r->o->archive_id, err);
	/* These are not the record's own. */
	rec->shards = NULL;
	rec->n_shards = 0;
	rec->replaces = NULL;
	rec->n_replaces = 0;
	return rc;
}

enum rc repack_commit(struct repacking *r, const struct repack_event *event,
		      bool *ret_won, struct err *err)
{
	struct oplog_record rec = { 0 };
	bool beaten = false;
	enum rc rc = look_again(r, event, &beaten, err);

	*ret_won = false;
	if (!rc && !beaten)
		rc = look_at_out(r, event, err);
	if (rc || beaten)
		return rc;
	rc = write_record(r, event, &rec, err);
	if (!rc)
		rc = look_at_out_again(r, event, &rec, err);
	if (!rc)
		rc = read_all(r, err);
	if (!rc) {
		*ret_won = oplog_state_is_valid(oplog_state(r->log), rec.name);
		r->totals->is_withdrawn |=
			oplog_state_n_withdrawn(oplog_state(r->log)) !=
			r->n_withdrawn;
	}
	oplog_record_release(&rec);
	return rc;
}
