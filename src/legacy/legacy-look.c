/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-look.c - what changed in an older archive, made into shards. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "legacy/legacy-raw.h"
#include "legacy/legacy-set.h"
#include "legacy/legacy-store-backend.h"

/* --- shards that come again ----------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool was_replaced(const struct legacy_store *s, const char *key)
{
	return s->n_replaced && bsearch(&key, s->replaced, s->n_replaced,
					sizeof(*s->replaced), by_text);
}

static struct legacy_again *again_of(struct legacy_store *s, uint32_t day,
				     uint32_t slot)
{
	for (size_t i = 0; i < s->n_again; i++) {
		if (s->again[i].day == day && s->again[i].slot == slot)
			return &s->again[i];
	}
	return NULL;
}

/* legacy_revision_fn */
static uint32_t revision_of(void *arg, uint32_t day, uint32_t slot)
{
	const struct legacy_again *a = again_of(arg, day, slot);

	return a ? a->revision : 0;
}

/* What a record has replaced never counts again: such shards need another key.
 */
static bool note_again(struct legacy_store *s, const struct legacy_shards *made)
{
	bool is_any = false;

	for (size_t i = 0; i < made->n; i++) {
		const struct legacy_shard *m = &made->shards[i];
		struct legacy_again *a;

		if (!was_replaced(s, m->key))
			continue;
		is_any = true;
		a = again_of(s, m->day, m->slot);
		if (!a) {
			s->again = mem_grow(s->again, &s->cap_again,
					    s->n_again + 1, sizeof(*s->again));
			a = &s->again[s->n_again++];
			*a = (struct legacy_again){ m->day, m->slot, 0 };
		}
		a->revision++;
	}
	return is_any;
}

static void note_replaced(struct legacy_store *s,
			  const struct legacy_shards *made)
{
	for (size_t i = 0; s->shards && i < s->shards->n; i++) {
		const char *key = s->shards->shards[i].key;

		if (legacy_shards_find(made, key))
			continue;
		s->replaced = mem_grow(s->replaced, &s->cap_replaced,
				       s->n_replaced + 1, sizeof(*s->replaced));
		s->replaced[s->n_replaced++] = xstrdup(key);
	}
	if (s->n_replaced)
		qsort(s->replaced, s->n_replaced, sizeof(*s->replaced),
		      by_text);
}

/* --- making --------------------------------------------------------------- */

static enum rc add_source(struct legacy_store *s, struct legacy_set *set,
			  const struct legacy_source *src, struct err *err)
{
	struct legacy_raw_reader r = { .sp = &s->spools[src->spool],
				       .at = src->at,
				       .end = src->at + src->len,
				       .piece = { .max = SIZE_MAX / 2 } };
	enum rc rc = RC_OK;

	while (!rc) {
		struct span key, value;

		rc = legacy_raw_next(&r, &key, &value, err);
		if (!rc)
			rc = legacy_set_add(set, key, value, err);
	}
	buf_release(&r.piece);
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc make_once(struct legacy_store *s, struct legacy_shards **ret,
			 struct err *err)
{
	struct legacy_set_options o = { .dir = s->o.spool,
					.st = s->below,
					.objects = s->objects,
					.contents = s->contents,
					.damage = &s->left_out,
					.revision = revision_of,
					.revision_arg = s };
	struct legacy_set *set;
	enum rc rc = RC_OK;

	memcpy(o.archive_id, s->archive_id, sizeof(o.archive_id));
	legacy_damage_release(&s->left_out);
	set = legacy_set_new(&o);
	for (size_t i = 0; i < s->sources.n && !rc; i++)
		rc = add_source(s, set, &s->sources.p[i], err);
	if (!rc)
		rc = legacy_set_make(set, ret, err);
	legacy_set_free(set);
	return rc;
}

static enum rc make(struct legacy_store *s, struct legacy_shards **ret,
		    struct err *err)
{
	struct legacy_shards *made = NULL;

	for (;;) {
		if (make_once(s, &made, err))
			return err->rc;
		if (!note_again(s, made))
			break;
		legacy_shards_unref(made);
	}
	*ret = made;
	return RC_OK;
}

/* --- publishing ----------------------------------------------------------- */

static void free_texts(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

/* With the lock held. */
static void add_damage(struct legacy_store *s, const struct legacy_damage *d)
{
	s->n_damage_all += d->n_all;
	for (size_t k = 0; k < d->n && s->n_damage < LEGACY_DAMAGE_MAX; k++)
		s->damage[s->n_damage++] = xstrdup(d->texts[k]);
}

/* Likewise. */
static void set_damage(struct legacy_store *s)
{
	free_texts(s->damage, s->n_damage);
	s->damage = xcalloc(LEGACY_DAMAGE_MAX, sizeof(*s->damage));
	s->n_damage = 0;
	s->n_damage_all = 0;
	for (size_t i = 0; i < s->sources.n; i++)
		add_damage(s, &s->sources.p[i].damage);
	add_damage(s, &s->sources.damage);
	add_damage(s, &s->left_out);
}

static int64_t time_of_record(const struct legacy_store *s, int64_t last)
{
	int64_t now = clock_wall_us();

	return s->n_records && now <= last ? last + 1 : now;
}

static void publish(struct legacy_store *s, struct legacy_shards *made,
		    struct legacy_record *r, bool is_new)
{
	struct legacy_shards *gone;
	LOCK_SCOPE(&s->lock);

	set_damage(s);
	s->bits = s->sources.bits;
	s->n_sources = 0;
	for (size_t i = 0; i < s->sources.n; i++)
		s->n_sources += !s->sources.p[i].is_alone;
	if (is_new) {
		s->records = mem_grow(s->records, &s->cap_records,
				      s->n_records + 1, sizeof(*s->records));
		s->records[s->n_records++] = *r;
		*r = (struct legacy_record){ .key = NULL };
	}
	/* The same shards may have other places now. */
	gone = s->old[LEGACY_OLD - 1];
	for (size_t i = LEGACY_OLD - 1; i; i--)
		s->old[i] = s->old[i - 1];
	s->old[0] = s->shards;
	s->shards = made;
	legacy_shards_unref(gone);
}

static enum rc make_and_publish(struct legacy_store *s, struct err *err)
{
	CLEANUP(legacy_record_release) struct legacy_record r = { 0 };
	struct legacy_shards *made = NULL;
	bool is_any = false;
	int64_t time = time_of_record(s, s->last_time);
	enum rc rc = make(s, &made, err);

	if (rc)
		return rc;
	rc = legacy_log_record(made, s->shards, time, s->archive_id, &r,
			       &is_any, err);
	if (rc) {
		legacy_shards_unref(made);
		return rc;
	}
	note_replaced(s, made);
	is_any |= !s->n_records;
	if (is_any)
		s->last_time = time;
	publish(s, made, &r, is_any);
	return RC_OK;
}

/* --- looking -------------------------------------------------------------- */

static enum rc check_bits(struct legacy_store *s,
			  const struct legacy_sources *found, struct err *err)
{
	unsigned int n_bits = 0;
	enum rc rc;

	/* Containers may have any, up to 32. */
	if (!s->o.n_bits || !found->bits.n_names)
		return RC_OK;
	rc = legacy_bits_get(&found->bits, s->o.n_bits, &n_bits, err);
	return rc ? err_prefix(err, "%s", store_url(s->below)) : RC_OK;
}

static enum rc look(struct legacy_store *s, struct err *err)
{
	struct legacy_sources found = { .p = NULL };
	bool is_changed = false;
	enum rc rc;

	rc = legacy_sources_list(s->below, &s->o, &found, err);
	if (!rc)
		rc = check_bits(s, &found, err);
	if (rc) {
		legacy_sources_release(&found);
		return rc;
	}
	rc = legacy_sources_read(&found, &s->sources, s->below, s->objects,
				 s->spools, &is_changed, err);
	is_changed |= legacy_contents_have_changed(s->contents);
	/* What was read is kept also if something could not be. */
	legacy_sources_release(&s->sources);
	s->sources = found;
	s->is_pending |= is_changed;
	legacy_sources_tidy(&s->sources, s->spools);
	if (rc || (!s->is_pending && s->shards))
		return rc;
	if (!s->descriptor.len) {
		uint32_t day = UINT32_MAX;

		for (size_t i = 0; i < found.n; i++)
			day = found.p[i].day < day ? found.p[i].day : day;
		legacy_log_descriptor(found.n ? day : 19700101, &s->descriptor,
				      s->archive_id);
	}
	rc = make_and_publish(s, err);
	s->is_pending = rc;
	return rc;
}

/* Be the only one that looks. */
static void begin(struct legacy_store *s)
{
	LOCK_SCOPE(&s->lock);

	while (s->is_looking)
		pthread_cond_wait(&s->looked, &s->lock);
	s->is_looking = true;
}

static void end(struct legacy_store *s)
{
	LOCK_SCOPE(&s->lock);

	s->is_looking = false;
	pthread_cond_broadcast(&s->looked);
}

enum rc legacy_store_look(struct legacy_store *s, bool if_listed,
			  struct err *err)
{
	enum rc rc = RC_OK;

	begin(s);
	if (!if_listed || !s->is_fresh)
		rc = look(s, err);
	s->is_fresh = !if_listed;
	end(s);
	return rc;
}
