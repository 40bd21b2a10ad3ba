/* SPDX-License-Identifier: Apache-2.0 */
/* fake-reply.c - what a server in good health answers: see fake-s3.h. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "fake-s3.h"

struct fake_reply *fake_reply_new(void)
{
	struct fake_reply *rp = xcalloc(1, sizeof(*rp));

	rp->status = 200;
	return rp;
}

static void reply_clear(struct fake_reply *rp)
{
	for (size_t i = 0; i < rp->n_headers; i++) {
		free(rp->headers[i].name);
		free(rp->headers[i].value);
	}
	fake_blob_unref(rp->blob);
	*rp = (struct fake_reply){ .status = 200 };
}

void fake_reply_free(struct fake_reply *rp)
{
	if (!rp)
		return;
	reply_clear(rp);
	free(rp);
}

void fake_reply_header(struct fake_reply *rp, const char *name,
		       const char *value)
{
	size_t i = 0;

	while (i < rp->n_headers && strcmp(rp->headers[i].name, name) != 0)
		i++;
	if (i < rp->n_headers) {
		free(rp->headers[i].name);
		free(rp->headers[i].value);
		rp->headers[i] = rp->headers[--rp->n_headers];
	}
	if (!value)
		return;
	if (rp->n_headers == FAKE_HEADERS)
		abort();
	rp->headers[rp->n_headers++] =
		(struct fake_pair){ .name = xstrdup(name),
				    .value = xstrdup(value) };
}

void fake_reply_text(struct fake_reply *rp, unsigned int status,
		     const char *type, const char *text)
{
	reply_clear(rp);
	rp->status = status;
	rp->len = strlen(text);
	rp->blob = fake_blob_new(xstrdup(text), rp->len);
	fake_reply_header(rp, "Content-Type", type);
}

void fake_reply_xml(struct fake_reply *rp, unsigned int status, struct buf *b)
{
	fake_reply_text(rp, status, "application/xml", buf_str(b));
}

void fake_xml_begin(struct buf *b, const char *root)
{
	buf_printf(b,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<%s xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
		   root);
}

void fake_xml_text(struct buf *b, const char *element, const char *text)
{
	buf_printf(b, "<%s>", element);
	for (; *text; text++) {
		if (strchr("<>&\"'", *text) || (unsigned char)*text < ' ')
			buf_printf(b, "&#%d;", *text);
		else
			buf_append(b, text, 1);
	}
	buf_printf(b, "</%s>", element);
}

void fake_reply_error(struct fake_request *rq, unsigned int status,
		      const char *code, const char *format, ...)
{
	CLEANUP_BUF struct buf b = { 0 };
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_init(&b, 1 << 20);
	buf_append_str(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error>");
	fake_xml_text(&b, "Code", code);
	fake_xml_text(&b, "Message", text);
	if (rq->bucket)
		fake_xml_text(&b, "BucketName", rq->bucket);
	if (!strcmp(code, "AuthorizationHeaderMalformed"))
		fake_xml_text(&b, "Region", rq->fake->region);
	fake_xml_text(&b, "Resource", rq->path);
	buf_append_str(&b, "</Error>");
	fake_reply_xml(rq->reply, status, &b);
}

static bool range_number(const char **s, uint64_t *ret)
{
	char *end;

	if (**s < '0' || **s > '9')
		return false;
	*ret = strtoull(*s, &end, 10);
	*s = end;
	return true;
}

int fake_range(const char *text, uint64_t size, uint64_t *ret_off,
	       uint64_t *ret_len)
{
	uint64_t first = 0, last = UINT64_MAX;
	bool has_first, has_last;

	if (!text || strncmp(text, "bytes=", 6) != 0)
		return 0;
	text += 6;
	has_first = range_number(&text, &first);
	if (*text++ != '-')
		return 0;
	has_last = range_number(&text, &last);
	/* Of several ranges only the first counts, as in RGW. */
	if ((*text && *text != ',') || (!has_first && !has_last) ||
	    (has_first && last < first))
		return 0;
	if (!has_first) {
		if (!last || !size)
			return -1;
		first = last < size ? size - last : 0;
		last = size - 1;
	}
	if (first >= size)
		return -1;
	*ret_off = first;
	*ret_len = (last < size ? last + 1 : size) - first;
	return 1;
}

/* Is the tag in a list as If-Match has it? */
static bool has_tag(const char *list, const char *etag)
{
	size_t len = strlen(etag);
	const char *at = strstr(list, etag);

	return !strcmp(list, "*") ||
	       (at && at > list && at[-1] == '"' && at[len] == '"');
}

static void reply_range(struct fake_request *rq, uint64_t size)
{
	struct fake_reply *rp = rq->reply;
	char text[96];
	int found =
		fake_range(fake_header(rq, "Range"), size, &rp->off, &rp->len);

	if (found < 0) {
		fake_reply_error(rq, 416, "InvalidRange",
				 "The requested range is not satisfiable");
		snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
		fake_reply_header(rp, "Content-Range", text);
	} else if (found) {
		rp->status = 206;
		rp->is_range = true;
		snprintf(text, sizeof(text),
			 "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, rp->off,
			 rp->off + rp->len - 1, size);
		fake_reply_header(rp, "Content-Range", text);
	}
}

static void header_time(struct fake_reply *rp, int64_t when)
{
	time_t t = (time_t)when;
	char text[64];
	struct tm tm;

	if (gmtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		fake_reply_header(rp, "Last-Modified", text);
}

void fake_reply_blob(struct fake_request *rq, struct fake_blob *blob,
		     const char *etag, int64_t when)
{
	const char *match = fake_header(rq, "If-Match");
	const char *none = fake_header(rq, "If-None-Match");
	struct fake_reply *rp = rq->reply;
	char quoted[80];

	/* A tag that the rules change is the one to be matched. */
	if (match && !has_tag(match, etag) && !*rq->fault.etag) {
		fake_reply_error(rq, 412, "PreconditionFailed",
				 "At least one of the pre-conditions you "
				 "specified did not hold");
		return;
	}
	reply_clear(rp);
	if (none && has_tag(none, etag)) {
		rp->status = 304;
	} else {
		rp->blob = fake_blob_ref(blob);
		rp->len = blob->len;
		reply_range(rq, blob->len);
	}
	snprintf(quoted, sizeof(quoted), "\"%s\"", etag);
	if (rp->status < 400)
		fake_reply_header(rp, "ETag", quoted);
	fake_reply_header(rp, "Accept-Ranges", "bytes");
	header_time(rp, when);
}
