/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats-daemon.c - what the process takes, and how old what it shows is. */
#include "config.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "fs/fs.h"

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
