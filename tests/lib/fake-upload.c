/* SPDX-License-Identifier: Apache-2.0 */
/* fake-upload.c - uploads in parts, of the test server. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "fake-s3.h"

static void create(struct fake_request *rq, struct fake_bucket *b)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct fake_upload *up = xcalloc(1, sizeof(*up));

	up->key = xstrdup(rq->key);
	up->time = fake_now(rq->fake);
	up->parts = xcalloc(FAKE_PARTS + 1, sizeof(*up->parts));
	snprintf(up->id, sizeof(up->id),
		 "2~u+%06" PRIu64 "/=", ++rq->fake->last_id);
	up->next = b->uploads;
	b->uploads = up;
	buf_init(&out, 1 << 20);
	fake_xml_begin(&out, "InitiateMultipartUploadResult");
	fake_xml_text(&out, "Bucket", b->name);
	fake_xml_text(&out, "Key", rq->key);
	fake_xml_text(&out, "UploadId", up->id);
	buf_append_str(&out, "</InitiateMultipartUploadResult>");
	fake_reply_xml(rq->reply, 200, &out);
}

static struct fake_part *part_of(struct fake_request *rq,
				 struct fake_upload *up)
{
	uint64_t n = fake_query_number(rq, "partNumber", 0);

	if (n && n <= FAKE_PARTS)
		return &up->parts[n];
	fake_reply_error(rq, 400, "InvalidArgument",
			 "Part number must be from 1 to 10000");
	return NULL;
}

static void part_set(struct fake_part *part, struct fake_blob *blob)
{
	fake_blob_unref(part->blob);
	part->blob = blob;
	fake_md5(blob->p, blob->len, part->etag);
}

static void put_part(struct fake_request *rq, struct fake_upload *up)
{
	struct fake_part *part = part_of(rq, up);
	char quoted[80];

	if (!part)
		return;
	part_set(part, fake_blob_new(xmemdup0(buf_str(&rq->body), rq->body.len),
				     rq->body.len));
	fake_reply_text(rq->reply, 200, "text/plain", "");
	snprintf(quoted, sizeof(quoted), "\"%s\"", part->etag);
	fake_reply_header(rq->reply, "ETag", quoted);
}

static void copy_part(struct fake_request *rq, struct fake_upload *up)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct fake_part *part = part_of(rq, up);
	const struct fake_version *v = part ? fake_copy_source(rq) : NULL;
	const char *range = fake_header(rq, "x-amz-copy-source-range");
	uint64_t off = 0, len;
	char quoted[80];

	if (!v)
		return;
	len = v->blob->len;
	if (range && (fake_range(range, v->blob->len, &off, &len) != 1 ||
		      len > rq->fake->max_copy)) {
		fake_reply_error(rq, 400, "InvalidArgument",
				 "the range to copy is none");
		return;
	}
	part_set(part, fake_blob_new(xmemdup0(v->blob->p + off, (size_t)len),
				     (size_t)len));
	buf_init(&out, 1 << 20);
	fake_xml_begin(&out, "CopyPartResult");
	snprintf(quoted, sizeof(quoted), "\"%s\"", part->etag);
	fake_xml_text(&out, "ETag", quoted);
	buf_append_str(&out, "</CopyPartResult>");
	fake_reply_xml(rq->reply, 200, &out);
}

/* The text between <name> and </name>, both after *s; moves behind it. */
static char *element(const char **s, const char *name)
{
	CLEANUP_FREE char *open = xasprintf("<%s>", name);
	CLEANUP_FREE char *close = xasprintf("</%s>", name);
	const char *from = strstr(*s, open);
	const char *to = from ? strstr(from, close) : NULL;

	if (!to)
		return NULL;
	from += strlen(open);
	*s = to + strlen(close);
	return xmemdup0(from, (size_t)(to - from));
}

struct complete {
	uint64_t last; /* number */
	uint64_t last_len;
	unsigned int n;
	struct buf bytes;
	struct buf md5s;
};

/* NULL, or the error's code. */
static const char *complete_part(struct fake_request *rq,
				 const struct fake_upload *up, const char *text,
				 struct complete *c)
{
	const char *s = text, *t = text;
	CLEANUP_FREE char *number = element(&s, "PartNumber");
	CLEANUP_FREE char *etag = element(&t, "ETag");
	uint64_t n = number ? strtoull(number, NULL, 10) : 0;
	const struct fake_part *part;
	uint8_t raw[16];

	if (!number || !etag)
		return "MalformedXML";
	if (n <= c->last)
		return "InvalidPartOrder";
	part = n <= FAKE_PARTS ? &up->parts[n] : NULL;
	if (!part || !part->blob || !strstr(etag, part->etag))
		return "InvalidPart";
	if (c->n && c->last_len < rq->fake->min_part)
		return "EntityTooSmall";
	c->last = n;
	c->last_len = part->blob->len;
	c->n++;
	buf_append(&c->bytes, part->blob->p, part->blob->len);
	fake_md5_raw(part->blob->p, part->blob->len, raw);
	buf_append(&c->md5s, raw, sizeof(raw));
	return NULL;
}

static const char *complete_all(struct fake_request *rq,
				const struct fake_upload *up,
				struct complete *c)
{
	const char *s = buf_str(&rq->body), *bad = NULL;

	buf_init(&c->bytes, SIZE_MAX / 2);
	buf_init(&c->md5s, 1 << 20);
	while (!bad) {
		char *part = element(&s, "Part");

		if (!part)
			break;
		bad = complete_part(rq, up, part, c);
		free(part);
	}
	return bad ? bad : c->n ? NULL : "MalformedXML";
}

static void complete(struct fake_request *rq, struct fake_bucket *b,
		     struct fake_upload *up)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct complete c = { 0 };
	const char *bad = complete_all(rq, up, &c);
	const struct fake_version *v;
	char etag[64], quoted[80];

	if (bad) {
		fake_reply_error(rq, 400, bad, "the parts do not fit");
	} else {
		fake_md5(c.md5s.p, c.md5s.len, etag);
		snprintf(etag + 32, sizeof(etag) - 32, "-%u", c.n);
		v = fake_bucket_put(
			b, rq->key,
			fake_blob_new(c.bytes.p ? c.bytes.p : xcalloc(1, 1),
				      c.bytes.len),
			etag, fake_now(rq->fake), ++rq->fake->last_id);
		c.bytes.p = NULL;
		buf_init(&out, 1 << 20);
		fake_xml_begin(&out, "CompleteMultipartUploadResult");
		snprintf(quoted, sizeof(quoted), "\"%s\"", etag);
		fake_xml_text(&out, "ETag", quoted);
		buf_append_str(&out, "</CompleteMultipartUploadResult>");
		fake_reply_xml(rq->reply, 200, &out);
		if (b->is_versioned)
			fake_reply_header(rq->reply, "x-amz-version-id", v->id);
		fake_upload_end(b, up);
	}
	buf_release(&c.bytes);
	buf_release(&c.md5s);
}

void fake_upload(struct fake_request *rq, struct fake_bucket *b)
{
	const char *id = fake_query(rq, "uploadId");
	struct fake_upload *up;

	if (rq->kind == KIND_CREATE) {
		create(rq, b);
		return;
	}
	up = fake_upload_find(b, rq->key, id ? id : "");
	if (!up) {
		fake_reply_error(rq, 404, "NoSuchUpload",
				 "The specified upload does not exist.");
	} else if (rq->kind == KIND_PART) {
		put_part(rq, up);
	} else if (rq->kind == KIND_PARTCOPY) {
		copy_part(rq, up);
	} else if (rq->kind == KIND_COMPLETE) {
		/* As S3 has it since 2024; RGW ignores the header. */
		if (rq->fake->conditional == CONDITIONAL_RGW ||
		    !fake_put_refused(rq, b))
			complete(rq, b, up);
	} else {
		fake_upload_end(b, up);
		fake_reply_text(rq->reply, 204, "text/plain", "");
	}
}
