/* SPDX-License-Identifier: Apache-2.0 */
/* bench-report.c - what was measured, and on what machine. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/version.h"
#include "base/workers.h"
#include "cmd/bench.h"
#include "cmd/json-row.h"
#include "cmd/text-line.h"

#define JSON_VERSION 1
#define LABEL_WIDTH 25
#define ALL_COLUMNS 200

static void cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* "model name : ..." of the first processor. */
static char *processor(void)
{
	CLEANUP(cleanup_file) FILE *f = fopen("/proc/cpuinfo", "re");
	CLEANUP_FREE char *line = NULL;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) >= 0) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		colon[1 + strcspn(colon + 1, "\n")] = '\0';
		return xstrdup(colon + 1 + strspn(colon + 1, " "));
	}
	return xstrdup("processor not known");
}

static uint64_t memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

static const char *cold_text(const struct bench *b)
{
	if (b->is_remote)
		return "desfs has nothing in memory or on disk; the server "
		       "may have";
	if (b->o->drop_caches && b->n_dropped)
		return "desfs has nothing in memory, and the kernel was asked "
		       "to forget the shards";
	return "desfs has nothing in memory; the kernel may have the shards "
	       "in its cache (--drop-caches)";
}

static void json_head(const struct bench *b, const struct volume_stats *vs,
		      const char *cpu, const struct utsname *os)
{
	CLEANUP_BUF struct buf row = { .max = JSON_ROW_MAX };

	json_row_begin(&row);
	json_row_u64(&row, "v", JSON_VERSION);
	json_row_str(&row, "part", "about");
	json_row_str(&row, "archive", b->url);
	json_row_u64(&row, "shards", vs->n_shards);
	json_row_u64(&row, "entries", vs->n_entries);
	json_row_u64(&row, "files", vs->n_files);
	json_row_u64(&row, "plain_bytes", vs->plain_bytes);
	json_row_u64(&row, "stored_bytes", vs->stored_bytes);
	json_row_str(&row, "version", version_text());
	json_row_str(&row, "libraries", volume_libraries());
	json_row_str(&row, "kernel", os->release);
	json_row_str(&row, "processor", cpu);
	json_row_u64(&row, "processors", workers_n_cpus());
	json_row_u64(&row, "memory", memory());
	json_row_bool(&row, "remote", b->is_remote);
	json_row_bool(&row, "dropped", b->n_dropped > 0);
	json_row_u64(&row, "seed", b->o->seed);
	json_row_end(&row, stdout);
}

static void text_head(const struct bench *b, const struct volume_stats *vs,
		      const char *cpu, const struct utsname *os)
{
	static const char *const names[] = { "threads",  "times", "a second",
					     "p50",      "p99",   "MB/s",
					     "requests", "bytes", NULL };
	CLEANUP_BUF struct buf out = { .max = 1 << 16 };
	char plain[HUMAN_MAX], stored[HUMAN_MAX], ram[HUMAN_MAX];
	struct line l = { .label_width = LABEL_WIDTH };

	name_escape(&out, b->url, strlen(b->url));
	buf_printf(&out,
		   ": %" PRIu64 " shards, %" PRIu64 " entries, %s in %s\n",
		   vs->n_shards, vs->n_entries,
		   human_bytes(plain, vs->plain_bytes),
		   human_bytes(stored, vs->stored_bytes));
	buf_printf(&out, "desfs %s, %s; Linux %s, %u of %s, %s\n",
		   version_text(), volume_libraries(), os->release,
		   workers_n_cpus(), cpu, human_bytes(ram, memory()));
	buf_printf(&out, "cold: %s\n\n", cold_text(b));
	for (size_t i = 0; names[i]; i++)
		line_text(&l, names[i]);
	line_put(ALL_COLUMNS, "", &l, &out);
	printf("%s", buf_str(&out));
}

void bench_report_head(struct bench *b)
{
	CLEANUP_FREE char *cpu = processor();
	struct utsname os = { .release = "" };
	struct volume_stats vs;

	uname(&os);
	volume_stats(b->archive.v, &vs);
	if (b->o->json)
		json_head(b, &vs, cpu, &os);
	else
		text_head(b, &vs, cpu, &os);
	fflush(stdout);
}

static double seconds_of(const struct bench_part *part)
{
	return part->ns ? (double)part->ns / CLOCK_NS_PER_SEC : 1e-9;
}

static void json_part(const struct bench_part *part)
{
	CLEANUP_BUF struct buf row = { .max = JSON_ROW_MAX };
	struct latency_counts took;

	latency_read(&part->took, &took);
	json_row_begin(&row);
	json_row_u64(&row, "v", JSON_VERSION);
	json_row_str(&row, "part", part->name);
	json_row_bool(&row, "cold", part->is_cold);
	json_row_u64(&row, "threads", part->threads);
	json_row_u64(&row, "times", part->n);
	json_row_u64(&row, "failed", part->n_failed);
	json_row_u64(&row, "us", part->ns / 1000);
	json_row_u64(&row, "bytes", part->bytes);
	json_row_u64(&row, "requests", part->requests);
	json_row_u64(&row, "request_bytes", part->moved);
	if (part->has_latency) {
		json_row_u64(&row, "p50_ns", latency_quantile(&took, 500));
		json_row_u64(&row, "p99_ns", latency_quantile(&took, 990));
		json_row_u64(&row, "max_ns", took.max_ns);
	}
	json_row_end(&row, stdout);
}

static void text_part(const struct bench_part *part)
{
	CLEANUP_BUF struct buf out = { .max = 1 << 16 };
	struct line l = { .label_width = LABEL_WIDTH };
	struct latency_counts took;
	char text[HUMAN_MAX], label[64];

	latency_read(&part->took, &took);
	line_number(&l, part->threads, false);
	line_number(&l, part->n, false);
	line_rate(&l, part->n, seconds_of(part), false);
	line_time(&l, &took, latency_quantile(&took, 500));
	line_time(&l, &took, latency_quantile(&took, 990));
	snprintf(text, sizeof(text), "%.1f",
		 (double)part->bytes / seconds_of(part) / 1e6);
	line_text(&l, part->bytes ? text : "-");
	line_number(&l, part->requests, false);
	line_text(&l, part->requests ? human_bytes(text, part->moved) : "");
	snprintf(label, sizeof(label), "%s%s", part->name,
		 part->is_cold ? ", cold" : "");
	line_put(ALL_COLUMNS, label, &l, &out);
	if (part->n_failed)
		buf_printf(&out, "  %" PRIu64 " of them FAILED\n",
			   part->n_failed);
	printf("%s", buf_str(&out));
}

void bench_report(const struct bench *b, const struct bench_part *part)
{
	if (b->o->json)
		json_part(part);
	else
		text_part(part);
	fflush(stdout);
}

void bench_report_end(struct bench *b)
{
	CLEANUP_BUF struct buf row = { .max = JSON_ROW_MAX };
	uint64_t requests, moved;
	char text[HUMAN_MAX];

	bench_moved(b, &requests, &moved);
	if (b->o->json) {
		json_row_begin(&row);
		json_row_u64(&row, "v", JSON_VERSION);
		json_row_str(&row, "part", "total");
		json_row_u64(&row, "files", b->n_files);
		json_row_u64(&row, "failed", b->n_failed);
		json_row_u64(&row, "requests", requests);
		json_row_u64(&row, "request_bytes", moved);
		json_row_end(&row, stdout);
		return;
	}
	printf("\n%zu files chosen; in all %" PRIu64 " requests, %s",
	       b->n_files, requests, human_bytes(text, moved));
	if (bench_is_spent(b))
		printf(": no more, see --max-bytes");
	printf("%s\n", b->n_failed ? "; there were ERRORS" : "");
}
