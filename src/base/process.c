/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - what this process takes of the machine. */
#include "config.h"

#include "base/process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* The second number of statm, in pages; 0 when it cannot be read. */
static uint64_t resident(void)
{
	CLEANUP_FD int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128] = "";
	char *end;

	if (fd < 0 || io_read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	strtoull(text, &end, 10);
	return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t to_ms(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000;
}

struct process process_now(void)
{
	struct process p = { .rss = resident() };
	struct rusage ru;

	if (!getrusage(RUSAGE_SELF, &ru)) {
		/* It lags behind. */
		p.rss_max = (uint64_t)ru.ru_maxrss * 1024;
		if (p.rss_max < p.rss)
			p.rss_max = p.rss;
		p.cpu_ms = to_ms(&ru.ru_utime) + to_ms(&ru.ru_stime);
	}
	return p;
}
