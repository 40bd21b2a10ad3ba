/* SPDX-License-Identifier: Apache-2.0 */
/* stamped.h - names of objects in the order of time: a time, then what nobody
 * else makes, "20261121T101530.123456Z-<32 hex digits>".
 *
 * Lists are in the order of names, so whoever knows a time need not list what
 * is older.  Safe from any thread.
 */
#ifndef DESFS_BASE_STAMPED_H
#define DESFS_BASE_STAMPED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/timestamp.h"

#define STAMPED_RANDOM_LEN 16
/* With its NUL. */
#define STAMPED_TEXT (TIMESTAMP_COMPACT_TEXT + HEX_TEXT(STAMPED_RANDOM_LEN))

/* us: microseconds since 1970 UTC. */
enum rc stamped_name(int64_t us, char ret[STAMPED_TEXT],
		     struct err *err) MUST_CHECK;

/* Is it such a name with suffix behind it, and of which time? */
bool stamped_parse(const char *name, const char *suffix,
		   int64_t *ret_us) MUST_CHECK;

#endif
