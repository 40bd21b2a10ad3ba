/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats-push.c - how pushing does, for .des/stats and .des/metrics.
 *
 * The names are documented in mount.desfs(8); rows are only added.
 */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>

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

void fs_push_metrics(struct fs *fs, struct buf *out)
{
	struct fs_push_stats s;

	fs_push_stats(fs, &s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_printf(out,
			   "# TYPE desfs_push_%s_total counter\n"
			   "desfs_push_%s_total %" PRIu64 "\n",
			   rows[i].name, rows[i].name, value_of(&s, i));
}
