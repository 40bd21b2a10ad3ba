/* SPDX-License-Identifier: Apache-2.0 */
/* top-json.c - counters as an object for programs. */
#include "config.h"

#include "cmd/top-json.h"

#include <string.h>

#include "base/clock.h"
#include "base/json-text.h"
#include "cmd/json-row.h"
#include "cmd/top-advice.h"

#define JSON_VERSION 1
#define NAME_CHARS                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:*.-" \
	"0123456789"

static uint64_t to_us(uint64_t ns)
{
	return (ns + 500) / 1000;
}

static void json_rate(struct buf *b, const char *name, double rate)
{
	json_row_name(b, name);
	buf_printf(b, "%.3f", rate);
}

/* Names the daemon gave are names of members here. */
static void json_counters(const struct look *l, struct buf *b)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *name = l->all[i].name;

		if (strspn(name, NAME_CHARS) == strlen(name))
			json_row_u64(b, name, l->all[i].value);
	}
}

static void json_kind(const struct top_view *v, const struct look_kind *k,
		      struct buf *b)
{
	const struct look_kind *old = look_kind(v->before, k->name);
	struct latency_counts took;

	latency_since(&k->took, &old->took, &took);
	json_row_name(b, k->name);
	json_row_begin(b);
	json_rate(b, "per_second",
		  (double)(k->n > old->n ? k->n - old->n : 0) /
			  look_seconds(v->now, v->before));
	if (took.total) {
		json_row_u64(b, "p50_us", to_us(latency_quantile(&took, 500)));
		json_row_u64(b, "p99_us", to_us(latency_quantile(&took, 990)));
	}
	buf_append_str(b, "}");
}

/* Of the time since the object before. */
static void json_interval(const struct top_view *v, struct buf *b)
{
	json_row_u64(b, "interval_ms",
		     (v->now->at - v->before->at) / CLOCK_NS_PER_MS);
	json_row_name(b, "kinds");
	json_row_begin(b);
	for (size_t i = 0; i < v->now->n_kinds; i++) {
		const struct look_kind *k = &v->now->kinds[i];

		if (look_kind(v->before, k->name) &&
		    strspn(k->name, NAME_CHARS) == strlen(k->name))
			json_kind(v, k, b);
	}
	buf_append_str(b, "}");
}

static void json_ratios(const struct top_view *v, struct buf *b)
{
	json_row_name(b, "hit_percent");
	json_row_begin(b);
	for (size_t i = 0; i < look_n_caches; i++) {
		const struct look_cache *c = &look_caches[i];
		double ratio =
			look_ratio(v->now, v->before, c->hits, c->misses);

		if (ratio >= 0)
			json_rate(b, c->name, ratio);
	}
	buf_append_str(b, "}");
}

static void json_oldest(const struct look_oldest *o, struct buf *b)
{
	json_row_name(b, "oldest");
	json_row_begin(b);
	json_row_str(b, "kind", o->kind);
	json_row_u64(b, "age_ms", o->age_ms);
	json_row_i64(b, "pid", o->pid);
	json_row_u64(b, "node", o->node);
	buf_append_str(b, "}");
}

static void json_slow(const struct top_view *v, struct buf *b)
{
	CLEANUP_BUF struct buf lines = { .max = 1 << 16 };
	const char *p;

	top_advice(v->now, v->before, &lines);
	p = buf_str(&lines);
	json_row_name(b, "slow");
	buf_append_str(b, "[");
	for (bool is_first = true; *p; is_first = false) {
		size_t len = strcspn(p, "\n");

		if (!is_first)
			buf_append_str(b, ",");
		json_text_string(b, p, len);
		p += len + !!p[len];
	}
	buf_append_str(b, "]");
}

void top_json(const struct top_view *v, FILE *to)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	json_row_begin(&b);
	json_row_u64(&b, "v", JSON_VERSION);
	json_counters(v->now, &b);
	if (v->before)
		json_interval(v, &b);
	json_ratios(v, &b);
	if (*v->now->oldest.kind)
		json_oldest(&v->now->oldest, &b);
	if (v->knows_kernel)
		json_row_u64(&b, "in_kernel", v->in_kernel);
	json_slow(v, &b);
	json_row_end(&b, to);
}
