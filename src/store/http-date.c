/* SPDX-License-Identifier: Apache-2.0 */
/* http-date.c - the Date of a reply. */
#include "config.h"

#include "store/http-date.h"

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

/* From 1; 0: none. */
static int month_of(const char *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (!memcmp(p, names + (size_t)i * 3, 3))
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
	month = month_of(text + 8);
	/* Servers lie, and nothing good comes of years far away. */
	if (!month || (strncmp(text + 12, "20", 2) != 0 &&
		       strncmp(text + 12, "21", 2) != 0))
		return false;
	snprintf(iso, sizeof(iso), "%.4s-%02d-%.2sT%.8sZ", text + 12, month,
		 text + 5, text + 17);
	if (timestamp_parse(iso, &ts, &err))
		return false;
	*ret = ts.us / 1000000;
	return true;
}
