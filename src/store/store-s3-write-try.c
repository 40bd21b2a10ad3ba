/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-try.c - whether a bucket lets us do all that writing needs.
 *
 * What is made lies below STORE_TMP/RUN/ as that of a run, but without a mark:
 * what cannot be removed at the end counts as left by a dead run, so that a
 * clean-up finds it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/unique.h"
#include "store/store-s3-write-backend.h"

#define MADE_MAX 4
#define KEY_TEXT (sizeof(STORE_TMP) + S3_RUN_TEXT + 16)

static const char content[] = "tried to write\n";

struct trial {
	struct s3_store *s;
	store_step_fn *fn;
	void *arg;
	uint64_t retries;      /* of the store before */
	char prefix[KEY_TEXT]; /* of all keys; ends with '/' */
	char key[KEY_TEXT], copy[KEY_TEXT], parts[KEY_TEXT];
	struct {
		const char *key;
		char version[S3_VERSION_MAX];
	} made[MADE_MAX];
	size_t n_made;
	char id[S3_UPLOAD_ID_MAX]; /* of the upload; "": there is none */
	char etag[HTTP_FIELD_MAX]; /* of its part; "": there is none */
	bool is_versioned;         /* the bucket keeps versions */
	bool can_list_versions;
};

static void pass(const struct trial *t, const char *name, const char *text)
{
	const struct store_step step = { .name = name, .text = text };

	t->fn(t->arg, &step);
}

static void note(const struct trial *t, const char *name, const char *text)
{
	const struct store_step step = { .name = name,
					 .text = text,
					 .is_note = true };

	t->fn(t->arg, &step);
}

static void fail(const struct trial *t, const char *name, const char *right,
		 const char *text, struct err *err)
{
	const struct store_step step = {
		.name = name, .text = text, .right = right, .err = err
	};

	t->fn(t->arg, &step);
}

/* --- objects -------------------------------------------------------------- */

/* Whatever becomes of it, there may be such an object from now on. */
static char *make(struct trial *t, const char *key)
{
	t->made[t->n_made].key = key;
	return t->made[t->n_made++].version;
}

/* What the server refused is not there; to remove it would leave a mark of
 * that where a bucket keeps versions.
 */
static void unmake(struct trial *t, enum rc rc)
{
	if (rc == RC_ACCESS || rc == RC_UNSUPPORTED || rc == RC_EXISTS)
		t->n_made--;
}

static bool try_put(struct trial *t)
{
	char *version = make(t, t->key);
	struct err err;

	if (s3_write_put(t->s, t->key, content, sizeof(content), false, version,
			 &err)) {
		unmake(t, err.rc);
		fail(t, "write", "s3:PutObject", NULL, &err);
		return false;
	}
	t->is_versioned = *version;
	return true;
}

static void try_get(struct trial *t)
{
	CLEANUP_BUF struct buf there = { .max = sizeof(content) };
	struct store *st = &t->s->base;
	struct object_info info;
	struct err err;
	char first;
	enum rc rc = st->ops->read_tail(st, t->key, sizeof(content), &there,
					&info, &err);

	if (!rc && (there.len != sizeof(content) ||
		    memcmp(there.p, content, there.len) != 0))
		rc = err_set(&err, RC_CORRUPT,
			     "%s: what is read is not what was written",
			     t->key);
	if (rc)
		fail(t, "write", "s3:GetObject", NULL, &err);
	else
		pass(t, "write", "objects can be made and read");
	if (rc && rc != RC_CORRUPT)
		return;
	if (st->ops->read(st, t->key, NULL, 0, &first, 1, false, &err))
		fail(t, "range", "s3:GetObject", STORE_RANGE_NEEDED, &err);
	else
		pass(t, "range", STORE_RANGE_WORKS);
}

static void try_create_only(struct trial *t)
{
	struct err err;
	enum rc rc = s3_write_put(t->s, t->key, content, sizeof(content), true,
				  make(t, t->key), &err);

	unmake(t, rc);
	if (rc == RC_EXISTS)
		pass(t, "create-only", "the server refuses to overwrite");
	else if (rc)
		fail(t, "create-only", "s3:PutObject", NULL, &err);
	else
		note(t, "create-only",
		     "the server ignores If-None-Match; names carry hashes, "
		     "see desfs-pack(1)");
}

static void try_copy(struct trial *t)
{
	const char *version = t->made[0].version;
	struct err err;
	enum rc rc = s3_write_copy(t->s, t->key, version, t->copy,
				   sizeof(content), make(t, t->copy), &err);

	/* The copy may have been made, and not be readable. */
	if (t->is_versioned && !*t->made[t->n_made - 1].version)
		unmake(t, rc);
	if (rc)
		fail(t, "copy",
		     *version ? "s3:GetObjectVersion and s3:PutObject"
			      : "s3:GetObject and s3:PutObject",
		     "desfs-pack copies what is longer than one part", &err);
	else
		pass(t, "copy", "objects can be copied inside the store");
}

/* --- uploads in parts ----------------------------------------------------- */

static enum rc note_upload(void *arg, const char *key, const struct s3_item *it,
			   struct err *err)
{
	const char **id = arg;

	(void)key;
	(void)err;
	if (it->id && !strcmp(it->id, *id))
		*id = NULL;
	return RC_OK;
}

static void try_uploads(struct trial *t)
{
	const char *id = *t->id ? t->id : NULL;
	struct err err;

	if (s3_write_list_uploads(t->s, t->prefix, note_upload, &id, &err))
		fail(t, "uploads", "s3:ListBucketMultipartUploads",
		     "desfs-pack --clean finds by it what was not finished",
		     &err);
	else if (id)
		note(t, "uploads",
		     "the one just begun is not listed; desfs-pack --clean "
		     "may miss some");
	else
		pass(t, "uploads", "unfinished uploads can be listed");
}

static void try_multipart(struct trial *t)
{
	static const char need[] =
		"desfs-pack sends in parts what is longer than one";
	const char *right = "s3:PutObject";
	struct err err;
	enum rc rc = s3_multipart_create(t->s, t->parts, t->id, &err);

	if (rc)
		*t->id = '\0';
	else
		rc = s3_multipart_part(t->s, t->parts, t->id, 1, content,
				       sizeof(content), t->etag, &err);
	if (rc)
		fail(t, "multipart", right, need, &err);
	try_uploads(t);
	if (!*t->id)
		return;
	if (s3_multipart_abort(t->s, t->parts, t->id, &err)) {
		fail(t, "multipart", "s3:AbortMultipartUpload", need, &err);
		return;
	}
	*t->id = '\0';
	if (!rc)
		pass(t, "multipart",
		     "uploads in parts can be begun and aborted");
}

/* --- versions ------------------------------------------------------------- */

static enum rc note_version(void *arg, const char *key,
			    const struct s3_item *it, struct err *err)
{
	size_t *n = arg;

	(void)key;
	(void)err;
	*n += !it->is_marker;
	return RC_OK;
}

static void try_versions(struct trial *t)
{
	struct err err;
	size_t n = 0;
	enum rc rc = s3_write_list_versions(t->s, t->prefix, note_version, &n,
					    NULL, &err);

	t->can_list_versions = !rc;
	if (!rc && t->is_versioned && !n)
		rc = err_set(&err, RC_CORRUPT,
			     "%s: the server's list has not what was just made",
			     t->prefix);
	if (!t->is_versioned && (rc == RC_ACCESS || rc == RC_UNSUPPORTED))
		note(t, "versions",
		     "they cannot be listed, but the bucket keeps none");
	else if (rc)
		fail(t, "versions", "s3:ListBucketVersions", NULL, &err);
	else
		pass(t, "versions",
		     t->is_versioned ? "the bucket keeps them, and they can be "
				       "listed"
				     : "the bucket keeps none");
}

/* --- the end -------------------------------------------------------------- */

/* An upload that may not be aborted can be completed and then removed. */
static void end_upload(struct trial *t)
{
	char *etags[] = { t->etag };
	struct err ignored;

	if (!*t->id)
		return;
	if (!s3_multipart_abort(t->s, t->parts, t->id, &ignored) ||
	    (*t->etag && !s3_multipart_complete(t->s, t->parts, t->id, etags, 1,
						sizeof(content),
						make(t, t->parts), &ignored)))
		*t->id = '\0';
}

struct things {
	struct s3_made *v; /* keys are to be freed */
	size_t n, cap;
};

static void things_release(struct things *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->v[i].key);
	free(all->v);
}

static enum rc collect(void *arg, const char *key, const struct s3_item *it,
		       struct err *err)
{
	struct things *all = arg;

	if (it->id && strlen(it->id) >= S3_VERSION_MAX)
		return err_set(err, RC_LIMIT, "%s: a version id too long", key);
	all->v = mem_grow(all->v, &all->cap, all->n + 1, sizeof(*all->v));
	all->v[all->n] = (struct s3_made){ .key = xstrdup(key) };
	if (it->id)
		memcpy(all->v[all->n].version, it->id, strlen(it->id) + 1);
	all->n++;
	return RC_OK;
}

/* Those that are listed: after the last page, as the others would move. */
static bool remove_listed(struct trial *t, struct err *err)
{
	CLEANUP(things_release) struct things all = { 0 };
	struct err other, *first = err;

	if (s3_write_list_versions(t->s, t->prefix, collect, &all, NULL, err))
		return false;
	for (size_t i = 0; i < all.n; i++) {
		if (s3_write_delete(t->s, all.v[i].key, all.v[i].version,
				    first))
			first = &other;
	}
	return first == err;
}

static bool remove_known(struct trial *t, struct err *err)
{
	struct err other, *first = err;

	for (size_t i = 0; i < t->n_made; i++) {
		if (s3_write_delete(t->s, t->made[i].key, t->made[i].version,
				    first))
			first = &other;
	}
	return first == err;
}

static enum rc abort_upload(void *arg, const char *key,
			    const struct s3_item *it, struct err *err)
{
	const struct trial *t = arg;
	struct err ignored;

	(void)err;
	(void)!s3_multipart_abort(t->s, key, it->id ? it->id : "", &ignored);
	return RC_OK;
}

/* All that was made; also by requests whose answers were lost. */
static bool remove_all(struct trial *t, struct err *err)
{
	struct err ignored;

	end_upload(t);
	if (t->s->rm.retries != t->retries)
		(void)!s3_write_list_uploads(t->s, t->prefix, abort_upload, t,
					     &ignored);
	if (t->can_list_versions)
		return remove_listed(t, err);
	return remove_known(t, err);
}

/* What is there after all; 0 as well when nobody may see it. */
static size_t count_left(struct trial *t)
{
	const char *id = t->id;
	struct err ignored;
	size_t n = 0;
	enum rc rc;

	if (t->can_list_versions)
		rc = s3_write_list_versions(t->s, t->prefix, note_version, &n,
					    NULL, &ignored);
	else
		rc = s3_list_items(t->s, t->prefix, "", true, note_version, &n,
				   NULL, &ignored);
	return (rc ? 0 : n) + (*id ? 1 : 0);
}

static void try_remove(struct trial *t)
{
	char text[KEY_TEXT + 80];
	struct err err;
	bool ok = remove_all(t, &err);

	snprintf(text, sizeof(text),
		 "%s stays behind, until desfs-pack --clean", t->prefix);
	if (ok && count_left(t)) {
		err_set(&err, RC_IO, "%s: is still there", t->prefix);
		ok = false;
	}
	if (!ok)
		fail(t, "remove",
		     t->is_versioned ? "s3:DeleteObjectVersion"
				     : "s3:DeleteObject",
		     text, &err);
	else
		pass(t, "remove",
		     t->is_versioned ? "objects can be removed, by version id"
				     : "objects can be removed");
}

static bool name_keys(struct trial *t)
{
	char name[HEX_TEXT(8)];
	struct err err;

	if (unique_text(name, 8, &err))
		return false;
	snprintf(t->prefix, sizeof(t->prefix), STORE_TMP "/run-%s/", name);
	snprintf(t->key, sizeof(t->key), STORE_TMP "/run-%s/try", name);
	snprintf(t->copy, sizeof(t->copy), STORE_TMP "/run-%s/copy", name);
	snprintf(t->parts, sizeof(t->parts), STORE_TMP "/run-%s/parts", name);
	return true;
}

void s3_write_try(struct store *st, store_step_fn *fn, void *arg)
{
	struct s3_store *s = (struct s3_store *)st;
	CLEANUP_FREE struct trial *t = xcalloc(1, sizeof(*t));
	struct err err;

	*t = (struct trial){
		.s = s, .fn = fn, .arg = arg, .retries = s->rm.retries
	};
	if (!name_keys(t)) {
		err_set(&err, RC_IO, "no random numbers");
		fail(t, "write", NULL, NULL, &err);
		return;
	}
	if (!try_put(t)) {
		/* It may be there all the same: see first, whether it is. */
		if (!remove_listed(t, &err))
			(void)!remove_known(t, &err);
		return;
	}
	try_get(t);
	try_create_only(t);
	try_copy(t);
	try_multipart(t);
	try_versions(t);
	try_remove(t);
}
