/* SPDX-License-Identifier: Apache-2.0 */
/* top-view.c - counters as a table to read. */
#include "config.h"

#include "cmd/top-view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/human.h"
#include "cmd/top-advice.h"
#include "cmd/text-line.h"

#define KIND_WIDTH 17 /* of the labels; leaves room for seven cells of 80 */
#define ROW_WIDTH 26

/* What is shown of the counters: the label, the name, its unit. */
static const struct {
	const char *label, *name;
	bool is_bytes;
} rows[] = {
	{ "bytes served", "volume_bytes_served", true },
	{ "errors replied", "error_replies", false },
	{ "damaged objects met", "volume_corrupt", false },
	{ "control messages", "control_messages", false },
	{ "shards opened", "volume_shards_opened", false },
	{ "store reads", "volume_store_reads", false },
	{ "store bytes", "volume_store_bytes", true },
	{ "ranges fetched", "volume_fetch_ranges", false },
	{ "  ahead", "volume_fetch_ahead", false },
	{ "  bytes of both", "volume_fetch_bytes", true },
	{ "  of these wanted", "volume_fetch_used", true },
	{ "requests: GET", "volume_store_get", false },
	{ "  LIST", "volume_store_get_list", false },
	{ "  PUT", "volume_store_put", false },
	{ "  POST", "volume_store_post", false },
	{ "  DELETE", "volume_store_del", false },
	{ "  HEAD", "volume_store_head", false },
	{ "  tried again", "volume_store_retries", false },
	{ "  timeouts", "volume_store_timeouts", false },
	{ "  throttled", "volume_store_throttled", false },
	{ "  wrong replies", "volume_store_bad_replies", false },
	{ "  bytes received", "volume_store_wire_in", true },
	{ "  bytes sent", "volume_store_wire_out", true },
	{ "index cache: failed", "volume_index_errors", false },
	{ "refreshes", "refresh_done", false },
	{ "  failed", "refresh_failed", false },
	{ "notices to the kernel", "refresh_invalidations", false },
};

/* Counters of these groups are shown whatever their names are. */
static const char *const groups[] = { "ahead_", "volume_ahead_", "push_",
				      "volume_push_" };

static void put_head(const struct top_view *v, unsigned int width,
		     const char *label, const char *const *names,
		     struct buf *out)
{
	struct line l = { .label_width = width };

	for (size_t i = 0; names[i]; i++)
		line_text(&l, names[i]);
	buf_append_str(out, "\n");
	line_put(v->columns, label, &l, out);
}

static void head_archive(const struct top_view *v, struct buf *out)
{
	const struct look *l = v->now;
	char up[HUMAN_MAX], plain[HUMAN_MAX], stored[HUMAN_MAX];

	text_escape(out, v->mountpoint, strlen(v->mountpoint));
	buf_printf(out,
		   ": up %s, %" PRIu64 " shards, %" PRIu64
		   " entries, %s in %s\n",
		   human_duration(up,
				  look_value(l, "uptime_ms") * CLOCK_NS_PER_MS),
		   look_value(l, "volume_n_shards"),
		   look_value(l, "volume_n_entries"),
		   human_bytes(plain, look_value(l, "volume_plain_bytes")),
		   human_bytes(stored, look_value(l, "volume_stored_bytes")));
}

static void head_daemon(const struct top_view *v, struct buf *out)
{
	const struct look *l = v->now;
	char age[HUMAN_MAX], rss[HUMAN_MAX], max[HUMAN_MAX];
	char blocks[HUMAN_MAX], pages[HUMAN_MAX];

	buf_printf(out, "view %s old",
		   human_duration(age, look_value(l, "view_age_ms") *
					       CLOCK_NS_PER_MS));
	if (v->before)
		buf_printf(out, "; cpu %.0f %%",
			   (double)look_grown(l, v->before, "process_cpu_ms") /
				   look_seconds(l, v->before) / 10);
	buf_printf(
		out, "\nmemory %s, at most %s; of these blocks %s, pages %s\n",
		human_bytes(rss, look_value(l, "process_rss_bytes")),
		human_bytes(max, look_value(l, "process_rss_max_bytes")),
		human_bytes(blocks, look_value(l, "volume_block_cache_bytes")),
		human_bytes(pages, look_value(l, "volume_page_cache_bytes")));
}

static void put_kernel(const struct top_view *v, struct buf *out)
{
	if (v->knows_kernel)
		buf_printf(out, ", %" PRIu64 " wait by the kernel's count",
			   v->in_kernel);
}

static void head_requests(const struct top_view *v, struct buf *out)
{
	const struct look *l = v->now;
	const struct look_oldest *o = &l->oldest;
	uint64_t age = look_value(l, "requests_oldest_ms");
	char text[HUMAN_MAX];

	buf_printf(out,
		   "requests: %" PRIu64 " of %" PRIu64
		   " at a time, at most %" PRIu64,
		   look_value(l, "requests_now"),
		   look_value(l, "requests_threads"),
		   look_value(l, "requests_max"));
	put_kernel(v, out);
	if (age)
		buf_printf(out, "; oldest %s",
			   human_duration(text, age * CLOCK_NS_PER_MS));
	if (age && *o->kind)
		buf_printf(out, " (%s, pid %ld, node %016" PRIx64 ")", o->kind,
			   o->pid, o->node);
	buf_append_str(out, "\n");
}

/* Lines of advice, each marked. */
static void put_advice(const struct top_view *v, struct buf *out)
{
	CLEANUP_BUF struct buf b = { .max = 1 << 16 };
	const char *p;

	top_advice(v->now, v->before, &b);
	p = buf_str(&b);
	if (*p)
		buf_append_str(out, "\n");
	while (*p) {
		size_t len = strcspn(p, "\n");

		buf_append_str(out, "! ");
		buf_append(out, p, len);
		buf_append_str(out, "\n");
		p += len + !!p[len];
	}
}

static void put_kind(const struct top_view *v, const struct look_kind *k,
		     struct buf *out)
{
	const struct look_kind *old =
		v->before ? look_kind(v->before, k->name) : NULL;
	struct line l = { .label_width = KIND_WIDTH };
	char label[LOOK_WORD + 8];

	if (v->is_short && !k->n)
		return;
	if (v->before) {
		struct latency_counts took;
		const struct latency_counts none = { .total = 0 };

		latency_since(&k->took, old ? &old->took : &none, &took);
		line_rate(&l, k->n - (old && old->n <= k->n ? old->n : 0),
			  look_seconds(v->now, v->before), false);
		line_time(&l, &took, latency_quantile(&took, 500));
		line_time(&l, &took, latency_quantile(&took, 990));
	}
	line_number(&l, k->n, false);
	line_time(&l, &k->took, latency_quantile(&k->took, 500));
	line_time(&l, &k->took, latency_quantile(&k->took, 990));
	line_time(&l, &k->took, k->took.max_ns);
	snprintf(label, sizeof(label), "  %s", k->name);
	line_put(v->columns, label, &l, out);
}

static void put_row(const struct top_view *v, const char *label,
		    const char *name, bool is_bytes, struct buf *out)
{
	uint64_t value = look_value(v->now, name);
	struct line l = { .label_width = ROW_WIDTH };

	if (v->is_short && !value)
		return;
	if (v->before)
		line_rate(&l, look_grown(v->now, v->before, name),
			  look_seconds(v->now, v->before), is_bytes);
	line_number(&l, value, is_bytes);
	line_put(v->columns, label, &l, out);
}

static void put_kinds(const struct top_view *v, struct buf *out)
{
	static const char *const rates[] = { "a second", "p50", "p99",
					     "total",    "p50", "p99",
					     "longest",  NULL };
	static const char *const totals[] = { "total", "p50", "p99", "longest",
					      NULL };
	static const char all[] = "fuse_messages";
	struct line l = { .label_width = KIND_WIDTH };

	put_head(v, KIND_WIDTH, "", v->before ? rates : totals, out);
	if (v->before) {
		line_rate(&l, look_grown(v->now, v->before, all),
			  look_seconds(v->now, v->before), false);
		line_text(&l, "");
		line_text(&l, "");
	}
	line_number(&l, look_value(v->now, all), false);
	line_put(v->columns, "FUSE messages", &l, out);
	for (size_t i = 0; i < v->now->n_kinds; i++)
		put_kind(v, &v->now->kinds[i], out);
}

static void put_caches(const struct top_view *v, struct buf *out)
{
	static const char *const names[] = { "now", "in all", NULL };
	static const char *const totals[] = { "in all", NULL };

	put_head(v, ROW_WIDTH, "found in", v->before ? names : totals, out);
	for (size_t i = 0; i < look_n_caches; i++) {
		const struct look_cache *c = &look_caches[i];
		double all = look_ratio(v->now, NULL, c->hits, c->misses);
		struct line l = { .label_width = ROW_WIDTH };

		if (v->is_short && all < 0)
			continue;
		if (v->before)
			line_ratio(&l, look_ratio(v->now, v->before, c->hits,
						  c->misses));
		line_ratio(&l, all);
		line_put(v->columns, c->label, &l, out);
	}
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), m = strlen(with);

	return n >= m && !strcmp(s + n - m, with);
}

static void put_groups(const struct top_view *v, struct buf *out)
{
	for (size_t i = 0; i < v->now->n; i++) {
		const char *name = v->now->all[i].name;

		for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
			if (!strncmp(name, groups[g], strlen(groups[g])) &&
			    strspn(name,
				   "abcdefghijklmnopqrstuvwxyz_0123456789") ==
				    strlen(name))
				put_row(v, name, name, ends(name, "bytes"),
					out);
		}
	}
}

static void put_rows(const struct top_view *v, struct buf *out)
{
	static const char *const rates[] = { "a second", "total", NULL };
	static const char *const totals[] = { "total", NULL };

	put_head(v, ROW_WIDTH, "", v->before ? rates : totals, out);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		put_row(v, rows[i].label, rows[i].name, rows[i].is_bytes, out);
	put_groups(v, out);
}

/* The stores of zones: "zone:ZONE:STORE:state" is one. */
static void put_zones(const struct top_view *v, struct buf *out)
{
	static const char *const states[] = { "used", "left alone",
					      "being tried" };
	bool is_headed = false;

	for (size_t i = 0; i < v->now->n; i++) {
		const struct look_counter *c = &v->now->all[i];
		size_t zone, store;

		if (strncmp(c->name, "zone:", 5) || !ends(c->name, ":state"))
			continue;
		zone = strcspn(c->name + 5, ":");
		store = strcspn(c->name + 5 + zone + 1, ":");
		if (!is_headed)
			buf_printf(out, "\n%-14s %-14s %s\n", "zone", "store",
				   "state");
		is_headed = true;
		buf_printf(out, "%-14.*s %-14.*s %s\n", (int)zone, c->name + 5,
			   (int)store, c->name + 5 + zone + 1,
			   c->value < ARRAY_LEN(states) ? states[c->value]
							: "unknown");
	}
}

void top_view(const struct top_view *v, struct buf *out)
{
	head_archive(v, out);
	head_daemon(v, out);
	head_requests(v, out);
	put_advice(v, out);
	put_kinds(v, out);
	put_caches(v, out);
	put_rows(v, out);
	put_zones(v, out);
}

void top_view_waiting(const struct top_view *v, uint64_t ns, struct buf *out)
{
	char text[HUMAN_MAX];

	text_escape(out, v->mountpoint, strlen(v->mountpoint));
	buf_printf(out, ": the daemon has not answered for %s",
		   human_duration(text, ns));
	put_kernel(v, out);
	buf_append_str(out, "\n");
}
