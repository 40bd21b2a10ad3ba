/* SPDX-License-Identifier: Apache-2.0 */
/* verify-stats.c - a run of desfs verify as metrics for Prometheus.
 *
 * The names are documented in desfs-verify(1); they are only added to.
 */
#include "config.h"

#include "cmd/verify-stats.h"

#include "base/metric.h"
#include "base/version.h"
#include "cmd/verify-out.h"

static void gauge(const struct verify_stats *s, struct buf *out,
		  const char *name, double value, const char *help)
{
	metric_head(out, name, "gauge", help);
	metric_double(out, name, s->labels, value);
}

static void build_info(const struct verify_stats *s, struct buf *out)
{
	static const char name[] = "des_verify_build_info";
	struct buf labels;

	buf_init(&labels, 64u << 10);
	buf_append_str(&labels, s->labels);
	metric_label(&labels, "version", version_text());
	metric_head(out, name, "gauge", "Always 1; the version.");
	metric_double(out, name, buf_str(&labels), 1);
	buf_release(&labels);
}

void verify_stats_text(const struct verify_stats *s, struct buf *out)
{
	struct verify_live *l = s->live;
	uint64_t shards = atomic_load(&l->shards);
	uint64_t damaged = atomic_load(&l->damaged_shards);
	uint64_t missing = atomic_load(&l->missing_shards);

	build_info(s, out);
	gauge(s, out, "des_shard_corruption_rate",
	      verify_corruption_rate(shards, damaged, missing),
	      "Damaged and missing shards for each shard verified or missing.");
	gauge(s, out, "des_verify_running", !s->has_ended,
	      "1 while the run goes on.");
	gauge(s, out, "des_verify_exit_status",
	      s->has_ended ? rc_to_status(s->rc) : -1,
	      "How the run ended, as in EXIT STATUS of desfs-verify(1); -1 "
	      "while it goes on.");
	gauge(s, out, "des_verify_start_timestamp_seconds", s->start,
	      "When the run began.");
	gauge(s, out, "des_verify_duration_seconds", s->duration,
	      "How long the run took so far.");
	gauge(s, out, "des_verify_shards", (double)shards,
	      "Shards verified so far.");
	gauge(s, out, "des_verify_wanted_shards",
	      (double)atomic_load(&l->shards_total),
	      "Shards that are to be verified.");
	gauge(s, out, "des_verify_damaged_shards", (double)damaged,
	      "Shards verified that are damaged.");
	gauge(s, out, "des_verify_missing_shards", (double)missing,
	      "Shards that the log names and that are not there.");
	gauge(s, out, "des_verify_unread_shards",
	      (double)atomic_load(&l->unread_shards),
	      "Shards that could not be read, and may be whole.");
	gauge(s, out, "des_verify_files", (double)atomic_load(&l->files),
	      "Files looked at so far.");
	gauge(s, out, "des_verify_bytes", (double)atomic_load(&l->bytes),
	      "Bytes of these.");
	gauge(s, out, "des_verify_damage_findings",
	      (double)atomic_load(&l->damage), "Findings of damage.");
	gauge(s, out, "des_verify_lost_entries", (double)atomic_load(&l->lost),
	      "Entries that cannot be read.");
}
