/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-leftover.c - which writers of a bucket live, and what the dead
 * left.
 *
 * Lists first, then looks who is alive: a run makes its mark before all else,
 * so that what was listed is of a run that is alive then, or over.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/key.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "store/store-s3-write-backend.h"

#define RUNS STORE_TMP "/run-"
#define RUN_LEN (S3_RUN_TEXT - 1)
#define ALIVE "alive-"
#define CLAIM "claim/"

/* An object of a run, a version of one, or an unfinished upload. */
struct thing {
	char *key;
	char *id; /* "": there are no versions */
	uint64_t size;
	bool is_marker, is_latest;
};

struct things {
	struct thing *v;
	size_t n, cap;
};

struct mark {
	char run[S3_RUN_TEXT];
	int64_t time;  /* us since 1970 */
	int64_t began; /* likewise, of the run; INT64_MIN: cannot be told */
	enum store_run_kind kind;
};

struct scan {
	struct things objects, uploads;
	struct mark *marks;
	size_t n_marks, cap_marks;
	int64_t now; /* likewise; the server's */
	bool only_marks;
};

static void things_release(struct things *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].key);
		free(t->v[i].id);
	}
	free(t->v);
}

static void scan_release(struct scan *sc)
{
	things_release(&sc->objects);
	things_release(&sc->uploads);
	free(sc->marks);
}

/* The run that a key is of and, returned, what follows; NULL for none. */
static const char *parse_key(const char *key, char run[S3_RUN_TEXT])
{
	const char *name = key + sizeof(STORE_TMP);
	uint8_t id[8];

	if (strncmp(key, RUNS, sizeof(RUNS) - 1) != 0 ||
	    strnlen(name, RUN_LEN + 2) < RUN_LEN + 2 || name[RUN_LEN] != '/' ||
	    !hex_decode(name + 4, RUN_LEN - 4, id, sizeof(id)))
		return NULL;
	memcpy(run, name, RUN_LEN);
	run[RUN_LEN] = '\0';
	return name + RUN_LEN + 1;
}

/* The key that an object claims; NULL: it is no claim. */
static const char *parse_claim(const char *key, char run[S3_RUN_TEXT])
{
	const char *rest = parse_key(key, run);

	if (!rest || strncmp(rest, CLAIM, sizeof(CLAIM) - 1) != 0)
		return NULL;
	rest += sizeof(CLAIM) - 1;
	return key_is_valid(rest) ? rest : NULL;
}

static void add_thing(struct things *t, const char *key,
		      const struct s3_item *it)
{
	t->v = mem_grow(t->v, &t->cap, t->n + 1, sizeof(*t->v));
	t->v[t->n++] = (struct thing){ .key = xstrdup(key),
				       .id = xstrdup(it->id ? it->id : ""),
				       .size = it->size,
				       .is_marker = it->is_marker,
				       .is_latest = it->is_latest || !it->id };
}

/* us since 1970; INT64_MIN: it was not told. */
static int64_t item_time(const struct s3_item *it)
{
	struct timestamp t;
	struct err ignored;

	return *it->time && !timestamp_parse(it->time, &t, &ignored)
		       ? t.us
		       : INT64_MIN;
}

/* Take the kind off the end of what follows ALIVE; no time begins as one does.
 */
static enum store_run_kind take_kind(char *made)
{
	char *dash = strrchr(made, '-');
	enum store_run_kind kind =
		dash ? store_run_kind_parse(dash + 1, strlen(dash + 1))
		     : STORE_RUN_OTHER;

	if (kind != STORE_RUN_OTHER)
		*dash = '\0';
	return kind;
}

/* When it was made: by the server's clock, or else as its maker thought.  made
 * is what follows ALIVE: the mark's time, but in the first one the run's, and
 * its kind.
 */
static void add_mark(struct scan *sc, const char *run, const char *what,
		     const struct s3_item *it)
{
	CLEANUP_FREE char *made = xstrdup(what);
	struct mark m = { .time = INT64_MIN,
			  .began = INT64_MIN,
			  .kind = take_kind(made) };
	size_t len = strcspn(made, "-");
	int64_t us;

	m.time = item_time(it);
	if (m.time == INT64_MIN && timestamp_parse_compact(made, len, &us))
		m.time = us;
	if (!made[len])
		m.began = m.time;
	else if (timestamp_parse_compact(made + len + 1, strlen(made + len + 1),
					 &us))
		m.began = us;
	memcpy(m.run, run, sizeof(m.run));
	sc->marks = mem_grow(sc->marks, &sc->cap_marks, sc->n_marks + 1,
			     sizeof(*sc->marks));
	sc->marks[sc->n_marks++] = m;
}

static enum rc note_object(void *arg, const char *key, const struct s3_item *it,
			   struct err *err)
{
	struct scan *sc = arg;
	char run[S3_RUN_TEXT];
	const char *rest = parse_key(key, run);
	bool is_there = !it->is_marker && (it->is_latest || !it->id);

	(void)err;
	if (!rest)
		return RC_OK;
	if (is_there && !strncmp(rest, ALIVE, sizeof(ALIVE) - 1))
		add_mark(sc, run, rest + sizeof(ALIVE) - 1, it);
	if (!sc->only_marks)
		add_thing(&sc->objects, key, it);
	return RC_OK;
}

static enum rc scan_objects(struct s3_store *s, struct scan *sc,
			    struct err *err)
{
	enum rc rc =
		s3_write_list_versions(s, RUNS, note_object, sc, &sc->now, err);

	/* A server without versions, or credentials that may not see them. */
	if (rc != RC_UNSUPPORTED && rc != RC_ACCESS)
		return rc;
	return s3_list_items(s, RUNS, "", true, note_object, sc, &sc->now, err);
}

static enum rc note_upload(void *arg, const char *key, const struct s3_item *it,
			   struct err *err)
{
	struct scan *sc = arg;

	(void)err;
	add_thing(&sc->uploads, key, it);
	return RC_OK;
}

static enum rc scan_all(struct s3_store *s, struct scan *sc, bool with_uploads,
			struct err *err)
{
	enum rc rc = scan_objects(s, sc, err);

	if (!rc && with_uploads)
		rc = s3_write_list_uploads(s, "", note_upload, sc, err);
	if (rc && !(rc == RC_UNSUPPORTED && with_uploads))
		return rc;
	sc->only_marks = true;
	return scan_objects(s, sc, err);
}

static bool is_alive(const struct scan *sc, const char *run)
{
	for (size_t i = 0; i < sc->n_marks; i++) {
		if (!strcmp(sc->marks[i].run, run) &&
		    sc->marks[i].time > sc->now - S3_RUN_LIFE_US)
			return true;
	}
	return false;
}

/* Was the run told already, by an earlier mark? */
static bool is_first_mark(const struct scan *sc, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (!strcmp(sc->marks[k].run, sc->marks[i].run))
			return false;
	}
	return true;
}

enum rc s3_write_runs_alive(struct store *st, const struct store_run *own,
			    unsigned int *ret, struct err *err)
{
	CLEANUP(scan_release) struct scan sc = { .only_marks = true };
	const struct s3_run *mine = (const struct s3_run *)own;
	unsigned int n = 0;

	if (scan_objects((struct s3_store *)st, &sc, err))
		return err->rc;
	for (size_t i = 0; i < sc.n_marks; i++) {
		const char *run = sc.marks[i].run;

		if (is_first_mark(&sc, i) && is_alive(&sc, run) &&
		    !(mine && !strcmp(mine->name, run)))
			n++;
	}
	*ret = n;
	return RC_OK;
}

enum rc s3_write_runs_oldest(struct store *st, unsigned int kinds,
			     const struct store_run *own, int64_t *ret_us,
			     struct err *err)
{
	CLEANUP(scan_release) struct scan sc = { .only_marks = true };
	const struct s3_run *mine = (const struct s3_run *)own;

	if (scan_objects((struct s3_store *)st, &sc, err))
		return err->rc;
	*ret_us = INT64_MAX;
	for (size_t i = 0; i < sc.n_marks; i++) {
		const struct mark *m = &sc.marks[i];

		if (kinds & 1u << m->kind && m->began < *ret_us &&
		    is_alive(&sc, m->run) &&
		    !(mine && !strcmp(mine->name, m->run)))
			*ret_us = m->began;
	}
	return RC_OK;
}

enum rc s3_write_claims(struct store *st, store_claim_fn *fn, void *arg,
			struct err *err)
{
	CLEANUP(scan_release) struct scan sc = { 0 };
	char last[S3_RUN_TEXT] = "";

	if (scan_all((struct s3_store *)st, &sc, false, err))
		return err->rc;
	for (size_t i = 0; i < sc.objects.n; i++) {
		const struct thing *t = &sc.objects.v[i];
		char run[S3_RUN_TEXT];
		const char *key = parse_claim(t->key, run);

		if (!parse_key(t->key, run) || is_alive(&sc, run))
			continue;
		if (strcmp(run, last) != 0 && fn(arg, run, NULL, err))
			return err->rc;
		memcpy(last, run, sizeof(last));
		if (key && t->is_latest && !t->is_marker &&
		    fn(arg, run, key, err))
			return err->rc;
	}
	return RC_OK;
}

/* A long copy to its key is claimed by its run; what nobody claims is not ours.
 */
static bool is_left_copy(const struct scan *sc, const char *key)
{
	bool is_dead = false;

	for (size_t i = 0; i < sc->objects.n; i++) {
		const struct thing *t = &sc->objects.v[i];
		char run[S3_RUN_TEXT];
		const char *claimed = parse_claim(t->key, run);

		if (!claimed || strcmp(claimed, key) != 0)
			continue;
		if (is_alive(sc, run))
			return false;
		is_dead = true;
	}
	return is_dead;
}

static bool is_claimed(const struct scan *sc, const char *key)
{
	for (size_t i = 0; i < sc->objects.n; i++) {
		char run[S3_RUN_TEXT];
		const char *claimed = parse_claim(sc->objects.v[i].key, run);

		if (claimed && !strcmp(claimed, key))
			return true;
	}
	return false;
}

struct teller {
	struct s3_store *s;
	bool remove;
	store_goes_fn *goes;
	store_leftover_fn *fn;
	void *arg;
};

static enum rc tell_upload(const struct teller *t, const struct scan *sc,
			   const struct thing *up, struct err *err)
{
	CLEANUP_FREE char *what = NULL;
	char run[S3_RUN_TEXT];

	if (parse_key(up->key, run) ? is_alive(sc, run)
				    : !is_left_copy(sc, up->key))
		return RC_OK;
	if (t->remove && s3_multipart_abort(t->s, up->key, up->id, err))
		return err->rc;
	what = xasprintf("unfinished upload of %s", up->key);
	t->fn(t->arg, what, 0);
	return RC_OK;
}

/* Of a bucket with a default retention some stay until that is over; a later
 * clean-up removes them.
 */
static enum rc remove_object(struct s3_store *s, const struct thing *o,
			     struct err *err)
{
	int64_t until;
	enum rc rc = s3_write_delete(s, o->key, o->id, err);

	if (rc == RC_ACCESS && s3_write_is_locked(s, o->key, o->id, &until))
		return RC_OK;
	return rc;
}

static enum rc tell_object(const struct teller *t, const struct scan *sc,
			   const struct thing *o, struct err *err)
{
	char run[S3_RUN_TEXT];

	if (!parse_key(o->key, run) || is_alive(sc, run) ||
	    (t->goes && parse_claim(o->key, run) && !t->goes(t->arg, run)))
		return RC_OK;
	if (t->remove && remove_object(t->s, o, err))
		return err->rc;
	if (!o->is_marker)
		t->fn(t->arg, o->key, o->size);
	return RC_OK;
}

enum rc s3_write_leftovers(struct store *st, bool remove, store_goes_fn *goes,
			   store_leftover_fn *fn, void *arg, struct err *err)
{
	CLEANUP(scan_release) struct scan sc = { 0 };
	const struct teller t = { (struct s3_store *)st, remove, goes, fn,
				  arg };

	if (scan_all(t.s, &sc, true, err))
		return err->rc;
	/* Claims last: they say whose an upload is. */
	for (size_t i = 0; i < sc.uploads.n; i++) {
		if (tell_upload(&t, &sc, &sc.uploads.v[i], err))
			return err->rc;
	}
	for (size_t i = 0; i < sc.objects.n; i++) {
		if (tell_object(&t, &sc, &sc.objects.v[i], err))
			return err->rc;
	}
	return RC_OK;
}

struct strays {
	struct s3_store *s;
	bool remove;
	int64_t min_age, now;
	store_stray_fn *fn;
	void *arg;
	const struct scan *sc;
	struct things found;
	int64_t *times; /* of what was found */
	size_t cap_times;
};

static void add_stray(struct strays *y, const char *key,
		      const struct s3_item *it)
{
	y->times = mem_grow(y->times, &y->cap_times, y->found.n + 1,
			    sizeof(*y->times));
	y->times[y->found.n] = item_time(it);
	add_thing(&y->found, key, it);
}

static enum rc note_stray_upload(void *arg, const char *key,
				 const struct s3_item *it, struct err *err)
{
	struct strays *y = arg;
	char run[S3_RUN_TEXT];

	(void)err;
	if (!parse_key(key, run) && !is_claimed(y->sc, key))
		add_stray(y, key, it);
	return RC_OK;
}

static enum rc note_stray_object(void *arg, const char *key,
				 const struct s3_item *it, struct err *err)
{
	char run[S3_RUN_TEXT];

	(void)err;
	if (!parse_key(key, run))
		add_stray(arg, key, it);
	return RC_OK;
}

/* What it is removed by is that of its kind: an upload's or a version's. */
typedef enum rc remove_fn(struct s3_store *s, const char *key, const char *id,
			  struct err *err);

static enum rc tell_strays(struct strays *y, const char *what_format,
			   remove_fn *remove, struct err *err)
{
	for (size_t i = 0; i < y->found.n; i++) {
		const struct thing *t = &y->found.v[i];
		/* Of unknown age nothing is old. */
		int64_t age = y->times[i] == INT64_MIN || y->times[i] > y->now
				      ? 0
				      : y->now - y->times[i];
		bool is_removed = y->remove && age >= y->min_age &&
				  y->times[i] != INT64_MIN;
		CLEANUP_FREE char *what =
			xasprintf("%s%s", what_format, t->key);

		if (is_removed && remove(y->s, t->key, t->id, err))
			return err->rc;
		y->fn(y->arg, what, t->size, age, is_removed);
	}
	things_release(&y->found);
	y->found = (struct things){ 0 };
	return RC_OK;
}

static enum rc find_strays(struct strays *y, struct err *err)
{
	enum rc rc = s3_write_list_uploads(y->s, "", note_stray_upload, y, err);

	if (rc && rc != RC_UNSUPPORTED)
		return rc;
	if (tell_strays(y, "unfinished upload of ", s3_multipart_abort, err))
		return err->rc;
	rc = s3_write_list_versions(y->s, STORE_TMP "/", note_stray_object, y,
				    NULL, err);
	if (rc == RC_UNSUPPORTED || rc == RC_ACCESS)
		rc = s3_list_items(y->s, STORE_TMP "/", "", true,
				   note_stray_object, y, NULL, err);
	return rc ? rc : tell_strays(y, "", s3_write_delete, err);
}

enum rc s3_write_strays(struct store *st, bool remove, int64_t min_age,
			store_stray_fn *fn, void *arg, struct err *err)
{
	CLEANUP(scan_release) struct scan sc = { 0 };
	struct strays y = { .s = (struct s3_store *)st,
			    .remove = remove,
			    .min_age = min_age,
			    .fn = fn,
			    .arg = arg,
			    .sc = &sc };
	enum rc rc = scan_objects(y.s, &sc, err);

	y.now = sc.now;
	if (!rc)
		rc = find_strays(&y, err);
	things_release(&y.found);
	free(y.times);
	return rc;
}
