/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-help.c - desfs help: what commands there are, and what one does. */
#include "config.h"

#include "cmd/cmd.h"

static enum rc help_run(const void *options, int argc, char **argv,
			struct err *err)
{
	const struct cmd *cmd;

	(void)options;
	if (!argc) {
		printf("Usage: desfs [OPTION]... COMMAND [ARGUMENT]...\n");
		cmd_print_overview(stdout);
		return RC_OK;
	}
	cmd = cmd_by_name(argv[0]);
	if (!cmd)
		return err_set(err, RC_USAGE,
			       "no command '%s'; see 'desfs help'", argv[0]);
	cmd_print_help(stdout, cmd);
	return RC_OK;
}

const struct cmd cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "tell what there is and how it is called",
	.max_args = 1,
	.run = help_run,
};
