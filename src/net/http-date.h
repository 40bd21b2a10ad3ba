/* SPDX-License-Identifier: Apache-2.0 */
/* http-date.h - dates in headers: "Sat, 21 Nov 2026 10:15:30 GMT"; pure. */
#ifndef DESFS_NET_HTTP_DATE_H
#define DESFS_NET_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* Seconds since 1970 UTC; false for all but the one form servers may send (RFC
 * 9110, 5.6.7, IMF-fixdate).  Text ends with '\0' and has nothing else around.
 */
bool http_date_parse(const char *text, int64_t *ret) MUST_CHECK;

/* The same for the Date of a reply, which is now: false also for years before
 * 2000 and after 2199.
 */
bool http_date_parse_now(const char *text, int64_t *ret) MUST_CHECK;

#endif
