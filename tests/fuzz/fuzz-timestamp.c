/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-timestamp.c - times: what is read is a valid time with a date that
 * exists, and what is written of it is read as the same.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "fuzz.h"

static void same(const struct timestamp *ts)
{
	char text[TIMESTAMP_TEXT];
	struct timestamp again;
	struct err err;

	timestamp_format(ts->us, text);
	if (timestamp_parse(text, &again, &err) || again.us != ts->us ||
	    !again.has_zone)
		abort();
}

/* The date as written is at most a day from that in UTC. */
static void near(const struct timestamp *ts)
{
	struct timestamp before = timestamp_from_us(
		ts->us < TIMESTAMP_MIN + 86400000000 ? TIMESTAMP_MIN
						     : ts->us - 86400000000);
	struct timestamp after = timestamp_from_us(
		ts->us > TIMESTAMP_MAX - 86400000000 ? TIMESTAMP_MAX
						     : ts->us + 86400000000);

	if (timestamp_wall_day(ts) < timestamp_wall_day(&before) ||
	    timestamp_wall_day(ts) > timestamp_wall_day(&after))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct timestamp ts;
	struct err err;
	int64_t us;

	if (timestamp_parse_compact((const char *)data, size, &us) &&
	    !timestamp_is_valid(us))
		abort();
	if (timestamp_parse_span((const char *)data, size, &ts, &err))
		return 0;
	if (!timestamp_is_valid(ts.us))
		abort();
	same(&ts);
	near(&ts);
	return 0;
}
