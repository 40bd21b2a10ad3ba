/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.c - where mount.desfs is, and running it. */
#include "config.h"

#include "cmd/daemon.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAEMON_NAME "mount.desfs"

static bool beside_us(char *ret, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);
	char *slash;
	size_t dir;

	if (n <= 0)
		return false;
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	if (!slash)
		return false;
	dir = (size_t)(slash + 1 - ret);
	if (dir + sizeof(DAEMON_NAME) > size)
		return false;
	memcpy(ret + dir, DAEMON_NAME, sizeof(DAEMON_NAME));
	return !access(ret, X_OK);
}

enum rc daemon_exec(char **argv, struct err *err)
{
	char path[PATH_MAX];

	if (!beside_us(path, sizeof(path)))
		snprintf(path, sizeof(path), "%s", MOUNT_DESFS_PATH);
	argv[0] = path;
	execv(path, argv);
	return err_set_errno(err, errno, "%s", path);
}

int daemon_spawn(char **argv)
{
	struct err err;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid) {
		daemon_exec(argv, &err);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return -1;
	return WEXITSTATUS(status);
}
