/* SPDX-License-Identifier: Apache-2.0 */
/* content-md5.h - MD5 as S3 wants it: of a body in its header, and in the ETag
 * of an object.
 *
 * It guards against accidents on the way, nothing else.
 */
#ifndef DESFS_NET_CONTENT_MD5_H
#define DESFS_NET_CONTENT_MD5_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct content_md5 {
	char base64[25]; /* the value of a Content-MD5 header (RFC 1864) */
	char hex[33];    /* lower case */
};

void content_md5_of(const void *p, size_t len, struct content_md5 *ret);

/* Whether etag, with or without its quotes, is that very MD5. */
bool content_md5_is_etag(const struct content_md5 *md5,
			 const char *etag) MUST_CHECK;

#endif
