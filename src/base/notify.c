/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - one datagram to the service manager. */
#include "config.h"

#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

/* The address is a path, or, after '@', an abstract name. */
static enum rc to_address(const char *path, struct sockaddr_un *sa,
			  socklen_t *ret_len, struct err *err)
{
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len < 2)
		return err_set(err, RC_USAGE,
			       "NOTIFY_SOCKET=%s is not a path or @name", path);
	if (len >= sizeof(sa->sun_path))
		return err_set(err, RC_LIMIT, "NOTIFY_SOCKET=%s is too long",
			       path);
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(sa->sun_path, path, len);
	if (path[0] == '@')
		sa->sun_path[0] = '\0';
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return RC_OK;
}

enum rc notify_send(const char *state, struct err *err)
{
	const char *path = getenv("NOTIFY_SOCKET");
	CLEANUP_FD int fd = -1;
	struct sockaddr_un sa;
	socklen_t len = 0;
	enum rc rc;

	if (!path || !*path)
		return RC_OK;
	rc = to_address(path, &sa, &len, err);
	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(err, errno, "socket");
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		   (const struct sockaddr *)&sa, len) < 0)
		return err_set_errno(err, errno, "notify %s", path);
	return RC_OK;
}
