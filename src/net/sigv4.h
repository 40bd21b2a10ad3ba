/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4.h - AWS Signature Version 4 in the Authorization header; pure.
 *
 * Source: AWS General Reference, "Signature Version 4 signing process", and for
 * S3 "Authenticating Requests: Using the Authorization Header".
 */
#ifndef DESFS_NET_SIGV4_H
#define DESFS_NET_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct sigv4_key {
	const char *access, *secret;
	const char *region, *service; /* "us-east-1", "s3" */
};

struct sigv4_pair {
	const char *name, *value;
};

struct sigv4_request {
	const char *method;
	const char *path; /* encoded once, as it goes over the wire */
	const struct sigv4_pair *query; /* not encoded, in any order */
	size_t n_query;
	const struct sigv4_pair *headers; /* to be signed, host among them */
	size_t n_headers;
	const char *payload_hash; /* 64 hex digits, or "UNSIGNED-PAYLOAD" */
	int64_t time;             /* seconds since 1970 UTC */
};

#define SIGV4_DATE_TEXT 17 /* 20261121T101530Z and a NUL */
void sigv4_date(int64_t time, char ret[SIGV4_DATE_TEXT]);

/* Append the query as it is signed and goes over the wire: encoded, sorted,
 * "name=" for those without a value.
 */
void sigv4_query(struct buf *out, const struct sigv4_pair *query, size_t n);

/* Append the value of the Authorization header. */
enum rc sigv4_authorization(struct buf *out, const struct sigv4_key *key,
			    const struct sigv4_request *rq,
			    struct err *err) MUST_CHECK;

#endif
