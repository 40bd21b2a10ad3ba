/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-name.h - what an operator names to be deleted: a uid, and perhaps
 * a time.
 *
 * A time without a fraction means all versions of that second: who has it from
 * a listing or a letter has it rounded.
 */
#ifndef DESFS_REPACK_TOMBSTONE_NAME_H
#define DESFS_REPACK_TOMBSTONE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"

#define TOMBSTONE_SECOND INT64_C(1000000) /* microseconds */

/* The versions created at from up to and with to. */
struct tombstone_time {
	int64_t from, to;
};

/* ISO 8601, without a zone UTC.  RC_USAGE: no time. */
enum rc tombstone_time_parse(const char *text, struct tombstone_time *ret,
			     struct err *err) MUST_CHECK;

struct tombstone_name {
	struct span uid;
	bool has_time;
	struct tombstone_time time;
};

/* One line of a list, len bytes and a NUL behind them: the uid as it is, or the
 * uid, a tab and a time; what comes after the last tab must be one.  is_raw:
 * all of it is the uid.  The uid is borrowed from the line.  RC_USAGE and
 * RC_LIMIT tell what is wrong with it, and nothing of the uid.
 */
enum rc tombstone_name_parse(char *line, size_t len, bool is_raw,
			     struct tombstone_name *ret,
			     struct err *err) MUST_CHECK;

#endif
