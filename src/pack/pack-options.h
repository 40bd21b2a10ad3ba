/* SPDX-License-Identifier: Apache-2.0 */
/* pack-options.h - the command line of desfs-pack. */
#ifndef DESFS_PACK_PACK_OPTIONS_H
#define DESFS_PACK_PACK_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "conf/conf.h"
#include "pack/pack.h"
#include "pack/profile.h"

struct filter;

struct command_line {
	struct pack_options pack;
	struct filter *filter;
	struct conf conf; /* of options; command_line_settings adds files */
	bool json, quiet, clean, version, help;
	unsigned int verbose;
	const char *debug;
	char *spool;                    /* pack.spool from the root on; owned */
	const char *stats_file;         /* NULL: none */
	const char *manifest, *results; /* likewise */
	const char *from_archive;       /* likewise */
	uint64_t spool_limit;           /* bytes; 0: the default */

	/* As the rows set them, see command_line_parse. */
	unsigned int progress;
	struct profile_choice choice;
};

/* Parse and check.  With help or version set the rest may be missing, with
 * clean all but the archive.  To be released even after a failure.
 */
enum rc command_line_parse(struct command_line *c, int argc, char **argv,
			   struct err *err) MUST_CHECK;
/* Read desfs.conf(5), and let pack have what it and the options say. */
enum rc command_line_settings(struct command_line *c,
			      struct err *err) MUST_CHECK;
void command_line_release(struct command_line *c);

void command_line_help(FILE *to);

#endif
