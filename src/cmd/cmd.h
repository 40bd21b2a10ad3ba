/* SPDX-License-Identifier: Apache-2.0 */
/* cmd.h - one command of desfs: a row of the table in cmd.c.
 *
 * A command is one file with one struct cmd.  main finds the row, parses the
 * options into a copy of the defaults, checks how many other arguments there
 * are, and runs it.  What run returns becomes the exit status; a message in err
 * is printed once.  A command that has told its errors itself, one for each
 * file, returns with an empty message.
 */
#ifndef DESFS_CMD_CMD_H
#define DESFS_CMD_CMD_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/opt.h"

#define CMD_ANY_ARGS (-1)

struct cmd {
	const char *name;
	const char *usage;   /* what follows the name: "ARCHIVE [PATH]..." */
	const char *summary; /* half a sentence, in lower case */
	const struct opt *opts;
	size_t n_opts;
	const void *defaults;   /* the options before any is parsed */
	size_t options_size;    /* bytes of that */
	int min_args, max_args; /* other arguments; CMD_ANY_ARGS: no limit */

	/* argv: the argc arguments that are no options; ends with NULL. */
	enum rc (*run)(const void *options, int argc, char **argv,
		       struct err *err);
	/* Free what callbacks put into the options; may be NULL. */
	void (*release)(void *options);
};

/* The commands in the order of the help, ended by NULL. */
extern const struct cmd *const cmd_table[];

/* NULL when there is none. */
const struct cmd *cmd_by_name(const char *name);

/* The command whose name is most like this one, NULL when none is. */
const struct cmd *cmd_like(const char *name);

void cmd_print_help(FILE *to, const struct cmd *cmd);
void cmd_print_overview(FILE *to);

#endif
