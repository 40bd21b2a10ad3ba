/* SPDX-License-Identifier: Apache-2.0 */
/* url.h - http and https URLs: taken apart, encoded, put together (RFC 3986).
 *
 * Pure; any thread.
 */
#ifndef DESFS_NET_URL_H
#define DESFS_NET_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

#define URL_MAX 8192

struct url {
	bool is_https;
	char host[256];    /* without brackets, lower case */
	unsigned int port; /* 0: the scheme's own, also when it was given */
	char path[4096];   /* encoded as given, begins with '/', has no query */
};

/* RC_USAGE: no such URL.  User names, passwords, queries and fragments are
 * refused: they would end up in messages.
 */
enum rc url_parse(const char *text, struct url *ret,
		  struct err *err) MUST_CHECK;

/* Append s with all but unreserved characters as %XX; keep_slash leaves '/'. */
void url_encode(struct buf *out, const char *s, bool keep_slash);

/* Append "host" or "host:port" as a Host header has it. */
void url_authority(struct buf *out, const struct url *u);

/* Append "scheme://authority". */
void url_origin(struct buf *out, const struct url *u);

#endif
