/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-time.c - created_at of a file of an older archive. */
#include "config.h"

#include "legacy/legacy-time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json-members.h"
#include "base/timestamp.h"
#include "shard/shard-format.h"

/* Texts of times that are looked at. */
#define TEXT_MAX 128

int64_t legacy_time_of_day(uint32_t day)
{
	struct timestamp t = { 0 };
	char text[16];
	struct err err;

	snprintf(text, sizeof(text), "%08" PRIu32, day);
	return timestamp_parse(text, &t, &err) ? 0 : t.us;
}

uint32_t legacy_day_of_time(int64_t us)
{
	char text[TIMESTAMP_DAY_TEXT];

	timestamp_day(us, text);
	return (uint32_t)strtoul(text, NULL, 10);
}

int64_t legacy_time_of(struct span meta, uint32_t day)
{
	struct json_piece doc = { meta.p, meta.len };
	char text[TEXT_MAX + 1];
	struct timestamp t;
	struct err err;

	if (!meta.len || meta.len > META_MAX ||
	    !json_members_text(doc, "created_at", text, sizeof(text)) ||
	    timestamp_parse(text, &t, &err) || !timestamp_is_valid(t.us))
		return legacy_time_of_day(day);
	if (day !=
	    (uint32_t)(t.wall_year * 10000 + t.wall_month * 100 + t.wall_day))
		return legacy_time_of_day(day);
	return t.us;
}
