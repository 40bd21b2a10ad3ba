/* SPDX-License-Identifier: Apache-2.0 */
/* timestamp.c - dates by arithmetic, without the C library's time zones. */
#include "config.h"

#include "base/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_SEC INT64_C(1000000)
#define SEC_PER_DAY INT64_C(86400)
#define US_PER_DAY (SEC_PER_DAY * US_PER_SEC)

struct civil {
	int64_t year;
	int month;
	int day;
};

struct clock_time {
	int hour;
	int minute;
	int second;
	int us;
};

/* What is left of the text. */
struct scan {
	const char *p;
	const char *end;
};

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, after
 * Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
 * days_from_civil.
 */
static int64_t days_from_civil(struct civil c)
{
	int64_t y = c.year - (c.month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy =
		(153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

/* The inverse, civil_from_days in the same place. */
static struct civil civil_from_days(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);

	return (struct civil){
		.year = yoe + era * 400 + (month <= 2),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
	};
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
	return a % b + (a % b < 0 ? b : 0);
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30,
				    31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* The parsers below return NULL, or what is wrong. */

static bool next_is(const struct scan *s, char c)
{
	return s->p < s->end && *s->p == c;
}

static bool next_is_digit(const struct scan *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static bool take_char(struct scan *s, char c)
{
	if (!next_is(s, c))
		return false;
	s->p++;
	return true;
}

static bool take_digits(struct scan *s, int n, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!next_is_digit(s))
			return false;
		v = v * 10 + (*s->p++ - '0');
	}
	*ret = v;
	return true;
}

static const char *check_date(struct civil c)
{
	if (c.year < 1)
		return "the year is not 0001 to 9999";
	if (c.month < 1 || c.month > 12)
		return "the month is not 01 to 12";
	if (c.day < 1 || c.day > days_in_month(c.year, c.month))
		return "the month has no such day";
	return NULL;
}

static const char *check_clock(struct clock_time t)
{
	if (t.hour > 23)
		return "the hour is not 00 to 23";
	if (t.minute > 59)
		return "the minute is not 00 to 59";
	if (t.second > 59)
		return "the second is not 00 to 59";
	return NULL;
}

/* The Monday of week 1, the week that holds January 4. */
static int64_t first_monday(int64_t year)
{
	int64_t jan4 = days_from_civil((struct civil){ year, 1, 4 });
	int64_t weekday = floor_mod(jan4 + 3, 7);

	return jan4 - weekday;
}

/* The rest of a week date: "ww", "ww-d" or "wwd". */
static const char *parse_week(struct scan *s, bool extended, struct civil *c)
{
	int64_t monday;
	int week;
	int day = 1;

	if (!take_digits(s, 2, &week))
		return "wanted a week of two digits";
	if (extended ? take_char(s, '-') : next_is_digit(s)) {
		if (!take_digits(s, 1, &day))
			return "wanted a day of the week";
	}
	if (c->year < 1)
		return "the year is not 0001 to 9999";
	monday = first_monday(c->year);
	if (week < 1 || week > (first_monday(c->year + 1) - monday) / 7)
		return "the year has no such week";
	if (day < 1 || day > 7)
		return "the day of the week is not 1 to 7";
	*c = civil_from_days(monday + 7 * (week - 1) + day - 1);
	if (c->year < 1 || c->year > 9999)
		return "the year is not 0001 to 9999";
	return NULL;
}

static const char *parse_date(struct scan *s, struct civil *c)
{
	bool extended;
	int year;

	if (!take_digits(s, 4, &year))
		return "wanted a year of four digits";
	c->year = year;
	extended = take_char(s, '-');
	if (take_char(s, 'W'))
		return parse_week(s, extended, c);
	if (!take_digits(s, 2, &c->month))
		return "wanted a month of two digits";
	if (extended && !take_char(s, '-'))
		return "wanted '-' after the month";
	if (!take_digits(s, 2, &c->day))
		return "wanted a day of two digits";
	return check_date(*c);
}

static const char *parse_fraction(struct scan *s, int *ret_us,
				  int64_t *ret_span_us)
{
	int64_t span_us = US_PER_SEC;
	int us = 0;
	int n = 0;

	if (!next_is_digit(s))
		return "wanted digits after the decimal mark";
	for (; next_is_digit(s); s->p++, n++) {
		if (n >= 6)
			continue;
		us = us * 10 + (*s->p - '0');
		span_us /= 10;
	}
	*ret_us = us * (int)span_us;
	*ret_span_us = span_us;
	return NULL;
}

/* HH, HH:MM, HH:MM:SS or HH:MM:SS.f, or the same without colons. */
static const char *parse_clock(struct scan *s, struct clock_time *t,
			       int64_t *ret_span_us)
{
	static const int64_t spans[] = { 3600 * US_PER_SEC, 60 * US_PER_SEC,
					 US_PER_SEC };
	int *parts[] = { &t->hour, &t->minute, &t->second };
	bool extended = false;
	int n = 0;

	*t = (struct clock_time){ 0 };
	do {
		if (!take_digits(s, 2, parts[n]))
			return "wanted two digits each for hour, minute, "
			       "second";
		if (n == 0)
			extended = next_is(s, ':');
		n++;
	} while (n < 3 && (extended ? take_char(s, ':') : next_is_digit(s)));
	*ret_span_us = spans[n - 1];
	if (n == 3 && (take_char(s, '.') || take_char(s, ','))) {
		const char *why = parse_fraction(s, &t->us, ret_span_us);

		if (why)
			return why;
	}
	return check_clock(*t);
}

static int64_t clock_us(struct clock_time t)
{
	return ((t.hour * INT64_C(60) + t.minute) * 60 + t.second) *
		       US_PER_SEC +
	       t.us;
}

/* "Z", an offset, or nothing; and the end of the text. */
static const char *parse_zone(struct scan *s, bool *ret_has_zone,
			      int64_t *ret_offset_us)
{
	struct clock_time t = { 0 };
	const char *why = NULL;
	int64_t span_us = 0;
	bool minus = next_is(s, '-');

	*ret_has_zone = s->p < s->end;
	if (take_char(s, '+') || take_char(s, '-'))
		why = parse_clock(s, &t, &span_us);
	else
		(void)take_char(s, 'Z');
	if (why)
		return why;
	if (s->p < s->end)
		return "wanted Z, an offset or the end after the time";
	*ret_offset_us = minus ? -clock_us(t) : clock_us(t);
	return NULL;
}

/* One character between date and time; bytes above ASCII are of UTF-8. */
static const char *parse_separator(struct scan *s)
{
	char c = *s->p;

	if (next_is_digit(s) || c == '+' || c == '-')
		return "wanted T and a time, or the end, after the date";
	s->p++;
	while ((c & 0x80) && s->p < s->end && (*s->p & 0xc0) == 0x80)
		s->p++;
	return NULL;
}

static const char *parse_text(struct scan *s, struct timestamp *ret)
{
	struct civil date = { 0 };
	struct clock_time t = { 0 };
	int64_t offset_us = 0;
	const char *why = parse_date(s, &date);

	ret->span_us = US_PER_DAY;
	if (!why && s->p < s->end && !(s->end - s->p == 1 && *s->p == 'Z')) {
		why = parse_separator(s);
		if (!why)
			why = parse_clock(s, &t, &ret->span_us);
	}
	if (!why)
		why = parse_zone(s, &ret->has_zone, &offset_us);
	if (why)
		return why;
	ret->us = days_from_civil(date) * US_PER_DAY + clock_us(t) - offset_us;
	ret->wall_year = (int)date.year;
	ret->wall_month = date.month;
	ret->wall_day = date.day;
	ret->wall_zone = (int)(offset_us / US_PER_SEC);
	if (!timestamp_is_valid(ret->us))
		return "in UTC the year is not 0001 to 9999";
	return NULL;
}

/* What Python's str.strip takes for white space in ASCII. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

enum rc timestamp_parse(const char *text, struct timestamp *ret,
			struct err *err)
{
	return timestamp_parse_span(text, strlen(text), ret, err);
}

enum rc timestamp_parse_span(const char *text, size_t len,
			     struct timestamp *ret, struct err *err)
{
	struct scan s = { .p = text, .end = text + len };
	struct timestamp ts = { 0 };
	const char *why;

	while (s.p < s.end && is_space(*s.p))
		s.p++;
	while (s.p < s.end && is_space(s.end[-1]))
		s.end--;
	why = parse_text(&s, &ts);
	if (why)
		return err_set(err, RC_USAGE, "'%.*s' is no ISO 8601 time: %s",
			       (int)(len < 80 ? len : 80), text, why);
	*ret = ts;
	return RC_OK;
}

/* Write v with exactly width digits; returns where they end. */
static char *put_digits(char *p, int64_t v, int width)
{
	for (int i = width; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

/* Write a valid date and the time of day; date_mark and time_mark may be 0. */
static char *put_time(char *p, int64_t us, char date_mark, char time_mark)
{
	int64_t days = floor_div(us, US_PER_DAY);
	int64_t rest = floor_mod(us, US_PER_DAY);
	int64_t sec = rest / US_PER_SEC;
	struct civil c = civil_from_days(days);
	const int64_t value[] = { c.year,           c.month,       c.day,
				  sec / 3600,       sec / 60 % 60, sec % 60,
				  rest % US_PER_SEC };
	const char mark[] = { date_mark, date_mark, 'T', time_mark,
			      time_mark, '.',       'Z' };
	static const int width[] = { 4, 2, 2, 2, 2, 2, 6 };

	for (size_t i = 0; i < ARRAY_LEN(value); i++) {
		p = put_digits(p, value[i], width[i]);
		if (mark[i])
			*p++ = mark[i];
	}
	return p;
}

static int64_t clamp(int64_t us)
{
	if (us < TIMESTAMP_MIN)
		return TIMESTAMP_MIN;
	return us > TIMESTAMP_MAX ? TIMESTAMP_MAX : us;
}

struct timestamp timestamp_from_us(int64_t us)
{
	struct civil c = civil_from_days(floor_div(us, US_PER_DAY));

	return (struct timestamp){
		.us = us,
		.wall_year = (int)c.year,
		.wall_month = c.month,
		.wall_day = c.day,
		.has_zone = true,
		.span_us = 1,
	};
}

struct timestamp timestamp_in_zone(int64_t us, int zone)
{
	struct timestamp ts = timestamp_from_us(us + zone * US_PER_SEC);

	ts.us = us;
	ts.wall_zone = zone;
	return ts;
}

struct timestamp timestamp_local(int64_t us)
{
	time_t sec = (time_t)floor_div(us, US_PER_SEC);
	struct tm tm;

	/* Only for years that no file system has. */
	if (!localtime_r(&sec, &tm))
		return timestamp_from_us(us);
	return timestamp_in_zone(us, (int)tm.tm_gmtoff);
}

void timestamp_format_zoned(const struct timestamp *ts,
			    char out[TIMESTAMP_ZONED_TEXT])
{
	int zone = ts->wall_zone < 0 ? -ts->wall_zone : ts->wall_zone;
	char *p = put_time(out, clamp(ts->us + ts->wall_zone * US_PER_SEC), '-',
			   ':');

	p[-1] = ts->wall_zone < 0 ? '-' : '+'; /* in the place of Z */
	p = put_digits(p, zone / 3600, 2);
	*p++ = ':';
	p = put_digits(p, zone / 60 % 60, 2);
	if (zone % 60) {
		*p++ = ':';
		p = put_digits(p, zone % 60, 2);
	}
	*p = '\0';
}

void timestamp_format(int64_t us, char out[TIMESTAMP_TEXT])
{
	*put_time(out, clamp(us), '-', ':') = '\0';
}

void timestamp_format_compact(int64_t us, char out[TIMESTAMP_COMPACT_TEXT])
{
	*put_time(out, clamp(us), '\0', '\0') = '\0';
}

void timestamp_day(int64_t us, char out[TIMESTAMP_DAY_TEXT])
{
	struct civil c = civil_from_days(floor_div(clamp(us), US_PER_DAY));
	char *p = put_digits(out, c.year, 4);

	p = put_digits(p, c.month, 2);
	*put_digits(p, c.day, 2) = '\0';
}

bool timestamp_parse_compact(const char *text, size_t len, int64_t *ret_us)
{
	struct scan s = { .p = text, .end = text + len };
	struct civil c = { 0 };
	struct clock_time t = { 0 };
	int year;

	if (!take_digits(&s, 4, &year) || !take_digits(&s, 2, &c.month) ||
	    !take_digits(&s, 2, &c.day) || !take_char(&s, 'T') ||
	    !take_digits(&s, 2, &t.hour) || !take_digits(&s, 2, &t.minute) ||
	    !take_digits(&s, 2, &t.second) || !take_char(&s, '.') ||
	    !take_digits(&s, 6, &t.us) || !take_char(&s, 'Z') || s.p < s.end)
		return false;
	c.year = year;
	if (check_date(c) || check_clock(t))
		return false;
	*ret_us = days_from_civil(c) * US_PER_DAY + clock_us(t);
	return true;
}

void timestamp_format_ns(int64_t sec, uint32_t nsec,
			 char out[TIMESTAMP_NS_TEXT])
{
	int64_t days = floor_div(sec, SEC_PER_DAY);
	int rest = (int)floor_mod(sec, SEC_PER_DAY);
	struct civil c = civil_from_days(days);

	snprintf(out, TIMESTAMP_NS_TEXT,
		 "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%09" PRIu32 "Z",
		 c.year, c.month, c.day, rest / 3600, rest / 60 % 60, rest % 60,
		 nsec % UINT32_C(1000000000));
}

void timestamp_format_minute(int64_t sec, char out[TIMESTAMP_MINUTE_TEXT])
{
	int64_t days = floor_div(sec, SEC_PER_DAY);
	int rest = (int)floor_mod(sec, SEC_PER_DAY);
	struct civil c = civil_from_days(days);

	snprintf(out, TIMESTAMP_MINUTE_TEXT,
		 "%04" PRId64 "-%02d-%02d %02d:%02d", c.year, c.month, c.day,
		 rest / 3600, rest / 60 % 60);
}
