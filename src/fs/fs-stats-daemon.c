/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats-daemon.c - what the process takes, and how old what it shows is. */
#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "fs/fs.h"

struct process {
	uint64_t rss, rss_max; /* bytes */
	uint64_t cpu_ms;
};

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

static struct process process_now(void)
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

static void row(struct buf *out, const char *name, uint64_t value)
{
	buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static uint64_t view_age_ns(const struct fs *fs)
{
	uint64_t fresh = atomic_load(&fs->fresh_ns), now = clock_boot_ns();

	return fresh && now > fresh ? now - fresh : 0;
}

void fs_stats_daemon(const struct fs *fs, struct buf *out)
{
	struct process p = process_now();

	row(out, "view_age_ms", view_age_ns(fs) / CLOCK_NS_PER_MS);
	row(out, "view_refresh_ms", (uint64_t)fs->o->conf.refresh * 1000);
	row(out, "view_is_stale", atomic_load(&fs->is_stale));
	row(out, "process_rss_bytes", p.rss);
	row(out, "process_rss_max_bytes", p.rss_max);
	row(out, "process_cpu_ms", p.cpu_ms);
	row(out, "process_pid", (uint64_t)getpid());
}

void fs_metrics_daemon(const struct fs *fs, struct buf *out)
{
	struct process p = process_now();

	fs_metric_head(out, "view_age_seconds", "gauge",
		       "Time since the log was read.");
	buf_printf(out, "desfs_view_age_seconds %.3f\n",
		   (double)view_age_ns(fs) / CLOCK_NS_PER_SEC);
	fs_metric_head(out, "view_is_stale", "gauge",
		       "1: that is too long, nothing is shown.");
	row(out, "desfs_view_is_stale", atomic_load(&fs->is_stale));
	fs_metric_head(out, "resident_bytes", "gauge",
		       "Memory of the process.");
	row(out, "desfs_resident_bytes", p.rss);
	fs_metric_head(out, "cpu_seconds_total", "counter",
		       "Processor time of the process.");
	buf_printf(out, "desfs_cpu_seconds_total %.3f\n",
		   (double)p.cpu_ms / 1000);
}
