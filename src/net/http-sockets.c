/* SPDX-License-Identifier: Apache-2.0 */
/* http-sockets.c - the sockets of a client, so that callers can end them.
 *
 * libcurl takes bytes as long as there are some, and asks nobody while they
 * mean nothing, as empty frames of HTTP/2: deadlines are not looked at then.
 */
#include "config.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "net/http-loop-backend.h"

void http_sockets_add(struct http *h, int fd)
{
	LOCK_SCOPE(&h->lock);
	h->sockets = mem_grow(h->sockets, &h->cap_sockets, h->n_sockets + 1,
			      sizeof(*h->sockets));
	h->sockets[h->n_sockets++] = fd;
}

/* Closed with the lock held: its number means another one afterwards. */
int http_sockets_close(void *arg, curl_socket_t fd)
{
	struct http *h = arg;
	LOCK_SCOPE(&h->lock);

	for (size_t i = 0; i < h->n_sockets; i++) {
		if (h->sockets[i] == fd)
			h->sockets[i--] = h->sockets[--h->n_sockets];
	}
	return close(fd);
}

void http_sockets_end(const struct http *h)
{
	for (size_t i = 0; i < h->n_sockets; i++)
		shutdown(h->sockets[i], SHUT_RDWR);
}
