/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats-latency.c - how long requests took, and how many there are now. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "fs/fs-stats.h"

#define NS_PER_US 1000u

static void row(struct buf *out, const char *group, const char *name,
		uint64_t value)
{
	buf_printf(out, "%s%s %" PRIu64 "\n", group, name, value);
}

static uint64_t to_us(uint64_t ns)
{
	return (ns + NS_PER_US / 2) / NS_PER_US;
}

/* When the request came that waits longest; now when there is none. */
static uint64_t oldest(const struct fs_stats *s, uint64_t now)
{
	uint64_t first = now;

	for (size_t i = 0; i < FS_SLOTS; i++) {
		uint64_t since = fs_counted(&s->slots[i].since);

		if (since && since < first &&
		    !atomic_load_explicit(&s->slots[i].is_control,
					  memory_order_relaxed))
			first = since;
	}
	return first;
}

static void in_flight_text(const struct fs_stats *s, struct buf *out)
{
	uint64_t now = clock_mono_ns();

	row(out, "requests_", "now", atomic_load(&s->in_flight));
	row(out, "requests_", "max", atomic_load(&s->in_flight_max));
	row(out, "requests_", "threads", s->n_threads);
	row(out, "requests_", "busy", fs_counted(&s->busy));
	row(out, "requests_", "oldest_ms",
	    (now - oldest(s, now)) / CLOCK_NS_PER_MS);
}

static void kind_text(const struct latency *l, const char *kind,
		      struct buf *out)
{
	static const struct {
		const char *name;
		unsigned int per_mille;
	} quantiles[] = {
		{ "_p50_us", 500 },
		{ "_p90_us", 900 },
		{ "_p99_us", 990 },
	};
	struct latency_counts c;
	char group[64], name[32];

	latency_read(l, &c);
	snprintf(group, sizeof(group), "latency_%s", kind);
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
		row(out, group, quantiles[i].name,
		    to_us(latency_quantile(&c, quantiles[i].per_mille)));
	row(out, group, "_max_us", to_us(c.max_ns));
	row(out, group, "_sum_us", to_us(c.sum_ns));
	for (unsigned int i = 0; i < LATENCY_BUCKETS; i++) {
		if (!c.n[i])
			continue;
		if (i == LATENCY_BUCKETS - 1)
			snprintf(name, sizeof(name), "_bucket_inf");
		else
			snprintf(name, sizeof(name), "_bucket_%" PRIu64,
				 latency_bound(i));
		row(out, group, name, c.n[i]);
	}
}

/* A FORGET gets no reply. */
static bool is_answered(size_t message)
{
	return message != FS_FORGET;
}

void fs_stats_latency(const struct fs_stats *s, struct buf *out)
{
	in_flight_text(s, out);
	for (size_t i = 0; i < FS_MESSAGES; i++) {
		if (is_answered(i))
			kind_text(&s->latency[i], fs_message_name(i), out);
	}
}

static void gauge(struct buf *out, const char *name, const char *help,
		  double value)
{
	fs_metric_head(out, name, "gauge", help);
	buf_printf(out, "desfs_%s %.9g\n", name, value);
}

/* Powers of two from a microsecond to a minute will do for dashboards. */
static bool is_in_metrics(unsigned int bucket)
{
	uint64_t ns = latency_bound(bucket);

	return !(ns & (ns - 1)) && ns >= 1u << 10 && ns <= UINT64_C(1) << 36;
}

static void kind_metrics(const struct latency *l, const char *kind,
			 struct buf *out)
{
	static const char name[] = "desfs_request_seconds";
	struct latency_counts c;
	uint64_t n = 0;

	latency_read(l, &c);
	for (unsigned int i = 0; i < LATENCY_BUCKETS; i++) {
		n += c.n[i];
		if (is_in_metrics(i))
			buf_printf(out,
				   "%s_bucket{op=\"%s\",le=\"%.9f\"} %" PRIu64
				   "\n",
				   name, kind,
				   (double)latency_bound(i) / CLOCK_NS_PER_SEC,
				   n);
	}
	buf_printf(out, "%s_bucket{op=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name,
		   kind, n);
	buf_printf(out, "%s_sum{op=\"%s\"} %.9f\n", name, kind,
		   (double)c.sum_ns / CLOCK_NS_PER_SEC);
	buf_printf(out, "%s_count{op=\"%s\"} %" PRIu64 "\n", name, kind, n);
}

void fs_metrics_latency(const struct fs_stats *s, struct buf *out)
{
	uint64_t now = clock_mono_ns();

	gauge(out, "requests_in_flight", "Requests being answered.",
	      atomic_load(&s->in_flight));
	gauge(out, "requests_in_flight_max", "Most of them at a time.",
	      atomic_load(&s->in_flight_max));
	gauge(out, "request_threads", "Requests that are answered at a time.",
	      s->n_threads);
	gauge(out, "request_oldest_seconds", "Age of the oldest of them.",
	      (double)(now - oldest(s, now)) / CLOCK_NS_PER_SEC);
	fs_metric_head(out, "requests_busy_total", "counter",
		       "Times that all threads were busy.");
	row(out, "desfs_", "requests_busy_total", fs_counted(&s->busy));
	fs_metric_head(out, "request_seconds", "histogram",
		       "Time from the arrival of a request to its reply.");
	for (size_t i = 0; i < FS_MESSAGES; i++) {
		if (is_answered(i))
			kind_metrics(&s->latency[i], fs_message_name(i), out);
	}
}
