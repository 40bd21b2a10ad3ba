/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - results and their texts. */
#include "config.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int errnum;
	int status;
	bool transient;
	const char *text;
} rc_table[RC_COUNT] = {
#define RC(name, err, status, transient, text)                                 \
	[RC_##name] = { err, status, transient, text },
#include "base/rc.def"
#undef RC
};

static void set_message(struct err *err, const char *fmt, va_list ap)
	PRINTF(2, 0);

static void set_message(struct err *err, const char *fmt, va_list ap)
{
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);

	if (n < 0)
		err->msg[0] = '\0';
}

enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	err->rc = rc;
	return rc;
}

static enum rc rc_from_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return RC_NOENT;
	case ENOTDIR:
		return RC_NOTDIR;
	case ENOMEM:
		return RC_NOMEM;
	case EEXIST:
		return RC_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return RC_ACCESS;
	case ENOSPC:
	case EDQUOT:
		return RC_NOSPACE;
	case ENAMETOOLONG:
	case EFBIG:
	case EOVERFLOW:
		return RC_LIMIT;
	default:
		return RC_IO;
	}
}

enum rc err_set_errno(struct err *err, int errnum, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	snprintf(err->msg + used, sizeof(err->msg) - used, ": %s",
		 strerror(errnum));
	err->rc = rc_from_errno(errnum);
	return err->rc;
}

enum rc err_prefix(struct err *err, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	va_list ap;
	size_t used;

	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	if (used + 2 < sizeof(err->msg)) {
		size_t left = sizeof(err->msg) - used - 2;
		size_t keep = strnlen(old, left - 1);

		memcpy(err->msg + used, ": ", 2);
		memcpy(err->msg + used + 2, old, keep);
		err->msg[used + 2 + keep] = '\0';
	}
	return err->rc;
}

int rc_to_errno(enum rc rc)
{
	return rc_table[rc].errnum;
}

int rc_to_status(enum rc rc)
{
	return rc_table[rc].status;
}

bool rc_is_transient(enum rc rc)
{
	return rc_table[rc].transient;
}

const char *rc_text(enum rc rc)
{
	return rc_table[rc].text;
}
