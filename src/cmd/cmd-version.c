/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-version.c - desfs version: of the program, its libraries and the kernel.
 */
#include "config.h"

#include <unistd.h>

#include "base/sha256-many.h"
#include "base/version.h"
#include "catalog/catalog.h"
#include "cmd/cmd.h"
#include "cmd/daemon.h"
#include "codec/codec.h"
#include "exchange/archive-version.h"
#include "shard/shard-format.h"
#include "store/store.h"

static const char *fuse_state(void)
{
	if (access("/dev/fuse", F_OK))
		return "absent: mounts are not possible";
	if (access("/dev/fuse", R_OK | W_OK))
		return "present, not for this user";
	return "present";
}

static enum rc version_run(const void *options, int argc, char **argv,
			   struct err *err)
{
	char version[] = "--version";
	char *args[] = { NULL, version, NULL };

	(void)options;
	(void)argc;
	(void)argv;
	(void)err;
	version_print(stdout, "desfs", NULL, 0);
	printf("shard format %d\n", SHARD_VERSION);
	printf("codecs: %s\n", codec_libraries());
	printf("hashes side by side: %s\n", sha256_many_library());
	printf("remote archives: %s\n", store_libraries());
	printf("index cache: %s\n", catalog_library());
	printf("tar and zip: %s\n", archive_version());
	printf("/dev/fuse: %s\n", fuse_state());
	/* What it is linked with and what it asks of FUSE, it knows itself. */
	if (daemon_spawn(args))
		printf("mount.desfs: not found\n");
	return RC_OK;
}

const struct cmd cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "print the versions of program, libraries and kernel",
	.run = version_run,
};
