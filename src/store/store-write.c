/* SPDX-License-Identifier: Apache-2.0 */
/* store-write.c - opens stores for writing; the door to their writing halves.
 */
#include "config.h"

#include "store/store-write.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/key.h"
#include "base/unique.h"
#include "store/store-backend.h"

static const struct store_writer *const writers[] = {
	&store_writer_local,
	&store_writer_s3,
	&store_writer_zone,
};

static enum rc find_writer(const char *url, const struct store_writer **ret,
			   const char **ret_rest, struct err *err)
{
	const struct store_backend *backend = NULL;

	if (store_find_backend(url, &backend, ret_rest, err))
		return err->rc;
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		*ret = writers[i];
		if (writers[i]->backend == backend)
			return RC_OK;
	}
	/* A place with a user in it may have a password too. */
	if (strchr(url, '@'))
		return err_set(err, RC_USAGE, "%s", backend->no_writer);
	return err_set(err, RC_USAGE, "%s: %s", url, backend->no_writer);
}

enum rc store_check_writable(const char *url, struct err *err)
{
	const struct store_writer *writer = NULL;
	const char *rest = NULL;

	return find_writer(url, &writer, &rest, err);
}

enum rc store_create(struct store **ret, const char *url,
		     const struct store_settings *set, struct err *err)
{
	const struct store_writer *writer = NULL;
	const char *rest = NULL;

	if (find_writer(url, &writer, &rest, err))
		return err->rc;
	if (writer->create(rest, set ? set : &store_settings_default, err) ||
	    store_open(ret, url, set, err))
		return err->rc;
	(*ret)->writer = writer;
	if (!writer->attach || !writer->attach(*ret, err))
		return RC_OK;
	store_close(*ret);
	*ret = NULL;
	return err->rc;
}

static enum rc check_writer(const struct store *st, struct err *err)
{
	if (st->writer)
		return RC_OK;
	return err_set(err, RC_USAGE, "%s: not opened for writing", st->url);
}

static enum rc check_key(const char *key, struct err *err)
{
	if (key_is_valid(key) && strncmp(key, STORE_TMP "/", 4) != 0)
		return RC_OK;
	return err_set(err, RC_USAGE, "%s: not a valid key", key);
}

enum rc store_upload_new(struct store *st, struct store_upload **ret,
			 struct err *err)
{
	if (check_writer(st, err) || st->writer->upload_new(st, ret, err))
		return err->rc;
	(*ret)->st = st;
	return RC_OK;
}

uint64_t store_upload_memory(const char *url, const struct store_settings *set,
			     unsigned int n_uploads)
{
	const struct store_writer *writer = NULL;
	const char *rest = NULL;
	struct err err;

	if (find_writer(url, &writer, &rest, &err) || !writer->upload_memory)
		return 0;
	return writer->upload_memory(rest, set ? set : &store_settings_default,
				     n_uploads);
}

void store_upload_set_slot(struct store_upload *up, uint32_t slot)
{
	if (up->st->writer->upload_set_slot)
		up->st->writer->upload_set_slot(up, slot);
}

enum rc store_upload_write(struct store_upload *up, const void *p, size_t len,
			   struct err *err)
{
	return up->st->writer->upload_write(up, p, len, err);
}

bool store_upload_can_read(const struct store_upload *up)
{
	return up->st->writer->upload_read;
}

enum rc store_upload_read(struct store_upload *up, uint64_t off, void *buf,
			  size_t len, struct err *err)
{
	return up->st->writer->upload_read(up, off, buf, len, err);
}

enum rc store_upload_commit(struct store_upload *up, const char *key,
			    bool *ret_existed, struct err *err)
{
	if (check_key(key, err))
		return err->rc;
	return up->st->writer->upload_commit(up, key, ret_existed, err);
}

void store_upload_free(struct store_upload *up)
{
	if (up)
		up->st->writer->upload_free(up);
}

static void upload_free_p(struct store_upload **up)
{
	store_upload_free(*up);
}

/* RC_EXISTS unless the object has just these bytes. */
static enum rc compare(struct store *st, const char *key, const void *p,
		       size_t len, struct err *err)
{
	CLEANUP_BUF struct buf there = { 0 };

	buf_init(&there, len);
	if (store_read_all(st, key, len, &there, err))
		return err->rc;
	if (there.len != len || (len && memcmp(there.p, p, len) != 0))
		return err_set(err, RC_EXISTS,
			       "%s: exists already with other content", key);
	return RC_OK;
}

enum rc store_put(struct store *st, const char *key, const void *p, size_t len,
		  bool *ret_existed, struct err *err)
{
	CLEANUP(upload_free_p) struct store_upload *up = NULL;
	bool existed = false;

	if (check_writer(st, err))
		return err->rc;
	if (st->writer->put)
		return check_key(key, err) ? err->rc
					   : st->writer->put(st, key, p, len,
							     ret_existed, err);
	if (store_upload_new(st, &up, err) ||
	    store_upload_write(up, p, len, err) ||
	    store_upload_commit(up, key, &existed, err))
		return err->rc;
	if (existed && compare(st, key, p, len, err))
		return err->rc;
	*ret_existed = existed;
	return RC_OK;
}

enum rc store_replace(struct store *st, const char *key, const void *p,
		      size_t len, struct err *err)
{
	if (check_writer(st, err) || check_key(key, err))
		return err->rc;
	return st->writer->replace(st, key, p, len, err);
}

/* store_place_fn */
static enum rc sync_place(void *arg, const char *zone, struct store *place,
			  struct err *err)
{
	const char *const *key = arg;

	(void)zone;
	if (check_writer(place, err))
		return err->rc;
	return place->writer->sync ? place->writer->sync(place, *key, err)
				   : RC_OK;
}

enum rc store_sync(struct store *st, const char *key, struct err *err)
{
	if (check_key(key, err))
		return err->rc;
	return store_each_place(st, key, sync_place, &key, err);
}

enum rc store_remove(struct store *st, const char *key, struct err *err)
{
	if (check_writer(st, err) || check_key(key, err))
		return err->rc;
	return st->writer->remove(st, key, err);
}

enum rc store_purge(struct store *st, const char *key, enum store_gone *ret,
		    int64_t *ret_until, struct err *err)
{
	if (check_writer(st, err) || check_key(key, err))
		return err->rc;
	*ret_until = STORE_UNTIL_UNKNOWN;
	return st->writer->purge(st, key, ret, ret_until, err);
}

enum rc store_each_place(struct store *st, const char *key, store_place_fn *fn,
			 void *arg, struct err *err)
{
	if (st->ops->each_place)
		return st->ops->each_place(st, key, fn, arg, err);
	return fn(arg, NULL, st, err);
}

void store_forget(struct store *st, const char *key)
{
	if (st->writer && st->writer->forget)
		st->writer->forget(st, key);
}

static const char *const kind_names[STORE_RUN_KINDS] = {
	[STORE_RUN_OTHER] = "",          [STORE_RUN_PACK] = "pack",
	[STORE_RUN_REPACK] = "repack",   [STORE_RUN_REAP] = "reap",
	[STORE_RUN_REBUILD] = "rebuild", [STORE_RUN_TOMBSTONE] = "tombstone",
};

const char *store_run_kind_text(enum store_run_kind kind)
{
	return kind_names[kind];
}

enum store_run_kind store_run_kind_parse(const char *s, size_t len)
{
	for (unsigned int i = 0; i < STORE_RUN_KINDS; i++) {
		if (strlen(kind_names[i]) == len &&
		    !memcmp(kind_names[i], s, len))
			return (enum store_run_kind)i;
	}
	return STORE_RUN_OTHER;
}

enum rc store_run_begin(struct store *st, enum store_run_kind kind,
			struct store_run **ret, struct err *err)
{
	if (check_writer(st, err) || st->writer->run_begin(st, kind, ret, err))
		return err->rc;
	(*ret)->st = st;
	return RC_OK;
}

void store_run_end(struct store_run *run, bool is_committed)
{
	if (run)
		run->st->writer->run_end(run, is_committed);
}

enum rc store_runs_alive(struct store *st, const struct store_run *own,
			 unsigned int *ret, struct err *err)
{
	if (check_writer(st, err))
		return err->rc;
	return st->writer->runs_alive(st, own, ret, err);
}

enum rc store_runs_oldest(struct store *st, unsigned int kinds,
			  const struct store_run *own, int64_t *ret_us,
			  struct err *err)
{
	if (check_writer(st, err))
		return err->rc;
	return st->writer->runs_oldest(st, kinds, own, ret_us, err);
}

enum rc store_idle_begin(struct store *st, struct store_idle **ret,
			 struct err *err)
{
	*ret = NULL;
	if (check_writer(st, err))
		return err->rc;
	if (!st->writer->idle_begin)
		return RC_OK;
	if (st->writer->idle_begin(st, ret, err))
		return err->rc;
	(*ret)->st = st;
	return RC_OK;
}

void store_idle_end(struct store_idle *idle)
{
	if (idle)
		idle->st->writer->idle_end(idle);
}

enum rc store_claims(struct store *st, store_claim_fn *fn, void *arg,
		     struct err *err)
{
	if (check_writer(st, err))
		return err->rc;
	return st->writer->claims(st, fn, arg, err);
}

enum rc store_leftovers(struct store *st, bool remove, store_goes_fn *goes,
			store_leftover_fn *fn, void *arg, struct err *err)
{
	if (check_writer(st, err))
		return err->rc;
	return st->writer->leftovers(st, remove, goes, fn, arg, err);
}

enum rc store_strays(struct store *st, bool remove, int64_t min_age,
		     store_stray_fn *fn, void *arg, struct err *err)
{
	if (check_writer(st, err))
		return err->rc;
	return st->writer->strays(st, remove, min_age, fn, arg, err);
}

enum rc store_has_tmp(struct store *st, bool *ret, struct err *err)
{
	*ret = true;
	if (check_writer(st, err))
		return err->rc;
	return st->writer->has_tmp ? st->writer->has_tmp(st, ret, err) : RC_OK;
}

static enum rc try_object(struct store *st, const char *key, struct err *err)
{
	static const char content[] = "tried to write\n";
	CLEANUP_BUF struct buf there = { .max = sizeof(content) };
	struct object_info info;
	struct err other;
	enum rc rc;

	if (st->writer->replace(st, key, content, sizeof(content), err))
		return err->rc;
	rc = st->ops->read_tail(st, key, sizeof(content), &there, &info, err);
	if (!rc && (there.len != sizeof(content) ||
		    memcmp(there.p, content, there.len) != 0))
		rc = err_set(err, RC_CORRUPT,
			     "%s: what is read is not what was written", key);
	if (!rc)
		return st->writer->remove(st, key, err);
	if (st->writer->remove(st, key, &other))
		return err_prefix(err, "%s stays behind", key);
	return rc;
}

#define TRY_LEN 16u /* random bytes */

static enum rc try_any(struct store *st, struct err *err)
{
	char name[HEX_TEXT(TRY_LEN)];
	char key[sizeof(STORE_TMP) + sizeof("/try-") + sizeof(name)];

	if (check_writer(st, err) || unique_text(name, TRY_LEN, err))
		return err->rc;
	snprintf(key, sizeof(key), STORE_TMP "/try-%s", name);
	return try_object(st, key, err);
}

void store_try_write(struct store *st, store_step_fn *fn, void *arg)
{
	struct store_step step = { .name = "write",
				   .text = "objects can be made and removed" };
	struct err err;

	if (st->writer && st->writer->try_write) {
		st->writer->try_write(st, fn, arg);
		return;
	}
	if (try_any(st, &err)) {
		step.err = &err;
		step.text = NULL;
	}
	fn(arg, &step);
}
