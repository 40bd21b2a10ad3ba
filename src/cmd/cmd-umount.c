/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-umount.c - desfs umount: take a mount down, as root or as a user. */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cmd/cmd.h"

struct umount_options {
	bool lazy;
};

static const struct opt umount_opts[] = {
	{ .name = "lazy",
	  .letter = 'z',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct umount_options, lazy),
	  .help = "detach now, end when nobody uses it any more" },
};

/* Users may not unmount; fusermount3 may, for those who mounted. */
static enum rc umount_as_user(const struct umount_options *o, char *dir,
			      struct err *err)
{
	char name[] = "fusermount3", flags[8] = "-u", end[] = "--";
	char *args[] = { name, flags, end, dir, NULL };

	if (o->lazy)
		memcpy(flags, "-uz", 4);
	execvp(name, args);
	return err_set_errno(err, errno, "%s", name);
}

static enum rc umount_run(const void *options, int argc, char **argv,
			  struct err *err)
{
	const struct umount_options *o = options;

	(void)argc;
	if (geteuid())
		return umount_as_user(o, argv[0], err);
	if (!umount2(argv[0], o->lazy ? MNT_DETACH : 0))
		return RC_OK;
	if (errno == EINVAL)
		return err_set(err, RC_USAGE, "%s is not mounted", argv[0]);
	if (errno == EBUSY)
		return err_set(err, RC_IO,
			       "%s is in use; with --lazy it ends when it is "
			       "not any more",
			       argv[0]);
	return err_set_errno(err, errno, "%s", argv[0]);
}

static const struct umount_options umount_defaults;

const struct cmd cmd_umount = {
	.name = "umount",
	.usage = "[OPTION]... MOUNTPOINT",
	.summary = "take a mount down",
	.opts = umount_opts,
	.n_opts = ARRAY_LEN(umount_opts),
	.defaults = &umount_defaults,
	.options_size = sizeof(umount_defaults),
	.min_args = 1,
	.max_args = 1,
	.run = umount_run,
};
