/* SPDX-License-Identifier: Apache-2.0 */
/* fake-s3.h - the test server: an S3 or a plain web server that misbehaves as
 * it is told (fake-rule.h).
 *
 * Each connection has a thread of its own, so that a handler may sleep.  One
 * lock guards everything that requests share; no one sleeps holding it.
 */
#ifndef FAKE_S3_H
#define FAKE_S3_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "fake-bucket.h"
#include "fake-rule.h"

/* What a request is, in logs, counts and rules. */
#define FAKE_KINDS(X)                                                   \
	X(GET)                                                          \
	X(HEAD)                                                         \
	X(LIST) X(VERSIONS) X(UPLOADS) X(PUT) X(COPY) X(CREATE) X(PART) \
		X(PARTCOPY) X(COMPLETE) X(ABORT) X(DELETE) X(BUCKET) X(OTHER)
#define FAKE_KIND_ENUM(name) KIND_##name,
enum fake_kind { FAKE_KINDS(FAKE_KIND_ENUM) N_KINDS };
const char *fake_kind_name(enum fake_kind kind);

/* Whether PUT obeys If-None-Match: as RGW, only without versions. */
enum fake_conditional { CONDITIONAL_RGW, CONDITIONAL_YES, CONDITIONAL_NO };

struct fake {
	const char *web;  /* a directory to serve; NULL: S3 */
	const char *host; /* buckets are also names below it */
	const char *access, *secret, *token;
	const char *region;
	const char *log_path;
	bool is_open;      /* no signature is needed */
	int clock;         /* seconds the server's clock is ahead */
	unsigned int page; /* entries of a list page at most */
	uint64_t min_part; /* bytes of all parts but the last */
	uint64_t max_copy; /* bytes CopyObject takes at most */
	enum fake_conditional conditional;
	bool has_silent_copies; /* their versions are not told */

	pthread_mutex_t lock; /* guards all below */
	struct fake_bucket *buckets;
	struct fake_rule *rules;
	FILE *log;
	uint64_t counts[N_KINDS];
	uint64_t bytes_out, bytes_in;
	unsigned int connections, connections_open, connections_max;
	unsigned int in_flight, in_flight_max;
	uint64_t last_id; /* of requests, versions, uploads */

	_Atomic bool quit;
};

struct fake_pair {
	char *name, *value; /* decoded */
};

struct fake_request {
	struct fake *fake;
	struct MHD_Connection *conn;
	const char *method;
	char *target; /* as it came: path and query */
	char *path;   /* as it came */
	struct fake_pair *query;
	size_t n_query;
	char *bucket, *key; /* decoded; NULL when the path has none */
	enum fake_kind kind;
	bool has_begun;
	bool is_counted;
	struct buf body;
	char sha256[65], md5[33]; /* of the body */
	struct fake_fault fault;
	struct fake_reply *reply;
};

/* fake-request.c */
struct fake_request *fake_request_new(struct fake *fake, const char *uri);
void fake_request_free(struct fake_request *rq);
/* Once headers and body are there: bucket, key, kind, digests. */
void fake_request_complete(struct fake_request *rq);
const char *fake_header(const struct fake_request *rq, const char *name);
/* NULL when it is not there, "" when it has no value. */
const char *fake_query(const struct fake_request *rq, const char *name);
uint64_t fake_query_number(const struct fake_request *rq, const char *name,
			   uint64_t otherwise);
char *fake_decode(const char *s, size_t len);
void fake_encode(struct buf *out, const char *s, bool keep_slash);
int64_t fake_now(const struct fake *fake);

/* fake-reply.c: the right answer. */
#define FAKE_HEADERS 16
struct fake_reply {
	unsigned int status;
	struct fake_pair headers[FAKE_HEADERS];
	size_t n_headers;
	struct fake_blob *blob; /* the body: len bytes of it from off */
	uint64_t off, len;
	bool is_range;
};
struct fake_reply *fake_reply_new(void);
void fake_reply_free(struct fake_reply *rp);
/* Any value an older one of that name has is replaced; NULL removes it. */
void fake_reply_header(struct fake_reply *rp, const char *name,
		       const char *value);
void fake_reply_text(struct fake_reply *rp, unsigned int status,
		     const char *type, const char *text);
/* Takes what is in b. */
void fake_reply_xml(struct fake_reply *rp, unsigned int status, struct buf *b);
void fake_reply_error(struct fake_request *rq, unsigned int status,
		      const char *code, const char *format, ...) PRINTF(4, 5);
/* A blob with an ETag: conditions and ranges of the request. */
void fake_reply_blob(struct fake_request *rq, struct fake_blob *blob,
		     const char *etag, int64_t time);
void fake_xml_begin(struct buf *b, const char *root);
void fake_xml_text(struct buf *b, const char *element, const char *text);
/* "bytes=a-b" of an object of size bytes: 0 no range, 1 a range, -1 none in
 * the object.
 */
int fake_range(const char *text, uint64_t size, uint64_t *ret_off,
	       uint64_t *ret_len);

/* fake-send.c: the answer as the rules want it. */
enum MHD_Result fake_send(struct fake_request *rq);
/* Change the reply before it is logged. */
void fake_spoil(struct fake_request *rq);
/* True when the server ends or the client has gone. */
bool fake_nap(struct fake *fake, int fd, uint64_t ms);
int fake_fd(const struct fake_request *rq);

/* fake-auth.c: true when the request may go on, else the reply is set. */
bool fake_auth(struct fake_request *rq);

/* fake-object.c, fake-list.c, fake-upload.c, fake-web.c: requests by kind,
 * with the lock held.
 */
void fake_object(struct fake_request *rq, struct fake_bucket *b);
/* The object x-amz-copy-source names, or NULL and the reply is set. */
struct fake_version *fake_copy_source(struct fake_request *rq);
void fake_list(struct fake_request *rq, struct fake_bucket *b);
void fake_list_versions(struct fake_request *rq, struct fake_bucket *b);
void fake_list_uploads(struct fake_request *rq, struct fake_bucket *b);
void fake_upload(struct fake_request *rq, struct fake_bucket *b);
void fake_web(struct fake_request *rq);
/* Whether a PUT of key must be refused. */
bool fake_put_refused(struct fake_request *rq, struct fake_bucket *b);

/* fake-control.c */
bool fake_control(struct fake_request *rq);
void fake_log(struct fake_request *rq);

#endif
