/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats-push.c - how pushing does, for .des/stats and .des/metrics.
 *
 * The names are documented in mount.desfs(8); rows are only added.
 */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/metric.h"
#include "fs/fs-push.h"

static const struct {
	size_t offset;
	const char *name;
} rows[] = {
	{ offsetof(struct fs_push_stats, files), "files" },
	{ offsetof(struct fs_push_stats, bytes), "bytes" },
	{ offsetof(struct fs_push_stats, refused), "refused" },
	{ offsetof(struct fs_push_stats, absent), "absent" },
	{ offsetof(struct fs_push_stats, failed), "failed" },
	{ offsetof(struct fs_push_stats, streams.streams), "streams" },
	{ offsetof(struct fs_push_stats, streams.windows), "windows" },
	{ offsetof(struct fs_push_stats, streams.confirmed), "confirmed" },
	{ offsetof(struct fs_push_stats, streams.overtaken), "overtaken" },
	{ offsetof(struct fs_push_stats, streams.again), "again" },
};

static uint64_t value_of(const struct fs_push_stats *s, size_t row)
{
	return *(const uint64_t *)(const void *)((const char *)s +
						 rows[row].offset);
}

void fs_push_text(struct fs *fs, struct buf *out)
{
	struct fs_push_stats s;

	fs_push_stats(fs, &s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_printf(out, "push_%s %" PRIu64 "\n", rows[i].name,
			   value_of(&s, i));
}

static void metric(struct buf *out, const char *name, uint64_t value)
{
	char full[64], help[64];

	snprintf(full, sizeof(full), "desfs_push_%s_total", name);
	snprintf(help, sizeof(help), "As push_%s in mount.desfs(8).", name);
	metric_head(out, full, "counter", help);
	metric_uint(out, full, "", value);
}

void fs_push_metrics(struct fs *fs, struct buf *out)
{
	struct fs_push_stats s;

	fs_push_stats(fs, &s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		metric(out, rows[i].name, value_of(&s, i));
}
