/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats-zones.c - how the stores of zones do, for .des/stats and
 * .des/metrics.
 *
 * The names are documented in mount.desfs(8); rows are only added.
 */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "fs/fs-stats.h"
#include "store/store.h"

/* The numbers of a store: the word in stats, that in metrics. */
static const struct {
	size_t offset;
	const char *name, *metric;
	bool is_counter;
} rows[] = {
#define ROW(field, metric, is_counter)                                      \
	{                                                                   \
		offsetof(struct store_zone, field), #field, "zone_" metric, \
			is_counter                                          \
	}
	ROW(wait_ms, "wait_ms", false),
	ROW(requests, "requests_total", true),
	ROW(failures, "failures_total", true),
	ROW(damaged, "damaged_total", true),
	ROW(failovers, "failovers_total", true),
	ROW(latency_us, "latency_us", false),
#undef ROW
};

static uint64_t value_of(const struct store_zone *z, size_t row)
{
	return *(const uint64_t *)(const void *)((const char *)z +
						 rows[row].offset);
}

/* 0: used, 1: left alone, 2: being tried. */
static unsigned int state_number(const struct store_zone *z)
{
	return !strcmp(z->state, "closed") ? 0
	       : !strcmp(z->state, "open") ? 1
					   : 2;
}

/* store_zone_fn */
static void text_of(void *arg, const struct store_zone *z)
{
	struct buf *out = arg;

	buf_printf(out, "zone:%s:%s:state %u\n", z->zone, z->store,
		   state_number(z));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_printf(out, "zone:%s:%s:%s %" PRIu64 "\n", z->zone,
			   z->store, rows[i].name, value_of(z, i));
}

void fs_stats_zones(struct store *st, struct buf *out)
{
	store_each_zone(st, text_of, out);
}

/* All values of one metric. */
struct metric {
	struct buf *out;
	const char *name;
	size_t row; /* ARRAY_LEN(rows): the state */
	bool is_headed, is_counter;
};

/* Escaped as the value of a label. */
static void add_label(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buf_append_str(out, "\\");
		if (*value == '\n')
			buf_append_str(out, "\\n");
		else
			buf_append(out, value, 1);
	}
	buf_append_str(out, "\"");
}

/* store_zone_fn */
static void metric_of(void *arg, const struct store_zone *z)
{
	struct metric *m = arg;

	if (!m->is_headed)
		buf_printf(m->out, "# TYPE desfs_%s %s\n", m->name,
			   m->is_counter ? "counter" : "gauge");
	m->is_headed = true;
	buf_printf(m->out, "desfs_%s{", m->name);
	add_label(m->out, "zone", z->zone);
	buf_append_str(m->out, ",");
	add_label(m->out, "store", z->store);
	buf_append_str(m->out, ",");
	add_label(m->out, "url", z->url);
	buf_printf(m->out, "} %" PRIu64 "\n",
		   m->row < ARRAY_LEN(rows) ? value_of(z, m->row)
					    : state_number(z));
}

void fs_metrics_zones(struct store *st, struct buf *out)
{
	for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
		bool is_state = i == ARRAY_LEN(rows);
		struct metric m = {
			.out = out,
			.name = is_state ? "zone_state" : rows[i].metric,
			.row = i,
			.is_counter = !is_state && rows[i].is_counter,
		};

		store_each_zone(st, metric_of, &m);
	}
}
