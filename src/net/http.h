/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - HTTP requests: blocking for the caller, one thread for the wire.
 *
 * One client has one thread that drives libcurl (ADR 3); http_fetch may be
 * called from any number of threads.  Open it after the last fork.  One call is
 * one request on the wire; there are no retries here (retry.h), and redirects
 * are not followed but reported as their status.  Only when a connection that
 * was kept turns out dead before any byte of an answer came is the request sent
 * once more, over another.
 *
 * Connections are kept and used again.  HTTP/2 is offered over TLS;
 * certificates are verified always.  No content encoding is asked for, none is
 * taken.
 */
#ifndef DESFS_NET_HTTP_H
#define DESFS_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http;

struct http_options {
	unsigned int connections;     /* at a time, 0: 16 */
	unsigned int connect_timeout; /* ms, 0: 3000 */
	unsigned int stall_timeout;   /* ms with less than a KiB/s, 0: 5000 */
	const char *ca_file;          /* PEM; NULL: the system's */
	const char *proxy;            /* NULL: the environment's; "": none */
};

/* o is not needed any more afterwards. */
enum rc http_open(struct http **ret, const struct http_options *o,
		  struct err *err) MUST_CHECK;
/* Ends what is under way with RC_STOPPED and waits until those calls have
 * returned; none may begin any more.  Takes NULL.
 */
void http_close(struct http *h);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE };
const char *http_method_name(enum http_method m);

struct http_request {
	enum http_method method;
	const char *url;            /* encoded */
	const char *const *headers; /* "Name: value", ends with NULL */
	const void *body;           /* of PUT and POST; borrowed */
	size_t body_len;
	size_t max_body; /* bytes of the response's body: more is RC_LIMIT */
	/* NULL, or room for max_body bytes, borrowed: a 206 of just that length
	 * is written there, so that it need not be copied (see is_into).
	 */
	void *into;
	uint64_t deadline; /* of clock_mono_ns; waiting for a turn counts */
	unsigned int stall_timeout; /* ms, 0: the client's; for slow answers */
	/* Waits behind the others and uses at most half of the connections (but
	 * one).
	 */
	bool is_ahead;
	bool ignores_stop; /* goes on after stop_requested (base/stop.h) */
};

#define HTTP_FIELD_MAX 256
#define HTTP_HEADER_MAX 65536 /* bytes of a response's header */
/* Of a response other than 2xx so much is taken even if max_body is less; what
 * is longer still is cut and no failure, since its status is what matters.
 */
#define HTTP_ERROR_BODY_MAX 65536

/* Header fields are "" when absent, and cut when they are too long; bytes that
 * are not printable ASCII are '?'.  Of a repeated field the first counts.
 */
struct http_response {
	unsigned int status; /* 0: none came */
	struct buf body;
	bool is_into;              /* the body is in the request's room */
	int64_t content_length;    /* as told, of HEAD too; -1: it was not */
	char etag[HTTP_FIELD_MAX]; /* with its quotes */
	char content_range[HTTP_FIELD_MAX];
	char content_type[HTTP_FIELD_MAX];
	char location[HTTP_FIELD_MAX];
	char last_modified[HTTP_FIELD_MAX];
	char date[HTTP_FIELD_MAX];
	char retry_after[HTTP_FIELD_MAX];
	char request_id[HTTP_FIELD_MAX];    /* x-amz-request-id */
	char version_id[HTTP_FIELD_MAX];    /* x-amz-version-id */
	char bucket_region[HTTP_FIELD_MAX]; /* x-amz-bucket-region */
	char protocol[8];                   /* "1.1", "2" */
	unsigned int n_sent; /* times it went out: 0, 1, or 2 (see above) */
	uint64_t ns;         /* from the call to its end */
};

/* RC_OK: there was a whole response, of whatever status.  RC_TIMEOUT: deadline
 * or stall; RC_IO: no connection, or cut off; RC_LIMIT; RC_CORRUPT: not HTTP,
 * or content that was encoded unasked; RC_ACCESS: the server's certificate is
 * not trusted; RC_USAGE: no such URL or header; RC_STOPPED: by http_close, or
 * at once when a stop is requested.  After a failure ret has what came until
 * then, of the body maybe a part.  Messages name host
 * and port and never a query or a header.  Release ret in any case.
 */
enum rc http_fetch(struct http *h, const struct http_request *rq,
		   struct http_response *ret, struct err *err) MUST_CHECK;
void http_response_release(struct http_response *r);

/* Counted since open. */
struct http_counters {
	uint64_t requests;    /* as sent */
	uint64_t connections; /* made */
	uint64_t in_flight, in_flight_max;
};
void http_count(struct http *h, struct http_counters *ret);

#endif
