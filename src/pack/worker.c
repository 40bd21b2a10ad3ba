/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - which slots a run packs, of those that several runs share. */
#include "config.h"

#include "pack/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/opt.h"

/* The number in the len bytes at p. */
static bool parse_number(const char *p, size_t len, int64_t max, int64_t *ret)
{
	char digits[8];
	struct err err;

	if (!len || len >= sizeof(digits))
		return false;
	memcpy(digits, p, len);
	digits[len] = '\0';
	return !opt_number(digits, 10, 1, max, ret, &err);
}

enum rc worker_parse(const char *text, struct worker *ret, struct err *err)
{
	const char *slash = strchr(text, '/');
	int64_t i = 0, n = 0;

	if (!slash ||
	    !parse_number(slash + 1, strlen(slash + 1), WORKERS_MAX, &n) ||
	    !parse_number(text, (size_t)(slash - text), n, &i))
		return err_set(err, RC_USAGE,
			       "want I/N, the Ith of N workers, N at most %u",
			       WORKERS_MAX);
	*ret = (struct worker){ .i = (uint32_t)i - 1, .n = (uint32_t)n };
	return RC_OK;
}

void worker_format(const struct worker *w, char ret[WORKER_TEXT])
{
	snprintf(ret, WORKER_TEXT, "%" PRIu32 "/%" PRIu32, w->i + 1,
		 w->n ? w->n : 1);
}
