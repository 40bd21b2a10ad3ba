/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-multipart.c - objects of many parts, and copies inside the
 * store.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "net/content-md5.h"
#include "net/url.h"
#include "store/store-s3-write-backend.h"

/* S3 copies at most 5 GiB at once. */
#define COPY_MAX (5ULL << 30)
#define COPY_PART (128ULL << 20) /* bytes; more where these are too many */
/* Long work of the server's own: some time, and more for more bytes. */
#define WORK_MS 60000
#define WORK_BYTES_PER_MS (16u << 10)

#define NUMBER_TEXT 24

static uint64_t work_ms(uint64_t bytes)
{
	return WORK_MS + bytes / WORK_BYTES_PER_MS;
}

enum rc s3_multipart_create(struct s3_store *s, const char *key,
			    char ret_id[S3_UPLOAD_ID_MAX], struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	const struct sigv4_pair query = { "uploads", NULL };
	const struct sigv4_pair header = { "content-type",
					   "application/octet-stream" };
	const struct s3_request rq = { .kind = REMOTE_POST,
				       .method = HTTP_POST,
				       .key = key,
				       .query = &query,
				       .n_query = 1,
				       .headers = &header,
				       .n_headers = 1 };

	if (s3_send(s, &rq, &re, err))
		return err->rc;
	if (s3_xml_text(re.http.body.p, re.http.body.len,
			"InitiateMultipartUploadResult", "UploadId", ret_id,
			S3_UPLOAD_ID_MAX, err))
		return err_prefix(err, "%s", key);
	return RC_OK;
}

static enum remote_verdict check_etag(void *arg, const struct http_response *r,
				      struct err *err)
{
	const struct content_md5 *md5 = arg;

	if (!*r->etag || strlen(r->etag) >= HTTP_FIELD_MAX - 1) {
		err_set(err, RC_CORRUPT, "stored without a valid ETag");
		return REMOTE_RETRY;
	}
	if (!md5 || content_md5_is_etag(md5, r->etag))
		return REMOTE_DONE;
	err_set(err, RC_CORRUPT,
		"stored with an ETag that is not that of the bytes sent");
	return REMOTE_RETRY;
}

enum rc s3_multipart_part(struct s3_store *s, const char *key, const char *id,
			  unsigned int number, const void *p, size_t len,
			  char *ret_etag, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	struct content_md5 md5;
	char text[NUMBER_TEXT];
	const struct sigv4_pair query[] = { { "partNumber", text },
					    { "uploadId", id } };
	const struct sigv4_pair header = { "content-md5", md5.base64 };
	const struct s3_request rq = { .kind = REMOTE_PUT,
				       .method = HTTP_PUT,
				       .key = key,
				       .query = query,
				       .n_query = 2,
				       .headers = &header,
				       .n_headers = 1,
				       .body = p,
				       .body_len = len,
				       .check = check_etag,
				       .arg = s->has_md5_tags ? &md5 : NULL };

	content_md5_of(p, len, &md5);
	snprintf(text, sizeof(text), "%u", number);
	if (s3_send(s, &rq, &re, err))
		return err->rc;
	memcpy(ret_etag, re.http.etag, HTTP_FIELD_MAX);
	return RC_OK;
}

static void append_parts(struct buf *out, char *const *etags, size_t n)
{
	buf_append_str(out, "<CompleteMultipartUpload>");
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "<Part><PartNumber>%zu</PartNumber><ETag>",
			   i + 1);
		s3_xml_escape(out, etags[i]);
		buf_append_str(out, "</ETag></Part>");
	}
	buf_append_str(out, "</CompleteMultipartUpload>");
}

static enum rc send_complete(struct s3_store *s, const char *key,
			     const char *id, const struct buf *parts,
			     uint64_t size, struct s3_reply *re,
			     struct err *err)
{
	const struct sigv4_pair query = { "uploadId", id };
	const struct sigv4_pair header = { "content-type", "application/xml" };
	const struct s3_request rq = { .kind = REMOTE_POST,
				       .method = HTTP_POST,
				       .key = key,
				       .query = &query,
				       .n_query = 1,
				       .headers = &header,
				       .n_headers = 1,
				       .body = parts->p,
				       .body_len = parts->len,
				       .more_ms = work_ms(size),
				       .stall_ms =
					       (unsigned int)work_ms(size) };

	return s3_send(s, &rq, re, err);
}

/* A reply of status 2xx is taken for what it says by its status: RGW sends it
 * without the ETag.  The object's size is what counts.
 */
enum rc s3_multipart_complete(struct s3_store *s, const char *key,
			      const char *id, char *const *etags, size_t n,
			      uint64_t size, char *ret_version, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	CLEANUP_BUF struct buf parts = { 0 };
	uint64_t there = 0;
	enum rc rc;

	buf_init(&parts, S3_PARTS_MAX * (HTTP_FIELD_MAX * 6 + 64));
	append_parts(&parts, etags, n);
	if (!buf_ok(&parts))
		return err_set(err, RC_NOMEM, "%s: no memory for %zu parts",
			       key, n);
	rc = send_complete(s, key, id, &parts, size, &re, err);
	/* Done, by a try whose answer was lost? */
	if (rc == RC_NOENT && s3_write_size(s, key, &there, err))
		return err_prefix(err, "its upload is gone");
	if (rc && rc != RC_NOENT)
		return rc;
	if (!rc && s3_write_size(s, key, &there, err))
		return err->rc;
	if (there != size)
		return err_set(err, RC_CORRUPT,
			       "%s: has %" PRIu64 " bytes, not the %" PRIu64
			       " that were sent",
			       key, there, size);
	*ret_version = '\0';
	if (!rc)
		s3_write_version(&re.http, ret_version);
	return RC_OK;
}

enum rc s3_multipart_abort(struct s3_store *s, const char *key, const char *id,
			   struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	const struct sigv4_pair query = { "uploadId", id };
	const struct s3_request rq = { .kind = REMOTE_DELETE,
				       .method = HTTP_DELETE,
				       .key = key,
				       .query = &query,
				       .n_query = 1,
				       .ignores_stop = true };
	enum rc rc = s3_send(s, &rq, &re, err);

	return rc == RC_NOENT ? RC_OK : rc;
}

/* The value of x-amz-copy-source; free() it. */
static char *copy_source(const struct s3_store *s, const char *key,
			 const char *version)
{
	CLEANUP_FREE char *full = s3_full_key(s, key);
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, URL_MAX);
	buf_printf(&b, "/%s/", s->bucket);
	url_encode(&b, full, true);
	/* Without: the newest. */
	if (*version && strcmp(version, S3_VERSION_UNKNOWN) != 0) {
		buf_append_str(&b, "?versionId=");
		url_encode(&b, version, false);
	}
	return xstrdup(buf_str(&b));
}

/* *ret_too_large: of a failure; in parts it may go well. */
static enum rc copy_at_once(struct s3_store *s, const char *source,
			    const char *to, uint64_t size, char *ret_version,
			    bool *ret_too_large, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	const struct sigv4_pair header = { "x-amz-copy-source", source };
	const struct s3_request rq = { .kind = REMOTE_PUT,
				       .method = HTTP_PUT,
				       .key = to,
				       .headers = &header,
				       .n_headers = 1,
				       .max_body = S3_XML_MAX,
				       .more_ms = work_ms(size),
				       .stall_ms =
					       (unsigned int)work_ms(size) };

	if (s3_send(s, &rq, &re, err)) {
		*ret_too_large = !strcmp(re.error.code, "InvalidRequest") ||
				 !strcmp(re.error.code, "EntityTooLarge");
		return err->rc;
	}
	s3_write_version(&re.http, ret_version);
	return RC_OK;
}

static enum rc copy_part(struct s3_store *s, const char *source, const char *to,
			 const char *id, size_t i, uint64_t from, uint64_t end,
			 char **ret, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	char number[NUMBER_TEXT], range[64], etag[HTTP_FIELD_MAX];
	const struct sigv4_pair query[] = { { "partNumber", number },
					    { "uploadId", id } };
	const struct sigv4_pair headers[] = {
		{ "x-amz-copy-source", source },
		{ "x-amz-copy-source-range", range },
	};
	const struct s3_request rq = { .kind = REMOTE_PUT,
				       .method = HTTP_PUT,
				       .key = to,
				       .query = query,
				       .n_query = 2,
				       .headers = headers,
				       .n_headers = 2,
				       .max_body = S3_XML_MAX,
				       .more_ms = work_ms(end - from),
				       .stall_ms = (unsigned int)work_ms(
					       end - from) };

	snprintf(number, sizeof(number), "%zu", i + 1);
	snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, from,
		 end - 1);
	if (s3_send(s, &rq, &re, err))
		return err->rc;
	if (s3_xml_text(re.http.body.p, re.http.body.len, "CopyPartResult",
			"ETag", etag, sizeof(etag), err))
		return err_prefix(err, "%s", to);
	*ret = xstrdup(etag);
	return RC_OK;
}

static enum rc copy_in_parts(struct s3_store *s, const char *source,
			     const char *to, uint64_t size, char *ret_version,
			     struct err *err)
{
	uint64_t least = size / (S3_PARTS_MAX - 1) + 1;
	uint64_t part = least > COPY_PART ? least : COPY_PART;
	size_t n = (size_t)((size + part - 1) / part);
	char **etags = xcalloc(n, sizeof(*etags));
	char id[S3_UPLOAD_ID_MAX] = "";
	struct err ignored;
	enum rc rc = s3_multipart_create(s, to, id, err);

	for (size_t i = 0; !rc && i < n; i++)
		rc = copy_part(s, source, to, id, i, i * part,
			       i + 1 < n ? (i + 1) * part : size, &etags[i],
			       err);
	if (!rc)
		rc = s3_multipart_complete(s, to, id, etags, n, size,
					   ret_version, err);
	/* What is left when this fails, a clean-up finds by the run's claim. */
	if (rc && *id)
		(void)!s3_multipart_abort(s, to, id, &ignored);
	for (size_t i = 0; i < n; i++)
		free(etags[i]);
	free(etags);
	return rc;
}

enum rc s3_write_copy(struct s3_store *s, const char *from,
		      const char *from_version, const char *to, uint64_t size,
		      char *ret_version, struct err *err)
{
	CLEANUP_FREE char *source = copy_source(s, from, from_version);
	struct err ignored;
	bool is_too_large = size > COPY_MAX;
	uint64_t there = 0;
	enum rc rc = RC_OK;

	if (!is_too_large)
		rc = copy_at_once(s, source, to, size, ret_version,
				  &is_too_large, err);
	if (is_too_large)
		return copy_in_parts(s, source, to, size, ret_version, err);
	if (rc || s3_write_size(s, to, &there, err))
		return err->rc;
	if (there == size)
		return RC_OK;
	(void)!s3_write_delete(s, to, ret_version, &ignored);
	return err_set(err, RC_CORRUPT,
		       "%s: the server's copy has %" PRIu64
		       " bytes, not %" PRIu64,
		       to, there, size);
}
