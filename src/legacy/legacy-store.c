/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-store.c - an archive of an older program, shown as one of format 3. */
#include "config.h"

#include "legacy/legacy-store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "legacy/legacy-store-backend.h"
#include "store/store-made.h"

static bool has_prefix(const char *key, const char *prefix)
{
	return !strncmp(key, prefix, strlen(prefix));
}

/* --- objects -------------------------------------------------------------- */

/* An object of the store, held. */
struct object {
	struct legacy_shards *shards; /* of a shard, else: */
	const struct legacy_shard *shard;
	char *text;
	size_t len;
};

static void object_release(struct object *o)
{
	legacy_shards_unref(o->shards);
	free(o->text);
	*o = (struct object){ .shards = NULL };
}

static bool find_shard(struct legacy_store *s, struct legacy_shards *among,
		       const char *key, struct object *ret)
{
	(void)s;
	ret->shard = among ? legacy_shards_find(among, key) : NULL;
	if (!ret->shard)
		return false;
	ret->shards = legacy_shards_ref(among);
	return true;
}

static bool find_text(const char *key, const char *want, const struct buf *text,
		      struct object *ret)
{
	if (strcmp(key, want) != 0)
		return false;
	ret->text = xmemdup0(text->p, text->len);
	ret->len = text->len;
	return true;
}

static enum rc find(struct legacy_store *s, const char *key, struct object *ret,
		    struct err *err)
{
	LOCK_SCOPE(&s->lock);

	if (find_text(key, LEGACY_DESCRIPTOR, &s->descriptor, ret) ||
	    find_shard(s, s->shards, key, ret))
		return RC_OK;
	for (size_t i = 0; i < LEGACY_OLD; i++) {
		if (find_shard(s, s->old[i], key, ret))
			return RC_OK;
	}
	for (size_t i = 0; i < s->n_records; i++) {
		if (find_text(key, s->records[i].key, &s->records[i].text, ret))
			return RC_OK;
	}
	return err_set(err, RC_NOENT, "%s: No such file or directory", key);
}

static uint64_t size_of(const struct object *o)
{
	return o->shard ? o->shard->size : o->len;
}

static enum rc read_object(struct legacy_store *s, const struct object *o,
			   const char *key, uint64_t off, void *buf, size_t len,
			   bool is_ahead, struct err *err)
{
	if (o->shard)
		return legacy_shards_read(o->shards, o->shard, s->contents, off,
					  buf, len, is_ahead, err);
	if (off > o->len || len > o->len - off)
		return err_set(err, RC_CORRUPT,
			       "%s: ends after %zu bytes, %zu at %" PRIu64
			       " are wanted",
			       key, o->len, len, off);
	memcpy(buf, o->text + off, len);
	return RC_OK;
}

/* --- operations ----------------------------------------------------------- */

static enum rc legacy_read_tail(void *arg, const char *key, size_t max,
				struct buf *ret, struct object_info *ret_info,
				struct err *err)
{
	CLEANUP(object_release) struct object o = { 0 };
	struct legacy_store *s = arg;
	uint64_t size;
	uint8_t *p;
	size_t len;

	if (find(s, key, &o, err))
		return err->rc;
	size = size_of(&o);
	len = size < max ? (size_t)size : max;
	p = buf_reserve(ret, len);
	if (!p)
		return err_set(err, RC_LIMIT, "%s: no room for %zu bytes", key,
			       len);
	if (read_object(s, &o, key, size - len, p, len, false, err))
		return err->rc;
	ret->len += len;
	*ret_info = (struct object_info){ .size = size };
	return RC_OK;
}

static enum rc legacy_read(void *arg, const char *key,
			   const struct object_info *expect, uint64_t off,
			   void *buf, size_t len, bool is_ahead,
			   struct err *err)
{
	CLEANUP(object_release) struct object o = { 0 };
	struct legacy_store *s = arg;

	(void)expect; /* keys of shards have the hash of their bytes */
	if (find(s, key, &o, err))
		return err->rc;
	return read_object(s, &o, key, off, buf, len, is_ahead, err);
}

/* --- lists ---------------------------------------------------------------- */

struct listing {
	const char *prefix, *start_after;
	char **keys;
	uint64_t *sizes;
	size_t n, cap, cap_sizes;
};

static void list_key(struct listing *l, const char *key, uint64_t size)
{
	if (!has_prefix(key, l->prefix) || strcmp(key, l->start_after) <= 0)
		return;
	l->keys = mem_grow(l->keys, &l->cap, l->n + 1, sizeof(*l->keys));
	l->sizes =
		mem_grow(l->sizes, &l->cap_sizes, l->n + 1, sizeof(*l->sizes));
	l->keys[l->n] = xstrdup(key);
	l->sizes[l->n++] = size;
}

/* In the order of keys. */
static void gather(struct legacy_store *s, struct listing *l)
{
	LOCK_SCOPE(&s->lock);

	for (size_t i = 0; i < s->shards->n; i++)
		list_key(l, s->shards->shards[i].key,
			 s->shards->shards[i].size);
	list_key(l, LEGACY_DESCRIPTOR, s->descriptor.len);
	for (size_t i = 0; i < s->n_records; i++)
		list_key(l, s->records[i].key, s->records[i].text.len);
}

static enum rc legacy_list(void *arg, const char *prefix,
			   const char *start_after, store_list_fn *fn,
			   void *arg_of_fn, struct err *err)
{
	struct listing l = { .prefix = prefix, .start_after = start_after };
	struct legacy_store *s = arg;
	enum rc rc = RC_OK;

	if (has_prefix(prefix, LEGACY_LOG) && legacy_store_look(s, true, err))
		return err->rc;
	gather(s, &l);
	for (size_t i = 0; i < l.n && !rc; i++)
		rc = fn(arg_of_fn, l.keys[i], l.sizes[i], err);
	for (size_t i = 0; i < l.n; i++)
		free(l.keys[i]);
	free(l.keys);
	free(l.sizes);
	return rc;
}

/* --- opening -------------------------------------------------------------- */

static void legacy_close(void *arg)
{
	struct legacy_store *s = arg;

	for (size_t i = 0; i < s->n_records; i++)
		legacy_record_release(&s->records[i]);
	free(s->records);
	for (size_t i = 0; i < s->n_damage; i++)
		free(s->damage[i]);
	free(s->damage);
	for (size_t i = 0; i < s->n_replaced; i++)
		free(s->replaced[i]);
	free(s->replaced);
	free(s->again);
	legacy_shards_unref(s->shards);
	for (size_t i = 0; i < LEGACY_OLD; i++)
		legacy_shards_unref(s->old[i]);
	legacy_sources_release(&s->sources);
	legacy_damage_release(&s->left_out);
	for (size_t i = 0; i < LEGACY_THREADS; i++)
		spool_release(&s->spools[i]);
	legacy_contents_free(s->contents);
	legacy_objects_free(s->objects);
	buf_release(&s->descriptor);
	pthread_cond_destroy(&s->looked);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static const struct store_made_ops ops = {
	.read_tail = legacy_read_tail,
	.read = legacy_read,
	.list = legacy_list,
	.close = legacy_close,
};

/* There is none where there is nothing, or nothing can be listed.  What keeps
 * us from looking is no answer.
 */
static bool is_answer(enum rc rc)
{
	return !rc || rc == RC_NOENT || rc == RC_UNSUPPORTED;
}

enum rc legacy_store_exists(struct store *st, bool *ret, struct err *err)
{
	enum rc rc = legacy_sources_exist(st, ret, err);

	return is_answer(rc) ? RC_OK : rc;
}

enum rc legacy_store_refuse(struct store *st, struct err *err)
{
	bool is_there = false;
	struct err why;

	if (!is_answer(legacy_sources_exist(st, &is_there, &why))) {
		*err = why;
		return err_prefix(err, "%s", store_url(st));
	}
	if (!is_there)
		return err->rc;
	return err_set(err, RC_UNSUPPORTED,
		       "%s: archive of an older program: convert it first "
		       "('desfs convert')",
		       store_url(st));
}

enum rc legacy_store_open(struct store *st, const struct legacy_options *o,
			  struct store **ret, struct err *err)
{
	struct legacy_store *s = xcalloc(1, sizeof(*s));
	enum rc rc;

	s->below = st;
	s->o = *o;
	if (!s->o.spool)
		s->o.spool = spool_default_dir();
	pthread_cond_init(&s->looked, NULL);
	pthread_mutex_init(&s->lock, NULL);
	buf_init(&s->descriptor, 4096);
	for (size_t i = 0; i < LEGACY_THREADS; i++)
		spool_init(&s->spools[i], s->o.spool, LEGACY_SPOOL_MEMORY);
	s->objects = legacy_objects_new();
	s->contents = legacy_contents_new(st, s->objects, s->o.spool);
	rc = legacy_store_look(s, false, err);
	if (rc)
		legacy_close(s);
	else
		*ret = store_made_new(&ops, s, st);
	return rc;
}

/* --- what is known -------------------------------------------------------- */

bool legacy_store_is(const struct store *st)
{
	return store_made_arg(st, &ops);
}

uint64_t legacy_store_damage(struct store *st, legacy_damage_fn *fn, void *arg)
{
	struct legacy_store *s = store_made_arg(st, &ops);
	LOCK_SCOPE(&s->lock);

	for (size_t i = 0; i < s->n_damage; i++)
		fn(arg, s->damage[i]);
	return s->n_damage_all;
}

uint64_t legacy_store_shards(struct store *st)
{
	struct legacy_store *s = store_made_arg(st, &ops);
	LOCK_SCOPE(&s->lock);

	return s->n_sources;
}

enum rc legacy_store_is_deleted(struct store *st, struct span uid, bool *ret,
				struct err *err)
{
	struct legacy_store *s = store_made_arg(st, &ops);
	struct legacy_shards *shards;
	enum rc rc;

	pthread_mutex_lock(&s->lock);
	shards = legacy_shards_ref(s->shards);
	pthread_mutex_unlock(&s->lock);
	rc = legacy_deleted_has(&shards->deleted, uid, ret, err);
	legacy_shards_unref(shards);
	return rc;
}

void legacy_store_bits(struct store *st, char *ret)
{
	struct legacy_store *s = store_made_arg(st, &ops);
	LOCK_SCOPE(&s->lock);

	if (s->o.n_bits)
		snprintf(ret, LEGACY_BITS_TEXT, "n_bits is %u, as was asked",
			 s->o.n_bits);
	else
		legacy_bits_text(&s->bits, ret);
}
