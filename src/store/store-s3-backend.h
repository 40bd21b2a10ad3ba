/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-backend.h - what the halves of the S3 store share.
 *
 * s3_send signs, sends, tries again and maps errors:
 *
 *	struct s3_reply re = { 0 };
 *	struct s3_request rq = { .kind = REMOTE_PUT, .method = HTTP_PUT,
 *				 .key = key, .body = p, .body_len = len };
 *
 *	rc = s3_send(s, &rq, &re, err);
 *	... re.http.etag, re.http.status, re.error.code, re.tries ...
 *	s3_reply_release(&re);
 */
#ifndef DESFS_STORE_STORE_S3_BACKEND_H
#define DESFS_STORE_STORE_S3_BACKEND_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/secret.h"
#include "net/s3-xml.h"
#include "net/sigv4.h"
#include "net/url.h"
#include "store/store-backend.h"
#include "store/store-remote-backend.h"

#define S3_HEADERS_MAX 12 /* of one request, beside those of s3_send */
#define S3_QUERY_MAX 8

/* What a request is signed with; it changes when a server says so. */
struct s3_identity {
	struct secret secret;
	char region[64];
	int64_t skew_s;   /* the server's clock is that much ahead */
	unsigned int gen; /* grows with each change */
};

struct s3_store {
	struct store base;
	struct remote rm;
	const struct store_settings *set;
	struct url endpoint; /* unused for AWS's own, which is the region's */
	bool is_aws;         /* no endpoint was given */
	bool is_path_style;
	char bucket[64];
	char *prefix;         /* in the bucket; "" or with '/' at its end */
	pthread_mutex_t lock; /* guards id; not held during I/O */
	struct s3_identity id;

	/* The writing half's. */
	struct store_run *run;        /* NULL outside a run */
	_Atomic uint64_t shared_room; /* bytes of parts in memory */
	_Atomic bool has_md5_tags;  /* ETags of single PUTs are known as MD5s */
	_Atomic bool has_no_if_new; /* If-None-Match is not known there */
};

struct s3_request {
	enum remote_kind kind;
	enum http_method method;
	const char *key; /* in the archive; names it in messages too */
	bool is_bucket;  /* to the bucket itself; key is only for messages */
	/* Not encoded; beside it nothing is sent. */
	const struct sigv4_pair *query;
	size_t n_query;
	/* Names in lower case; all are signed.  Not to be among them: host,
	 * x-amz-date, x-amz-content-sha256, x-amz-security-token.
	 */
	const struct sigv4_pair *headers;
	size_t n_headers;
	const void *body;
	size_t body_len;
	const char *body_sha256; /* 64 hex digits; NULL: s3_send makes it */
	size_t max_body;         /* of the reply's data */
	void *into;              /* see struct http_request */
	uint64_t more_ms;        /* more time than timeout and body_len give */
	/* Milliseconds of silence, for what a server is busy with; 0: as usual.
	 */
	unsigned int stall_ms;
	const char *range; /* the one among headers, for the trace */
	bool is_ahead;
	bool ignores_stop; /* cleaning up: also after stop_requested */
	bool is_whole;     /* once sent, a stop waits for the answer */
	/* Is a reply of status 2xx what was asked for?  NULL: always. */
	enum remote_verdict (*check)(void *arg, const struct http_response *r,
				     struct err *err);
	void *arg;
};

struct s3_reply {
	struct http_response http;
	struct s3_error error; /* code "" when there was none */
	unsigned int tries;    /* requests sent */
};

/* RC_OK: status 2xx, checked.  Else the last answer is in ret as well, its
 * status 0 when there was none.
 *
 *	RC_NOENT    404; the message tells a missing bucket from a missing key
 *	RC_EXISTS   412 when the request has if-none-match; see re.tries: a
 *	            try before may have been carried out without an answer
 *	RC_CHANGED  412 otherwise
 *	RC_ACCESS   401 and 403
 *	RC_CORRUPT  416, and what check says
 *	RC_UNSUPPORTED 501
 *	RC_IO       all else, after retries where they may help: 5xx, 429, 408,
 *	            409 of two writers at once
 *
 * An <Error> in a reply of status 200 to PUT or POST counts as status 500.
 * Release ret in any case.
 */
enum rc s3_send(struct s3_store *s, const struct s3_request *rq,
		struct s3_reply *ret, struct err *err) MUST_CHECK;
void s3_reply_release(struct s3_reply *r);

/* The key in the bucket of a key in the archive (or of the beginning of one);
 * free() it.
 */
char *s3_full_key(const struct s3_store *s, const char *key) MUST_CHECK;

/* When a server sent a reply, by its own clock where it tells the time, us
 * since 1970.
 */
int64_t s3_reply_time(const struct http_response *r);

/* What a reply lists, to be released when it is REMOTE_DONE; and the verdict
 * over a page that is not what was asked for: another try may get a better one.
 */
enum remote_verdict s3_page_parse(const struct http_response *r,
				  struct s3_page *ret, struct err *err);
enum remote_verdict s3_page_bad(struct err *err, const char *what);

/* As store_list. */
enum rc s3_list_keys(struct s3_store *s, const char *prefix,
		     const char *start_after, store_list_fn *fn, void *arg,
		     struct err *err) MUST_CHECK;

/* One of a list, its key without the store's prefix.  Anything but RC_OK ends
 * the list with that result.
 */
typedef enum rc s3_item_fn(void *arg, const char *key, const struct s3_item *it,
			   struct err *err);
/* The same with what else is told of an object.  with_tmp: also what is below
 * STORE_TMP.  *ret_now (may be NULL): the server's clock at the beginning, us
 * since 1970.
 */
enum rc s3_list_items(struct s3_store *s, const char *prefix,
		      const char *start_after, bool with_tmp, s3_item_fn *fn,
		      void *arg, int64_t *ret_now, struct err *err) MUST_CHECK;

/* What follows is in store-s3-place.c; pure but for the environment. */

/* Take bucket and prefix apart: RC_USAGE for what cannot be a bucket.  The
 * prefix is "" or ends with '/'; free() it.
 */
enum rc s3_parse_place(const char *rest, char bucket[64], char **ret_prefix,
		       struct err *err) MUST_CHECK;

/* Endpoint and style of address, from settings and AWS_ENDPOINT_URL_S3 or
 * AWS_ENDPOINT_URL; s has its bucket.
 */
enum rc s3_find_endpoint(struct s3_store *s, const struct store_settings *set,
			 struct err *err) MUST_CHECK;

/* May it be the name of a region?  It becomes part of a host's. */
bool s3_region_is_valid(const char *region);
/* Whether a host belongs to AWS. */
bool s3_host_is_aws(const char *host);

/* The server that requests go to, given the region, its host with the bucket in
 * front where that is the style.
 */
void s3_server(const struct s3_store *s, const char *region, struct url *ret);

/* Append the encoded path of a full key, NULL for the bucket. */
void s3_path(const struct s3_store *s, const char *full_key, struct buf *out);

#endif
