/* SPDX-License-Identifier: Apache-2.0 */
/* archive-version.c - the version of the library for tar and zip. */
#include "config.h"

#include "exchange/archive-version.h"

#include <stdio.h>

#include "exchange/archive-library.h"

const char *archive_version(void)
{
	static _Thread_local char text[280];
	struct err err;

	if (archive_library_load(&err))
		snprintf(text, sizeof(text), "no libarchive (%.240s)", err.msg);
	else
		snprintf(text, sizeof(text), "%.60s", archive_version_string());
	return text;
}
