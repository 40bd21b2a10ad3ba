/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - finds the command, runs it, reports once. */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "cmd/cmd.h"
#include "cmd/tell.h"

struct global_options {
	bool version;
	unsigned int verbose;
	const char *debug;
};

static const struct opt global_opts[] = {
	{ .name = "version",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct global_options, version),
	  .help = "print the version and those of libraries" },
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPT_COUNT,
	  .offset = offsetof(struct global_options, verbose),
	  .help = "tell more; may be repeated" },
	{ .name = "debug",
	  .arg = "ROOM[,ROOM]...",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct global_options, debug),
	  .help = "log debug messages of these rooms, or all" },
};

/* Results that did not reach their reader are no success. */
static enum rc close_stdout(struct err *err)
{
	if (fflush(stdout) || ferror(stdout))
		return err_set(err, RC_IO, "cannot write standard output");
	return RC_OK;
}

static enum rc check_args(const struct cmd *cmd, int n, struct err *err)
{
	if (n >= cmd->min_args &&
	    (cmd->max_args == CMD_ANY_ARGS || n <= cmd->max_args))
		return RC_OK;
	return err_set(err, RC_USAGE,
		       "want: desfs %s %s; 'desfs help %s' tells more",
		       cmd->name, cmd->usage, cmd->name);
}

/* argv[0] is the command's name. */
static enum rc run_cmd(const struct cmd *cmd, int argc, char **argv,
		       struct err *err)
{
	CLEANUP_FREE void *options = xcalloc(1, cmd->options_size + 1);
	int first = 0;
	enum rc rc;

	if (cmd->defaults)
		memcpy(options, cmd->defaults, cmd->options_size);
	rc = opt_parse(cmd->opts, cmd->n_opts, options, argc, argv, &first,
		       err);
	if (!rc && first == OPT_HELP) {
		cmd_print_help(stdout, cmd);
	} else {
		if (!rc)
			rc = check_args(cmd, argc - first, err);
		if (!rc)
			rc = cmd->run(options, argc - first, argv + first, err);
	}
	if (cmd->release)
		cmd->release(options);
	return rc;
}

/* mount.fuse calls "desfs ARCHIVE DIR -o OPTIONS". */
static bool is_mount_call(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] == '-')
		return false;
	if (strchr(argv[0], '/'))
		return true;
	for (int i = 2; i < argc; i++) {
		if (!strncmp(argv[i], "-o", 2))
			return true;
	}
	return false;
}

/* argv[0] is the word in question. */
static enum rc dispatch(int argc, char **argv, struct err *err)
{
	const struct cmd *cmd = cmd_by_name(argv[0]);
	char mount[] = "mount";
	char **args;
	enum rc rc;

	if (cmd)
		return run_cmd(cmd, argc, argv, err);
	if (!is_mount_call(argc, argv)) {
		cmd = cmd_like(argv[0]);
		if (cmd)
			return err_set(err, RC_USAGE,
				       "unknown command '%s'; did you mean "
				       "'%s'?",
				       argv[0], cmd->name);
		return err_set(err, RC_USAGE,
			       "unknown command '%s'; see 'desfs help'",
			       argv[0]);
	}
	args = xcalloc((size_t)argc + 2, sizeof(*args));
	args[0] = mount;
	memcpy(args + 1, argv, (size_t)argc * sizeof(*args));
	rc = run_cmd(cmd_by_name(mount), argc + 1, args, err);
	free(args);
	return rc;
}

static void print_help(void)
{
	opt_print_help(stdout, "desfs", "[OPTION]... COMMAND [ARGUMENT]...",
		       "\nTools for archives of desfs; see desfs(1).",
		       global_opts, ARRAY_LEN(global_opts));
	cmd_print_overview(stdout);
}

static enum rc run(int argc, char **argv, struct err *err)
{
	struct global_options o = { 0 };
	char version[] = "version";
	char *version_argv[] = { version, NULL };
	int first = 0, n = 1;
	enum rc rc;

	/* Only what comes before the command is ours. */
	while (n < argc && argv[n][0] == '-')
		n++;
	rc = opt_parse(global_opts, ARRAY_LEN(global_opts), &o, n, argv, &first,
		       err);
	if (!rc && o.debug)
		rc = log_set_debug(o.debug, err);
	if (rc)
		return rc;
	while (o.verbose-- > 0)
		log_more();
	if (first == OPT_HELP) {
		print_help();
		return RC_OK;
	}
	if (o.version)
		return dispatch(1, version_argv, err);
	if (n == argc)
		return err_set(err, RC_USAGE,
			       "want a command; 'desfs help' lists them");
	return dispatch(argc - n, argv + n, err);
}

int main(int argc, char **argv)
{
	struct err err = { .msg = "" };
	enum rc rc, closed;

	log_open("desfs", LOG_LEVEL_WARN);
	rc = run(argc, argv, &err);
	if (rc && err.msg[0])
		tell("%s", err.msg);
	closed = close_stdout(&err);
	if (closed && !rc) {
		tell("%s", err.msg);
		rc = closed;
	}
	log_close();
	return rc_to_status(rc);
}
