/* SPDX-License-Identifier: Apache-2.0 */
/* version.c - what --version prints. */
#include "config.h"
#include "base/version.h"

#include <string.h>
#include <sys/utsname.h>

const char *version_text(void)
{
	return PACKAGE_VERSION;
}

void version_print(FILE *f, const char *program, const struct version_row *rows,
		   size_t n_rows)
{
	struct utsname u;

	fprintf(f, "%s %s\n", program, version_text());
	for (size_t i = 0; i < n_rows; i++) {
		const struct version_row *r = &rows[i];

		fprintf(f, "%s %s", r->name, r->built);
		if (r->running && strcmp(r->built, r->running))
			fprintf(f, " (running with %s)", r->running);
		fputc('\n', f);
	}
	if (!uname(&u))
		fprintf(f, "%s %s %s\n", u.sysname, u.release, u.machine);
}
