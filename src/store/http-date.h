/* SPDX-License-Identifier: Apache-2.0 */
/* http-date.h - the Date of a reply: "Sat, 21 Nov 2026 10:15:30 GMT"; pure. */
#ifndef DESFS_STORE_HTTP_DATE_H
#define DESFS_STORE_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* Seconds since 1970 UTC; false for all but the one form servers may send (RFC
 * 9110, 5.6.7, IMF-fixdate), in the years 2000 to 2199.
 */
bool http_date_parse(const char *text, int64_t *ret) MUST_CHECK;

#endif
