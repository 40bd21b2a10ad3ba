/* SPDX-License-Identifier: Apache-2.0 */
/* get-many.h - desfs get --batch: a list of pairs to a tar or a directory. */
#ifndef DESFS_CMD_GET_MANY_H
#define DESFS_CMD_GET_MANY_H

#include <stdbool.h>

#include "base/err.h"

struct conf;

enum get_format { GET_TAR, GET_FILES };

struct get_many {
	const char *archive;
	const struct conf *conf;
	const char *list;   /* "-": standard input */
	const char *output; /* NULL: standard output */
	const char *report; /* NULL: none */
	enum get_format format;
	bool overwrite;
	unsigned int n_jobs; /* 0: as many as are good */
	unsigned int n_bits; /* see struct legacy_options */
};

/* Tells what fails of the pairs itself. */
enum rc get_many(const struct get_many *o, struct err *err) MUST_CHECK;

#endif
