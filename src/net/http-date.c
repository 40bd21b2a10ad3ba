/* SPDX-License-Identifier: Apache-2.0 */
/* http-date.c - dates in headers. */
#include "config.h"

#include "net/http-date.h"

#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"

static bool has_form(const char *text)
{
	static const char form[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		char c = text[i];
		bool is_digit = c >= '0' && c <= '9';
		bool is_free = form[i] == 'A' || form[i] == 'a';

		if (form[i] == '0' ? !is_digit : !is_free && c != form[i])
			return false;
	}
	return true;
}

/* The number (from 1) of the three letters at p in names; 0 for none. */
static int name_number(const char *p, const char *names)
{
	for (int i = 0; names[3 * i]; i++) {
		if (!memcmp(p, names + (size_t)(3 * i), 3))
			return i + 1;
	}
	return 0;
}

bool http_date_parse(const char *text, int64_t *ret)
{
	char iso[32];
	struct timestamp ts;
	struct err err;
	int month;

	if (!has_form(text))
		return false;
	month = name_number(text + 8, "JanFebMarAprMayJunJulAugSepOctNovDec");
	if (!month || !name_number(text, "SunMonTueWedThuFriSat"))
		return false;
	snprintf(iso, sizeof(iso), "%.4s-%02d-%.2sT%.8sZ", text + 12, month,
		 text + 5, text + 17);
	if (timestamp_parse(iso, &ts, &err))
		return false;
	*ret = ts.us / 1000000;
	return true;
}

bool http_date_parse_now(const char *text, int64_t *ret)
{
	/* Servers lie, and nothing good comes of years far away. */
	return has_form(text) &&
	       (!strncmp(text + 12, "20", 2) || !strncmp(text + 12, "21", 2)) &&
	       http_date_parse(text, ret);
}
