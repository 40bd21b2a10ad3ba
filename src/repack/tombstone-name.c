/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-name.c - what an operator names to be deleted. */
#include "config.h"

#include "repack/tombstone-name.h"

#include <string.h>

#include "base/timestamp.h"
#include "shard/shard-format.h"

/* What follows the date has a fraction. */
static bool has_fraction(const char *text)
{
	return strpbrk(text, ".,");
}

enum rc tombstone_time_parse(const char *text, struct tombstone_time *ret,
			     struct err *err)
{
	struct timestamp ts;

	if (timestamp_parse(text, &ts, err))
		return err->rc;
	ret->from = ret->to = ts.us;
	if (!has_fraction(text))
		ret->to += TOMBSTONE_SECOND - 1;
	return RC_OK;
}

enum rc tombstone_name_parse(char *line, size_t len, bool is_raw,
			     struct tombstone_name *ret, struct err *err)
{
	char *tab = is_raw ? NULL : memrchr(line, '\t', len);
	size_t n = tab ? (size_t)(tab - line) : len;

	*ret = (struct tombstone_name){ .uid = span_of(line, n) };
	if (!n)
		return err_set(err, RC_USAGE, "has no name");
	if (n > UID_MAX_LEN)
		return err_set(err, RC_LIMIT, "a name has at most %u bytes",
			       UID_MAX_LEN);
	if (!tab)
		return RC_OK;
	ret->has_time = true;
	if (memchr(tab + 1, '\0', len - n - 1) ||
	    tombstone_time_parse(tab + 1, &ret->time, err))
		return err_set(err, RC_USAGE,
			       "after the last tab there is no time; names "
			       "with tabs need --null");
	return RC_OK;
}
