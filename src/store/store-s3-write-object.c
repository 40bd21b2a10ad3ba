/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-object.c - objects of an S3 bucket made and removed, one at a
 * time.
 *
 * If-None-Match keeps us from overwriting where the server knows it.  Some do
 * not, and some forget it where a bucket keeps versions: so we look before, and
 * where there are versions the oldest counts.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "net/content-md5.h"
#include "store/log-index.h"
#include "store/store-s3-write-backend.h"

/* What a bucket says that has stopped to keep versions, or never began. */
static bool is_version(const char *id)
{
	return *id && strcmp(id, "null") != 0;
}

/* The descriptor and the log say what counts: of a request for them that was
 * cut short nobody would know whether it does.
 */
static bool says_what_counts(const char *key)
{
	return !strchr(key, '/') ||
	       !strncmp(key, LOG_INDEX_DIR, strlen(LOG_INDEX_DIR));
}

/* Did it come whole?  Long fields are cut, odd bytes come as '?'. */
static bool is_whole_version(const char *id)
{
	return strlen(id) < HTTP_FIELD_MAX - 1 && !strchr(id, '?');
}

static bool is_unknown(const char *version)
{
	return !strcmp(version, S3_VERSION_UNKNOWN);
}

void s3_write_version(const struct http_response *r, char *ret)
{
	const char *id = is_version(r->version_id) ? r->version_id : "";

	snprintf(ret, S3_VERSION_MAX, "%s",
		 is_whole_version(id) ? id : S3_VERSION_UNKNOWN);
}

static enum rc send_put(struct s3_store *s, const char *key, const void *p,
			size_t len, const char *md5, bool is_new,
			struct s3_reply *re, struct err *err)
{
	struct sigv4_pair headers[3] = { { "content-type",
					   "application/octet-stream" } };
	struct s3_request rq = { .kind = REMOTE_PUT,
				 .method = HTTP_PUT,
				 .key = key,
				 .headers = headers,
				 .n_headers = 1,
				 .body = p,
				 .body_len = len,
				 .is_whole = says_what_counts(key) };

	if (md5)
		headers[rq.n_headers++] =
			(struct sigv4_pair){ "content-md5", md5 };
	if (is_new)
		headers[rq.n_headers++] =
			(struct sigv4_pair){ "if-none-match", "*" };
	return s3_send(s, &rq, re, err);
}

/* What was stored is not what was sent: nobody shall find it. */
static enum rc take_back(struct s3_store *s, const char *key,
			 const struct s3_reply *re, struct err *err)
{
	char version[S3_VERSION_MAX];
	struct err ignored;

	s3_write_version(&re->http, version);
	err_set(err, RC_CORRUPT,
		"%s: stored with the ETag %.64s, which is not that of the "
		"bytes sent; %s",
		key, re->http.etag,
		s3_write_delete(s, key, version, &ignored)
			? "removing it failed"
			: "removed it");
	return err->rc;
}

enum rc s3_write_put(struct s3_store *s, const char *key, const void *p,
		     size_t len, bool is_new, char *ret_version,
		     struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	bool is_if_new = is_new && !s->has_no_if_new;
	struct content_md5 md5;
	enum rc rc;

	content_md5_of(p, len, &md5);
	rc = send_put(s, key, p, len, md5.base64, is_if_new, &re, err);
	if (rc == RC_UNSUPPORTED && is_if_new) {
		s->has_no_if_new = true;
		s3_reply_release(&re);
		re = (struct s3_reply){ 0 };
		rc = send_put(s, key, p, len, md5.base64, false, &re, err);
	}
	if (rc)
		return rc;
	if (s->has_md5_tags && !content_md5_is_etag(&md5, re.http.etag))
		return take_back(s, key, &re, err);
	s3_write_version(&re.http, ret_version);
	return RC_OK;
}

enum rc s3_write_size(struct s3_store *s, const char *key, uint64_t *ret,
		      struct err *err)
{
	CLEANUP_BUF struct buf last = { .max = 1 };
	struct object_info info = { 0 };

	if (s->base.ops->read_tail(&s->base, key, 1, &last, &info, err))
		return err->rc;
	*ret = info.size;
	return RC_OK;
}

/* version is one that was told. */
static enum rc send_delete(struct s3_store *s, const char *key,
			   const char *version, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	const struct sigv4_pair query = { "versionId", version };
	const struct s3_request rq = { .kind = REMOTE_DELETE,
				       .method = HTTP_DELETE,
				       .key = key,
				       .query = &query,
				       .n_query = is_version(version) ? 1 : 0,
				       .ignores_stop = true };
	enum rc rc = s3_send(s, &rq, &re, err);

	/* A bucket that is gone is another matter. */
	if (rc == RC_NOENT && strcmp(re.error.code, "NoSuchBucket") != 0)
		return RC_OK;
	return rc;
}

enum rc s3_write_delete(struct s3_store *s, const char *key,
			const char *version, struct err *err)
{
	enum rc rc;

	if (!is_unknown(version))
		return send_delete(s, key, version, err);
	if (strncmp(key, STORE_TMP "/", sizeof(STORE_TMP)) != 0)
		return err_set(err, RC_LIMIT,
			       "%s: stays, since the id of its version did "
			       "not come whole",
			       key);
	/* Nobody else names it, and the list tells ids whole. */
	rc = s3_write_remove(&s->base, key, err);
	return rc == RC_NOENT ? RC_OK : rc;
}

/* The versions of one key. */
struct versions {
	const char *key;
	const char *mine;
	bool is_past; /* a delete marker was seen: what follows is history */
	bool has_mine;
	const char *oldest; /* of those that count; "": none */
	uint64_t size;      /* of it */
	char **all;         /* ids, with delete markers */
	size_t n, cap, n_objects;
	size_t n_counting; /* objects before any delete marker */
};

static void versions_release(struct versions *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->all[i]);
	free(v->all);
}

static enum rc note_version(void *arg, const char *key,
			    const struct s3_item *it, struct err *err)
{
	struct versions *v = arg;
	char *id;

	(void)err;
	/* Of longer keys that begin alike. */
	if (strcmp(key, v->key) != 0)
		return RC_OK;
	id = xstrdup(it->id ? it->id : "");
	v->all = mem_grow(v->all, &v->cap, v->n + 1, sizeof(*v->all));
	v->all[v->n++] = id;
	v->n_objects += !it->is_marker;
	v->is_past |= it->is_marker;
	if (v->is_past)
		return RC_OK;
	v->n_counting++;
	v->has_mine |= !strcmp(id, v->mine);
	v->oldest = id;
	v->size = it->size;
	return RC_OK;
}

enum rc s3_write_same_size(const char *key, uint64_t there, uint64_t ours,
			   struct err *err)
{
	if (there == ours)
		return RC_OK;
	return err_set(err, RC_EXISTS,
		       "%s: exists already with %" PRIu64
		       " bytes, not %" PRIu64,
		       key, there, ours);
}

static bool is_lock(const char *key)
{
	return !strncmp(key, STORE_LOCKS "/", sizeof(STORE_LOCKS));
}

/* The descriptor, which is not, lies above all directories, and so do shards of
 * older formats.  Of the others equal bytes may stay twice: while a version is
 * removed, RGW tells readers for a moment that there is no such object.
 */
static bool is_named_by_content(const char *key)
{
	return strchr(key, '/') && !is_lock(key);
}

enum rc s3_write_settle(struct s3_store *s, const char *key,
			const char *version, uint64_t size, bool *ret_existed,
			struct err *err)
{
	CLEANUP(versions_release)
	struct versions v = { .key = key, .mine = version, .oldest = "" };

	*ret_existed = false;
	if (!*version)
		return RC_OK;
	if (s3_write_list_versions(s, key, note_version, &v, NULL, err))
		return err->rc;
	if (!*v.oldest)
		return err_set(err, is_lock(key) ? RC_NOENT : RC_IO,
			       "%s: removed by somebody", key);
	if (!strcmp(v.oldest, version) ||
	    (is_unknown(version) && v.n_counting == 1))
		return RC_OK;
	*ret_existed = true;
	if (!is_named_by_content(key) && (v.has_mine || is_unknown(version)) &&
	    s3_write_delete(s, key, version, err))
		return err->rc;
	return s3_write_same_size(key, v.size, size, err);
}

enum rc s3_write_is_double(struct s3_store *s, const char *key,
			   bool *ret_existed, struct err *err)
{
	CLEANUP(versions_release)
	struct versions v = { .key = key, .mine = "", .oldest = "" };

	if (s3_write_list_versions(s, key, note_version, &v, NULL, err))
		return err->rc;
	*ret_existed = v.n_counting > 1;
	return RC_OK;
}

enum rc s3_write_publish(struct s3_store *s, const char *key, const void *p,
			 size_t len, bool *ret_existed, struct err *err)
{
	char version[S3_VERSION_MAX];
	uint64_t there = 0;
	enum rc rc = s3_write_size(s, key, &there, err);

	if (rc == RC_NOENT) {
		rc = s3_write_put(s, key, p, len, true, version, err);
		if (!rc)
			return s3_write_settle(s, key, version, len,
					       ret_existed, err);
		/* Another was quicker, or a try of ours whose answer was lost.
		 */
		if (rc == RC_EXISTS)
			rc = s3_write_size(s, key, &there, err);
	}
	if (rc || s3_write_same_size(key, there, len, err))
		return err->rc;
	*ret_existed = true;
	return RC_OK;
}

static enum rc remove_unlisted(struct s3_store *s, const char *key,
			       struct err *err)
{
	uint64_t size;

	if (s3_write_size(s, key, &size, err))
		return err->rc;
	return s3_write_delete(s, key, "", err);
}

/* The oldest first: so it stays hidden until nothing is left.  Not of a lock:
 * later versions are of others who have not seen yet that the oldest is not
 * theirs.  While it is there nobody takes one for his own that goes next.
 */
static enum rc remove_listed(struct s3_store *s, const struct versions *v,
			     struct err *err)
{
	bool is_newest_first = is_lock(v->key);

	for (size_t i = 0; i < v->n; i++) {
		size_t at = is_newest_first ? i : v->n - 1 - i;

		if (s3_write_delete(s, v->key, v->all[at], err))
			return err->rc;
	}
	return RC_OK;
}

enum rc s3_write_remove(struct store *st, const char *key, struct err *err)
{
	struct s3_store *s = (struct s3_store *)st;
	CLEANUP(versions_release)
	struct versions v = { .key = key, .mine = "", .oldest = "" };
	enum rc rc =
		s3_write_list_versions(s, key, note_version, &v, NULL, err);

	if (rc == RC_UNSUPPORTED || rc == RC_ACCESS)
		return remove_unlisted(s, key, err);
	if (rc)
		return rc;
	if (!v.n_objects)
		return err_set(err, RC_NOENT, "%s: not found", key);
	return remove_listed(s, &v, err);
}
