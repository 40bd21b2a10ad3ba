/* SPDX-License-Identifier: Apache-2.0 */
/* route-datavision.c - slots by hash, days by name. */
#include "config.h"

#include "shard/route-datavision.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/sha256.h"
#include "base/timestamp.h"

#define DIGITS 8

uint32_t datavision_slot(const char *name, size_t len, unsigned int n_bits)
{
	uint8_t hash[SHA256_LEN];
	uint32_t v = 0;

	assert(n_bits >= DATAVISION_BITS_MIN && n_bits <= DATAVISION_BITS_MAX);
	sha256_of(name, len, hash);
	for (size_t i = 0; i < 4; i++)
		v = v << 8 | hash[i];
	return v >> (32 - n_bits);
}

static bool are_digits(const char *p)
{
	for (size_t i = 0; i < DIGITS; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

bool datavision_day(const char *name, size_t len, char ret[11])
{
	struct timestamp ts;
	struct err err;
	size_t i = 0;

	while (i + DIGITS + 2 <= len &&
	       (name[i] != '_' || !are_digits(name + i + 1) ||
		name[i + DIGITS + 1] != '_'))
		i++;
	if (i + DIGITS + 2 > len)
		return false;
	name += i + 1;
	snprintf(ret, 11, "%.4s-%.2s-%.2s", name, name + 4, name + 6);
	return !timestamp_parse(ret, &ts, &err);
}
