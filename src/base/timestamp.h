/* SPDX-License-Identifier: Apache-2.0 */
/* timestamp.h - points in time as microseconds since 1970 UTC, and their texts.
 *
 * Valid times are those of the years 0001 to 9999 in UTC, without leap
 * seconds.  All functions are pure.
 *
 * What timestamp_parse accepts is ISO 8601 as Python 3.11 reads it: calendar
 * and week dates, extended and basic forms, a time of hours, minutes, seconds
 * and a fraction behind a point or comma (digits after the sixth are dropped),
 * any one character between date and time, a zone of Z or an offset, and white
 * space around it all.  Without a zone the time is UTC.  Python guesses at some
 * texts that are refused here: an offset without a time, or with more than 59
 * minutes or seconds, a digit, plus or minus between date and time, a fraction
 * of hours or minutes, and separators or fractions with nothing behind them.
 */
#ifndef DESFS_BASE_TIMESTAMP_H
#define DESFS_BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TIMESTAMP_MIN (-INT64_C(62135596800000000))
#define TIMESTAMP_MAX INT64_C(253402300799999999)

/* Sizes of the texts, with their NUL. */
#define TIMESTAMP_TEXT 28
#define TIMESTAMP_COMPACT_TEXT 24
#define TIMESTAMP_DAY_TEXT 9
#define TIMESTAMP_NS_TEXT 48
#define TIMESTAMP_MINUTE_TEXT 40

struct timestamp {
	int64_t us;     /* the instant: microseconds since 1970 UTC */
	int wall_year;  /* the date as it was written, in its own zone */
	int wall_month; /* 1 to 12 */
	int wall_day;   /* 1 to 31 */
	bool has_zone;  /* false: the text had none, and was taken for UTC */
	/* How long a time the text names, microseconds: of a date its day, of
	 * hours and minutes that minute, and so on down to 1.
	 */
	int64_t span_us;
	int wall_zone;  /* seconds that zone is ahead of UTC */
};

/* Read an ISO 8601 text; anything wrong with it is RC_USAGE. */
enum rc timestamp_parse(const char *text, struct timestamp *ret,
			struct err *err) MUST_CHECK;

/* The same for len bytes without a NUL behind them. */
enum rc timestamp_parse_span(const char *text, size_t len,
			     struct timestamp *ret, struct err *err) MUST_CHECK;

/* The date as written, YYYYMMDD as a number: the day in names of shards. */
static inline uint32_t timestamp_wall_day(const struct timestamp *ts)
{
	return (uint32_t)(ts->wall_year * 10000 + ts->wall_month * 100 +
			  ts->wall_day);
}

/* The instant us, with its UTC date as the date as written. */
struct timestamp timestamp_from_us(int64_t us);

/* The same, with the date of a zone that is so many seconds ahead of UTC. */
struct timestamp timestamp_in_zone(int64_t us, int zone);
/* The same in the time zone of the process, tzset(3). */
struct timestamp timestamp_local(int64_t us);

static inline bool timestamp_is_valid(int64_t us)
{
	return us >= TIMESTAMP_MIN && us <= TIMESTAMP_MAX;
}

/* "2026-11-21T11:15:30.123456+01:00", with seconds in the zone if it has some.
 */
#define TIMESTAMP_ZONED_TEXT 40
void timestamp_format_zoned(const struct timestamp *ts,
			    char out[TIMESTAMP_ZONED_TEXT]);

/* The next three show a time that is not valid as the nearest valid one. */

/* "2026-11-21T10:15:30.123456Z" */
void timestamp_format(int64_t us, char out[TIMESTAMP_TEXT]);

/* "20261121T101530.123456Z", the form in the names of log records. */
void timestamp_format_compact(int64_t us, char out[TIMESTAMP_COMPACT_TEXT]);

/* "20261121", the UTC day. */
void timestamp_day(int64_t us, char out[TIMESTAMP_DAY_TEXT]);

/* Read exactly what timestamp_format_compact writes; false for all else. */
bool timestamp_parse_compact(const char *text, size_t len,
			     int64_t *ret_us) MUST_CHECK;

/* Times of files, which may lie in any year: seconds since 1970 UTC, negative
 * before it, and nanoseconds to be added to them.
 */

/* "2026-11-21T10:15:30.123456789Z"; years outside 0 to 9999 are longer. */
void timestamp_format_ns(int64_t sec, uint32_t nsec,
			 char out[TIMESTAMP_NS_TEXT]);

/* "2026-11-21 10:15", for listings. */
void timestamp_format_minute(int64_t sec, char out[TIMESTAMP_MINUTE_TEXT]);

#endif
