/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-write.c - a call of a zone store becomes one of each place: the
 * writing half's table.
 */
#include "config.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store-zone-write-backend.h"

static enum rc has_archive(const struct conf_zone_store *c, bool *ret,
			   struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct object_info info;
	struct store *st = NULL;
	enum rc rc = store_open(&st, c->url, &c->set, err);

	if (!rc)
		rc = store_read_tail(st, "desfs.json", 1, &b, &info, err);
	store_close(st);
	*ret = !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

/* The first run makes what is missing.  Later ones do not: it may be a disk
 * that is not mounted.
 */
static enum rc create_places(const struct conf_zones *conf, struct err *err)
{
	bool is_there = false;

	for (size_t i = 0; i < conf->n_stores && !is_there; i++) {
		if (has_archive(&conf->stores[i], &is_there, err))
			return err_prefix(err, "store %s",
					  conf->stores[i].name);
	}
	for (size_t i = 0; i < conf->n_stores; i++) {
		const struct conf_zone_store *c = &conf->stores[i];
		struct store *st = NULL;
		enum rc rc = is_there ? store_open(&st, c->url, &c->set, err)
				      : store_create(&st, c->url, &c->set, err);

		store_close(st);
		if (rc)
			return err_prefix(err, "store %s", c->name);
	}
	return RC_OK;
}

static enum rc zone_create(const char *path, const struct store_settings *set,
			   struct err *err)
{
	struct conf_zones conf = { 0 };
	enum rc rc = conf_zones_load(&conf, path, set, err);

	if (!rc && create_places(&conf, err))
		rc = err_prefix(err, "%s", path);
	conf_zones_release(&conf);
	return rc;
}

static enum rc zone_attach(struct store *st, struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		struct place *p = &zs->places[i];

		if (store_create(&p->writer, p->conf->url, &p->conf->set, err))
			return zone_place_failed(p, err);
	}
	return RC_OK;
}

/* Call fn for each place that a key belongs in, until one fails. */
typedef enum rc each_fn(void *arg, struct store *place, struct err *err);

static enum rc for_each(struct store *st, const char *key, each_fn *fn,
			void *arg, struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		const struct place *p = &zs->places[i];

		if (zone_place_has(zs, p, key) && fn(arg, p->writer, err))
			return zone_place_failed(p, err);
	}
	return RC_OK;
}

struct put_call {
	const char *key;
	const void *p;
	size_t len;
	bool is_made; /* somewhere */
};

static enum rc put_one(void *arg, struct store *place, struct err *err)
{
	struct put_call *c = arg;
	bool existed = false;

	if (store_put(place, c->key, c->p, c->len, &existed, err))
		return err->rc;
	c->is_made |= !existed;
	return RC_OK;
}

static enum rc zone_put(struct store *st, const char *key, const void *p,
			size_t len, bool *ret_existed, struct err *err)
{
	struct put_call c = { .key = key, .p = p, .len = len };

	if (for_each(st, key, put_one, &c, err))
		return err->rc;
	*ret_existed = !c.is_made;
	return RC_OK;
}

/* Not through the door of store-write.c, which lets nobody below STORE_TMP. */
static enum rc replace_one(void *arg, struct store *place, struct err *err)
{
	const struct put_call *c = arg;

	return place->writer->replace(place, c->key, c->p, c->len, err);
}

static enum rc zone_replace(struct store *st, const char *key, const void *p,
			    size_t len, struct err *err)
{
	struct put_call c = { .key = key, .p = p, .len = len };

	return for_each(st, key, replace_one, &c, err);
}

struct remove_call {
	const char *key;
	bool is_removed; /* somewhere */
};

/* What is there in one place and gone from another was cut short. */
static enum rc remove_one(void *arg, struct store *place, struct err *err)
{
	struct remove_call *c = arg;
	enum rc rc = place->writer->remove(place, c->key, err);

	c->is_removed |= !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc zone_remove(struct store *st, const char *key, struct err *err)
{
	struct remove_call c = { .key = key };

	if (for_each(st, key, remove_one, &c, err))
		return err->rc;
	return c.is_removed ? RC_OK
			    : err_set(err, RC_NOENT, "%s: not found", key);
}

struct purge_call {
	const char *key;
	enum store_gone gone; /* the worst */
	int64_t until;        /* of what is kept: the latest */
	bool is_unknown;
};

static enum rc purge_one(void *arg, struct store *place, struct err *err)
{
	struct purge_call *c = arg;
	enum store_gone gone = STORE_REMOVED;
	int64_t until;

	if (store_purge(place, c->key, &gone, &until, err))
		return err->rc;
	if (gone > c->gone)
		c->gone = gone;
	if (gone != STORE_KEPT)
		return RC_OK;
	c->is_unknown |= until == STORE_UNTIL_UNKNOWN;
	if (until > c->until)
		c->until = until;
	return RC_OK;
}

static enum rc zone_purge(struct store *st, const char *key,
			  enum store_gone *ret, int64_t *ret_until,
			  struct err *err)
{
	struct purge_call c = { .key = key, .until = INT64_MIN };

	if (for_each(st, key, purge_one, &c, err))
		return err->rc;
	*ret = c.gone;
	if (c.gone == STORE_KEPT)
		*ret_until = c.is_unknown ? STORE_UNTIL_UNKNOWN : c.until;
	return RC_OK;
}

static void zone_forget(struct store *st, const char *key)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		if (zone_place_has(zs, &zs->places[i], key))
			store_forget(zs->places[i].writer, key);
	}
}

static enum rc zone_claims(struct store *st, store_claim_fn *fn, void *arg,
			   struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		if (store_claims(zs->places[i].writer, fn, arg, err))
			return zone_place_failed(&zs->places[i], err);
	}
	return RC_OK;
}

/* What is told of a place begins with its name. */
struct teller {
	const char *name;
	store_goes_fn *goes;
	store_leftover_fn *leftover;
	store_stray_fn *stray;
	void *arg;
};

static void tell_leftover(void *arg, const char *what, uint64_t size)
{
	const struct teller *t = arg;
	CLEANUP_FREE char *text = xasprintf("store %s: %s", t->name, what);

	t->leftover(t->arg, text, size);
}

static bool ask_goes(void *arg, const char *run)
{
	const struct teller *t = arg;

	return t->goes(t->arg, run);
}

static enum rc zone_leftovers(struct store *st, bool remove,
			      store_goes_fn *goes, store_leftover_fn *fn,
			      void *arg, struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		struct teller t = { zs->places[i].conf->name, goes, fn, NULL,
				    arg };

		if (store_leftovers(zs->places[i].writer, remove,
				    goes ? ask_goes : NULL, tell_leftover, &t,
				    err))
			return zone_place_failed(&zs->places[i], err);
	}
	return RC_OK;
}

static void tell_stray(void *arg, const char *what, uint64_t size, int64_t age,
		       bool is_removed)
{
	const struct teller *t = arg;
	CLEANUP_FREE char *text = xasprintf("store %s: %s", t->name, what);

	t->stray(t->arg, text, size, age, is_removed);
}

static enum rc zone_strays(struct store *st, bool remove, int64_t min_age,
			   store_stray_fn *fn, void *arg, struct err *err)
{
	struct zone_store *zs = (struct zone_store *)st;

	for (size_t i = 0; i < zs->conf.n_stores; i++) {
		struct teller t = { zs->places[i].conf->name, NULL, NULL, fn,
				    arg };

		if (store_strays(zs->places[i].writer, remove, min_age,
				 tell_stray, &t, err))
			return zone_place_failed(&zs->places[i], err);
	}
	return RC_OK;
}

const struct store_writer store_writer_zone = {
	.backend = &store_backend_zone,
	.create = zone_create,
	.attach = zone_attach,
	.put = zone_put,
	.replace = zone_replace,
	.upload_memory = zone_upload_memory,
	.upload_new = zone_upload_new,
	.upload_set_slot = zone_upload_set_slot,
	.upload_write = zone_upload_write,
	.upload_commit = zone_upload_commit,
	.upload_free = zone_upload_free,
	.remove = zone_remove,
	.purge = zone_purge,
	.forget = zone_forget,
	.run_begin = zone_run_begin,
	.run_end = zone_run_end,
	.runs_alive = zone_runs_alive,
	.runs_oldest = zone_runs_oldest,
	.idle_begin = zone_idle_begin,
	.idle_end = zone_idle_end,
	.claims = zone_claims,
	.leftovers = zone_leftovers,
	.strays = zone_strays,
};
