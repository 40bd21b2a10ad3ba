/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-call-backend.h - one call to a bucket, while it is under way. */
#ifndef DESFS_STORE_STORE_S3_CALL_BACKEND_H
#define DESFS_STORE_STORE_S3_CALL_BACKEND_H

#include "base/hex.h"
#include "base/sha256.h"
#include "store/store-s3-backend.h"

struct s3_call {
	struct s3_store *s;
	const struct s3_request *rq;
	struct s3_error *error;
	char *full_key; /* NULL: the bucket */
	char body_sha256[HEX_TEXT(SHA256_LEN)];
	unsigned int gen; /* of the identity the last try had */
	char host[256];   /* of the last try */
	char peer[272];   /* likewise, with the port; for messages */
	char moved[256];  /* the host we were sent to; "": none */
	unsigned int n_moves;
	bool had_skew, had_secret, had_region;
};

/* For struct remote_call; arg is a struct s3_call. */
enum remote_verdict s3_judge(void *arg, const struct remote_try *t,
			     const struct http_response *r, struct err *err);

#endif
