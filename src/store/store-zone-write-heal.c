/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-write-heal.c - what a run that died between two places has put
 * into the first ones only is given to the others.
 *
 * The log is a set that grows, so a record that any place has counts, and what
 * it names is where it belongs, since that is written before.  One that was
 * just removed since a checkpoint stands for it may come back, which changes
 * nothing.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/table.h"
#include "store/log-index.h"
#include "store/store-zone-write-backend.h"
#include "store/zones-mark.h"

#define DESCRIPTOR "desfs.json"
#define OBJECT_MAX (64u << 20) /* bytes */
#define MARK_WRITES_MAX 8u

struct seen {
	char *key;
	bool *is_in; /* by place */
	UT_hash_handle hh;
};

struct heal {
	struct zone_store *zs;
	size_t place; /* that is listed */
	struct seen *all;
};

static void heal_release(struct heal *h)
{
	struct seen *s, *next;

	HASH_ITER(hh, h->all, s, next)
	{
		HASH_DEL(h->all, s);
		free(s->key);
		free(s->is_in);
		free(s);
	}
}

static void note(struct heal *h, const char *key)
{
	struct seen *s = NULL;

	HASH_FIND_STR(h->all, key, s);
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->key = xstrdup(key);
		s->is_in = xcalloc(h->zs->conf.n_stores, sizeof(*s->is_in));
		HASH_ADD_KEYPTR(hh, h->all, s->key, strlen(s->key), s);
	}
	s->is_in[h->place] = true;
}

/* store_list_fn */
static enum rc note_key(void *arg, const char *key, uint64_t size,
			struct err *err)
{
	(void)size;
	(void)err;
	if (strcmp(key, LOG_INDEX_KEY) != 0)
		note(arg, key);
	return RC_OK;
}

static enum rc copy_to(struct heal *h, const struct seen *s,
		       const struct buf *b, struct err *err)
{
	for (size_t i = 0; i < h->zs->conf.n_stores; i++) {
		const struct place *p = &h->zs->places[i];
		bool existed = false;

		if (s->is_in[i])
			continue;
		if (store_put(p->writer, s->key, b->p, b->len, &existed, err))
			return zone_place_failed(p, err);
		log_info("store %s: given %s, which another has", p->conf->name,
			 s->key);
	}
	return RC_OK;
}

static size_t first_with(const struct seen *s)
{
	size_t i = 0;

	while (!s->is_in[i])
		i++;
	return i;
}

static bool is_everywhere(const struct heal *h, const struct seen *s)
{
	for (size_t i = 0; i < h->zs->conf.n_stores; i++) {
		if (!s->is_in[i])
			return false;
	}
	return true;
}

static enum rc heal_key(struct heal *h, const struct seen *s, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = OBJECT_MAX };
	const struct place *from;
	enum rc rc;

	if (is_everywhere(h, s))
		return RC_OK;
	from = &h->zs->places[first_with(s)];
	rc = store_read_all(from->writer, s->key, OBJECT_MAX, &b, err);
	/* Removed meanwhile: then it is not needed. */
	if (rc == RC_NOENT)
		return RC_OK;
	return rc ? zone_place_failed(from, err) : copy_to(h, s, &b, err);
}

/* Before anything is copied: logs of two archives are not to be mixed. */
static enum rc heal_descriptor(struct heal *h, struct err *err)
{
	CLEANUP_BUF struct buf first = { .max = OBJECT_MAX };
	const struct place *first_place = NULL;
	struct seen *s = NULL;

	for (h->place = 0; h->place < h->zs->conf.n_stores; h->place++) {
		CLEANUP_BUF struct buf b = { .max = OBJECT_MAX };
		const struct place *p = &h->zs->places[h->place];
		enum rc rc = store_read_all(p->writer, DESCRIPTOR, OBJECT_MAX,
					    &b, err);

		if (rc == RC_NOENT)
			continue;
		if (rc)
			return zone_place_failed(p, err);
		note(h, DESCRIPTOR);
		if (first_place &&
		    (b.len != first.len ||
		     (b.len && memcmp(b.p, first.p, b.len) != 0)))
			return err_set(err, RC_EXISTS,
				       "stores %s and %s are of two archives: "
				       "their desfs.json differ",
				       first_place->conf->name, p->conf->name);
		if (!first_place)
			buf_append(&first, b.p, b.len);
		first_place = first_place ? first_place : p;
	}
	HASH_FIND_STR(h->all, DESCRIPTOR, s);
	return s && !is_everywhere(h, s) ? copy_to(h, s, &first, err) : RC_OK;
}

static enum rc read_mark(const struct place *p, bool *ret_is_there,
			 uint64_t *ret_n, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = ZONES_MARK_MAX };
	enum rc rc = store_read_all(p->writer, STORE_ZONES_KEY, ZONES_MARK_MAX,
				    &b, err);

	*ret_is_there = !rc;
	*ret_n = rc ? 0 : zones_mark_decode(b.p, b.len);
	return rc == RC_NOENT ? RC_OK : rc;
}

/* Of another run's that was quicker either may be there then. */
static enum rc write_mark(const struct place *p, bool is_there, size_t n_stores,
			  struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = ZONES_MARK_MAX };
	bool existed;
	enum rc rc;

	zones_mark_encode(n_stores, &text);
	if (is_there)
		return store_replace(p->writer, STORE_ZONES_KEY, text.p,
				     text.len, err);
	rc = store_put(p->writer, STORE_ZONES_KEY, text.p, text.len, &existed,
		       err);
	return rc == RC_EXISTS ? RC_OK : rc;
}

/* It says of how many stores the archive has had the most: who names fewer than
 * that does not know all of them.  Another run that names fewer may have looked
 * before ours and written after it: so ours looks once more.
 */
static enum rc mark_place(const struct place *p, size_t n_stores,
			  struct err *err)
{
	for (unsigned int i = 0; i <= MARK_WRITES_MAX; i++) {
		bool is_there = false;
		uint64_t n = 0;

		if (read_mark(p, &is_there, &n, err))
			return err->rc;
		if (is_there && n >= n_stores)
			return RC_OK;
		if (i < MARK_WRITES_MAX &&
		    write_mark(p, is_there, n_stores, err))
			return err->rc;
	}
	return err_set(err, RC_CHANGED,
		       "%s: others keep writing that there are fewer stores",
		       STORE_ZONES_KEY);
}

/* See STORE_ZONES_KEY. */
static enum rc mark_zones(const struct zone_store *zs, struct err *err)
{
	size_t n = zs->conf.n_stores;

	for (size_t i = 0; n > 1 && i < n; i++) {
		if (mark_place(&zs->places[i], n, err))
			return zone_place_failed(&zs->places[i], err);
	}
	return RC_OK;
}

enum rc zone_heal(struct zone_store *zs, struct err *err)
{
	CLEANUP(heal_release) struct heal h = { .zs = zs };
	struct seen *s, *next;

	if (heal_descriptor(&h, err) || mark_zones(zs, err))
		return err->rc;
	for (h.place = 0; h.place < zs->conf.n_stores; h.place++) {
		const struct place *p = &zs->places[h.place];

		if (store_list(p->writer, LOG_INDEX_DIR, NULL, note_key, &h,
			       err))
			return zone_place_failed(p, err);
	}
	HASH_ITER(hh, h.all, s, next)
	{
		if (strcmp(s->key, DESCRIPTOR) != 0 && heal_key(&h, s, err))
			return err->rc;
	}
	return RC_OK;
}
