/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-purge.c - removing all there is of an object of a bucket, and
 * seeing that it is gone.
 *
 * What a lock keeps is hidden behind a delete marker.  Why removing was refused
 * is asked for only then: servers differ in what they answer.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "store/store-s3-write-backend.h"

/* Another may write the key while it is removed, but not for ever. */
#define PASSES_MAX 4

struct version {
	char *id; /* "": the server knows none */
	bool is_marker, is_latest;
};

struct kept {
	char *id;
};

struct purge {
	struct s3_store *s;
	const char *key;
	struct version *all; /* of the last list, the newest first */
	size_t n, cap;
	struct kept *kept;
	size_t n_kept, cap_kept;
	int64_t until;     /* of what is kept: the last */
	bool is_unknown;   /* of some of it nobody knows */
	bool is_versioned; /* the bucket has kept versions of it */
};

static void versions_clear(struct purge *p)
{
	while (p->n)
		free(p->all[--p->n].id);
}

static void purge_release(struct purge *p)
{
	versions_clear(p);
	free(p->all);
	for (size_t i = 0; i < p->n_kept; i++)
		free(p->kept[i].id);
	free(p->kept);
}

static bool is_kept(const struct purge *p, const char *id)
{
	for (size_t i = 0; i < p->n_kept; i++) {
		if (!strcmp(p->kept[i].id, id))
			return true;
	}
	return false;
}

/* s3_item_fn */
static enum rc note_version(void *arg, const char *key,
			    const struct s3_item *it, struct err *err)
{
	struct purge *p = arg;
	const char *id = it->id ? it->id : "";

	(void)err;
	/* Of longer keys that begin alike. */
	if (strcmp(key, p->key) != 0)
		return RC_OK;
	p->all = mem_grow(p->all, &p->cap, p->n + 1, sizeof(*p->all));
	p->all[p->n++] = (struct version){ .id = xstrdup(id),
					   .is_marker = it->is_marker,
					   .is_latest = it->is_latest };
	p->is_versioned |= it->is_marker || (*id && strcmp(id, "null") != 0);
	return RC_OK;
}

static enum rc list_versions(struct purge *p, struct err *err)
{
	uint64_t size;
	enum rc rc;

	versions_clear(p);
	rc = s3_write_list_versions(p->s, p->key, note_version, p, NULL, err);
	if (rc != RC_UNSUPPORTED)
		return rc;
	/* A server that has no versions has one object or none. */
	rc = s3_write_size(p->s, p->key, &size, err);
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	return note_version(p, p->key, &(struct s3_item){ .is_latest = true },
			    err);
}

/* --- why it is kept ------------------------------------------------------- */

static enum rc ask(struct s3_store *s, const char *key, const char *id,
		   const char *what, struct s3_reply *re, struct err *err)
{
	const struct sigv4_pair query[] = { { what, NULL },
					    { "versionId", id } };
	const struct s3_request rq = { .kind = REMOTE_GET,
				       .method = HTTP_GET,
				       .key = key,
				       .query = query,
				       .n_query = *id ? 2 : 1,
				       .max_body = S3_XML_MAX,
				       .ignores_stop = true };

	return s3_send(s, &rq, re, err);
}

static bool has_hold(struct s3_store *s, const char *key, const char *id)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	struct err ignored;
	char status[16];

	return !ask(s, key, id, "legal-hold", &re, &ignored) &&
	       !s3_xml_text(re.http.body.p, re.http.body.len, "LegalHold",
			    "Status", status, sizeof(status), &ignored) &&
	       !strcmp(status, "ON");
}

/* Whether it is to be kept for some time yet, by the server's clock. */
static bool has_retention(struct s3_store *s, const char *key, const char *id,
			  int64_t *ret_until)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	struct timestamp until;
	struct err ignored;
	char text[64];

	if (ask(s, key, id, "retention", &re, &ignored) ||
	    s3_xml_text(re.http.body.p, re.http.body.len, "Retention",
			"RetainUntilDate", text, sizeof(text), &ignored) ||
	    timestamp_parse(text, &until, &ignored) ||
	    until.us < s3_reply_time(&re.http))
		return false;
	*ret_until = until.us;
	return true;
}

bool s3_write_is_locked(struct s3_store *s, const char *key, const char *id,
			int64_t *ret_until)
{
	/* Both may be: then nobody knows until when. */
	if (has_hold(s, key, id)) {
		*ret_until = STORE_UNTIL_UNKNOWN;
		return true;
	}
	return has_retention(s, key, id, ret_until);
}

/* False: it was refused for another reason, or that cannot be told. */
static bool note_lock(struct purge *p, const char *id)
{
	int64_t until;

	if (!s3_write_is_locked(p->s, p->key, id, &until))
		return false;
	p->is_unknown |= until == STORE_UNTIL_UNKNOWN;
	if (until > p->until)
		p->until = until;
	p->kept = mem_grow(p->kept, &p->cap_kept, p->n_kept + 1,
			   sizeof(*p->kept));
	p->kept[p->n_kept++].id = xstrdup(id);
	return true;
}

/* --- removing ------------------------------------------------------------- */

/* id "": what there is. */
static enum rc delete_version(struct s3_store *s, const char *key,
			      const char *id, struct s3_reply *re,
			      struct err *err)
{
	const struct sigv4_pair query = { "versionId", id };
	const struct s3_request rq = { .kind = REMOTE_DELETE,
				       .method = HTTP_DELETE,
				       .key = key,
				       .query = &query,
				       .n_query = *id ? 1 : 0,
				       .ignores_stop = true };
	enum rc rc = s3_send(s, &rq, re, err);

	/* A bucket that is gone is another matter. */
	if (rc == RC_NOENT && strcmp(re->error.code, "NoSuchBucket") != 0)
		return RC_OK;
	return rc;
}

static enum rc remove_version(struct purge *p, const char *id, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	enum rc rc = delete_version(p->s, p->key, id, &re, err);

	/* Locks are 403 here, 400 and 409 there. */
	if (rc && re.http.status >= 400 && re.http.status < 500 &&
	    note_lock(p, id))
		return RC_OK;
	return rc;
}

/* The oldest first, so that what was hidden stays so; markers last, and only
 * when there is nothing behind them.
 */
static enum rc remove_all(struct purge *p, bool markers, struct err *err)
{
	for (size_t i = p->n; i-- > 0;) {
		const struct version *v = &p->all[i];

		if (v->is_marker == markers && !is_kept(p, v->id) &&
		    remove_version(p, v->id, err))
			return err->rc;
	}
	return RC_OK;
}

/* Behind a new marker, unless there is one. */
static enum rc hide(struct purge *p, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		if (p->all[i].is_marker && p->all[i].is_latest)
			return RC_OK;
	}
	return delete_version(p->s, p->key, "", &re, err);
}

/* Of the last list: is what there is to be kept, and hidden? */
static bool is_done(const struct purge *p)
{
	bool is_hidden = !p->n_kept;

	for (size_t i = 0; i < p->n; i++) {
		const struct version *v = &p->all[i];

		if (v->is_marker && p->n_kept)
			is_hidden |= v->is_latest;
		else if (!is_kept(p, v->id))
			return false;
	}
	return is_hidden;
}

static enum rc remove_versions(struct purge *p, struct err *err)
{
	if (list_versions(p, err))
		return err->rc;
	for (unsigned int i = 0; i < PASSES_MAX; i++) {
		if (remove_all(p, false, err) ||
		    (p->n_kept ? hide(p, err) : remove_all(p, true, err)) ||
		    list_versions(p, err))
			return err->rc;
		if (is_done(p))
			return RC_OK;
	}
	return err_set(err, RC_IO, "%s: is there again whenever it was removed",
		       p->key);
}

/* s3_item_fn */
static enum rc abort_upload(void *arg, const char *key,
			    const struct s3_item *it, struct err *err)
{
	const struct purge *p = arg;

	if (strcmp(key, p->key) != 0)
		return RC_OK;
	return s3_multipart_abort(p->s, key, it->id ? it->id : "", err);
}

static enum rc check_gone(const struct purge *p, struct err *err)
{
	uint64_t size;
	enum rc rc = s3_write_size(p->s, p->key, &size, err);

	if (rc == RC_NOENT)
		return RC_OK;
	return rc ? rc
		  : err_set(err, RC_IO, "%s: can be read after its removal",
			    p->key);
}

enum rc s3_write_purge(struct store *st, const char *key, enum store_gone *ret,
		       int64_t *ret_until, struct err *err)
{
	CLEANUP(purge_release)
	struct purge p = { .s = (struct s3_store *)st,
			   .key = key,
			   .until = INT64_MIN };
	enum rc rc = s3_write_list_uploads(p.s, key, abort_upload, &p, err);

	if ((rc && rc != RC_UNSUPPORTED) || remove_versions(&p, err) ||
	    check_gone(&p, err))
		return err->rc;
	*ret = p.n_kept         ? STORE_KEPT
	       : p.is_versioned ? STORE_VERSIONS_REMOVED
				: STORE_REMOVED;
	if (p.n_kept)
		*ret_until = p.is_unknown ? STORE_UNTIL_UNKNOWN : p.until;
	return RC_OK;
}

enum rc s3_write_drop_older(struct s3_store *s, const char *key,
			    struct err *err)
{
	CLEANUP(purge_release) struct purge p = { .s = s, .key = key };
	enum rc rc =
		s3_write_list_versions(s, key, note_version, &p, NULL, err);

	if (rc)
		return rc == RC_UNSUPPORTED || rc == RC_ACCESS ? RC_OK : rc;
	for (size_t i = p.n; i-- > 0;) {
		CLEANUP(s3_reply_release) struct s3_reply re = { 0 };

		if (p.all[i].is_latest || !*p.all[i].id)
			continue;
		rc = delete_version(s, key, p.all[i].id, &re, err);
		/* A lock, in all likelihood; store_purge tells. */
		if (rc && rc != RC_ACCESS)
			return rc;
	}
	return RC_OK;
}
