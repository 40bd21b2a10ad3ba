/* SPDX-License-Identifier: Apache-2.0 */
/* stats-text.c - a run as metrics for Prometheus.
 *
 * The names are documented in desfs-pack(1); they are only added to.
 */
#include "config.h"

#include "pack/stats-text.h"

#include "base/clock.h"
#include "base/metric.h"
#include "base/process.h"
#include "base/spool.h"
#include "base/version.h"
#include "pack/report.h"
#include "run/state.h"

#define LABELS_MAX (64u << 10)

static const char *const rc_names[RC_COUNT] = {
#define RC(name, err, status, transient, text) #name,
#include "base/rc.def"
#undef RC
};

static void gauge(const struct stats *s, struct buf *out, const char *name,
		  double value, const char *help)
{
	metric_head(out, name, "gauge", help);
	metric_double(out, name, s->labels, value);
}

static void counter(const struct stats *s, struct buf *out, const char *name,
		    uint64_t value, const char *help)
{
	metric_head(out, name, "counter", help);
	metric_uint(out, name, s->labels, value);
}

/* The labels of all metrics, and one more. */
static void more_labels(const struct stats *s, const char *name,
			const char *value, struct buf *ret)
{
	buf_init(ret, LABELS_MAX);
	buf_append_str(ret, s->labels);
	metric_label(ret, name, value);
}

static void labelled(const struct stats *s, struct buf *out, const char *name,
		     const char *label, const char *label_value, double value)
{
	struct buf labels;

	more_labels(s, label, label_value, &labels);
	metric_double(out, name, buf_str(&labels), value);
	buf_release(&labels);
}

static void build_info(const struct stats *s, struct buf *out)
{
	static const char name[] = "des_packer_build_info";

	metric_head(out, name, "gauge", "Always 1; the version.");
	labelled(s, out, name, "version", version_text(), 1);
}

static double lag(const struct stats *s)
{
	double from = s->success_from > 0 ? s->success_from : s->start;
	double ms = (s->now - from) * 1000;

	return ms > 0 ? (double)(uint64_t)(ms + 0.5) / 1000 : 0;
}

static void times(const struct stats *s, struct buf *out)
{

	gauge(s, out, "des_packer_running", !s->has_ended,
	      "1 while the run goes on.");
	gauge(s, out, "des_packer_exit_status",
	      s->has_ended ? rc_to_status(s->rc) : -1,
	      "How the run ended, as in EXIT STATUS of desfs-pack(1); -1 "
	      "while it goes on.");
	gauge(s, out, "des_packer_start_timestamp_seconds", s->start,
	      "When the run began.");
	gauge(s, out, STATS_SUCCESS, s->success,
	      "When the last run ended that packed all; 0 for never.");
	gauge(s, out, STATS_SUCCESS_FROM, s->success_from,
	      "When that run began: what was in the sources then is in the "
	      "archive.");
	gauge(s, out, "des_packer_lag_seconds", lag(s),
	      "Age of the oldest change that may not be in the archive.");
	gauge(s, out, "des_packer_duration_seconds",
	      (double)report_age(s->report) / CLOCK_NS_PER_SEC,
	      "How long the run took so far.");
}

static void phases(const struct stats *s, struct buf *out)
{
	static const char name[] = "des_packer_phase_seconds";
	struct report_phase v[REPORT_PHASES];
	size_t n = report_phases(s->report, v);

	metric_head(out, name, "gauge", "How long the phases took so far.");
	for (size_t i = 0; i < n; i++)
		labelled(s, out, name, "phase", v[i].name,
			 (double)v[i].ns / CLOCK_NS_PER_SEC);
}

static void files(const struct stats *s, const struct report_counts *c,
		  struct buf *out)
{
	static const char name[] = "des_packer_files_total";
	const struct {
		const char *result;
		uint64_t n;
	} rows[] = {
		{ "packed", c->packed },     { "unchanged", c->unchanged },
		{ "removed", c->removed },   { "failed", c->failed },
		{ "left-out", c->left_out }, { "excluded", c->excluded },
		{ "erased", c->erased },
	};

	gauge(s, out, "des_packer_found_files", (double)c->found,
	      "Names found in the sources so far.");
	gauge(s, out, "des_packer_found_bytes", (double)c->found_bytes,
	      "Bytes of the files found.");
	metric_head(out, name, "counter",
		    "Names by what became of them, directories too.");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		labelled(s, out, name, "result", rows[i].result,
			 (double)rows[i].n);
	counter(s, out, "des_packer_removed_sources_total", c->removed_sources,
		"Files removed from the sources, which the archive has.");
	counter(s, out, "des_packer_removed_source_bytes_total",
		c->removed_source_bytes, "Bytes of these.");
	counter(s, out, "des_packer_kept_sources_total", c->kept_sources,
		"Files kept in the sources since they are not what was "
		"packed, or that could not be removed.");
}

static void bytes(const struct stats *s, const struct report_counts *c,
		  struct buf *out)
{
	static const char ratio[] = "des_packer_compression_ratio";

	counter(s, out, "des_packer_input_bytes_total", c->block_bytes,
		"Bytes of files that were read and compressed.");
	counter(s, out, "des_packer_output_bytes_total", c->written_bytes,
		"Bytes of shards written.");
	metric_head(out, ratio, "histogram",
		    "Stored bytes of a block for each byte of files in it.");
	metric_histogram(out, ratio, s->labels, report_ratio_bounds, c->ratios,
			 REPORT_RATIOS, (double)c->ratio_millionths / 1e6);
	counter(s, out, "des_packer_shards_total", c->shards,
		"Shards published, also such as were there.");
	gauge(s, out, "des_packer_slots", (double)c->slots,
	      "Slots to be packed; 0 until all files were found.");
	gauge(s, out, "des_packer_slots_done", (double)c->slots_done,
	      "Slots that are.");
}

static void errors(const struct stats *s, const struct report_counts *c,
		   struct buf *out)
{
	static const char name[] = "des_packer_errors_total";

	metric_head(out, name, "counter",
		    "Names that failed, and what ended the run, by cause.");
	for (size_t i = 1; i < RC_COUNT; i++) {
		uint64_t n = c->errors[i];

		/* That some failed was counted with them, and to be stopped is
		 * no error.
		 */
		n += s->has_ended && s->rc == i && i != RC_PARTIAL &&
		     i != RC_STOPPED;
		labelled(s, out, name, "cause", rc_names[i], (double)n);
	}
}

static void resources(const struct stats *s, struct buf *out)
{
	struct state *state = report_state(s->report);
	struct process p = process_now();

	gauge(s, out, "des_packer_workers", state_encoders(state),
	      "Threads that compress.");
	gauge(s, out, "des_packer_active_workers",
	      atomic_load(state_encoding(state)),
	      "Those of them that are at it just now.");
	gauge(s, out, "des_packer_resident_bytes", (double)p.rss,
	      "Memory of the process.");
	gauge(s, out, "des_packer_resident_max_bytes", (double)p.rss_max,
	      "Most of it so far.");
	metric_head(out, "des_packer_cpu_seconds_total", "counter",
		    "Processor time of the process.");
	metric_double(out, "des_packer_cpu_seconds_total", s->labels,
		      (double)p.cpu_ms / 1000);
	counter(s, out, "des_packer_spilled_bytes_total", spool_spilled(),
		"Bytes written to temporary files.");
}

void stats_text(const struct stats *s, struct buf *out)
{
	struct report_counts c = report_counts(s->report);

	build_info(s, out);
	times(s, out);
	phases(s, out);
	files(s, &c, out);
	bytes(s, &c, out);
	errors(s, &c, out);
	resources(s, out);
}
