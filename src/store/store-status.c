/* SPDX-License-Identifier: Apache-2.0 */
/* store-status.c - what the status of a reply means for a call. */
#include "config.h"

#include "store/store-status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

/* Source: Amazon S3 API Reference, "Error responses". */
static const char *const passing[] = {
	"SlowDown",
	"Throttling",
	"ThrottlingException",
	"RequestThrottled",
	"TooManyRequests",
	"RequestTimeout",
	"InternalError",
	"ServiceUnavailable",
	"ServiceUnavailableException",
	"OperationAborted",
	"ConditionalRequestConflict",
	"ConcurrentModification",
	"IncompleteBody",
	"BadDigest",
	"XAmzContentSHA256Mismatch",
};

/* Of Ceph, and of MinIO; waiting makes no room. */
static const char *const full[] = {
	"QuotaExceeded",
	"XMinioStorageFull",
	"XMinioAdminBucketQuotaExceeded",
};

static bool is_full(unsigned int status, const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(full); i++) {
		if (!strcmp(code, full[i]))
			return true;
	}
	return status == 507;
}

static bool is_passing(unsigned int status, const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
		if (!strcmp(code, passing[i]))
			return true;
	}
	return remote_is_passing(status);
}

void status_text(unsigned int status, const struct s3_error *e,
		 char out[STATUS_TEXT])
{
	if (*e->message)
		snprintf(out, STATUS_TEXT, "%u %s (%s)", status, e->code,
			 e->message);
	else
		snprintf(out, STATUS_TEXT, "%u%s%s", status,
			 *e->code ? " " : "", e->code);
}

static const char *help_of_403(const char *code)
{
	if (!strcmp(code, "SignatureDoesNotMatch"))
		return ": the secret key does not fit the access key";
	if (!strcmp(code, "InvalidAccessKeyId"))
		return ": the server does not know the access key";
	if (!strcmp(code, "ExpiredToken") || !strcmp(code, "InvalidToken"))
		return ": the session token has ended, get a new one";
	if (!strcmp(code, "RequestTimeTooSkewed"))
		return ": this machine's clock is wrong";
	return ": check what the credentials permit there";
}

enum remote_verdict status_judge(unsigned int status, const struct s3_error *e,
				 struct err *err)
{
	char text[STATUS_TEXT];
	enum rc rc = RC_IO;

	status_text(status, e, text);
	if (is_full(status, e->code)) {
		err_set(err, RC_NOSPACE, "%s: no space left there", text);
		return REMOTE_FAILED;
	}
	if (is_passing(status, e->code)) {
		err_set(err, RC_IO, "the server answered %s", text);
		return REMOTE_RETRY;
	}
	if (status == 401 || status == 403 || !strcmp(e->code, "ExpiredToken"))
		err_set(err, RC_ACCESS, "%s%s", text, help_of_403(e->code));
	else if (status == 407)
		err_set(err, RC_ACCESS, "%s: the proxy wants credentials",
			text);
	else if (!strcmp(e->code, "NoSuchBucket"))
		err_set(err, RC_NOENT, "%s: there is no such bucket", text);
	else if (status == 404 || status == 410)
		err_set(err, RC_NOENT, "not found (%s)", text);
	else if (status == 412)
		err_set(err, RC_CHANGED,
			"is not the object that was seen first (%s)", text);
	else if (status == 416)
		err_set(err, RC_CORRUPT, "is shorter than was asked for (%s)",
			text);
	else {
		rc = status == 501 ? RC_UNSUPPORTED : RC_IO;
		err_set(err, rc, "the server answered %s", text);
	}
	return REMOTE_FAILED;
}
