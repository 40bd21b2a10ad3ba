/* SPDX-License-Identifier: Apache-2.0 */
/* fake-object.c - GET, HEAD, PUT, copy and DELETE of the test server. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "fake-s3.h"

static void add_version(struct fake_request *rq, const struct fake_bucket *b,
			const struct fake_version *v)
{
	if (b->is_versioned)
		fake_reply_header(rq->reply, "x-amz-version-id", v->id);
}

static void get(struct fake_request *rq, struct fake_bucket *b)
{
	const char *id = fake_query(rq, "versionId");
	const struct fake_version *v = fake_bucket_get(b, rq->key, id);

	if (!v || (!v->blob && !id)) {
		fake_reply_error(rq, 404,
				 v || !id ? "NoSuchKey" : "NoSuchVersion",
				 "The specified key does not exist.");
	} else if (!v->blob) {
		fake_reply_error(rq, 405, "MethodNotAllowed",
				 "a delete marker has no bytes");
	} else {
		fake_reply_blob(rq, v->blob, v->etag, v->time);
		fake_reply_header(rq->reply, "Content-Type",
				  "binary/octet-stream");
		add_version(rq, b, v);
	}
}

bool fake_put_refused(struct fake_request *rq, struct fake_bucket *b)
{
	const char *none = fake_header(rq, "If-None-Match");
	const struct fake_version *v = fake_bucket_get(b, rq->key, NULL);
	enum fake_conditional how = rq->fake->conditional;

	if (!none || !v || !v->blob || how == CONDITIONAL_NO ||
	    (how == CONDITIONAL_RGW && b->is_versioned))
		return false;
	fake_reply_error(rq, 412, "PreconditionFailed",
			 "At least one of the pre-conditions you specified did "
			 "not hold");
	return true;
}

/* "/bucket/key?versionId=…", encoded; NULL when there is none. */
static struct fake_version *source_of(struct fake_request *rq, const char *s)
{
	size_t len;
	CLEANUP_FREE char *name = NULL, *key = NULL, *id = NULL;
	const struct fake_bucket *b;
	const char *q;

	s += *s == '/';
	len = strcspn(s, "/");
	name = fake_decode(s, len);
	s += len + (s[len] == '/');
	q = strstr(s, "?versionId=");
	key = fake_decode(s, q ? (size_t)(q - s) : strlen(s));
	if (q)
		id = fake_decode(strchr(q, '=') + 1, strlen(q) - 11);
	b = fake_bucket_find(rq->fake->buckets, name);
	return b ? fake_bucket_get(b, key, id) : NULL;
}

struct fake_version *fake_copy_source(struct fake_request *rq)
{
	const char *s = fake_header(rq, "x-amz-copy-source");
	const char *match = fake_header(rq, "x-amz-copy-source-if-match");
	struct fake_version *v = source_of(rq, s);

	if (!v || !v->blob) {
		fake_reply_error(rq, 404, "NoSuchKey", "there is no source");
		return NULL;
	}
	if (match && !strstr(match, v->etag)) {
		fake_reply_error(rq, 412, "PreconditionFailed",
				 "the source has another tag");
		return NULL;
	}
	return v;
}

static void copy(struct fake_request *rq, struct fake_bucket *b)
{
	CLEANUP_BUF struct buf out = { 0 };
	const struct fake_version *v = fake_copy_source(rq);
	char quoted[80];

	if (!v)
		return;
	if (v->blob->len > rq->fake->max_copy) {
		fake_reply_error(rq, 400, "InvalidRequest",
				 "The source is larger than the maximum "
				 "allowable size for a copy source");
		return;
	}
	v = fake_bucket_put(b, rq->key, fake_blob_ref(v->blob), v->etag,
			    fake_now(rq->fake), ++rq->fake->last_id);
	buf_init(&out, 1 << 20);
	fake_xml_begin(&out, "CopyObjectResult");
	snprintf(quoted, sizeof(quoted), "\"%s\"", v->etag);
	fake_xml_text(&out, "ETag", quoted);
	buf_append_str(&out, "</CopyObjectResult>");
	fake_reply_xml(rq->reply, 200, &out);
	if (!rq->fake->has_silent_copies)
		add_version(rq, b, v);
}

static void put(struct fake_request *rq, struct fake_bucket *b)
{
	const struct fake_version *v;
	struct fake_blob *blob;
	char quoted[80];

	blob = fake_blob_new(xmemdup0(buf_str(&rq->body), rq->body.len),
			     rq->body.len);
	v = fake_bucket_put(b, rq->key, blob, rq->md5, fake_now(rq->fake),
			    ++rq->fake->last_id);
	fake_reply_text(rq->reply, 200, "text/plain", "");
	snprintf(quoted, sizeof(quoted), "\"%s\"", v->etag);
	fake_reply_header(rq->reply, "ETag", quoted);
	add_version(rq, b, v);
}

static void delete (struct fake_request *rq, struct fake_bucket *b)
{
	const char *id = fake_query(rq, "versionId");
	const struct fake_version *v;

	fake_reply_text(rq->reply, 204, "text/plain", "");
	if (id || !b->is_versioned) {
		fake_bucket_remove(b, rq->key, id ? id : "null");
		return;
	}
	v = fake_bucket_put(b, rq->key, NULL, "", fake_now(rq->fake),
			    ++rq->fake->last_id);
	fake_reply_header(rq->reply, "x-amz-delete-marker", "true");
	add_version(rq, b, v);
}

void fake_object(struct fake_request *rq, struct fake_bucket *b)
{
	if (rq->kind == KIND_GET || rq->kind == KIND_HEAD)
		get(rq, b);
	else if (rq->kind == KIND_DELETE)
		delete (rq, b);
	else if (fake_put_refused(rq, b))
		return;
	else if (rq->kind == KIND_COPY)
		copy(rq, b);
	else
		put(rq, b);
}
