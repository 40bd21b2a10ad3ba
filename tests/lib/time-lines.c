/* SPDX-License-Identifier: Apache-2.0 */
/* time-lines.c - times in bulk, for tests/lib/time-random.py.
 *
 * Each line of standard input is a text in hex; each line of the output is the
 * instant, the date as written and 1 if there was a zone, or "error".
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/timestamp.h"

static void parse(const char *hex)
{
	size_t len = strlen(hex) / 2;
	char *text = xcalloc(len + 1, 1);
	struct timestamp ts;
	struct err err;

	if (!hex_decode(hex, 2 * len, text, len)) {
		fprintf(stderr, "time-lines: a line is not hex\n");
		exit(2);
	}
	if (timestamp_parse_span(text, len, &ts, &err))
		puts("error");
	else
		printf("%" PRId64 " %" PRIu32 " %d\n", ts.us,
		       timestamp_wall_day(&ts), ts.has_zone);
	free(text);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		parse(line);
	}
	free(line);
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
