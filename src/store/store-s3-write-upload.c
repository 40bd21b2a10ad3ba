/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-upload.c - an object piece by piece: put at once when it fits
 * into one part, else sent in parts while it is made and then copied to its
 * key.
 *
 * An upload belongs to one thread; what the run's threads send lies in a slot
 * of its own until that thread has waited for it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/workers.h"
#include "store/store-s3-write-backend.h"

#define PART_MIN (5u << 20)
#define PART_DEFAULT PART_MIN
#define PART_MAX (5ULL << 30)
/* After so many parts they are twice as long. */
#define PARTS_EVEN 900u
/* One is filled while the others are under way. */
#define SLOTS 3
/* Parts that the uploads of a store hold beyond one each. */
#define SHARED_PARTS 3

struct upload_s3;

struct slot {
	struct upload_s3 *up;
	uint8_t *p;
	size_t len, cap;
	uint64_t shared; /* bytes of it taken from the store's */
	struct job job;
	bool is_busy;        /* the job was submitted, not waited for */
	unsigned int number; /* of the part, from 1 */
	char etag[HTTP_FIELD_MAX];
	struct err err; /* of the job; rc RC_OK when it went well */
};

struct upload_s3 {
	struct store_upload base;
	struct s3_run *run;        /* NULL: none needed so far */
	struct store_run *own_run; /* begun for this upload alone */
	struct workers *pool;
	char *key;                 /* of the parts; NULL: none are sent */
	char id[S3_UPLOAD_ID_MAX]; /* "": nothing to abort */
	char version[S3_VERSION_MAX];
	bool is_whole; /* there is an object at key */
	struct slot slots[SLOTS];
	unsigned int filling; /* index of a slot */
	uint64_t size;
	char **etags;
	size_t n_parts, cap_etags;
};

static struct s3_store *store_of(const struct upload_s3 *up)
{
	return (struct s3_store *)up->base.st;
}

static uint64_t first_part_size(const struct store_settings *set)
{
	uint64_t size = set->part_size ? set->part_size : PART_DEFAULT;

	return size > PART_MIN ? size : PART_MIN;
}

uint64_t s3_upload_memory(const char *rest, const struct store_settings *set,
			  unsigned int n_uploads)
{
	(void)rest;
	return (n_uploads + SHARED_PARTS) * first_part_size(set);
}

/* Of the part number i from 0. */
static size_t part_size(const struct s3_store *s, size_t i)
{
	uint64_t size = first_part_size(s->set) << (i / PARTS_EVEN);

	return (size_t)(size < PART_MAX ? size : PART_MAX);
}

enum rc s3_upload_new(struct store *st, struct store_upload **ret,
		      struct err *err)
{
	struct upload_s3 *up = xcalloc(1, sizeof(*up));

	(void)err;
	up->base.st = st;
	up->run = (struct s3_run *)((struct s3_store *)st)->run;
	for (size_t i = 0; i < SLOTS; i++)
		up->slots[i].up = up;
	*ret = &up->base;
	return RC_OK;
}

static void send_part(void *arg)
{
	struct slot *slot = arg;
	struct upload_s3 *up = slot->up;

	slot->err.rc =
		s3_multipart_part(store_of(up), up->key, up->id, slot->number,
				  slot->p, slot->len, slot->etag, &slot->err);
}

/* Wait for what is under way from a slot. */
static enum rc settle_slot(struct upload_s3 *up, struct slot *slot,
			   struct err *err)
{
	if (!slot->is_busy)
		return RC_OK;
	job_wait(up->pool, &slot->job);
	slot->is_busy = false;
	slot->len = 0;
	if (slot->err.rc) {
		*err = slot->err;
		return err->rc;
	}
	up->etags[slot->number - 1] = xstrdup(slot->etag);
	return RC_OK;
}

static enum rc settle_all(struct upload_s3 *up, struct err *err)
{
	struct err *first = err, other;

	for (unsigned int i = 1; i <= SLOTS; i++) {
		struct slot *slot = &up->slots[(up->filling + i) % SLOTS];

		if (settle_slot(up, slot, first))
			first = &other;
	}
	return first == err ? RC_OK : err->rc;
}

/* --- memory -----------------------------------------------------------------
 */

static void drop_room(struct slot *slot)
{
	struct s3_store *s = store_of(slot->up);

	free(slot->p);
	slot->p = NULL;
	slot->cap = 0;
	atomic_fetch_sub(&s->shared_room, slot->shared);
	slot->shared = 0;
}

static void drop_rooms(struct upload_s3 *up)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		drop_room(&up->slots[i]);
}

static bool take_shared(struct slot *slot, size_t cap)
{
	struct s3_store *s = store_of(slot->up);
	uint64_t max = SHARED_PARTS * first_part_size(s->set);

	if (atomic_fetch_add(&s->shared_room, cap) + cap > max) {
		atomic_fetch_sub(&s->shared_room, cap);
		return false;
	}
	slot->shared = cap;
	return true;
}

/* Room for a whole part.  Each upload has one without asking, so none waits for
 * another; where there is no second one its parts are sent one by one.
 */
static enum rc make_room(struct upload_s3 *up, struct slot *slot, size_t cap,
			 struct err *err)
{
	bool is_first = true;

	if (slot->cap >= cap)
		return RC_OK;
	drop_room(slot);
	for (unsigned int i = 0; i < SLOTS; i++)
		is_first = is_first && !up->slots[i].p;
	if (!is_first && !take_shared(slot, cap)) {
		if (settle_all(up, err))
			return err->rc;
		drop_rooms(up);
	}
	slot->p = mem_array(cap, 1);
	if (!slot->p)
		return err_set(err, RC_NOMEM,
			       "no memory for a part of %zu bytes", cap);
	slot->cap = cap;
	return RC_OK;
}

/* --- parts ------------------------------------------------------------------
 */

static enum rc begin_parts(struct upload_s3 *up, struct err *err)
{
	enum rc rc;

	if (!up->run &&
	    s3_run_new(up->base.st, STORE_RUN_OTHER, &up->own_run, err))
		return err->rc;
	if (!up->run)
		up->run = (struct s3_run *)up->own_run;
	if (s3_run_pool(up->run, &up->pool, err))
		return err->rc;
	up->key = s3_run_upload_key(up->run);
	rc = s3_multipart_create(store_of(up), up->key, up->id, err);
	if (rc)
		*up->id = '\0';
	return rc;
}

/* Send the part that was filled and go on with the next slot. */
static enum rc flush_part(struct upload_s3 *up, struct err *err)
{
	struct slot *slot = &up->slots[up->filling];

	if (!up->key && begin_parts(up, err))
		return err->rc;
	if (!*up->id)
		return err_set(err, RC_IO, "upload failed before");
	if (up->n_parts == S3_PARTS_MAX)
		return err_set(err, RC_LIMIT, "upload of more than %u parts",
			       S3_PARTS_MAX);
	if (s3_run_mark(up->run, err))
		return err->rc;
	up->etags = mem_grow(up->etags, &up->cap_etags, up->n_parts + 1,
			     sizeof(*up->etags));
	up->etags[up->n_parts++] = NULL;
	slot->number = (unsigned int)up->n_parts;
	slot->is_busy = true;
	slot->err.rc = RC_OK;
	job_submit(up->pool, &slot->job, send_part, slot);
	up->filling = (up->filling + 1) % SLOTS;
	return settle_slot(up, &up->slots[up->filling], err);
}

enum rc s3_upload_write(struct store_upload *base, const void *p, size_t len,
			struct err *err)
{
	struct upload_s3 *up = (struct upload_s3 *)base;
	const uint8_t *from = p;

	while (len) {
		struct slot *slot = &up->slots[up->filling];
		size_t cap = part_size(store_of(up), up->n_parts);
		size_t n;

		/* Only when more comes: what fits into one part is no upload
		 * of parts.
		 */
		if (slot->len == cap) {
			if (flush_part(up, err))
				return err->rc;
			continue;
		}
		if (!slot->len && make_room(up, slot, cap, err))
			return err->rc;
		n = len < cap - slot->len ? len : cap - slot->len;
		memcpy(slot->p + slot->len, from, n);
		slot->len += n;
		from += n;
		len -= n;
		up->size += n;
	}
	return RC_OK;
}

/* All parts are one object at up->key then. */
static enum rc complete(struct upload_s3 *up, struct err *err)
{
	enum rc rc = flush_part(up, err);
	struct err other;

	if (settle_all(up, rc ? &other : err))
		rc = err->rc;
	drop_rooms(up);
	if (!rc)
		rc = s3_multipart_complete(store_of(up), up->key, up->id,
					   up->etags, up->n_parts, up->size,
					   up->version, err);
	if (!rc)
		*up->id = '\0';
	/* After a failure too there may be such an object. */
	up->is_whole = true;
	return rc;
}

/* Copy the whole object to its key, where nobody may have another one. */
static enum rc publish_copy(struct upload_s3 *up, const char *key,
			    bool *ret_existed, struct err *err)
{
	struct s3_store *s = store_of(up);
	char version[S3_VERSION_MAX] = "";
	uint64_t there = 0;
	enum rc rc = s3_write_size(s, key, &there, err);

	if (!rc) {
		*ret_existed = true;
		return s3_write_same_size(key, there, up->size, err);
	}
	if (rc != RC_NOENT || s3_run_claim(up->run, key, err) ||
	    s3_write_copy(s, up->key, up->version, key, up->size, version, err))
		return err->rc;
	if (up->run->is_versioned && !*version)
		/* RGW does not tell a copy's version. */
		return s3_write_is_double(s, key, ret_existed, err);
	return s3_write_settle(s, key, version, up->size, ret_existed, err);
}

/* The object at up->key is of no use any more.  Where it cannot be removed, a
 * clean-up finds it.
 */
static void remove_whole(struct upload_s3 *up)
{
	struct err ignored;

	if (up->run->is_versioned && !*up->version)
		(void)!s3_write_remove(up->base.st, up->key, &ignored);
	else
		(void)!s3_write_delete(store_of(up), up->key, up->version,
				       &ignored);
	up->is_whole = false;
}

enum rc s3_upload_commit(struct store_upload *base, const char *key,
			 bool *ret_existed, struct err *err)
{
	struct upload_s3 *up = (struct upload_s3 *)base;
	const struct slot *slot = &up->slots[up->filling];
	bool existed = false;

	if (up->run && s3_run_mark(up->run, err))
		return err->rc;
	if (up->key) {
		if (complete(up, err) || publish_copy(up, key, &existed, err))
			return err->rc;
		remove_whole(up);
	} else {
		if (up->run && store_key_is_claimed(key) &&
		    s3_run_claim(up->run, key, err))
			return err->rc;
		if (s3_write_publish(store_of(up), key,
				     slot->len ? slot->p : NULL, slot->len,
				     &existed, err))
			return err->rc;
	}
	*ret_existed = existed;
	return RC_OK;
}

void s3_upload_free(struct store_upload *base)
{
	struct upload_s3 *up = (struct upload_s3 *)base;
	struct err ignored;

	(void)!settle_all(up, &ignored);
	if (*up->id)
		(void)!s3_multipart_abort(store_of(up), up->key, up->id,
					  &ignored);
	if (up->is_whole)
		remove_whole(up);
	drop_rooms(up);
	for (size_t i = 0; i < up->n_parts; i++)
		free(up->etags[i]);
	free(up->etags);
	free(up->key);
	if (up->own_run)
		s3_run_end(up->own_run, true);
	free(up);
}
