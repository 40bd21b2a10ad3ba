/* SPDX-License-Identifier: Apache-2.0 */
/* verify-old.c - shards that others took the place of. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "store/store-write.h"
#include "verify/verify-backend.h"

/* --- what the log says is gone -------------------------------------------- */

/* A shard in one zone. */
struct placed {
	struct verify_run *r;
	const struct oplog_old *old;
	bool is_there; /* in a zone where it is to be gone */
};

static enum rc look_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	struct placed *p = arg;
	const char *key = p->old->key;
	const struct oplog_purged *told =
		oplog_state_purged(p->r->state, key, zone);
	CLEANUP_BUF struct buf tail = { .max = 1 };
	char text[TIMESTAMP_TEXT] = "an earlier time";
	struct object_info info;
	enum rc rc;

	if (!p->old->is_purged && (!told || told->how == RECEIPT_PENDING))
		return RC_OK;
	rc = store_read_tail(place, key, 1, &tail, &info, err);
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	if (told)
		timestamp_format(told->time, text);
	p->is_there = true;
	verify_run_damage(p->r, key,
			  "the log says it is gone%s%s since %s, and it is "
			  "there",
			  zone ? " from " : "", zone ? zone : "", text);
	return RC_OK;
}

/* --- what is waiting ------------------------------------------------------ */

/* Whether the bytes are still wanted there: nobody is to remove them yet. */
static bool has_grace(const struct oplog_old *old)
{
	int64_t end;

	return !__builtin_add_overflow(old->record->time,
				       old->record->grace * 1000000, &end) &&
	       end > clock_wall_us();
}

/* Any word that it is gone, from some zone: they are by key. */
static bool is_told(const struct verify_run *r, const char *key)
{
	size_t from = 0, to = oplog_state_n_purged(r->state);

	while (from < to) {
		size_t i = from + (to - from) / 2;
		int cmp = strcmp(oplog_state_purged_at(r->state, i)->key, key);

		if (!cmp)
			return true;
		if (cmp < 0)
			from = i + 1;
		else
			to = i;
	}
	return false;
}

static bool is_gone(const struct verify_run *r, const char *key)
{
	CLEANUP_BUF struct buf tail = { .max = 1 };
	struct object_info info;
	struct err err;

	return store_read_tail(r->store, key, 1, &tail, &info, &err) ==
	       RC_NOENT;
}

void verify_old(struct verify_run *r, const struct oplog_old *old,
		uint64_t size)
{
	struct placed p = { .r = r, .old = old };
	struct err err;

	if ((old->is_purged || is_told(r, old->key)) &&
	    store_each_place(r->store, old->key, look_in, &p, &err))
		verify_run_damage(
			r, old->key,
			"whether it is gone where the log says so: %s",
			err.msg);
	/* It may have gone since it was listed. */
	if (p.is_there || is_gone(r, old->key))
		return;
	if (old->is_garbage)
		verify_run_note(r, old->key,
				"of a repack that lost against another ('desfs "
				"reap' removes it), %" PRIu64 " bytes",
				size);
	else if (!has_grace(old))
		verify_run_note(r, old->key,
				"replaced, and its grace period is over "
				"('desfs reap' removes it), %" PRIu64 " bytes",
				size);
	else
		r->totals->old_shards++;
}

static bool is_listed(const struct verify_run *r, size_t *at, const char *key)
{
	while (*at < r->list.n && strcmp(r->list.objects[*at].key, key) < 0)
		(*at)++;
	return *at < r->list.n && !strcmp(r->list.objects[*at].key, key);
}

void verify_old_gone(struct verify_run *r)
{
	size_t at = 0;

	for (size_t i = 0; i < oplog_state_n_old(r->state); i++) {
		const struct oplog_old *old = oplog_state_old(r->state, i);

		if (is_listed(r, &at, old->key) || old->is_purged ||
		    old->is_garbage || is_told(r, old->key))
			continue;
		verify_run_note(r, old->key,
				"replaced and gone, though no log record says "
				"so ('desfs reap' writes it)");
	}
}
