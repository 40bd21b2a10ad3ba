/* SPDX-License-Identifier: Apache-2.0 */
/* version.h - what --version prints.
 *
 * The rooms know their libraries; the program collects their rows:
 *
 *	struct version_row rows[] = { { "zstd", codec_built(), codec_runs() } };
 *
 *	version_print(stdout, "desfs", rows, ARRAY_LEN(rows));
 */
#ifndef DESFS_BASE_VERSION_H
#define DESFS_BASE_VERSION_H

#include <stddef.h>
#include <stdio.h>

struct version_row {
	const char *name;    /* of the library */
	const char *built;   /* version at compile time */
	const char *running; /* version at run time; NULL when it cannot tell */
};

/* The version of desfs, "0.1.0". */
const char *version_text(void);

/* "<program> 0.1.0", then a line for each library and one for the kernel. */
void version_print(FILE *f, const char *program, const struct version_row *rows,
		   size_t n_rows);

#endif
