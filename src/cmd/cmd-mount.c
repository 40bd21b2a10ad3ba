/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-mount.c - desfs mount: hand over to mount.desfs. */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/daemon.h"

struct mount_options {
	bool foreground;
	bool debug;
	unsigned int verbose;
	char *list; /* all -o joined */
};

static enum rc add_list(void *field, const char *arg, struct err *err)
{
	char **list = field;
	char *joined = *list ? xasprintf("%s,%s", *list, arg) : xstrdup(arg);

	(void)err;
	free(*list);
	*list = joined;
	return RC_OK;
}

static const struct opt mount_opts[] = {
	{ .name = "foreground",
	  .letter = 'f',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct mount_options, foreground),
	  .help = "stay in the foreground, log to stderr" },
	{ .name = "options",
	  .letter = 'o',
	  .arg = "LIST",
	  .kind = OPT_CALLBACK,
	  .fn = add_list,
	  .offset = offsetof(struct mount_options, list),
	  .help = "mount options, see mount.desfs(8); may be repeated" },
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPT_COUNT,
	  .offset = offsetof(struct mount_options, verbose),
	  .help = "log more; may be repeated" },
	{ .name = "debug",
	  .letter = 'd',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct mount_options, debug),
	  .help = "stay in the foreground and log everything" },
};

static enum rc mount_run(const void *options, int argc, char **argv,
			 struct err *err)
{
	const struct mount_options *o = options;
	char f[] = "-f", d[] = "-d", v[] = "-v", list[] = "-o", end[] = "--";
	CLEANUP_FREE char **args = xcalloc(o->verbose + 9u, sizeof(*args));
	size_t n = 1;

	(void)argc;
	if (o->foreground)
		args[n++] = f;
	if (o->debug)
		args[n++] = d;
	for (unsigned int i = 0; i < o->verbose; i++)
		args[n++] = v;
	if (o->list) {
		args[n++] = list;
		args[n++] = o->list;
	}
	args[n++] = end;
	args[n++] = argv[0];
	args[n] = argv[1];
	return daemon_exec(args, err);
}

static void mount_release(void *options)
{
	struct mount_options *o = options;

	free(o->list);
}

static const struct mount_options mount_defaults;

const struct cmd cmd_mount = {
	.name = "mount",
	.usage = "[OPTION]... ARCHIVE MOUNTPOINT",
	.summary = "show the files of an archive as a read-only file system",
	.opts = mount_opts,
	.n_opts = ARRAY_LEN(mount_opts),
	.defaults = &mount_defaults,
	.options_size = sizeof(mount_defaults),
	.min_args = 2,
	.max_args = 2,
	.run = mount_run,
	.release = mount_release,
};
