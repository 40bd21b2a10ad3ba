/* SPDX-License-Identifier: Apache-2.0 */
/* store-memory.c - a store of objects in memory that fails as it is told. */
#include "config.h"

#include "store-memory.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/random.h"
#include "store/store-backend.h"

#define OBJECT_MAX (64u << 20)
#define LATENCY_MAX_US 40000

struct object {
	char *key;
	struct buf b;
	uint64_t tag;
	int64_t made, shown; /* when, microseconds */
	bool is_old;         /* a version that another, or none, came after */
	unsigned int places; /* bits */
};

/* A writing run. */
struct mark {
	bool is_alive;
	int64_t begun;
	enum store_run_kind kind;
	char name[24];
	char **keys; /* published, and in no record yet */
	size_t n_keys, cap_keys;
};

/* An upload that is not finished. */
struct part {
	struct buf b;
	bool is_alive;
};

struct gone {
	char *key;
	int64_t when;
};

struct memory {
	pthread_mutex_t lock;
	uint64_t random, n_tags, n_changes, n_runs;
	int64_t now, begun, removed;
	int64_t lag;
	unsigned int lag_percent;
	bool keeps_versions;
	unsigned int n_places;
	struct object *objects; /* by key; old versions behind the newest */
	size_t n, cap;
	struct mark **marks;
	size_t n_marks, cap_marks;
	struct part **parts;
	size_t n_parts, cap_parts;
	struct gone *gone;
	size_t n_gone, cap_gone;
	memory_gate_fn *gate;
	void *gate_arg;
};

struct handle {
	struct store base;
	struct memory *m;
	unsigned int actor;
	int64_t skew;
	enum memory_kind kind;
	bool has_fault, is_broken, is_crashed;
	enum memory_fault fault;
	uint64_t n_requests, fault_at;
	struct mark *mark;       /* of the run it has begun */
	unsigned int places;     /* bits: those it reaches */
	struct handle *whole;    /* of one place: whose it is */
	struct handle *of_place; /* its own; NULL: not asked for */
};

struct upload {
	struct store_upload base;
	struct part *part;
};

struct run {
	struct store_run base;
	struct mark *mark;
};

static const struct store_backend backend;
static const struct store_writer writer;

struct memory *memory_new(uint64_t seed, int64_t now_us, bool keeps_versions,
			  unsigned int n_places)
{
	struct memory *m = xcalloc(1, sizeof(*m));

	pthread_mutex_init(&m->lock, NULL);
	m->random = seed;
	m->now = m->begun = now_us;
	m->removed = INT64_MIN;
	m->keeps_versions = keeps_versions;
	m->n_places = n_places;
	return m;
}

static void object_release(struct object *o)
{
	free(o->key);
	buf_release(&o->b);
}

static void mark_free(struct mark *k)
{
	for (size_t i = 0; i < k->n_keys; i++)
		free(k->keys[i]);
	free(k->keys);
	free(k);
}

static void part_free(struct part *p)
{
	buf_release(&p->b);
	free(p);
}

void memory_free(struct memory *m)
{
	for (size_t i = 0; i < m->n; i++)
		object_release(&m->objects[i]);
	for (size_t i = 0; i < m->n_marks; i++)
		mark_free(m->marks[i]);
	for (size_t i = 0; i < m->n_parts; i++)
		part_free(m->parts[i]);
	for (size_t i = 0; i < m->n_gone; i++)
		free(m->gone[i].key);
	free(m->gone);
	free(m->objects);
	free(m->marks);
	free(m->parts);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

int64_t memory_now(const struct memory *m)
{
	return m->now;
}

void memory_advance(struct memory *m, int64_t us)
{
	m->now += us;
}

void memory_lag(struct memory *m, int64_t max_us, unsigned int percent)
{
	m->lag = max_us;
	m->lag_percent = percent;
}

void memory_gate(struct memory *m, memory_gate_fn *fn, void *arg)
{
	m->gate = fn;
	m->gate_arg = arg;
}

static bool happens(struct memory *m, unsigned int percent)
{
	return random_next(&m->random) % 100 < percent;
}

struct store *memory_open(struct memory *m, unsigned int actor, int64_t skew_us,
			  enum memory_kind kind)
{
	struct handle *h = xcalloc(1, sizeof(*h));

	h->base.ops = &backend;
	h->base.writer = &writer;
	h->base.url = xasprintf("memory://actor-%u", actor);
	h->m = m;
	h->actor = actor;
	h->skew = skew_us;
	h->base.lists_lag = m->lag > 0;
	h->kind = kind;
	h->places = (1u << m->n_places) - 1;
	return &h->base;
}

void memory_show_clock(const struct store *st)
{
	const struct handle *h = (const struct handle *)st;

	clock_freeze((uint64_t)(h->m->now - h->m->begun + 1000000) * 1000,
		     (h->m->now + h->skew) * 1000);
}

/* The process is no more, and its lock on its mark with it. */
static void crash(struct handle *h)
{
	h->is_crashed = true;
	if (h->mark)
		h->mark->is_alive = false;
}

static void memory_close(struct store *st)
{
	struct handle *h = (struct handle *)st;

	LOCK_SCOPE(&h->m->lock);
	crash(h);
	free(h->of_place);
	free(h);
}

void memory_break(struct store *st, enum memory_fault fault, uint64_t n)
{
	struct handle *h = (struct handle *)st;

	h->has_fault = true;
	h->fault = fault;
	h->fault_at = h->n_requests + n;
}

bool memory_is_broken(const struct store *st)
{
	return ((const struct handle *)st)->is_broken;
}

bool memory_is_crashed(const struct store *st)
{
	return ((const struct handle *)st)->is_crashed;
}

uint64_t memory_requests(const struct store *st)
{
	return ((const struct handle *)st)->n_requests;
}

uint64_t memory_changes(const struct memory *m)
{
	return m->n_changes;
}

int64_t memory_removed(const struct memory *m)
{
	return m->removed;
}

static enum rc fail(const char *key, const char *what, struct err *err)
{
	return err_set(err, RC_IO, "%s: %s", key, what);
}

/* Begins a request; with RC_OK the lock is held.  *ret_lost: its answer will
 * not arrive.
 */
static enum rc begin(struct handle *h, const char *key, bool *ret_lost,
		     struct err *err)
{
	struct memory *m = h->m;

	if (h->whole)
		return begin(h->whole, key, ret_lost, err);

	*ret_lost = false;
	if (h->kind != MEMORY_ACTOR) {
		pthread_mutex_lock(&m->lock);
		return RC_OK;
	}
	if (m->gate)
		m->gate(m->gate_arg, h->actor);
	pthread_mutex_lock(&m->lock);
	m->now += 1 + (int64_t)(random_next(&m->random) % LATENCY_MAX_US);
	memory_show_clock(&h->base);
	if (!h->is_crashed && h->n_requests++ == h->fault_at && h->has_fault) {
		h->has_fault = false;
		h->is_broken = true;
		*ret_lost = h->fault == MEMORY_FAIL_AFTER ||
			    h->fault == MEMORY_CRASH_AFTER;
		if (*ret_lost)
			return RC_OK;
		if (h->fault == MEMORY_CRASH_BEFORE)
			crash(h);
		pthread_mutex_unlock(&m->lock);
		return fail(key, "no connection", err);
	}
	if (!h->is_crashed)
		return RC_OK;
	pthread_mutex_unlock(&m->lock);
	return fail(key, "the process is no more", err);
}

static enum rc end(struct handle *h, const char *key, enum rc rc, bool is_lost,
		   struct err *err)
{
	if (h->whole)
		h = h->whole;
	if (is_lost && h->fault == MEMORY_CRASH_AFTER)
		crash(h);
	pthread_mutex_unlock(&h->m->lock);
	return is_lost ? fail(key, "the answer is lost", err) : rc;
}

/* The first object whose key is not below this one. */
static size_t place_of(const struct memory *m, const char *key)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(m->objects[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* NULL: there is none, old ones aside. */
static struct object *find_any(const struct memory *m, const char *key)
{
	size_t i = place_of(m, key);

	if (i == m->n || strcmp(m->objects[i].key, key) != 0 ||
	    m->objects[i].is_old)
		return NULL;
	return &m->objects[i];
}

/* The same in a place that the handle reaches. */
static struct object *find(const struct handle *h, const char *key)
{
	struct object *o = find_any(h->m, key);

	return o && o->places & h->places ? o : NULL;
}

static struct object *get(const struct handle *h, const char *key,
			  struct err *err)
{
	struct object *o = find(h, key);

	if (!o)
		err_set(err, RC_NOENT, "%s: not there", key);
	return o;
}

static void erase_at(struct memory *m, size_t i)
{
	object_release(&m->objects[i]);
	m->n--;
	memmove(m->objects + i, m->objects + i + 1,
		(m->n - i) * sizeof(*m->objects));
	m->n_changes++;
}

static void note_gone(struct memory *m, const char *key)
{
	m->removed = m->now;
	m->gone = mem_grow(m->gone, &m->cap_gone, m->n_gone + 1,
			   sizeof(*m->gone));
	m->gone[m->n_gone++] = (struct gone){ xstrdup(key), m->now };
}

void memory_gone(struct memory *m, memory_gone_fn *fn, void *arg)
{
	for (size_t i = 0; i < m->n_gone; i++) {
		fn(arg, m->gone[i].key, m->gone[i].when);
		free(m->gone[i].key);
	}
	m->n_gone = 0;
}

/* Take an object out of some places. */
static void drop(struct memory *m, size_t i, unsigned int places)
{
	struct object *o = &m->objects[i];

	m->n_changes++;
	note_gone(m, o->key);
	if (m->keeps_versions && !(o->places & ~places))
		o->is_old = true;
	else if (!m->keeps_versions)
		o->places &= ~places;
	if (!o->places)
		erase_at(m, i);
}

static void insert(struct handle *h, const char *key, const void *p, size_t len,
		   unsigned int places)
{
	struct memory *m = h->m;
	size_t i = place_of(m, key);
	struct object *o;

	m->objects =
		mem_grow(m->objects, &m->cap, m->n + 1, sizeof(*m->objects));
	o = &m->objects[i];
	memmove(o + 1, o, (m->n - i) * sizeof(*o));
	m->n++;
	*o = (struct object){ .key = xstrdup(key),
			      .tag = ++m->n_tags,
			      .made = m->now,
			      .shown = m->now,
			      .places = places,
			      .b = { .max = OBJECT_MAX } };
	if (len)
		buf_append(&o->b, p, len);
	if (m->lag && happens(m, m->lag_percent))
		o->shown +=
			(int64_t)(random_next(&m->random) % (uint64_t)m->lag);
	m->n_changes++;
}

static void tell(const struct object *o, struct object_info *ret)
{
	*ret = (struct object_info){ .size = o->b.len };
	hex_encode(&o->tag, sizeof(o->tag), ret->tag);
}

static enum rc memory_read_tail(struct store *st, const char *key, size_t max,
				struct buf *ret, struct object_info *ret_info,
				struct err *err)
{
	struct handle *h = (struct handle *)st;
	bool is_lost;
	struct object *o;
	size_t n;

	if (begin(h, key, &is_lost, err))
		return err->rc;
	o = get(h, key, err);
	if (!o)
		return end(h, key, RC_NOENT, is_lost, err);
	n = o->b.len < max ? o->b.len : max;
	if (n)
		buf_append(ret, o->b.p + o->b.len - n, n);
	tell(o, ret_info);
	return end(h, key, RC_OK, is_lost, err);
}

static enum rc read_of(const struct object *o, const char *key,
		       const struct object_info *expect, uint64_t off,
		       void *buf, size_t len, struct err *err)
{
	struct object_info info;

	tell(o, &info);
	if (expect && strcmp(expect->tag, info.tag) != 0)
		return err_set(err, RC_CHANGED, "%s: changed", key);
	if (off > o->b.len || len > o->b.len - off)
		return err_set(err, RC_CORRUPT, "%s: is %zu bytes", key,
			       o->b.len);
	if (len)
		memcpy(buf, o->b.p + off, len);
	return RC_OK;
}

static enum rc memory_read(struct store *st, const char *key,
			   const struct object_info *expect, uint64_t off,
			   void *buf, size_t len, bool is_ahead,
			   struct err *err)
{
	struct handle *h = (struct handle *)st;
	enum rc rc = RC_NOENT;
	bool is_lost;
	struct object *o;

	(void)is_ahead;
	if (begin(h, key, &is_lost, err))
		return err->rc;
	o = get(h, key, err);
	if (o)
		rc = read_of(o, key, expect, off, buf, len, err);
	return end(h, key, rc, is_lost, err);
}

/* Whether a list has what was made then. */
static bool is_shown(struct handle *h, int64_t made)
{
	struct memory *m = h->m;

	return h->kind == MEMORY_EXACT || !m->lag || m->now - made >= m->lag ||
	       !happens(m, m->lag_percent);
}

static bool is_listed(struct handle *h, const struct object *o)
{
	struct memory *m = h->m;

	if (o->is_old || !strncmp(o->key, STORE_TMP "/", 4))
		return false;
	if (!(o->places & h->places))
		return false;
	if (h->kind != MEMORY_EXACT && m->now < o->shown)
		return false;
	return is_shown(h, o->made);
}

struct listed {
	size_t key; /* where it begins in what is copied */
	uint64_t size;
};

static enum rc memory_list(struct store *st, const char *prefix,
			   const char *start_after, store_list_fn *fn,
			   void *arg, struct err *err)
{
	struct handle *h = (struct handle *)st;
	struct memory *m = h->m;
	CLEANUP_BUF struct buf copies = { .max = OBJECT_MAX };
	CLEANUP_FREE struct listed *keys = NULL;
	size_t n = 0, prefix_len = strlen(prefix);
	enum rc rc;
	bool is_lost;

	if (begin(h, prefix, &is_lost, err))
		return err->rc;
	keys = xcalloc(m->n + 1, sizeof(*keys));
	for (size_t i = place_of(m, prefix); i < m->n; i++) {
		const struct object *o = &m->objects[i];

		if (strncmp(o->key, prefix, prefix_len) != 0)
			break;
		if (strcmp(o->key, start_after) > 0 && is_listed(h, o)) {
			keys[n++] = (struct listed){ copies.len, o->b.len };
			buf_append(&copies, o->key, strlen(o->key) + 1);
		}
	}
	rc = end(h, prefix, RC_OK, is_lost, err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = fn(arg, (const char *)copies.p + keys[i].key, keys[i].size,
			err);
	return rc;
}

/* Whose answer is lost may have reached the first place only; but a record of
 * the log reaches all, as nobody brings it to the others later.
 */
static unsigned int reached(const struct handle *h, const char *key,
			    bool is_lost)
{
	return is_lost && strncmp(key, "log/", 4) != 0
		       ? h->places & (~h->places + 1)
		       : h->places;
}

static enum rc memory_replace(struct store *st, const char *key, const void *p,
			      size_t len, struct err *err)
{
	struct handle *h = (struct handle *)st;
	struct object *o;
	bool is_lost;

	if (begin(h, key, &is_lost, err))
		return err->rc;
	o = find(h, key);
	if (o)
		erase_at(h->m, (size_t)(o - h->m->objects));
	insert(h, key, p, len, h->places);
	return end(h, key, RC_OK, is_lost, err);
}

static enum rc memory_upload_new(struct store *st, struct store_upload **ret,
				 struct err *err)
{
	struct handle *h = (struct handle *)st;
	struct memory *m = h->m;
	struct upload *up = xcalloc(1, sizeof(*up));

	(void)err;
	up->part = xcalloc(1, sizeof(*up->part));
	up->part->is_alive = true;
	up->part->b.max = OBJECT_MAX;
	LOCK_SCOPE(&m->lock);
	m->parts = mem_grow(m->parts, &m->cap_parts, m->n_parts + 1,
			    sizeof(*m->parts));
	m->parts[m->n_parts++] = up->part;
	*ret = &up->base;
	return RC_OK;
}

static enum rc memory_upload_write(struct store_upload *base, const void *p,
				   size_t len, struct err *err)
{
	struct upload *up = (struct upload *)base;
	struct handle *h = (struct handle *)base->st;

	LOCK_SCOPE(&h->m->lock);
	if (h->is_crashed)
		return fail("upload", "the process is no more", err);
	buf_append(&up->part->b, p, len);
	return RC_OK;
}

static void claim(struct handle *h, const char *key)
{
	struct mark *k = h->mark;

	if (!k)
		return;
	k->keys = mem_grow(k->keys, &k->cap_keys, k->n_keys + 1,
			   sizeof(*k->keys));
	k->keys[k->n_keys++] = xstrdup(key);
}

static enum rc memory_upload_commit(struct store_upload *base, const char *key,
				    bool *ret_existed, struct err *err)
{
	struct upload *up = (struct upload *)base;
	struct handle *h = (struct handle *)base->st;
	struct object *there;
	enum rc rc = RC_OK;
	bool is_lost;

	if (begin(h, key, &is_lost, err))
		return err->rc;
	there = find_any(h->m, key);
	*ret_existed = there;
	if (!there) {
		insert(h, key, up->part->b.p, up->part->b.len,
		       reached(h, key, is_lost));
	} else if (there->b.len != up->part->b.len) {
		rc = err_set(err, RC_EXISTS,
			     "%s: exists already with %zu bytes", key,
			     there->b.len);
	} else {
		there->places |= reached(h, key, is_lost);
	}
	if (!rc)
		claim(h, key);
	return end(h, key, rc, is_lost, err);
}

static void remove_part(struct memory *m, size_t i)
{
	part_free(m->parts[i]);
	m->n_parts--;
	memmove(m->parts + i, m->parts + i + 1,
		(m->n_parts - i) * sizeof(*m->parts));
}

static void memory_upload_free(struct store_upload *base)
{
	struct upload *up = (struct upload *)base;
	struct handle *h = (struct handle *)base->st;
	struct memory *m = h->m;

	LOCK_SCOPE(&m->lock);
	up->part->is_alive = false;
	for (size_t i = 0; !h->is_crashed && i < m->n_parts; i++) {
		if (m->parts[i] == up->part) {
			remove_part(m, i);
			break;
		}
	}
	free(up);
}

static enum rc memory_remove(struct store *st, const char *key, struct err *err)
{
	struct handle *h = (struct handle *)st;
	struct object *o;
	bool is_lost;

	if (begin(h, key, &is_lost, err))
		return err->rc;
	o = get(h, key, err);
	if (o)
		drop(h->m, (size_t)(o - h->m->objects),
		     reached(h, key, is_lost));
	return end(h, key, o ? RC_OK : RC_NOENT, is_lost, err);
}

/* All versions, in the places it reaches. */
static enum rc memory_purge(struct store *st, const char *key,
			    enum store_gone *ret, int64_t *ret_until,
			    struct err *err)
{
	struct handle *h = (struct handle *)st;
	struct memory *m = h->m;
	bool is_lost;

	(void)ret_until;
	if (begin(h, key, &is_lost, err))
		return err->rc;
	*ret = m->keeps_versions ? STORE_VERSIONS_REMOVED : STORE_REMOVED;
	for (size_t i = place_of(m, key);
	     i < m->n && !strcmp(m->objects[i].key, key);) {
		m->objects[i].places &= ~reached(h, key, is_lost);
		m->n_changes++;
		note_gone(m, key);
		if (m->objects[i].places)
			i++;
		else
			erase_at(m, i);
	}
	return end(h, key, RC_OK, is_lost, err);
}

static enum rc memory_each_place(struct store *st, const char *key,
				 store_place_fn *fn, void *arg, struct err *err)
{
	struct handle *h = (struct handle *)st;
	enum rc rc = RC_OK;

	(void)key;
	if (h->m->n_places == 1)
		return fn(arg, NULL, st, err);
	/* They are there as long as the whole. */
	if (!h->of_place)
		h->of_place = xcalloc(h->m->n_places, sizeof(*h->of_place));
	for (unsigned int i = 0; i < h->m->n_places && !rc; i++) {
		struct handle *place = &h->of_place[i];
		char name[] = "place-0";

		*place = (struct handle){ .base = h->base,
					  .m = h->m,
					  .actor = h->actor,
					  .skew = h->skew,
					  .kind = h->kind,
					  .places = 1u << i,
					  .whole = h };

		name[sizeof(name) - 2] = (char)('0' + i);
		rc = fn(arg, name, &place->base, err);
	}
	return rc;
}

static enum rc memory_run_begin(struct store *st, enum store_run_kind kind,
				struct store_run **ret, struct err *err)
{
	struct handle *h = (struct handle *)st;
	struct memory *m = h->m;
	struct run *run;
	bool is_lost;

	if (begin(h, "run", &is_lost, err))
		return err->rc;
	run = xcalloc(1, sizeof(*run));
	run->mark = xcalloc(1, sizeof(*run->mark));
	run->mark->is_alive = true;
	run->mark->begun = m->now;
	run->mark->kind = kind;
	snprintf(run->mark->name, sizeof(run->mark->name), "run-%" PRIu64,
		 ++m->n_runs);
	m->marks = mem_grow(m->marks, &m->cap_marks, m->n_marks + 1,
			    sizeof(*m->marks));
	m->marks[m->n_marks++] = run->mark;
	h->mark = run->mark;
	if (is_lost) {
		run->mark->is_alive = false;
		h->mark = NULL;
		free(run);
		run = NULL;
	}
	*ret = run ? &run->base : NULL;
	return end(h, "run", RC_OK, is_lost, err);
}

static void remove_mark(struct memory *m, size_t i)
{
	mark_free(m->marks[i]);
	m->n_marks--;
	memmove(m->marks + i, m->marks + i + 1,
		(m->n_marks - i) * sizeof(*m->marks));
}

static void memory_run_end(struct store_run *base, bool is_committed)
{
	struct run *run = (struct run *)base;
	struct handle *h = (struct handle *)base->st;
	struct memory *m = h->m;

	LOCK_SCOPE(&m->lock);
	/* Of who crashed the mark is dead, and others may have removed it. */
	if (!h->is_crashed)
		run->mark->is_alive = false;
	for (size_t i = 0; !h->is_crashed && i < m->n_marks; i++) {
		if (m->marks[i] == run->mark &&
		    (is_committed || !run->mark->n_keys)) {
			remove_mark(m, i);
			break;
		}
	}
	h->mark = NULL;
	free(run);
}

static enum rc memory_runs_alive(struct store *st, const struct store_run *own,
				 unsigned int *ret, struct err *err)
{
	const struct run *run = (const struct run *)own;
	struct handle *h = (struct handle *)st;
	bool is_lost;

	if (begin(h, "runs", &is_lost, err))
		return err->rc;
	*ret = 0;
	for (size_t i = 0; i < h->m->n_marks; i++)
		*ret += h->m->marks[i]->is_alive &&
			(!run || h->m->marks[i] != run->mark);
	return end(h, "runs", RC_OK, is_lost, err);
}

static enum rc memory_runs_oldest(struct store *st, unsigned int kinds,
				  const struct store_run *own, int64_t *ret_us,
				  struct err *err)
{
	const struct run *run = (const struct run *)own;
	struct handle *h = (struct handle *)st;
	bool is_lost;

	if (begin(h, "runs", &is_lost, err))
		return err->rc;
	*ret_us = INT64_MAX;
	for (size_t i = 0; i < h->m->n_marks; i++) {
		const struct mark *k = h->m->marks[i];

		if (k->is_alive && kinds & 1u << k->kind &&
		    (!run || k != run->mark) && is_shown(h, k->begun) &&
		    k->begun < *ret_us)
			*ret_us = k->begun;
	}
	return end(h, "runs", RC_OK, is_lost, err);
}

/* There are none. */
static enum rc memory_strays(struct store *st, bool remove, int64_t min_age,
			     store_stray_fn *fn, void *arg, struct err *err)
{
	struct handle *h = (struct handle *)st;
	bool is_lost;

	(void)remove;
	(void)min_age;
	(void)fn;
	(void)arg;
	if (begin(h, "strays", &is_lost, err))
		return err->rc;
	return end(h, "strays", RC_OK, is_lost, err);
}

static enum rc memory_has_tmp(struct store *st, bool *ret, struct err *err)
{
	struct handle *h = (struct handle *)st;
	bool is_lost, is_any = false;

	if (begin(h, "tmp", &is_lost, err))
		return err->rc;
	for (size_t i = 0; i < h->m->n_marks; i++)
		is_any |= !h->m->marks[i]->is_alive ||
			  is_shown(h, h->m->marks[i]->begun);
	*ret = is_any || h->m->n_parts;
	return end(h, "tmp", RC_OK, is_lost, err);
}

struct claim {
	char run[24];
	char *key;
};

static enum rc memory_claims(struct store *st, store_claim_fn *fn, void *arg,
			     struct err *err)
{
	struct handle *h = (struct handle *)st;
	struct memory *m = h->m;
	struct claim *all = NULL;
	size_t n = 0, cap = 0;
	bool is_lost;
	enum rc rc;

	if (begin(h, "claims", &is_lost, err))
		return err->rc;
	for (size_t i = 0; i < m->n_marks; i++) {
		const struct mark *k = m->marks[i];

		if (k->is_alive || m->lag)
			continue;
		for (size_t j = 0; j <= k->n_keys; j++) {
			all = mem_grow(all, &cap, n + 1, sizeof(*all));
			memcpy(all[n].run, k->name, sizeof(k->name));
			all[n++].key = j ? xstrdup(k->keys[j - 1]) : NULL;
		}
	}
	rc = end(h, "claims", RC_OK, is_lost, err);
	for (size_t i = 0; i < n; i++) {
		if (!rc)
			rc = fn(arg, all[i].run, all[i].key, err);
		free(all[i].key);
	}
	free(all);
	return rc;
}

static enum rc memory_leftovers(struct store *st, bool remove,
				store_goes_fn *goes, store_leftover_fn *fn,
				void *arg, struct err *err)
{
	struct handle *h = (struct handle *)st;
	struct memory *m = h->m;
	bool is_lost;

	if (begin(h, "leftovers", &is_lost, err))
		return err->rc;
	for (size_t i = m->n_parts; i-- > 0;) {
		if (m->parts[i]->is_alive)
			continue;
		fn(arg, "unfinished upload", m->parts[i]->b.len);
		if (remove)
			remove_part(m, i);
	}
	for (size_t i = m->n_marks; i-- > 0;) {
		if (m->marks[i]->is_alive ||
		    (m->marks[i]->n_keys &&
		     (m->lag || (goes && !goes(arg, m->marks[i]->name)))))
			continue;
		fn(arg, "mark of a dead run", 0);
		if (remove)
			remove_mark(m, i);
	}
	return end(h, "leftovers", RC_OK, is_lost, err);
}

void memory_each(const struct memory *m, memory_each_fn *fn, void *arg)
{
	for (size_t i = 0; i < m->n; i++)
		fn(arg, m->objects[i].key, &m->objects[i].b,
		   m->objects[i].is_old);
	for (size_t i = 0; i < m->n_parts; i++)
		fn(arg, "unfinished upload", &m->parts[i]->b, true);
}

bool memory_has(const struct memory *m, const char *key)
{
	return find_any(m, key);
}

void memory_flip(struct memory *m, const char *key, uint64_t off)
{
	struct object *o = find_any(m, key);

	if (o && off < o->b.len)
		o->b.p[off] ^= 1;
}

static const struct store_backend backend = {
	.name = "memory",
	.close = memory_close,
	.read_tail = memory_read_tail,
	.read = memory_read,
	.list = memory_list,
	.each_place = memory_each_place,
};

static const struct store_writer writer = {
	.backend = &backend,
	.replace = memory_replace,
	.upload_new = memory_upload_new,
	.upload_write = memory_upload_write,
	.upload_commit = memory_upload_commit,
	.upload_free = memory_upload_free,
	.remove = memory_remove,
	.purge = memory_purge,
	.run_begin = memory_run_begin,
	.run_end = memory_run_end,
	.runs_alive = memory_runs_alive,
	.runs_oldest = memory_runs_oldest,
	.claims = memory_claims,
	.leftovers = memory_leftovers,
	.strays = memory_strays,
	.has_tmp = memory_has_tmp,
};
