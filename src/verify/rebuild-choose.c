/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild-choose.c - which of the shards that are there are to count. */
#include "config.h"

#include "verify/rebuild-backend.h"

#include <string.h>

bool rebuild_are_of_one_slot(const struct shard_meta *a,
			     const struct shard_meta *b)
{
	return a->day == b->day && a->slot == b->slot &&
	       a->n_bits == b->n_bits && a->route == b->route;
}

/* Those that may be of the slot of one: shards are in order of their keys, in
 * which day and slot come first.
 */
struct slot {
	size_t begin, end;
};

static bool may_be_of(const struct shard_meta *a, const struct shard_meta *b)
{
	return a->day == b->day && a->slot == b->slot;
}

static struct slot slot_of(const struct rebuild *r, size_t at)
{
	const struct shard_meta *m = &r->shards[at].meta;
	struct slot s = { at, at + 1 };

	while (s.begin && may_be_of(&r->shards[s.begin - 1].meta, m))
		s.begin--;
	while (s.end < r->n && may_be_of(&r->shards[s.end].meta, m))
		s.end++;
	return s;
}

/* Nothing of the one is in the other. */
static bool are_of_other_times(const struct shard_meta *a,
			       const struct shard_meta *b)
{
	return a->created_max < b->created_min ||
	       b->created_max < a->created_min;
}

/* A revision that no record names beside another shard of its slot: one may
 * have taken the place of the other, or was to, or neither.
 */
static const struct intact *other_of(const struct rebuild *r, size_t at)
{
	struct slot s = slot_of(r, at);

	for (size_t i = s.begin; i < s.end; i++) {
		const struct shard_meta *m = &r->shards[i].meta;

		if (i != at &&
		    rebuild_are_of_one_slot(m, &r->shards[at].meta) &&
		    !rebuild_gone_has(&r->gone, m) &&
		    !(r->shards[i].is_known &&
		      are_of_other_times(m, &r->shards[at].meta)))
			return &r->shards[i];
	}
	return NULL;
}

static bool has_later(const struct rebuild *r, size_t at)
{
	const struct shard_meta *m = &r->shards[at].meta;
	struct slot s = slot_of(r, at);

	for (size_t i = s.begin; i < s.end; i++) {
		const struct shard_meta *x = &r->shards[i].meta;

		if (rebuild_are_of_one_slot(x, m) && x->part == m->part &&
		    x->revision > m->revision && !r->shards[i].is_known)
			return true;
	}
	return false;
}

/* One that may have been made of it, and that no record names, of its part if
 * there is one; or NULL.
 */
static const struct intact *made_of(const struct rebuild *r,
				    const struct shard_meta *m)
{
	const struct intact *found = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct intact *s = &r->shards[i];

		if (s->is_known || s->meta.revision <= m->revision ||
		    !rebuild_are_of_one_slot(&s->meta, m))
			continue;
		if (s->meta.part == m->part)
			return s;
		found = found ? found : s;
	}
	return found;
}

static const struct intact *find_intact(const struct rebuild *r,
					const char *key)
{
	size_t begin = 0, end = r->n;

	while (begin < end) {
		size_t mid = begin + (end - begin) / 2;
		int c = strcmp(key, r->shards[mid].meta.key);

		if (!c)
			return &r->shards[mid];
		if (c < 0)
			end = mid;
		else
			begin = mid + 1;
	}
	return NULL;
}

/* Of a key, all before the part. */
static size_t day_and_slot(const char *key)
{
	const char *day_end = strchr(key, '_');
	const char *slot_end = day_end ? strchr(day_end + 1, '_') : NULL;

	return slot_end ? (size_t)(slot_end + 1 - key) : strlen(key);
}

/* A repacked shard of its day and slot that cannot be read now and that no
 * record names; or NULL.
 */
static const char *damaged_of(const struct rebuild *r,
			      const struct shard_meta *m)
{
	size_t len = day_and_slot(m->key);

	for (size_t i = 0; i < r->list.n; i++) {
		const struct archive_object *o = &r->list.objects[i];

		if (o->kind == OBJECT_SHARD && !strncmp(o->key, m->key, len) &&
		    strstr(o->key + len, "_R") && !find_intact(r, o->key) &&
		    !oplog_state_knows(rebuild_state(r), o->key))
			return o->key;
	}
	return NULL;
}

static void tell_missing(struct rebuild *r, const struct shard_meta *m,
			 const char *text)
{
	rebuild_tell(r, m->key, text);
	r->totals->missing++;
}

static void tell_other_part(struct rebuild *r, const struct shard_meta *m)
{
	rebuild_tell(r, m->key,
		     "only another part is there to take its place: "
		     "what that has not cannot come back");
}

/* Of what the log tells to be gone: in whose place something is.  Without that
 * a record would make the loss final, though what is to come there may be back
 * tomorrow.  If the old one is back, from a backup, it counts, but for what
 * was made of its part.
 */
static void choose_told(struct rebuild *r, const struct rebuild_gone *told)
{
	for (size_t i = 0; i < told->n; i++) {
		const struct shard_meta *m = told->all[i];
		const struct intact *by = made_of(r, m);
		bool is_whole = by && !damaged_of(r, m);
		bool is_same_part = is_whole && by->meta.part == m->part;

		if (!is_same_part && find_intact(r, m->key))
			continue;
		if (!is_same_part && !r->opts->force) {
			tell_missing(r, m,
				     "its bytes are gone, and what took its "
				     "place is not there whole: bring that "
				     "back, or --force does without it");
			continue;
		}
		if (!is_whole)
			rebuild_tell(r, m->key,
				     "nothing whole is there to take its "
				     "place: what it had is lost");
		else if (!is_same_part)
			tell_other_part(r, m);
		rebuild_gone_add(&r->gone, m);
	}
}

/* Of what counts and is not there, and is not told to be gone. */
static enum rc choose_missing(struct rebuild *r, const struct shard_meta *m,
			      struct err *err)
{
	const struct intact *by = made_of(r, m);

	if (!by) {
		tell_missing(r, m, "the log names it, it is not there");
		return RC_OK;
	}
	if (!r->opts->force)
		return err_set(err, RC_UNSUPPORTED,
			       "the log names %s, which is not there, but %s "
			       "is, which may have been made of it: --force "
			       "puts that in its place",
			       m->key, by->meta.key);
	if (by->meta.part != m->part)
		tell_other_part(r, m);
	rebuild_gone_add(&r->gone, m);
	return RC_OK;
}

static enum rc find_gone(struct rebuild *r, struct err *err)
{
	struct rebuild_gone told = { .n = 0 }, missing = { .n = 0 };
	enum rc rc = RC_OK;

	rebuild_gone_told(&told, rebuild_state(r));
	choose_told(r, &told);
	rebuild_gone_missing(&missing, rebuild_state(r), &r->list);
	for (size_t i = 0; !rc && i < missing.n; i++) {
		if (!rebuild_gone_has(&told, missing.all[i]))
			rc = choose_missing(r, missing.all[i], err);
	}
	rebuild_gone_release(&told);
	rebuild_gone_release(&missing);
	rebuild_gone_sort(&r->gone);
	return rc;
}

static bool has_gone(const struct rebuild *r, const struct shard_meta *m)
{
	for (size_t i = 0; i < r->gone.n; i++) {
		if (rebuild_are_of_one_slot(r->gone.all[i], m) &&
		    r->gone.all[i]->revision < m->revision)
			return true;
	}
	return false;
}

/* Which of the shards that no record names are not to count. */
static enum rc choose_unnamed(struct rebuild *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct intact *s = &r->shards[i];
		const struct intact *other;

		if (s->is_known)
			continue;
		other = s->meta.revision ? other_of(r, i) : NULL;
		if (r->has_log && oplog_count(r->log) && s->meta.revision &&
		    !has_gone(r, &s->meta)) {
			s->is_out = true;
			rebuild_tell(
				r, s->meta.key,
				"left out: a repack that no record tells of");
		} else if (other && !r->opts->force) {
			return err_set(err, RC_UNSUPPORTED,
				       "%s is a repacked shard, and %s is "
				       "there, too: without the log nobody "
				       "knows which of them counts; --force "
				       "takes the last revision of each part, "
				       "which may bring back what was deleted",
				       s->meta.key, other->meta.key);
		} else if (has_later(r, i)) {
			s->is_out = true;
			rebuild_tell(r, s->meta.key,
				     "left out: a later revision is there");
		}
	}
	return RC_OK;
}

enum rc rebuild_choose(struct rebuild *r, struct err *err)
{
	enum rc rc = find_gone(r, err);

	return rc ? rc : choose_unnamed(r, err);
}
