/* SPDX-License-Identifier: Apache-2.0 */
/* delay-proxy.c - a TCP proxy that delays what clients send, and counts
 *requests.
 *
 *	delay-proxy HOST PORT MILLISECONDS [LISTEN]
 *
 * prints the port it listens on (127.0.0.1), then serves until it is killed. On
 * SIGUSR1 it prints "COUNT n": pieces from clients that begin with an HTTP
 * method since the last one, which are requests as long as nobody pipelines.
 * Whoever speaks one request after the other sees the delay as a round trip's.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE (256u << 10)

static struct sockaddr_in server;
static long delay_ms;
static _Atomic uint64_t n_requests;

struct half {
	int from, to;
	bool is_client; /* from is: delay and count */
};

static void die(const char *what)
{
	fprintf(stderr, "delay-proxy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0 && errno != EINTR)
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool is_request(const char *p, size_t len)
{
	static const char *const methods[] = { "GET ", "HEAD ", "PUT ", "POST ",
					       "DELETE " };

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		size_t n = strlen(methods[i]);

		if (len >= n && !memcmp(p, methods[i], n))
			return true;
	}
	return false;
}

/* Only the first piece of a request waits: the rest would be under way by then.
 */
static void take(const struct half *h, const char *p, size_t len)
{
	struct timespec ts = { delay_ms / 1000, delay_ms % 1000 * 1000000 };

	if (!h->is_client || !is_request(p, len))
		return;
	atomic_fetch_add(&n_requests, 1);
	nanosleep(&ts, NULL);
}

static void *half_main(void *arg)
{
	struct half *h = arg;
	char *p = malloc(PIECE);

	while (p) {
		ssize_t n = recv(h->from, p, PIECE, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		take(h, p, (size_t)n);
		if (!write_all(h->to, p, (size_t)n))
			break;
	}
	shutdown(h->to, SHUT_WR);
	shutdown(h->from, SHUT_RD);
	free(p);
	return NULL;
}

static void *connection_main(void *arg)
{
	int client = (int)(intptr_t)arg, one = 1;
	int up = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct half there = { client, up, true };
	struct half back = { up, client, false };
	pthread_t t;

	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (up >= 0 &&
	    !connect(up, (struct sockaddr *)&server, sizeof(server))) {
		setsockopt(up, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!pthread_create(&t, NULL, half_main, &there)) {
			half_main(&back);
			pthread_join(t, NULL);
		}
	}
	if (up >= 0)
		close(up);
	close(client);
	return NULL;
}

static void *count_main(void *arg)
{
	int fd = *(int *)arg;
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		printf("COUNT %llu\n",
		       (unsigned long long)atomic_exchange(&n_requests, 0));
		fflush(stdout);
	}
	return NULL;
}

static uint16_t port_of(const char *text)
{
	return (uint16_t)strtoul(text, NULL, 10);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(fd, 256) || getsockname(fd, (struct sockaddr *)&a, &len))
		die("listen");
	printf("PORT %u\n", (unsigned int)ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static void start_counter(void)
{
	static int fd;
	sigset_t set;
	pthread_t t;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0 || pthread_create(&t, NULL, count_main, &fd))
		die("signal");
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 4 && argc != 5) {
		fprintf(stderr,
			"usage: delay-proxy HOST PORT MILLISECONDS [LISTEN]\n");
		return 2;
	}
	server.sin_family = AF_INET;
	server.sin_port = htons(port_of(argv[2]));
	if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
		die(argv[1]);
	delay_ms = strtol(argv[3], NULL, 10);
	start_counter();
	fd = listen_on(argc == 5 ? port_of(argv[4]) : 0);
	for (;;) {
		int client = accept(fd, NULL, NULL);
		pthread_attr_t attr;
		pthread_t t;

		if (client < 0)
			continue;
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		if (pthread_create(&t, &attr, connection_main,
				   (void *)(intptr_t)client))
			close(client);
		pthread_attr_destroy(&attr);
	}
}
