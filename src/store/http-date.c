/* SPDX-License-Identifier: Apache-2.0 */
/* http-date.c - the Date of a reply. */
#include "config.h"

#include "store/http-date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

bool http_date_parse(const char *text, int64_t *ret)
{
	struct tm tm = { 0 };
	const char *comma = strchr(text, ',');
	char month[4] = "";
	int year = 0;
	int end = 0;

	if (!comma || comma - text != 3)
		return false;
	if (sscanf(comma + 1, " %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n",
		   &tm.tm_mday, month, &year, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec, &end) != 6 ||
	    !end || comma[1 + end])
		return false;
	if (strlen(month) != 3 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    year < 2000 || year > 2199 || tm.tm_hour < 0 || tm.tm_hour > 23 ||
	    tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
		return false;
	for (tm.tm_mon = 0; tm.tm_mon < 12; tm.tm_mon++) {
		if (!memcmp(months + (size_t)tm.tm_mon * 3, month, 3))
			break;
	}
	if (tm.tm_mon == 12)
		return false;
	tm.tm_year = year - 1900;
	*ret = timegm(&tm);
	return true;
}
