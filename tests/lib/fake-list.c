/* SPDX-License-Identifier: Apache-2.0 */
/* fake-list.c - the lists of the test server, in pages. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "fake-s3.h"

#define LIST_MAX ((size_t)64 << 20)

static void xml_key(struct buf *b, const struct fake_request *rq,
		    const char *element, const char *key)
{
	const char *how = fake_query(rq, "encoding-type");

	if (!how || strcmp(how, "url") != 0) {
		fake_xml_text(b, element, key);
		return;
	}
	buf_printf(b, "<%s>", element);
	fake_encode(b, key, true);
	buf_printf(b, "</%s>", element);
}

/* The document and its name; how its keys are encoded. */
static void list_begin(struct buf *b, const struct fake_request *rq,
		       const char *root, const struct fake_bucket *bucket)
{
	const char *how = fake_query(rq, "encoding-type");

	fake_xml_begin(b, root);
	fake_xml_text(b,
		      strcmp(root, "ListMultipartUploadsResult") ? "Name"
								 : "Bucket",
		      bucket->name);
	if (how)
		fake_xml_text(b, "EncodingType", how);
}

static void xml_time(struct buf *b, const char *element, int64_t when)
{
	time_t t = (time_t)when;
	char text[64];
	struct tm tm;

	if (gmtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &tm))
		fake_xml_text(b, element, text);
}

static void xml_version(struct buf *b, const struct fake_version *v)
{
	char quoted[80];

	xml_time(b, "LastModified", v->time);
	if (!v->blob)
		return;
	snprintf(quoted, sizeof(quoted), "\"%s\"", v->etag);
	fake_xml_text(b, "ETag", quoted);
	buf_printf(b, "<Size>%zu</Size><StorageClass>STANDARD</StorageClass>",
		   v->blob->len);
}

/* Tokens are opaque: the last key in a form that needs care in a query. */
static char *token_of(const char *key)
{
	size_t len = strlen(key);
	char *ret = xcalloc(len / 3 + 1, 4 + 4);

	ret[0] = '+';
	EVP_EncodeBlock((uint8_t *)ret + 1, (const uint8_t *)key, (int)len);
	return ret;
}

/* NULL when it is none of ours. */
static char *token_key(const char *token)
{
	size_t len = strlen(token);
	uint8_t *out;
	int n;

	if (*token != '+' || len % 4 != 1 || len < 5)
		return NULL;
	out = xcalloc(len, 1);
	n = EVP_DecodeBlock(out, (const uint8_t *)token + 1, (int)len - 1);
	if (n < 0) {
		free(out);
		return NULL;
	}
	return (char *)out;
}

static size_t page_of(const struct fake_request *rq, const char *name)
{
	uint64_t n = fake_query_number(rq, name, 1000);

	return n < rq->fake->page ? (size_t)n : rq->fake->page;
}

static bool begins(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* Keys that were never put, for ever; the last one is where to go on. */
static char *made_up(struct fake_request *rq, struct buf *b, const char *prefix)
{
	char *last = NULL;

	for (int i = 0; i < 10; i++) {
		free(last);
		last = xasprintf("%s~%020" PRIu64, prefix, ++rq->fake->last_id);
		buf_append_str(b, "<Contents>");
		fake_xml_text(b, "Key", last);
		buf_append_str(b, "<Size>7</Size></Contents>");
	}
	return last;
}

/* The index behind the page's last key. */
static size_t list_page(struct fake_request *rq, const struct fake_bucket *b,
			const char *after, struct buf *out, size_t *ret_n)
{
	const char *prefix = fake_query(rq, "prefix");
	size_t max = page_of(rq, "max-keys"), i, n = 0;
	bool found;

	prefix = prefix ? prefix : "";
	i = fake_bucket_seek(b, strcmp(after, prefix) < 0 ? prefix : after,
			     &found);
	if (found && !strcmp(b->keys[i].name, after))
		i++;
	for (; i < b->n && n < max && begins(b->keys[i].name, prefix); i++) {
		if (!b->keys[i].newest->blob)
			continue;
		buf_append_str(out, "<Contents>");
		xml_key(out, rq, "Key", b->keys[i].name);
		xml_version(out, b->keys[i].newest);
		buf_append_str(out, "</Contents>");
		n++;
	}
	*ret_n = n;
	return i;
}

static bool more_from(const struct fake_request *rq,
		      const struct fake_bucket *b, size_t i)
{
	const char *prefix = fake_query(rq, "prefix");

	for (; i < b->n && begins(b->keys[i].name, prefix ? prefix : ""); i++)
		if (b->keys[i].newest->blob)
			return true;
	return false;
}

void fake_list(struct fake_request *rq, struct fake_bucket *b)
{
	CLEANUP_BUF struct buf out = { 0 };
	CLEANUP_FREE char *from = NULL, *next = NULL, *last = NULL;
	const char *prefix = fake_query(rq, "prefix");
	const char *token = fake_query(rq, "continuation-token");
	const char *after = fake_query(rq, "start-after");
	bool more;
	size_t i, n;

	if (token && *token) {
		from = token_key(token);
		if (!from) {
			fake_reply_error(rq, 400, "InvalidArgument",
					 "The continuation token is incorrect");
			return;
		}
		after = from;
	}
	/* The same page for ever: its token leads to itself. */
	if (!strcmp(rq->fault.endless, "same"))
		after = "";
	buf_init(&out, LIST_MAX);
	list_begin(&out, rq, "ListBucketResult", b);
	xml_key(&out, rq, "Prefix", prefix ? prefix : "");
	i = list_page(rq, b, after ? after : "", &out, &n);
	more = *rq->fault.endless || more_from(rq, b, i);
	if (!strcmp(rq->fault.endless, "grow"))
		last = made_up(rq, &out, prefix ? prefix : "");
	if (more) {
		next = token_of(last ? last : i ? b->keys[i - 1].name : "x");
		fake_xml_text(&out, "NextContinuationToken", next);
	}
	buf_printf(&out,
		   "<KeyCount>%zu</KeyCount><IsTruncated>%s</IsTruncated>", n,
		   more ? "true" : "false");
	buf_append_str(&out, "</ListBucketResult>");
	fake_reply_xml(rq->reply, 200, &out);
}

static void xml_of_version(struct buf *out, const struct fake_request *rq,
			   const struct fake_key *k,
			   const struct fake_version *v)
{
	const char *element = v->blob ? "Version" : "DeleteMarker";

	buf_printf(out, "<%s>", element);
	xml_key(out, rq, "Key", k->name);
	fake_xml_text(out, "VersionId", v->id);
	buf_printf(out, "<IsLatest>%s</IsLatest>",
		   v == k->newest ? "true" : "false");
	xml_version(out, v);
	buf_printf(out, "</%s>", element);
}

struct place {
	const struct fake_key *k;
	const struct fake_version *v;
};

/* True when the page was full before the end. */
static bool versions_page(struct fake_request *rq, const struct fake_bucket *b,
			  struct buf *out, struct place *last)
{
	const char *prefix = fake_query(rq, "prefix");
	const char *key = fake_query(rq, "key-marker");
	const char *id = fake_query(rq, "version-id-marker");
	size_t max = page_of(rq, "max-keys"), n = 0, i;
	bool found, skip = key && id && *id;

	prefix = prefix ? prefix : "";
	key = key ? key : "";
	i = fake_bucket_seek(b, strcmp(key, prefix) < 0 ? prefix : key, &found);
	if (found && !strcmp(b->keys[i].name, key) && !skip)
		i++;
	for (; i < b->n && begins(b->keys[i].name, prefix); i++) {
		const struct fake_version *v = b->keys[i].newest;

		for (; v; v = v->older) {
			if (skip && !strcmp(b->keys[i].name, key)) {
				skip = strcmp(v->id, id) != 0;
				continue;
			}
			if (n++ == max)
				return true;
			xml_of_version(out, rq, &b->keys[i], v);
			*last = (struct place){ &b->keys[i], v };
		}
	}
	return false;
}

void fake_list_versions(struct fake_request *rq, struct fake_bucket *b)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct place last = { 0 };
	bool more;

	buf_init(&out, LIST_MAX);
	list_begin(&out, rq, "ListVersionsResult", b);
	more = versions_page(rq, b, &out, &last);
	if (more && last.k) {
		xml_key(&out, rq, "NextKeyMarker", last.k->name);
		fake_xml_text(&out, "NextVersionIdMarker", last.v->id);
	}
	buf_printf(&out, "<IsTruncated>%s</IsTruncated>",
		   more ? "true" : "false");
	buf_append_str(&out, "</ListVersionsResult>");
	fake_reply_xml(rq->reply, 200, &out);
}

static int by_key(const void *a, const void *b)
{
	const struct fake_upload *const *x = a, *const *y = b;
	int cmp = strcmp((*x)->key, (*y)->key);

	return cmp ? cmp : strcmp((*x)->id, (*y)->id);
}

/* All uploads in order, a NULL behind them. */
static struct fake_upload **uploads_sorted(const struct fake_bucket *b)
{
	struct fake_upload **all, *up;
	size_t n = 0, i = 0;

	for (up = b->uploads; up; up = up->next)
		n++;
	all = xcalloc(n + 1, sizeof(struct fake_upload *));
	for (up = b->uploads; up; up = up->next)
		all[i++] = up;
	qsort(all, n, sizeof(struct fake_upload *), by_key);
	return all;
}

static bool is_after(const struct fake_request *rq,
		     const struct fake_upload *up)
{
	const char *key = fake_query(rq, "key-marker");
	const char *id = fake_query(rq, "upload-id-marker");
	int cmp = key ? strcmp(up->key, key) : 1;

	return cmp > 0 || (!cmp && id && *id && strcmp(up->id, id) > 0);
}

void fake_list_uploads(struct fake_request *rq, struct fake_bucket *b)
{
	CLEANUP_BUF struct buf out = { 0 };
	const char *prefix = fake_query(rq, "prefix");
	struct fake_upload **all = uploads_sorted(b);
	const struct fake_upload *last = NULL;
	size_t max = page_of(rq, "max-uploads"), n = 0;
	bool more = false;

	buf_init(&out, LIST_MAX);
	list_begin(&out, rq, "ListMultipartUploadsResult", b);
	for (size_t i = 0; all[i] && !more; i++) {
		if (!begins(all[i]->key, prefix ? prefix : "") ||
		    !is_after(rq, all[i]))
			continue;
		more = n++ == max;
		if (more)
			break;
		last = all[i];
		buf_append_str(&out, "<Upload>");
		xml_key(&out, rq, "Key", last->key);
		fake_xml_text(&out, "UploadId", last->id);
		xml_time(&out, "Initiated", last->time);
		buf_append_str(&out, "</Upload>");
	}
	if (more && last) {
		xml_key(&out, rq, "NextKeyMarker", last->key);
		fake_xml_text(&out, "NextUploadIdMarker", last->id);
	}
	buf_printf(&out, "<IsTruncated>%s</IsTruncated>",
		   more ? "true" : "false");
	buf_append_str(&out, "</ListMultipartUploadsResult>");
	fake_reply_xml(rq->reply, 200, &out);
	free(all);
}
