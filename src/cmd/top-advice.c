/* SPDX-License-Identifier: Apache-2.0 */
/* top-advice.c - what sticks out in the counters of a mount, in words.
 *
 * What to do then is told by desfs-tuning(7), in the order of these functions.
 */
#include "config.h"

#include "cmd/top-advice.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/human.h"

#define SEE ": see desfs-tuning(7)\n"

/* From here on something is worth a line. */
#define OLD_MS 1000u                    /* a request that is being answered */
#define SLOW_NS (CLOCK_NS_PER_SEC / 10) /* the slowest reads but one in 100 */
#define MISSES_PER_SECOND 20.0
#define BLOCK_RATIO 50.0
#define PAGE_RATIO 90.0
#define BYTES_PER_MISS 32768u /* of a block of 128 KiB, as a rule */
#define XATTR_SHARE 0.2
#define UNUSED_FACTOR 4u
#define UNUSED_BYTES (16u << 20)

struct advice {
	const struct look *now, *before;
	struct buf *out;
	double seconds;
};

static uint64_t value(const struct advice *a, const char *name)
{
	return look_value(a->now, name);
}

static uint64_t grown(const struct advice *a, const char *name)
{
	return look_grown(a->now, a->before, name);
}

static bool is_remote(const struct advice *a)
{
	return value(a, "volume_store_get") > 0;
}

static void say_damage(const struct advice *a)
{
	uint64_t n = value(a, "volume_corrupt");

	if (n)
		buf_printf(a->out,
			   "damage: %" PRIu64
			   " objects could not be read right: run desfs "
			   "verify\n",
			   n);
}

static void say_view(const struct advice *a)
{
	uint64_t age = value(a, "view_age_ms");
	uint64_t refresh = value(a, "view_refresh_ms");
	char text[HUMAN_MAX];

	human_duration(text, age * CLOCK_NS_PER_MS);
	if (value(a, "view_is_stale"))
		buf_printf(a->out,
			   "view: the log could not be read for %s, so nothing "
			   "is shown" SEE,
			   text);
	else if (refresh && age > 2 * refresh + 1000)
		buf_printf(a->out,
			   "view: the log was not read for %s, what came since "
			   "is not seen" SEE,
			   text);
}

static void say_oldest(const struct advice *a)
{
	uint64_t age = value(a, "requests_oldest_ms");
	const struct look_oldest *o = &a->now->oldest;
	char text[HUMAN_MAX];

	if (age < OLD_MS)
		return;
	buf_printf(a->out, "%s: oldest %s %s" SEE,
		   is_remote(a) ? "store" : "disk",
		   *o->kind ? o->kind : "request",
		   human_duration(text, age * CLOCK_NS_PER_MS));
}

static void say_busy(const struct advice *a)
{
	uint64_t threads = value(a, "requests_threads");
	uint64_t busy = grown(a, "requests_busy");

	if (threads && value(a, "requests_now") >= threads)
		buf_printf(a->out,
			   "requests: all %" PRIu64
			   " threads are busy, the next one waits" SEE,
			   threads);
	else if (a->before && (double)busy > MISSES_PER_SECOND * a->seconds)
		buf_printf(a->out,
			   "requests: all %" PRIu64
			   " threads were busy %" PRIu64 " times" SEE,
			   threads, busy);
}

/* What the store did to requests, in the interval. */
static void say_store(const struct advice *a)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "volume_store_timeouts", "without an answer in time" },
		{ "volume_store_throttled", "to be sent later (429, 503)" },
		{ "volume_store_bad_replies", "with a wrong answer" },
		{ "volume_store_retries", "sent again" },
	};

	for (size_t i = 0; a->before && i < ARRAY_LEN(rows); i++) {
		uint64_t n = grown(a, rows[i].name);

		if (n)
			buf_printf(a->out, "store: %" PRIu64 " requests %s" SEE,
				   n, rows[i].text);
	}
}

static void say_read(const struct advice *a)
{
	const struct look_kind *now = look_kind(a->now, "read");
	const struct look_kind *before = look_kind(a->before, "read");
	struct latency_counts took;
	char text[HUMAN_MAX];
	uint64_t p99;

	if (!now || !before)
		return;
	latency_since(&now->took, &before->took, &took);
	p99 = latency_quantile(&took, 990);
	if (took.total && p99 >= SLOW_NS)
		buf_printf(a->out, "read: one in a hundred takes %s" SEE,
			   human_duration(text, p99));
}

static bool is_often_missed(const struct advice *a, const char *misses)
{
	return a->before &&
	       (double)grown(a, misses) >= MISSES_PER_SECOND * a->seconds;
}

/* Large files read once have no hits either, but they use their blocks. */
static void say_blocks(const struct advice *a)
{
	uint64_t misses = grown(a, "volume_block_misses");
	uint64_t bytes = grown(a, "volume_bytes_served");
	double ratio = look_ratio(a->now, a->before, "volume_block_hits",
				  "volume_block_misses");

	if (is_often_missed(a, "volume_block_misses") && ratio < BLOCK_RATIO &&
	    bytes / misses < BYTES_PER_MISS)
		buf_printf(a->out, "block cache: hit ratio %.0f %%" SEE, ratio);
}

static void say_pages(const struct advice *a)
{
	double ratio = look_ratio(a->now, a->before, "volume_page_hits",
				  "volume_page_misses");

	if (is_often_missed(a, "volume_page_misses") && ratio < PAGE_RATIO)
		buf_printf(a->out, "index pages: hit ratio %.0f %%" SEE, ratio);
}

static void say_unused(const struct advice *a)
{
	uint64_t bytes = grown(a, "volume_fetch_bytes");
	uint64_t used = grown(a, "volume_fetch_used");
	char read[HUMAN_MAX], wanted[HUMAN_MAX];

	if (a->before && bytes > UNUSED_BYTES && bytes / UNUSED_FACTOR > used)
		buf_printf(a->out,
			   "store: of %s fetched only %s were wanted" SEE,
			   human_bytes(read, bytes), human_bytes(wanted, used));
}

static void say_xattrs(const struct advice *a)
{
	double all = (double)grown(a, "fuse_messages");
	double n = (double)grown(a, "fuse_getxattr") +
		   (double)grown(a, "fuse_listxattr");

	if (a->before && all >= MISSES_PER_SECOND * a->seconds &&
	    n > XATTR_SHARE * all)
		buf_printf(a->out,
			   "messages: %.0f %% of them ask for attributes" SEE,
			   100 * n / all);
}

static void say_errors(const struct advice *a)
{
	static const char group[] = "error_";
	const char *worst = "";
	uint64_t n = grown(a, "error_replies"), most = 0;

	for (size_t i = 0; i < a->now->n; i++) {
		const char *name = a->now->all[i].name;
		uint64_t v;

		if (strncmp(name, group, strlen(group)) ||
		    !strcmp(name, "error_replies") ||
		    !strcmp(name, "error_NOENT"))
			continue;
		v = grown(a, name);
		if (v > most) {
			most = v;
			worst = name + strlen(group);
		}
	}
	if (a->before && n && most)
		buf_printf(a->out,
			   "errors: %" PRIu64 " of them %s; the log of the "
			   "mount tells more\n",
			   most, worst);
}

/* "zone:ZONE:STORE:state 1": left alone. */
static void say_zones(const struct advice *a)
{
	static const char head[] = "zone:", tail[] = ":state";

	for (size_t i = 0; i < a->now->n; i++) {
		const struct look_counter *c = &a->now->all[i];
		size_t len = strlen(c->name);

		if (c->value != 1 || len < strlen(head) + strlen(tail) ||
		    strncmp(c->name, head, strlen(head)) ||
		    strcmp(c->name + len - strlen(tail), tail))
			continue;
		buf_append_str(a->out, "store: ");
		name_escape(a->out, c->name + strlen(head),
			    len - strlen(head) - strlen(tail));
		buf_append_str(a->out, " failed and is left alone\n");
	}
}

void top_advice(const struct look *now, const struct look *before,
		struct buf *ret)
{
	const struct advice a = { .now = now,
				  .before = before,
				  .out = ret,
				  .seconds = look_seconds(now, before) };

	say_damage(&a);
	say_view(&a);
	say_errors(&a);
	say_zones(&a);
	say_oldest(&a);
	say_busy(&a);
	say_store(&a);
	say_read(&a);
	say_blocks(&a);
	say_pages(&a);
	say_unused(&a);
	say_xattrs(&a);
}
