/* SPDX-License-Identifier: Apache-2.0 */
/* fake-send.c - the reply goes out, spoilt as the rules want it.
 *
 * A body comes from a callback that may sleep, flip a bit, or end the
 * connection.  libmicrohttpd sends what the callback gave before it asks again,
 * so at the next call all bytes before are in the kernel.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fake-s3.h"

#define BLOCK 65536

int fake_fd(const struct fake_request *rq)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		rq->conn, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

bool fake_nap(struct fake *fake, int fd, uint64_t ms)
{
	uint64_t now = clock_mono_ns() / CLOCK_NS_PER_MS;
	uint64_t end = ms > UINT64_MAX - now ? UINT64_MAX : now + ms;

	while (now < end && !fake->quit) {
		struct pollfd p = { .fd = fd, .events = POLLRDHUP };
		uint64_t left = end - now;

		if (poll(&p, 1, left < 50 ? (int)left : 50) > 0 && p.revents)
			return true;
		now = clock_mono_ns() / CLOCK_NS_PER_MS;
	}
	return fake->quit;
}

/* Connecting to nowhere makes Linux send an RST at once.  First the other side
 * gets what it was promised.
 */
static void reset_connection(int fd)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	int left = 1;

	for (int i = 0; i < 100 && left > 0; i++) {
		if (ioctl(fd, SIOCOUTQ, &left))
			break;
		if (left > 0)
			poll(NULL, 0, 5);
	}
	if (connect(fd, &nowhere, sizeof(nowhere)))
		shutdown(fd, SHUT_RDWR);
}

struct body {
	struct fake *fake;
	int fd;
	struct fake_blob *blob; /* NULL: zeros */
	uint64_t off;           /* in the blob */
	uint64_t total;         /* bytes to send */
	uint64_t honest;        /* of them from the blob, then 'x' */
	struct fake_fault fault;
	bool has_stalled;
};

static void body_free(void *arg)
{
	struct body *b = arg;

	fake_blob_unref(b->blob);
	free(b);
}

static void flip(uint8_t *p, size_t n, uint64_t pos, int64_t at, uint64_t total)
{
	if (at < 0)
		at += (int64_t)total;
	if (at >= (int64_t)pos && at < (int64_t)(pos + n))
		p[at - (int64_t)pos] ^= 1;
}

static void body_fill(const struct body *b, uint64_t pos, char *to, size_t n)
{
	size_t good = 0;

	if (pos < b->honest) {
		good = b->honest - pos < n ? (size_t)(b->honest - pos) : n;
		memcpy(to, b->blob->p + b->off + pos, good);
	}
	memset(to + good, 'x', n - good);
	if (b->fault.has_flip)
		flip((uint8_t *)to, n, pos, b->fault.flip, b->total);
	if (b->fault.has_flip_object && b->blob)
		flip((uint8_t *)to, good, b->off + pos, b->fault.flip_object,
		     b->blob->len);
}

/* Bytes until something happens at point. */
static uint64_t until(uint64_t n, uint64_t pos, uint64_t point)
{
	return point > pos && point - pos < n ? point - pos : n;
}

static ssize_t body_read(void *arg, uint64_t pos, char *to, size_t max)
{
	struct body *b = arg;
	const struct fake_fault *f = &b->fault;
	uint64_t n = b->total - pos;

	if (!b->has_stalled && pos >= f->stall_after) {
		b->has_stalled = true;
		if (fake_nap(b->fake, b->fd, f->stall))
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (pos >= f->reset_after) {
		reset_connection(b->fd);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (pos >= f->cut_after)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!n)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (f->trickle && pos && fake_nap(b->fake, b->fd, 100))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n > max)
		n = max;
	if (f->trickle && n > f->trickle)
		n = f->trickle;
	if (!b->has_stalled)
		n = until(n, pos, f->stall_after);
	n = until(until(n, pos, f->reset_after), pos, f->cut_after);
	body_fill(b, pos, to, (size_t)n);
	return (ssize_t)n;
}

/* A document in place of XML. */
static void spoil_xml(struct fake_request *rq, const char *how)
{
	struct buf b = { 0 };
	const char *good = (const char *)rq->reply->blob->p;
	const char *type = "application/xml";

	buf_init(&b, 64 << 20);
	if (!strcmp(how, "bad"))
		buf_append_str(&b, "<?xml version=\"1.0\"?><a><b></a>");
	else if (!strcmp(how, "cut"))
		buf_append(&b, good, (size_t)rq->reply->len / 2);
	else if (!strcmp(how, "html"))
		type = "text/html", buf_append_str(&b, "<html><p>Welcome<br>");
	else if (!strcmp(how, "entity"))
		buf_append_str(&b,
			       "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY "
			       "a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>"
			       "<ListBucketResult><Name>&b;</Name>"
			       "</ListBucketResult>");
	else if (!strcmp(how, "deep"))
		for (int i = 0; i < 200000; i++)
			buf_append_str(&b, "<a>");
	else if (!strcmp(how, "huge"))
		for (int i = 0; i < 12 << 10; i++)
			buf_printf(&b, "<!-- %1000d -->", i);
	fake_reply_text(rq->reply, rq->reply->status, type, buf_str(&b));
	buf_release(&b);
}

/* Other bytes than asked for: some further, more or fewer. */
static void spoil_range(struct fake_request *rq)
{
	struct fake_reply *rp = rq->reply;
	const struct fake_fault *f = &rq->fault;
	int64_t off = (int64_t)rp->off + f->shift, size;
	char text[96];

	if (!rp->blob)
		return;
	size = (int64_t)rp->blob->len;
	if (f->full && rp->is_range) {
		rp->status = 200;
		rp->off = 0;
		rp->len = rp->blob->len;
		fake_reply_header(rp, "Content-Range", NULL);
	}
	if (f->shift && rp->is_range && off >= 0 && off < size) {
		rp->off = (uint64_t)off;
		if (off + (int64_t)rp->len > size)
			rp->len = (uint64_t)(size - off);
		snprintf(text, sizeof(text),
			 "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, rp->off,
			 rp->off + rp->len - 1, size);
		fake_reply_header(rp, "Content-Range", text);
	}
	if (*f->content_range)
		fake_reply_header(rp, "Content-Range",
				  strcmp(f->content_range, "none")
					  ? f->content_range
					  : NULL);
}

void fake_spoil(struct fake_request *rq)
{
	struct fake_reply *rp = rq->reply;
	const struct fake_fault *f = &rq->fault;
	char text[80];

	if (fake_fault_replaces(f)) {
		unsigned int status = f->status ? f->status : 307;
		const char *code =
			*f->redirect ? "TemporaryRedirect" : "SlowDown";

		fake_reply_error(rq, status, *f->code ? f->code : code,
				 "as the rules want it");
		if (*f->redirect)
			fake_reply_header(rp, "Location", f->redirect);
		if (*f->retry_after)
			fake_reply_header(rp, "Retry-After", f->retry_after);
	}
	if (*f->xml && rp->blob)
		spoil_xml(rq, f->xml);
	if (rp->status == 200 || rp->status == 206)
		spoil_range(rq);
	if (*f->etag && rp->status < 400) {
		snprintf(text, sizeof(text), "\"%s\"", f->etag);
		fake_reply_header(rp, "ETag",
				  strcmp(f->etag, "none") ? text : NULL);
	}
}

static enum MHD_Result drop(struct fake_request *rq)
{
	static const char garbage[] = "\x16\x03\x01 no such protocol\r\n\r\n";
	int fd = fake_fd(rq);

	if (rq->fault.drop == DROP_RST)
		reset_connection(fd);
	else if (rq->fault.drop == DROP_GARBAGE)
		(void)!write(fd, garbage, sizeof(garbage) - 1);
	return MHD_NO;
}

static struct body *body_new(struct fake_request *rq)
{
	struct body *b = xcalloc(1, sizeof(*b));
	const struct fake_reply *rp = rq->reply;
	int64_t total = (int64_t)rp->len;

	if (rp->status < 300)
		total += rq->fault.longer;
	b->fake = rq->fake;
	b->fd = fake_fd(rq);
	b->blob = fake_blob_ref(rp->blob);
	b->off = rp->off;
	b->honest = rp->blob ? rp->blob->len - rp->off : 0;
	if (!rp->is_range && b->honest > rp->len)
		b->honest = rp->len;
	b->total = total > 0 ? (uint64_t)total : 0;
	b->fault = rq->fault;
	return b;
}

static struct MHD_Response *response_new(struct fake_request *rq)
{
	struct body *b = body_new(rq);
	struct MHD_Response *r;
	char text[32];

	if (!rq->fault.overlong || !strcmp(rq->method, "HEAD"))
		return MHD_create_response_from_callback(
			b->total, BLOCK, body_read, b, body_free);
	snprintf(text, sizeof(text), "%" PRIu64, b->total);
	b->total += rq->fault.overlong;
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
					      body_read, b, body_free);
	/* HTTP/1.0 has no chunks, which would hide the bytes. */
	MHD_set_response_options(r,
				 MHD_RF_INSANITY_HEADER_CONTENT_LENGTH |
					 MHD_RF_HTTP_1_0_SERVER,
				 MHD_RO_END);
	MHD_add_response_header(r, "Content-Length", text);
	MHD_add_response_header(r, "Connection", "close");
	return r;
}

static void add_date(const struct fake *fake, struct MHD_Response *r)
{
	time_t now = (time_t)fake_now(fake);
	char text[64];
	struct tm tm;

	if (gmtime_r(&now, &tm) &&
	    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		MHD_add_response_header(r, "Date", text);
}

enum MHD_Result fake_send(struct fake_request *rq)
{
	const struct fake_reply *rp = rq->reply;
	struct MHD_Response *r;
	enum MHD_Result ret;

	if (rq->fault.latency &&
	    fake_nap(rq->fake, fake_fd(rq), rq->fault.latency))
		return MHD_NO;
	if (rq->fault.drop)
		return drop(rq);
	r = response_new(rq);
	for (size_t i = 0; i < rp->n_headers; i++)
		MHD_add_response_header(r, rp->headers[i].name,
					rp->headers[i].value);
	add_date(rq->fake, r);
	ret = MHD_queue_response(rq->conn, rp->status, r);
	MHD_destroy_response(r);
	return ret;
}
