/* SPDX-License-Identifier: Apache-2.0 */
/* store-range.h - is a reply the part of the object that was asked for?
 *
 * Pure.  Bytes count only when status, Content-Range, length, size and tag all
 * agree; see ADR 7.
 */
#ifndef DESFS_STORE_STORE_RANGE_H
#define DESFS_STORE_STORE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"
#include "store/store-remote-backend.h"
#include "store/store.h"

#define RANGE_TEXT 64

/* "bytes=-N" and "bytes=A-B"; len is not 0. */
void range_format_tail(char out[RANGE_TEXT], uint64_t max);
void range_format(char out[RANGE_TEXT], uint64_t off, uint64_t len);

struct content_range {
	bool has_range; /* else "bytes * / SIZE", as 416 has it */
	uint64_t first, last, size;
};
/* False for all but "bytes A-B/SIZE" with A <= B < SIZE, and the other form. */
bool content_range_parse(const char *text, struct content_range *ret);

/* The tag of a reply: its ETag, or a hash of one that is too long, or its time
 * of last change.
 */
void range_tag(const struct http_response *r,
	       char ret[sizeof(((struct object_info *)0)->tag)]);
/* Whether If-Match may have it. */
bool range_tag_is_strong(const char *tag);

/* The reply to a suffix of max bytes, max not 0, of status 2xx or 416. */
enum remote_verdict range_check_tail(const struct http_response *r, size_t max,
				     struct object_info *ret, struct err *err);

/* The reply to len bytes at off, of status 2xx, 412 or 416; expect may be NULL.
 */
enum remote_verdict range_check(const struct http_response *r,
				const struct object_info *expect, uint64_t off,
				size_t len, struct err *err);

/* Before a request: RC_CORRUPT when the object is known to be too short. */
enum rc range_check_wanted(const char *key, const struct object_info *expect,
			   uint64_t off, size_t len,
			   struct err *err) MUST_CHECK;

/* Hand over what range_check_tail found good, the last max bytes of it. */
enum rc range_take_tail(const struct http_response *r, const char *key,
			size_t max, const struct object_info *info,
			struct buf *ret, struct object_info *ret_info,
			struct err *err) MUST_CHECK;

#endif
