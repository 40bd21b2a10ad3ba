/* SPDX-License-Identifier: Apache-2.0 */
/* verify-choose.c - which shards of an archive a run looks at. */
#include "config.h"

#include "verify/verify-choose.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"

size_t verify_choose_since(struct verify_todo *todo, size_t n, int64_t since)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (todo[i].entered >= since)
			todo[kept++] = todo[i];
	}
	return kept;
}

size_t verify_choose_open(struct verify_todo *todo, size_t n,
			  const struct verify_options *opts)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (!opts->is_done ||
		    !opts->is_done(opts->arg, todo[i].place, todo[i].key))
			todo[kept++] = todo[i];
	}
	return kept;
}

/* A lot for each key: the lowest are taken. */
static uint64_t draw(const char *key, uint64_t seed)
{
	uint8_t hash[SHA256_LEN], bytes[8];
	struct sha256 sum;
	uint64_t ret = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(seed >> 8 * i);
	sha256_init(&sum);
	sha256_update(&sum, bytes, sizeof(bytes));
	sha256_update(&sum, key, strlen(key));
	sha256_final(&sum, hash);
	for (size_t i = 0; i < sizeof(bytes); i++)
		ret = ret << 8 | hash[i];
	return ret;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

size_t verify_choose_sample(struct verify_todo *todo, size_t n, double percent,
			    uint64_t seed)
{
	CLEANUP_FREE uint64_t *lots = xcalloc(n + 1, sizeof(*lots));
	double share = percent / 100 * (double)n;
	size_t want = (size_t)share, kept = 0;
	uint64_t most;

	want += (double)want < share;
	if (!n || want >= n)
		return n;
	for (size_t i = 0; i < n; i++)
		lots[i] = draw(todo[i].key, seed);
	qsort(lots, n, sizeof(*lots), by_number);
	most = lots[want ? want - 1 : 0];
	for (size_t i = 0; i < n; i++) {
		if (draw(todo[i].key, seed) <= most)
			todo[kept++] = todo[i];
	}
	return kept;
}
