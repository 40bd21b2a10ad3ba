/* SPDX-License-Identifier: Apache-2.0 */
/* reap-stats.c - a round of desfs reap as metrics for Prometheus. */
#include "config.h"

#include "cmd/reap-stats.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

#define FILE_MAX (64u << 10)
#define FILE_MODE 0644

struct out {
	struct buf text;
	const char *labels;
};

static void one(struct out *o, const char *name, const char *help, double value)
{
	metric_head(&o->text, name, "gauge", help);
	metric_double(&o->text, name, o->labels, value);
}

static void put_round(struct out *o, const struct reap_totals *t)
{
	one(o, "des_reap_repacked_shards",
	    "Shards that the last round replaced.", (double)t->repack.replaced);
	one(o, "des_reap_deleted_entries", "Entries that it left out of them.",
	    (double)t->repack.report.deleted);
	one(o, "des_reap_purged_shards", "Old shards that it removed.",
	    (double)t->purge.purged);
	one(o, "des_reap_purged_bytes", "Bytes of these.",
	    (double)t->purge.bytes);
	one(o, "des_reap_waiting_shards",
	    "Old shards that wait for their grace period or for another run.",
	    (double)t->purge.waiting);
	one(o, "des_reap_held_shards", "Old shards under a hold.",
	    (double)t->purge.held);
	one(o, "des_reap_pending_shards", "Old shards that their store keeps.",
	    (double)t->purge.pending);
	one(o, "des_reap_failed_shards",
	    "Shards that could not be repacked or removed.",
	    (double)(t->purge.failed + t->repack.failed));
	one(o, "des_reap_finished_erasures",
	    "Erasures that got their last receipt.",
	    (double)t->finish.finished);
}

static void put_erasures(struct out *o, const struct erasure_counts *e)
{
	metric_head(&o->text, "des_reap_erasures", "gauge",
		    "Erasures that are not done, by state.");
	for (int i = 0; i < ERASURE_DONE; i++) {
		CLEANUP_BUF struct buf labels = { .max = FILE_MAX };

		buf_append_str(&labels, o->labels);
		metric_label(&labels, "state",
			     erasure_state_text((enum erasure_state)i));
		metric_uint(&o->text, "des_reap_erasures", buf_str(&labels),
			    e->by_state[i]);
	}
	one(o, "des_reap_erasures_in_danger",
	    "Erasures that may miss their 48 hours.", (double)e->in_danger);
	one(o, "des_reap_oldest_erasure_seconds",
	    "Age of the oldest erasure that is not done.",
	    (double)e->oldest / 1e6);
}

static enum rc write_file(const char *path, const struct buf *text,
			  struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *dir =
		slash ? xmemdup0(path, (size_t)(slash + 1 - path))
		      : xstrdup(".");
	CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, errno, "%s", dir);
	return io_replace(fd, slash ? slash + 1 : path, text->p, text->len,
			  FILE_MODE, err);
}

void reap_stats_write(const char *path, const char *archive,
		      const struct reap_totals *t,
		      const struct erasure_counts *e, int64_t start, enum rc rc)
{
	CLEANUP_BUF struct buf labels = { .max = FILE_MAX };
	struct out o = { .text = { .max = FILE_MAX } };
	int64_t now = clock_wall_ns();
	struct err err;

	metric_label(&labels, "archive", archive);
	o.labels = buf_str(&labels);
	put_round(&o, t);
	put_erasures(&o, e);
	one(&o, "des_reap_success", "Whether the last round did all.", !rc);
	one(&o, "des_reap_duration_seconds", "How long it took.",
	    (double)(now - start) / 1e9);
	one(&o, "des_reap_last_run_timestamp_seconds", "When it ended.",
	    (double)(now / 1000000000));
	if (!buf_ok(&o.text))
		log_warn("--stats-file %s: out of memory", path);
	else if (write_file(path, &o.text, &err))
		log_warn("--stats-file %s: %s", path, err.msg);
	buf_release(&o.text);
}
