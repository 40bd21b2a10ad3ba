/* SPDX-License-Identifier: Apache-2.0 */
/* returned.c - what was deleted for good and was brought by a run since. */
#include "config.h"

#include "repack/returned.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stamped.h"
#include "base/table.h"
#include "base/timestamp.h"
#include "erase/erasure-state.h"
#include "erase/tombstone-set.h"
#include "repack/heirs.h"
#include "repack/shard-seek.h"
#include "repack/tombstone-write.h"
#include "store/store-write.h"
#include "verify/archive-list.h"
#include "volume/oplog-object.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

#define CHECKED_PREFIX "reap/checked-"

struct metas {
	const struct shard_meta **all;
	size_t n, cap;
};

/* One that counts in the place of another that is gone. */
struct heir {
	const struct shard_meta *meta;
	struct metas allowed, others; /* that it was made of */
	bool is_known;                /* which these are */
	UT_hash_handle hh;
};

struct looking {
	struct oplog *log;
	const struct returned_options *o;
	const struct oplog_state *state;
	struct suppression *lists; /* one for each secret */
	int64_t since;             /* records from then on */
	int64_t newest;            /* of those looked at */
	int64_t now;               /* before the log was read */
	bool has_looked;           /* at one of them */
	char **markers;            /* keys */
	size_t n_markers, cap;
	struct heir *heirs;            /* that were looked through */
	struct tombstone_write *write; /* begun when it is needed */
	struct erasure_words words;
	struct buf uid;
	struct returned *ret;
};

static void release(struct looking *l)
{
	struct heir *h, *next;

	HASH_ITER(hh, l->heirs, h, next)
	{
		HASH_DEL(l->heirs, h);
		free(h->allowed.all);
		free(h->others.all);
		free(h);
	}
	for (size_t i = 0; l->lists && i < l->o->n_secrets; i++)
		suppression_release(&l->lists[i]);
	for (size_t i = 0; i < l->n_markers; i++)
		free(l->markers[i]);
	free(l->lists);
	free(l->markers);
	tombstone_write_free(l->write);
	buf_release(&l->uid);
}

/* --- the list ------------------------------------------------------------- */

static enum rc add_list(struct looking *l, const struct oplog_object *o,
			struct err *err)
{
	CLEANUP(suppression_release) struct suppression s = { 0 };
	CLEANUP_BUF struct buf text = { .max = SUPPRESSION_MAX };
	uint8_t id[SUPPRESSION_KEY_ID_LEN];

	if (oplog_object_read(l->o->store, o, SUPPRESSION_MAX, &text, err))
		return err->rc;
	if (suppression_decode(text.p, text.len, &s, err))
		return err_prefix(err, "%s", o->key);
	if (s.time < l->since)
		l->since = s.time;
	for (size_t i = 0; i < l->o->n_secrets; i++) {
		suppression_key_id(l->o->secrets[i], id);
		if (!memcmp(id, s.key_id, sizeof(id)))
			return suppression_append(&l->lists[i], &s, err);
	}
	l->ret->unknown++;
	return RC_OK;
}

static enum rc read_lists(struct looking *l, struct err *err)
{
	size_t n = oplog_state_n_suppressed(l->state);
	enum rc rc = RC_OK;

	l->since = INT64_MAX;
	l->lists = xcalloc(l->o->n_secrets + 1, sizeof(*l->lists));
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_list(l, oplog_state_suppressed(l->state, i), err);
	for (size_t i = 0; !rc && i < l->o->n_secrets; i++)
		suppression_sort(&l->lists[i]);
	return rc;
}

/* --- how far it was looked at --------------------------------------------- */

static bool parse_marker(const char *key, int64_t *ret_time)
{
	const char *stamp = key + strlen(CHECKED_PREFIX);

	return !strncmp(key, CHECKED_PREFIX, strlen(CHECKED_PREFIX)) &&
	       strlen(stamp) >= TIMESTAMP_COMPACT_TEXT &&
	       timestamp_parse_compact(stamp, TIMESTAMP_COMPACT_TEXT - 1,
				       ret_time);
}

static enum rc note_marker(void *arg, const char *key, uint64_t size,
			   struct err *err)
{
	struct looking *l = arg;
	int64_t time;

	(void)size;
	(void)err;
	if (!parse_marker(key, &time))
		return RC_OK;
	if (time > l->since)
		l->since = time;
	l->markers = mem_grow(l->markers, &l->cap, l->n_markers + 1,
			      sizeof(*l->markers));
	l->markers[l->n_markers++] = xstrdup(key);
	return RC_OK;
}

static enum rc write_marker(struct looking *l, struct err *err)
{
	char name[STAMPED_TEXT];
	static const char text[] = "{}\n";
	struct err ignored;
	char *key;
	bool existed;
	enum rc rc;

	if (stamped_name(l->newest, name, err))
		return err->rc;
	key = xasprintf(CHECKED_PREFIX "%s", name);
	rc = store_put(l->o->store, key, text, sizeof(text) - 1, &existed, err);
	free(key);
	for (size_t i = 0; !rc && i < l->n_markers; i++)
		(void)!store_remove(l->o->store, l->markers[i], &ignored);
	return rc;
}

/* --- entries -------------------------------------------------------------- */

static bool is_listed(const struct looking *l, const void *uid, size_t len)
{
	for (size_t i = 0; i < l->o->n_secrets; i++) {
		struct suppression_hash hash;

		if (!l->lists[i].n)
			continue;
		suppression_hash(l->o->secrets[i], uid, len, &hash);
		if (suppression_has(&l->lists[i], &hash))
			return true;
	}
	return false;
}

/* --- what is there by right ----------------------------------------------- */

static bool may_have(const struct shard_meta *m, const struct entry *e)
{
	struct span parent, name;

	if (m->is_purged)
		return true;
	if (e->created_at < m->created_min || e->created_at > m->created_max)
		return false;
	entry_split_uid(span_of(m->first, m->first_len), &parent, &name);
	if (entry_key_compare(e->parent, e->name, parent, name) < 0)
		return false;
	entry_split_uid(span_of(m->last, m->last_len), &parent, &name);
	return entry_key_compare(e->parent, e->name, parent, name) <= 0;
}

static bool one_may_have(const struct metas *m, const struct entry *e)
{
	for (size_t i = 0; i < m->n; i++) {
		if (may_have(m->all[i], e))
			return true;
	}
	return false;
}

static void note_source(const struct looking *l, struct heir *h,
			const struct shard_meta *m, struct metas *to)
{
	struct heirs of;

	heirs_of(l->state, m->key, &of);
	for (size_t i = 0; i < of.n; i++) {
		if (of.all[i] != h->meta)
			continue;
		to->all = mem_grow(to->all, &to->cap, to->n + 1,
				   sizeof(*to->all));
		to->all[to->n++] = m;
	}
	free(of.all);
}

static void find_sources(const struct looking *l, struct heir *h)
{
	for (size_t i = 0; i < oplog_n_records(l->log); i++) {
		const struct oplog_record *r = oplog_record_at(l->log, i);

		if (r->kind != OPLOG_SHARDS ||
		    (!r->allow_erased && r->time < l->since))
			continue;
		for (size_t k = 0; k < r->n_shards; k++)
			note_source(l, h, &r->shards[k],
				    r->allow_erased ? &h->allowed : &h->others);
	}
	h->is_known = true;
}

/* Put together with what came back, nothing tells the one from the other, but
 * what the log says of the shards they came from.
 */
static bool is_by_right(struct looking *l, struct heir *h,
			const struct entry *e)
{
	if (!h->is_known)
		find_sources(l, h);
	if (!one_may_have(&h->allowed, e))
		return false;
	l->ret->uncertain += one_may_have(&h->others, e);
	return true;
}

/* --- shards --------------------------------------------------------------- */

static enum rc delete_again(struct looking *l, const struct entry *e,
			    struct err *err)
{
	if (!l->write &&
	    tombstone_write_begin(&l->write, l->o->store, l->log,
				  l->o->archive_id, &l->words, err))
		return err->rc;
	l->ret->deleted++;
	return tombstone_write_add(l->write, span_of(l->uid.p, l->uid.len),
				   ERASURE_ONE, e->created_at, err);
}

/* A directory comes back with what is below it, which is no harm.  h: it is in
 * this one; or NULL.
 */
static enum rc look_at_entry(struct looking *l, struct heir *h,
			     const struct entry *e, struct err *err)
{
	uint8_t *to;
	size_t len = entry_uid_len(e->parent, e->name);

	if (!len || e->implicit || e->type == ENTRY_DIR ||
	    tombstone_set_hides(oplog_deleted(l->log), e->parent, e->name,
				e->created_at))
		return RC_OK;
	buf_clear(&l->uid);
	to = buf_reserve(&l->uid, len);
	if (!to)
		return err_set(err, RC_NOMEM, "no memory for a name");
	l->uid.len += entry_uid(e->parent, e->name, (char *)to);
	if (!is_listed(l, l->uid.p, l->uid.len) || (h && is_by_right(l, h, e)))
		return RC_OK;
	return delete_again(l, e, err);
}

static enum rc look_through(struct looking *l, struct heir *h,
			    const struct shard_meta *m, struct err *err)
{
	const struct span none = span_of("", 0);
	struct shard_seek c = { 0 };
	enum rc rc = shard_seek_open(&c, l->o->store, m->key, m->root, err);

	if (!rc)
		rc = shard_seek_key(&c, none, none, err);
	l->ret->shards += !rc;
	while (!rc && !c.at_end) {
		rc = look_at_entry(l, h, &c.e, err);
		if (!rc)
			rc = shard_seek_next(&c, err);
	}
	shard_seek_close(&c);
	return rc;
}

/* What took its place has what it had. */
static enum rc look_at_heirs(struct looking *l, const struct shard_meta *m,
			     struct err *err)
{
	struct heirs of;
	enum rc rc = RC_OK;

	heirs_of(l->state, m->key, &of);
	for (size_t i = 0; !rc && i < of.n; i++) {
		const struct shard_meta *now = of.all[i];
		struct heir *h = NULL;

		HASH_FIND_STR(l->heirs, now->key, h);
		if (h)
			continue;
		h = xcalloc(1, sizeof(*h));
		h->meta = now;
		HASH_ADD_KEYPTR(hh, l->heirs, now->key, strlen(now->key), h);
		rc = look_through(l, h, now, err);
	}
	free(of.all);
	return rc;
}

static enum rc look_at_shard(struct looking *l, const struct shard_meta *m,
			     struct err *err)
{
	enum rc rc = m->is_purged ? RC_NOENT : look_through(l, NULL, m, err);

	if (rc != RC_NOENT || oplog_state_find(l->state, m->key))
		return rc;
	return look_at_heirs(l, m, err);
}

static enum rc look_at_record(struct looking *l, const struct oplog_record *r,
			      struct err *err)
{
	enum rc rc = RC_OK;

	if (r->kind != OPLOG_SHARDS || r->time < l->since)
		return RC_OK;
	if (r->time > l->newest)
		l->newest = r->time;
	l->has_looked = true;
	for (size_t i = 0; !rc && !r->allow_erased && i < r->n_shards; i++)
		rc = look_at_shard(l, &r->shards[i], err);
	return rc;
}

/* Records that come later may be older by that: clocks differ, and lists may
 * take their time.
 */
static int64_t margin_in(const struct store *st)
{
	return CLOCK_SKEW_US + (store_lists_lag(st) ? STORE_LISTS_LAG_US : 0);
}

static int64_t margin(const struct looking *l)
{
	return margin_in(l->o->store);
}

/* What was looked at now need not be again as soon as no record can come in
 * before it: else the shards of the newest record would be read in each round.
 * A wrong clock must not carry this far beyond the records.
 */
static int64_t checked_until(const struct looking *l)
{
	int64_t max = l->newest + 2 * margin(l);

	return l->now < max ? l->now : max;
}

static enum rc look(struct looking *l, struct err *err)
{
	enum rc rc;

	if (store_list(l->o->store, CHECKED_PREFIX, NULL, note_marker, l, err))
		return err->rc;
	l->since -= margin(l);
	l->newest = l->since;
	rc = RC_OK;
	for (size_t i = 0; !rc && i < oplog_n_records(l->log); i++)
		rc = look_at_record(l, oplog_record_at(l->log, i), err);
	if (!rc && l->write)
		rc = tombstone_write_commit(l->write, err);
	l->newest = checked_until(l);
	if (rc || l->ret->unknown || l->ret->uncertain || !l->has_looked ||
	    l->newest <= l->since + 2 * margin(l))
		return rc;
	return write_marker(l, err);
}

enum rc returned_delete(struct oplog *log, const struct returned_options *opts,
			struct returned *ret, struct err *err)
{
	struct looking l = { .log = log,
			     .o = opts,
			     .uid = { .max = UID_MAX_LEN },
			     .words = { .reason = ERASURE_USER },
			     .now = clock_wall_us(),
			     .ret = ret };
	bool changed;
	enum rc rc;

	*ret = (struct returned){ 0 };
	oplog_want_all(log);
	rc = oplog_read(log, opts->store, &changed, err);
	l.state = oplog_state(log);
	if (!rc && oplog_state_n_suppressed(l.state) && opts->n_secrets)
		rc = read_lists(&l, err);
	if (!rc && l.since != INT64_MAX && l.lists)
		rc = look(&l, err);
	release(&l);
	return rc;
}

/* --- whether there is anything to do -------------------------------------- */

/* When the first object of the list was written, by its key; INT64_MIN: its key
 * does not tell.
 */
static int64_t list_begins(const struct oplog_state *state)
{
	int64_t first = INT64_MAX, time;

	for (size_t i = 0; i < oplog_state_n_suppressed(state); i++) {
		const char *key = oplog_state_suppressed(state, i)->key;

		if (!suppression_key_is_valid(key) ||
		    !stamped_parse(key + strlen(SUPPRESSION_PREFIX), ".json",
				   &time))
			return INT64_MIN;
		if (time < first)
			first = time;
	}
	return first;
}

bool returned_is_due(const struct oplog *log,
		     const struct returned_options *opts,
		     const struct archive_list *there)
{
	const struct oplog_state *state = oplog_state(log);
	int64_t since = list_begins(state), time;

	if (!oplog_state_n_suppressed(state) || !opts->n_secrets)
		return false;
	for (size_t i = 0; i < there->n; i++) {
		if (parse_marker(there->objects[i].key, &time) && time > since)
			since = time;
	}
	if (since != INT64_MIN)
		since -= margin_in(opts->store);
	for (size_t i = 0; i < oplog_n_records(log); i++) {
		const struct oplog_record *r = oplog_record_at(log, i);

		if (r->kind == OPLOG_SHARDS && r->time >= since)
			return true;
	}
	return false;
}
