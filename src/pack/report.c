/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what a run has done: counted, told file by file, summed up. */
#include "config.h"

#include "pack/report.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/human.h"
#include "base/json-text.h"
#include "base/log.h"
#include "base/mem.h"

#define LINE_MAX_BYTES (1u << 20)

struct report {
	struct report_options opts;
	struct progress *progress;
	/* Guards all below, and the order of lines on stdout. */
	pthread_mutex_t lock;
	const char *phase;
	struct report_counts c;
	uint64_t written;
	uint64_t stored; /* plain bytes that are in blocks already written */
	bool is_total_known;
};

struct report *report_new(const struct report_options *opts)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->opts = *opts;
	r->phase = "";
	pthread_mutex_init(&r->lock, NULL);
	r->progress = progress_new(opts->progress, STDERR_FILENO);
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	progress_end(r->progress, NULL);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct progress_counters counters(const struct report *r)
{
	const struct report_counts *c = &r->c;
	struct progress_counters p = { .phase = r->phase,
				       .bytes_out = r->written,
				       .errors = c->failed };

	if (!r->is_total_known) {
		p.files_done = c->found;
		p.bytes_in = c->found_bytes;
		return p;
	}
	p.files_done = c->packed + c->unchanged;
	p.files_total = c->found;
	/* Files count when they end; holes are in no block. */
	p.bytes_in = (r->stored > c->packed_bytes ? r->stored
						  : c->packed_bytes) +
		     c->unchanged_bytes;
	p.bytes_total = c->found_bytes;
	return p;
}

static void show(struct report *r)
{
	struct progress_counters p = counters(r);

	progress_update(r->progress, &p);
}

void report_phase(struct report *r, const char *phase)
{
	LOCK_SCOPE(&r->lock);

	/* The first phase looks around, so what it found is the total. */
	r->is_total_known = r->phase[0];
	r->phase = phase;
	show(r);
}

static void put_line(struct buf *line)
{
	buf_append_str(line, "\n");
	if (buf_ok(line))
		fwrite(line->p, 1, line->len, stdout);
}

/* {"v":1,"type":TYPE,"path":UID */
static void begin_json(struct buf *line, const char *type, struct span uid)
{
	buf_init(line, LINE_MAX_BYTES);
	buf_printf(line, "{\"v\":1,\"type\":\"%s\",\"path\":", type);
	json_text_string(line, uid.p, uid.len);
}

static void escaped_uid(struct buf *out, struct span uid)
{
	buf_init(out, LINE_MAX_BYTES);
	if (uid.len)
		name_escape(out, uid.p, uid.len);
	else
		buf_append_str(out, ".");
}

void report_found(struct report *r, uint64_t bytes)
{
	LOCK_SCOPE(&r->lock);

	r->c.found++;
	r->c.found_bytes += bytes;
	show(r);
}

void report_excluded(struct report *r)
{
	LOCK_SCOPE(&r->lock);

	r->c.excluded++;
}

void report_failed(struct report *r, struct span uid, const struct err *err)
{
	CLEANUP_BUF struct buf name, line = { 0 };
	LOCK_SCOPE(&r->lock);

	r->c.failed++;
	escaped_uid(&name, uid);
	log_err("%s: %s", buf_str(&name), err->msg);
	show(r);
	if (!r->opts.is_json)
		return;
	begin_json(&line, "failed", uid);
	buf_append_str(&line, ",\"error\":");
	json_text_string(&line, err->msg, strlen(err->msg));
	buf_printf(&line, ",\"reason\":\"%s\"}", rc_text(err->rc));
	put_line(&line);
}

void report_left_out(struct report *r, struct span uid, const char *why)
{
	CLEANUP_BUF struct buf name, line = { 0 };
	LOCK_SCOPE(&r->lock);

	r->c.left_out++;
	escaped_uid(&name, uid);
	log_warn("%s: left out: %s", buf_str(&name), why);
	if (!r->opts.is_json)
		return;
	begin_json(&line, "left-out", uid);
	buf_printf(&line, ",\"reason\":\"%s\"}", why);
	put_line(&line);
}

/* Tell of one file that was, or would be, packed or removed. */
static void tell(struct report *r, const char *verb, struct span uid,
		 enum entry_type type, uint64_t bytes)
{
	CLEANUP_BUF struct buf name = { 0 }, line = { 0 };

	if (!r->opts.is_verbose && !r->opts.is_dry_run)
		return;
	if (r->opts.is_json) {
		begin_json(&line, verb, uid);
		buf_printf(&line, ",\"kind\":\"%s\",\"size\":%" PRIu64 "}",
			   entry_type_text(type), bytes);
		put_line(&line);
		return;
	}
	escaped_uid(&name, uid);
	if (!r->opts.is_dry_run) {
		log_info("%s %s", verb, buf_str(&name));
		return;
	}
	buf_init(&line, LINE_MAX_BYTES);
	buf_printf(&line, "%s %s", verb, buf_str(&name));
	put_line(&line);
}

void report_packed(struct report *r, struct span uid, enum entry_type type,
		   uint64_t bytes)
{
	LOCK_SCOPE(&r->lock);

	r->c.packed++;
	r->c.packed_bytes += bytes;
	tell(r, r->opts.is_dry_run ? "would-pack" : "packed", uid, type, bytes);
	show(r);
}

void report_unchanged(struct report *r, uint64_t bytes)
{
	LOCK_SCOPE(&r->lock);

	r->c.unchanged++;
	r->c.unchanged_bytes += bytes;
	show(r);
}

void report_removed(struct report *r, struct span uid)
{
	LOCK_SCOPE(&r->lock);

	r->c.removed++;
	tell(r, r->opts.is_dry_run ? "would-remove" : "removed", uid,
	     ENTRY_WHITEOUT, 0);
}

void report_shard(struct report *r, uint64_t stored_bytes, bool existed)
{
	LOCK_SCOPE(&r->lock);

	r->c.shards++;
	r->c.shards_existed += existed;
	r->c.stored_bytes += stored_bytes;
}

void report_stored(struct report *r, uint64_t plain_bytes)
{
	LOCK_SCOPE(&r->lock);

	r->stored += plain_bytes;
	show(r);
}

void report_written(struct report *r, uint64_t bytes)
{
	LOCK_SCOPE(&r->lock);

	r->written += bytes;
	show(r);
}

struct report_counts report_counts(struct report *r)
{
	LOCK_SCOPE(&r->lock);

	return r->c;
}

void report_end_progress(struct report *r)
{
	struct progress_counters p = counters(r);

	progress_end(r->progress, &p);
	r->progress = NULL;
}

static void summary_json(const struct report *r, uint64_t duration_ns)
{
	const struct report_counts *c = &r->c;
	CLEANUP_BUF struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	buf_printf(&line,
		   "{\"v\":1,\"type\":\"summary\",\"dry_run\":%s,"
		   "\"found\":%" PRIu64 ",\"found_bytes\":%" PRIu64
		   ",\"packed\":%" PRIu64 ",\"packed_bytes\":%" PRIu64
		   ",\"unchanged\":%" PRIu64 ",\"removed\":%" PRIu64
		   ",\"failed\":%" PRIu64 ",\"left_out\":%" PRIu64
		   ",\"excluded\":%" PRIu64 ",\"shards\":%" PRIu64
		   ",\"shards_existed\":%" PRIu64 ",\"stored_bytes\":%" PRIu64
		   ",\"duration_ms\":%" PRIu64 "}",
		   r->opts.is_dry_run ? "true" : "false", c->found,
		   c->found_bytes, c->packed, c->packed_bytes, c->unchanged,
		   c->removed, c->failed, c->left_out, c->excluded, c->shards,
		   c->shards_existed, c->stored_bytes, duration_ns / 1000000);
	put_line(&line);
}

static void summary_text(const struct report *r, uint64_t duration_ns)
{
	const struct report_counts *c = &r->c;
	char in[HUMAN_MAX], out[HUMAN_MAX], took[HUMAN_MAX];

	human_bytes(in, c->packed_bytes);
	human_bytes(out, c->stored_bytes);
	human_duration(took, duration_ns);
	if (r->opts.is_dry_run) {
		fprintf(stderr,
			"would pack %" PRIu64 " names, %s; %" PRIu64
			" unchanged, %" PRIu64 " removed, %" PRIu64 " failed\n",
			c->packed, in, c->unchanged, c->removed, c->failed);
		return;
	}
	fprintf(stderr, "packed %" PRIu64 " names, %s", c->packed, in);
	if (c->shards)
		fprintf(stderr, ", into %" PRIu64 " shards, %s", c->shards,
			out);
	if (c->shards && c->packed_bytes)
		fprintf(stderr, " (%.1f %%)",
			100.0 * (double)c->stored_bytes /
				(double)c->packed_bytes);
	fprintf(stderr, ", in %s\n", took);
	fprintf(stderr,
		"%" PRIu64 " unchanged, %" PRIu64 " removed, %" PRIu64
		" failed, %" PRIu64 " left out, %" PRIu64 " excluded\n",
		c->unchanged, c->removed, c->failed, c->left_out, c->excluded);
}

void report_summary(struct report *r, uint64_t duration_ns, bool is_quiet)
{
	if (r->opts.is_json)
		summary_json(r, duration_ns);
	if (!is_quiet)
		summary_text(r, duration_ns);
	fflush(stdout);
}
