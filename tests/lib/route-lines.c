/* SPDX-License-Identifier: Apache-2.0 */
/* route-lines.c - routes of format 2 in bulk, for tests/lib/route-random.py.
 *
 * Each line of standard input has, with tabs between: the uid in hex,
 * created_at, n_bits.  Each line of the output: day, slot, hex and key, or
 * "error".
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "shard/route.h"

static void locate(char *line)
{
	const char *hex = strsep(&line, "\t");
	const char *created_at = strsep(&line, "\t");
	size_t len = strlen(hex) / 2;
	char *uid = xcalloc(len + 1, 1);
	struct timestamp ts;
	struct err err;
	struct route r;

	if (!line || !hex_decode(hex, 2 * len, uid, len)) {
		fprintf(stderr, "route-lines: a line is not three fields\n");
		exit(2);
	}
	if (timestamp_parse(created_at, &ts, &err) ||
	    locate_shard(ROUTE_V2, ROUTE_UID,
			 (unsigned int)strtoul(line, NULL, 10), uid, len, &ts,
			 &r, &err))
		puts("error");
	else
		printf("%s\t%u\t%s\t%s\n", r.day, r.slot, r.hex, r.key);
	free(uid);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		locate(line);
	}
	free(line);
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
