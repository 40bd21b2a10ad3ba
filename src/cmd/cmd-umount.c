/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-umount.c - desfs umount: take a mount down, as root or as a user. */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mountinfo.h"
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

static enum rc umount_as_root(const struct umount_options *o, const char *dir,
			      struct err *err)
{
	if (!umount2(dir, o->lazy ? MNT_DETACH : 0))
		return RC_OK;
	if (errno == EBUSY)
		return err_set(err, RC_IO,
			       "%s is in use; with --lazy it ends when it is "
			       "not any more",
			       dir);
	return err_set_errno(err, errno, "%s", dir);
}

static enum rc umount_run(const void *options, int argc, char **argv,
			  struct err *err)
{
	CLEANUP_FREE char *dir = realpath(argv[0], NULL);
	bool is_mounted = false;

	(void)argc;
	if (!dir)
		return err_set_errno(err, errno, "%s", argv[0]);
	if (mountinfo_has_desfs(dir, &is_mounted, err))
		return err->rc;
	if (!is_mounted)
		return err_set(err, RC_USAGE, "%s: no archive is mounted there",
			       argv[0]);
	return geteuid() ? umount_as_user(options, dir, err)
			 : umount_as_root(options, dir, err);
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
