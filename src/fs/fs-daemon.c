/* SPDX-License-Identifier: Apache-2.0 */
/* fs-daemon.c - into the background, with word back to the caller. */
#include "config.h"

#include "fs/fs-daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/human.h"

void daemon_print_error(const struct err *err)
{
	CLEANUP_BUF struct buf line = { .max = 8 * ERR_MSG_MAX };

	text_escape(&line, err->msg, strlen(err->msg));
	fprintf(stderr, "mount.desfs: %s\n", buf_str(&line));
}

/* The child writes one struct err, with RC_OK for "serving". */
static int wait_for_child(int fd, pid_t pid)
{
	struct err said;
	ssize_t n;
	int status;

	do {
		n = read(fd, &said, sizeof(said));
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(said)) {
		if (said.rc)
			daemon_print_error(&said);
		return rc_to_status(said.rc);
	}
	if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
		err_set(&said, RC_IO, "the daemon was killed by signal %d",
			WTERMSIG(status));
	else
		err_set(&said, RC_IO, "the daemon ended before it served");
	daemon_print_error(&said);
	return rc_to_status(said.rc);
}

enum rc daemon_start(int *ret, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return err_set_errno(err, errno, "pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		int e = errno;

		close(fds[0]);
		close(fds[1]);
		return err_set_errno(err, e, "fork");
	}
	if (pid > 0) {
		close(fds[1]);
		_exit(wait_for_child(fds[0], pid));
	}
	close(fds[0]);
	setsid();
	*ret = fds[1];
	return RC_OK;
}

enum rc daemon_detach(struct err *err)
{
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_set_errno(err, errno, "/dev/null");
	if (chdir("/"))
		return err_set_errno(err, errno, "/");
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (dup2(null, fd) < 0)
			return err_set_errno(err, errno, "/dev/null");
	}
	if (null <= STDERR_FILENO)
		STEAL_FD(null);
	return RC_OK;
}

/* Shorter than PIPE_BUF: all or nothing. */
static void report(int fd, const struct err *err)
{
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, err, sizeof(*err));
	(void)n;
	close(fd);
}

void daemon_report_serving(int fd)
{
	static const struct err none = { .rc = RC_OK };

	report(fd, &none);
}

void daemon_report_failed(int fd, const struct err *err)
{
	report(fd, err);
}
