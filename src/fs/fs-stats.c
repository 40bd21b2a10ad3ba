/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats.c - what was asked of the daemon, and what is being asked just now.
 *
 * The names in .des/stats and .des/metrics are documented in mount.desfs(8);
 * rows are only added.
 */
#include "config.h"

#include "fs/fs-stats.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metric.h"
#include "volume/volume.h"

static const char *const message_names[FS_MESSAGES] = {
	[FS_LOOKUP] = "lookup",     [FS_FORGET] = "forget",
	[FS_GETATTR] = "getattr",   [FS_READLINK] = "readlink",
	[FS_OPEN] = "open",         [FS_READ] = "read",
	[FS_OPENDIR] = "opendir",   [FS_READDIR] = "readdir",
	[FS_STATFS] = "statfs",     [FS_READDIRPLUS] = "readdirplus",
	[FS_GETXATTR] = "getxattr", [FS_LISTXATTR] = "listxattr",
	[FS_LSEEK] = "lseek",
};

static const char *const rc_names[RC_COUNT] = {
#define RC(name, err, status, transient, text) #name,
#include "base/rc.def"
#undef RC
};

/* The volume's numbers: the word in stats, that in metrics, and its type. */
static const struct {
	size_t offset;
	const char *name;
	bool is_counter;
} volume_rows[] = {
#define ROW(field, is_counter)                                           \
	{                                                                \
		offsetof(struct volume_stats, field), #field, is_counter \
	}
	ROW(n_shards, false),         ROW(n_entries, false),
	ROW(n_files, false),          ROW(plain_bytes, false),
	ROW(stored_bytes, false),     ROW(lookups, true),
	ROW(readdirs, true),          ROW(reads, true),
	ROW(bytes_served, true),      ROW(block_hits, true),
	ROW(block_misses, true),      ROW(block_cache_bytes, false),
	ROW(page_hits, true),         ROW(page_misses, true),
	ROW(page_cache_bytes, false), ROW(shards_opened, true),
	ROW(index_hits, true),        ROW(index_misses, true),
	ROW(index_bytes, false),      ROW(index_errors, true),
	ROW(store_reads, true),       ROW(store_bytes, true),
	ROW(store_lists, true),       ROW(store_get, true),
	ROW(store_get_list, true),    ROW(store_put, true),
	ROW(store_post, true),        ROW(store_del, true),
	ROW(store_head, true),        ROW(store_retries, true),
	ROW(store_timeouts, true),    ROW(store_throttled, true),
	ROW(store_bad_replies, true), ROW(store_wire_in, true),
	ROW(store_wire_out, true),    ROW(disk_hits, true),
	ROW(disk_misses, true),       ROW(disk_bytes, false),
	ROW(fetch_ranges, true),      ROW(fetch_ahead, true),
	ROW(fetch_bytes, true),       ROW(fetch_used, true),
	ROW(ahead_blocks, true),      ROW(ahead_used, true),
	ROW(ahead_wasted, true),      ROW(corrupt, true),
	ROW(generation, true),
#undef ROW
};

static uint64_t volume_value(const struct volume_stats *vs, size_t row)
{
	return *(const uint64_t *)(const void *)((const char *)vs +
						 volume_rows[row].offset);
}

const char *fs_message_name(enum fs_message m)
{
	return message_names[m];
}

static unsigned int slot_take(struct fs_stats *s, const struct fs_request *r,
			      uint64_t ino, pid_t pid)
{
	for (unsigned int i = 0; i < FS_SLOTS; i++) {
		struct fs_slot *slot = &s->slots[i];

		if (atomic_load_explicit(&slot->taken, memory_order_relaxed) ||
		    atomic_exchange_explicit(&slot->taken, true,
					     memory_order_acquire))
			continue;
		atomic_store_explicit(&slot->ino, ino, memory_order_relaxed);
		atomic_store_explicit(&slot->message, (int)r->message,
				      memory_order_relaxed);
		atomic_store_explicit(&slot->pid, (int)pid,
				      memory_order_relaxed);
		atomic_store_explicit(&slot->is_control, r->is_control,
				      memory_order_relaxed);
		atomic_store_explicit(&slot->since, r->since,
				      memory_order_relaxed);
		return i;
	}
	return FS_NO_SLOT;
}

static void slot_give(struct fs_stats *s, unsigned int slot)
{
	if (slot == FS_NO_SLOT)
		return;
	atomic_store_explicit(&s->slots[slot].since, 0, memory_order_relaxed);
	atomic_store_explicit(&s->slots[slot].taken, false,
			      memory_order_release);
}

/* The most of all times: of two at once the loser looks again. */
static void in_flight_add(struct fs_stats *s)
{
	unsigned int n = 1 + atomic_fetch_add_explicit(&s->in_flight, 1,
						       memory_order_relaxed);
	unsigned int max =
		atomic_load_explicit(&s->in_flight_max, memory_order_relaxed);

	while (n > max && !atomic_compare_exchange_weak_explicit(
				  &s->in_flight_max, &max, n,
				  memory_order_relaxed, memory_order_relaxed))
		;
	if (n == s->n_threads)
		fs_count(&s->busy, 1);
}

struct fs_request fs_request_begin(struct fs_stats *s, enum fs_message m,
				   uint64_t ino, pid_t pid, bool is_control)
{
	struct fs_request r = {
		.message = m,
		.is_control = is_control,
		.since = clock_mono_ns(),
	};

	fs_count(is_control ? &s->control[m] : &s->messages[m], 1);
	r.slot = slot_take(s, &r, ino, pid);
	if (!is_control)
		in_flight_add(s);
	return r;
}

void fs_request_end(struct fs_stats *s, const struct fs_request *r)
{
	slot_give(s, r->slot);
	if (r->is_control)
		return;
	latency_add(&s->latency[r->message], clock_mono_ns() - r->since);
	atomic_fetch_sub_explicit(&s->in_flight, 1, memory_order_relaxed);
}

static uint64_t total(const _Atomic uint64_t *counters, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += fs_counted(&counters[i]);
	return sum;
}

static void text_row(struct buf *out, const char *group, const char *name,
		     uint64_t value)
{
	buf_printf(out, "%s%s %" PRIu64 "\n", group, name, value);
}

void fs_stats_text(const struct fs_stats *s, const struct volume_stats *vs,
		   struct buf *out)
{
	text_row(out, "", "version", 1);
	text_row(out, "", "uptime_ms",
		 (clock_mono_ns() - s->started) / CLOCK_NS_PER_MS);
	text_row(out, "fuse_", "readahead", s->readahead);
	text_row(out, "fuse_", "messages", total(s->messages, FS_MESSAGES));
	for (size_t i = 0; i < FS_MESSAGES; i++)
		text_row(out, "fuse_", message_names[i],
			 fs_counted(&s->messages[i]));
	text_row(out, "control_", "messages", total(s->control, FS_MESSAGES));
	for (size_t i = 0; i < FS_MESSAGES; i++)
		text_row(out, "control_", message_names[i],
			 fs_counted(&s->control[i]));
	text_row(out, "error_", "replies", total(s->errors, RC_COUNT));
	for (size_t i = 1; i < RC_COUNT; i++)
		text_row(out, "error_", rc_names[i], fs_counted(&s->errors[i]));
	text_row(out, "refresh_", "done", fs_counted(&s->refreshes));
	text_row(out, "refresh_", "failed", fs_counted(&s->refresh_errors));
	text_row(out, "refresh_", "invalidations",
		 fs_counted(&s->invalidations));
	for (size_t i = 0; i < ARRAY_LEN(volume_rows); i++)
		text_row(out, "volume_", volume_rows[i].name,
			 volume_value(vs, i));
	fs_stats_latency(s, out);
}

void fs_metric_head(struct buf *out, const char *name, const char *type,
		    const char *help)
{
	char full[128];

	snprintf(full, sizeof(full), "desfs_%s", name);
	metric_head(out, full, type, help);
}

static void own_head(struct buf *out, const char *name, bool is_counter,
		     const char *help)
{
	fs_metric_head(out, name, is_counter ? "counter" : "gauge", help);
}

static void metric_group(struct buf *out, const char *name, const char *help,
			 const char *label, const char *const *values,
			 const _Atomic uint64_t *counters, size_t first,
			 size_t n)
{
	own_head(out, name, true, help);
	for (size_t i = first; i < n; i++)
		buf_printf(out, "desfs_%s{%s=\"%s\"} %" PRIu64 "\n", name,
			   label, values[i], fs_counted(&counters[i]));
}

void fs_stats_metrics(const struct fs_stats *s, const struct volume_stats *vs,
		      struct buf *out)
{
	metric_group(out, "fuse_messages_total", "Messages of the kernel.",
		     "kind", message_names, s->messages, 0, FS_MESSAGES);
	metric_group(out, "control_messages_total",
		     "Messages about the control directory.", "kind",
		     message_names, s->control, 0, FS_MESSAGES);
	metric_group(out, "errors_total", "Error replies by their cause.",
		     "cause", rc_names, s->errors, 1, RC_COUNT);
	own_head(out, "refresh_errors_total", true,
		 "Times the log could not be read.");
	text_row(out, "desfs_", "refresh_errors_total",
		 fs_counted(&s->refresh_errors));
	for (size_t i = 0; i < ARRAY_LEN(volume_rows); i++) {
		const char *name = volume_rows[i].name;
		const char *end = volume_rows[i].is_counter ? "_total" : "";

		buf_printf(out,
			   "# HELP desfs_volume_%s%s As volume_%s in "
			   "mount.desfs(8).\n",
			   name, end, name);
		buf_printf(out, "# TYPE desfs_volume_%s%s %s\n", name, end,
			   volume_rows[i].is_counter ? "counter" : "gauge");
		buf_printf(out, "desfs_volume_%s%s %" PRIu64 "\n", name, end,
			   volume_value(vs, i));
	}
	fs_metrics_latency(s, out);
}

struct request {
	uint64_t age_ms, ino;
	int message, pid;
};

static int older_first(const void *a, const void *b)
{
	const struct request *x = a;
	const struct request *y = b;

	return (x->age_ms < y->age_ms) - (x->age_ms > y->age_ms);
}

void fs_stats_requests(struct fs_stats *s, struct buf *out)
{
	struct request all[FS_SLOTS];
	uint64_t now = clock_mono_ns();
	size_t n = 0;

	for (size_t i = 0; i < FS_SLOTS; i++) {
		uint64_t since = fs_counted(&s->slots[i].since);

		if (!since)
			continue;
		all[n].age_ms =
			now > since ? (now - since) / CLOCK_NS_PER_MS : 0;
		all[n].ino = fs_counted(&s->slots[i].ino);
		all[n].message = atomic_load(&s->slots[i].message);
		all[n].pid = atomic_load(&s->slots[i].pid);
		n++;
	}
	qsort(all, n, sizeof(all[0]), older_first);
	buf_append_str(out, "age_ms message node pid\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%" PRIu64 " %s %016" PRIx64 " %d\n",
			   all[i].age_ms, message_names[all[i].message],
			   all[i].ino, all[i].pid);
}
