/* SPDX-License-Identifier: Apache-2.0 */
/* slow-write.c - one write(2) that stops in the middle, for shell tests.
 *
 *	slow-write FILE SIZE BYTE RELEASE
 *
 * SIZE bytes of BYTE are written over FILE at once, the last quarter of them
 * from memory that is not there before the file RELEASE is.  Says "stopped"
 * when the write waits for it.  77: the kernel does not let us.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct gap {
	int uffd;
	char *at;
	size_t len;
	int byte;
	const char *release;
};

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(errno == ENOSYS || errno == EPERM ? 77 : 1);
}

/* Fill the gap when it was met and release is there. */
static void *fill(void *arg)
{
	const struct gap *g = arg;
	struct uffdio_copy copy = { .dst = (uintptr_t)g->at, .len = g->len };
	struct uffd_msg msg;
	char *bytes = malloc(g->len);

	if (!bytes || read(g->uffd, &msg, sizeof(msg)) != sizeof(msg))
		fail("userfaultfd");
	printf("stopped\n");
	fflush(stdout);
	while (access(g->release, F_OK))
		usleep(10000);
	memset(bytes, g->byte, g->len);
	copy.src = (uintptr_t)bytes;
	if (ioctl(g->uffd, UFFDIO_COPY, &copy))
		fail("UFFDIO_COPY");
	free(bytes);
	return NULL;
}

static char *memory_with_gap(struct gap *g, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	g->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (g->uffd < 0 || ioctl(g->uffd, UFFDIO_API, &api))
		fail("userfaultfd");
	g->len = size / 4;
	g->at = p + size - g->len;
	reg.range.start = (uintptr_t)g->at;
	reg.range.len = g->len;
	if (ioctl(g->uffd, UFFDIO_REGISTER, &reg))
		fail("UFFDIO_REGISTER");
	memset(p, g->byte, size - g->len);
	return p;
}

int main(int argc, char **argv)
{
	struct gap g = { .uffd = -1 };
	pthread_t thread;
	size_t size;
	char *p;
	int fd;

	if (argc != 5)
		return 2;
	size = strtoul(argv[2], NULL, 10);
	g.byte = argv[3][0];
	g.release = argv[4];
	p = memory_with_gap(&g, size);
	fd = open(argv[1], O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		fail(argv[1]);
	if (pthread_create(&thread, NULL, fill, &g))
		fail("thread");
	if (pwrite(fd, p, size, 0) != (ssize_t)size)
		fail("write");
	pthread_join(thread, NULL);
	return close(fd) ? 1 : 0;
}
