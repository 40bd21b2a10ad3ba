/* SPDX-License-Identifier: Apache-2.0 */
/* opt-number.c - arguments of options that are numbers. */
#include "config.h"

#include "base/opt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* The number of times 1024 that a suffix stands for, -1 when it is none. */
static int size_power(const char *suffix)
{
	static const char letters[] = "KMGT";

	if (!*suffix)
		return 0;
	for (int i = 0; letters[i]; i++) {
		if ((*suffix & ~0x20) == letters[i] && !suffix[1])
			return i + 1;
	}
	return -1;
}

enum rc opt_size(const char *s, uint64_t *ret, struct err *err)
{
	size_t n_digits = strspn(s, "0123456789");
	int power = size_power(s + n_digits);
	bool too_large = false;
	uint64_t v = 0;

	if (!n_digits || power < 0)
		return err_set(err, RC_USAGE,
			       "'%s' is no size: want digits, then K, M, G, T "
			       "or nothing",
			       s);
	for (size_t i = 0; i < n_digits; i++) {
		too_large |= __builtin_mul_overflow(v, 10, &v);
		too_large |= __builtin_add_overflow(v, s[i] - '0', &v);
	}
	for (int i = 0; i < power; i++)
		too_large |= __builtin_mul_overflow(v, 1024, &v);
	if (too_large)
		return err_set(err, RC_USAGE, "%s is too large", s);
	*ret = v;
	return RC_OK;
}

enum rc opt_number(const char *s, int base, int64_t min, int64_t max,
		   int64_t *ret, struct err *err)
{
	const char *digits = *s == '-' ? s + 1 : s;
	const char *allowed = base == 8 ? "01234567" : "0123456789";
	long long v;

	if (!*digits || digits[strspn(digits, allowed)])
		return err_set(err, RC_USAGE, "'%s' is no %snumber", s,
			       base == 8 ? "octal " : "");
	errno = 0;
	v = strtoll(s, NULL, base);
	if (errno || v < min || v > max)
		return err_set(
			err, RC_USAGE,
			base == 8 ? "%s is not from %" PRIo64 " to %" PRIo64
				  : "%s is not from %" PRId64 " to %" PRId64,
			s, min, max);
	*ret = v;
	return RC_OK;
}

enum rc opt_seconds(const char *s, int64_t max, int64_t *ret, struct err *err)
{
	static const struct unit {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	CLEANUP_FREE char *digits = xstrdup(s);
	size_t len = strlen(s);
	int64_t n, unit = 1;

	for (size_t i = 0; len && i < ARRAY_LEN(units); i++) {
		if (s[len - 1] != units[i].letter)
			continue;
		unit = units[i].seconds;
		digits[len - 1] = '\0';
	}
	if (opt_number(digits, 10, 0, max / unit, &n, err))
		return err_set(err, RC_USAGE,
			       "'%s' is no time: a number with s, m, h or d, "
			       "up to %" PRId64 " years",
			       s, max / 86400 / 365);
	*ret = n * unit;
	return RC_OK;
}
