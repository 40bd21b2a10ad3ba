/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what a run has done: counted, told file by file, summed up. */
#include "config.h"

#include "pack/report.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/json-text.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/spool.h"
#include "pack/summary.h"
#include "run/state.h"
#include "shard/shard-filter.h"
#include "verify/uid-set.h"

#define LINE_MAX_BYTES (1u << 20)

const double report_ratio_bounds[REPORT_RATIOS] = { 0.05, 0.1, 0.15, 0.2, 0.25,
						    0.3,  0.4, 0.5,  0.6, 0.7,
						    0.8,  0.9, 1,    1.1 };

#define N_COUNTS (sizeof(struct report_counts) / sizeof(uint64_t))

struct report {
	struct report_options opts;
	struct progress *progress;
	struct state *state;
	uint64_t start;
	/* Guards lines on stdout and in the log, and failed. */
	pthread_mutex_t lines;
	struct uid_set failed; /* with remembers_failed */
	pthread_mutex_t lock;  /* guards the phases */
	const char *phases[REPORT_PHASES];
	uint64_t phase_start[REPORT_PHASES];
	size_t n_phases;
	_Atomic uint64_t counts[N_COUNTS]; /* a struct report_counts */
	_Atomic bool is_committed;
};

static_assert(sizeof(struct report_counts) % sizeof(uint64_t) == 0 &&
		      offsetof(struct report_counts, ratio_millionths) ==
			      (N_COUNTS - 1) * sizeof(uint64_t),
	      "counts are uint64_t, one and all");

/* The counter of a field of struct report_counts. */
#define COUNTER(r, field) \
	(&(r)->counts[offsetof(struct report_counts, field) / sizeof(uint64_t)])

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

struct report *report_new(const struct report_options *opts)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->opts = *opts;
	r->start = clock_mono_ns();
	pthread_mutex_init(&r->lines, NULL);
	pthread_mutex_init(&r->lock, NULL);
	r->progress = progress_new(opts->progress, STDERR_FILENO);
	r->state = state_new();
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	progress_free(r->progress);
	state_free(r->state);
	pthread_mutex_destroy(&r->lines);
	pthread_mutex_destroy(&r->lock);
	uid_set_release(&r->failed);
	free(r);
}

struct state *report_state(struct report *r)
{
	return r->state;
}

uint64_t report_age(const struct report *r)
{
	return clock_mono_ns() - r->start;
}

void report_committed(struct report *r)
{
	r->is_committed = true;
}

bool report_is_committed(const struct report *r)
{
	return r->is_committed;
}

/* --- phases and progress ----------------------------------------------------
 */

void report_phase(struct report *r, const char *phase)
{
	LOCK_SCOPE(&r->lock);

	assert(r->n_phases < REPORT_PHASES);
	r->phases[r->n_phases] = phase;
	r->phase_start[r->n_phases++] = clock_mono_ns();
}

size_t report_phases(struct report *r, struct report_phase ret[REPORT_PHASES])
{
	LOCK_SCOPE(&r->lock);

	for (size_t i = 0; i < r->n_phases; i++) {
		uint64_t end = i + 1 < r->n_phases ? r->phase_start[i + 1]
						   : clock_mono_ns();

		ret[i] = (struct report_phase){ .name = r->phases[i],
						.ns = end - r->phase_start[i] };
	}
	return r->n_phases;
}

void report_slots(struct report *r, uint64_t n)
{
	count(COUNTER(r, slots), n);
}

void report_slot_done(struct report *r)
{
	count(COUNTER(r, slots_done), 1);
}

struct report_counts report_counts(struct report *r)
{
	struct report_counts c;
	uint64_t *to = (uint64_t *)&c;

	for (size_t i = 0; i < N_COUNTS; i++)
		to[i] = atomic_load_explicit(&r->counts[i],
					     memory_order_relaxed);
	return c;
}

static struct progress_counters counters(struct report *r)
{
	struct report_phase phases[REPORT_PHASES];
	size_t n = report_phases(r, phases);
	struct report_counts c = report_counts(r);
	struct progress_counters p = { .phase = n ? phases[n - 1].name : "",
				       .slots_done = c.slots_done,
				       .slots_total = c.slots,
				       .bytes_out = c.written_bytes,
				       .errors = c.failed };

	if (!c.slots) {
		p.files_done = p.files_in = c.found;
		p.bytes_done = p.bytes_in = c.found_bytes;
		return p;
	}
	p.files_in = c.packed;
	/* Files count when they end; holes are in no block. */
	p.bytes_in =
		c.block_bytes > c.packed_bytes ? c.block_bytes : c.packed_bytes;
	p.files_done = p.files_in + c.unchanged + c.given_up + c.erased;
	p.bytes_done = p.bytes_in + c.unchanged_bytes + c.given_up_bytes +
		       c.erased_bytes;
	p.files_total = c.found - c.elsewhere;
	p.bytes_total = c.found_bytes - c.elsewhere_bytes;
	/* Of a file that failed halfway, blocks have been counted too. */
	if (p.bytes_done > p.bytes_total)
		p.bytes_done = p.bytes_total;
	return p;
}

uint64_t report_tick(struct report *r)
{
	struct progress_counters p = counters(r);

	return progress_update(r->progress, &p);
}

struct progress_speed report_speed(struct report *r)
{
	return progress_speed(r->progress);
}

void report_end_progress(struct report *r)
{
	struct progress_counters p = counters(r);

	progress_end(r->progress, &p);
}

/* --- file by file -----------------------------------------------------------
 */

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

void report_found(struct report *r, uint64_t n, uint64_t bytes)
{
	count(COUNTER(r, found), n);
	count(COUNTER(r, found_bytes), bytes);
}

void report_elsewhere(struct report *r, uint64_t bytes)
{
	count(COUNTER(r, elsewhere), 1);
	count(COUNTER(r, elsewhere_bytes), bytes);
}

void report_excluded(struct report *r)
{
	count(COUNTER(r, excluded), 1);
}

static uint64_t uid_hash(struct span uid)
{
	return filter_hash(span_of("", 0), uid);
}

bool report_has_failed(struct report *r, struct span uid)
{
	LOCK_SCOPE(&r->lines);

	return uid_set_has(&r->failed, uid_hash(uid));
}

static void report_failure(struct report *r, struct span uid,
			   const struct err *err, const char *more)
{
	CLEANUP_BUF struct buf name, line = { 0 };
	LOCK_SCOPE(&r->lines);

	count(COUNTER(r, failed), 1);
	count(COUNTER(r, errors) + err->rc, 1);
	if (r->opts.remembers_failed)
		uid_set_add(&r->failed, uid_hash(uid));
	escaped_uid(&name, uid);
	log_err("%s: %s", buf_str(&name), err->msg);
	if (!r->opts.is_json)
		return;
	begin_json(&line, "failed", uid);
	buf_append_str(&line, ",\"error\":");
	json_text_string(&line, err->msg, strlen(err->msg));
	buf_printf(&line, ",\"reason\":\"%s\"%s}", rc_text(err->rc), more);
	put_line(&line);
}

void report_failed(struct report *r, struct span uid, const struct err *err)
{
	report_failure(r, uid, err, "");
}

void report_kept_source(struct report *r, struct span uid,
			const struct err *err)
{
	count(COUNTER(r, kept_sources), 1);
	report_failure(r, uid, err, ",\"kept_source\":true");
}

void report_given_up(struct report *r, struct span uid, uint64_t bytes,
		     const struct err *err)
{
	count(COUNTER(r, given_up), 1);
	count(COUNTER(r, given_up_bytes), bytes);
	report_failed(r, uid, err);
}

void report_left_out(struct report *r, struct span uid, const char *why)
{
	CLEANUP_BUF struct buf name, line = { 0 };
	LOCK_SCOPE(&r->lines);

	count(COUNTER(r, left_out), 1);
	escaped_uid(&name, uid);
	log_warn("%s: left out: %s", buf_str(&name), why);
	if (!r->opts.is_json)
		return;
	begin_json(&line, "left-out", uid);
	buf_printf(&line, ",\"reason\":\"%s\"}", why);
	put_line(&line);
}

static void tell_always(struct report *r, const char *verb, struct span uid,
			enum entry_type type, uint64_t bytes)
{
	CLEANUP_BUF struct buf name = { 0 }, line = { 0 };

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

/* Tell of one file that was, or would be, packed or removed. */
static void tell(struct report *r, const char *verb, struct span uid,
		 enum entry_type type, uint64_t bytes)
{
	if (!r->opts.is_verbose && !r->opts.is_dry_run)
		return;
	pthread_mutex_lock(&r->lines);
	tell_always(r, verb, uid, type, bytes);
	pthread_mutex_unlock(&r->lines);
}

void report_packed(struct report *r, struct span uid, enum entry_type type,
		   uint64_t bytes)
{
	count(COUNTER(r, packed), 1);
	count(COUNTER(r, packed_bytes), bytes);
	if (type == ENTRY_REG)
		count(COUNTER(r, packed_files), 1);
	else if (type == ENTRY_DIR)
		count(COUNTER(r, packed_dirs), 1);
	tell(r, r->opts.is_dry_run ? "would-pack" : "packed", uid, type, bytes);
}

void report_unchanged(struct report *r, uint64_t n, uint64_t bytes)
{
	count(COUNTER(r, unchanged), n);
	count(COUNTER(r, unchanged_bytes), bytes);
}

void report_erased(struct report *r, struct span uid, enum entry_type type,
		   uint64_t bytes)
{
	count(COUNTER(r, erased), 1);
	count(COUNTER(r, erased_bytes), bytes);
	tell(r, "erased", uid, type, bytes);
}

void report_removed(struct report *r, struct span uid)
{
	count(COUNTER(r, removed), 1);
	tell(r, r->opts.is_dry_run ? "would-remove" : "removed", uid,
	     ENTRY_WHITEOUT, 0);
}

void report_removed_source(struct report *r, struct span uid,
			   enum entry_type type, uint64_t bytes)
{
	count(COUNTER(r, removed_sources), 1);
	count(COUNTER(r, removed_source_bytes), bytes);
	tell(r, r->opts.is_dry_run ? "would-remove-source" : "removed-source",
	     uid, type, bytes);
}

void report_shard(struct report *r, uint64_t stored_bytes, bool existed)
{
	count(COUNTER(r, shards), 1);
	count(COUNTER(r, shards_existed), existed);
	count(COUNTER(r, stored_bytes), stored_bytes);
}

void report_block(struct report *r, uint64_t plain, uint64_t stored)
{
	double ratio = plain ? (double)stored / (double)plain : 0;
	size_t i = 0;

	if (!plain)
		return;
	while (i < REPORT_RATIOS && ratio > report_ratio_bounds[i])
		i++;
	count(COUNTER(r, block_bytes), plain);
	count(COUNTER(r, ratios) + i, 1);
	count(COUNTER(r, ratio_millionths), (uint64_t)(ratio * 1e6));
}

void report_written(struct report *r, uint64_t bytes)
{
	count(COUNTER(r, written_bytes), bytes);
}

void report_summary(struct report *r, bool is_quiet)
{
	struct report_counts c = report_counts(r);
	struct summary sum = { .counts = &c,
			       .is_dry_run = r->opts.is_dry_run,
			       .ns = report_age(r),
			       .rss_max = process_now().rss_max,
			       .spilled = spool_spilled() };
	CLEANUP_BUF struct buf line = { .max = LINE_MAX_BYTES };

	if (r->opts.is_json) {
		summary_json(&sum, &line);
		put_line(&line);
	}
	buf_clear(&line);
	if (!is_quiet) {
		summary_text(&sum, &line);
		fputs(buf_str(&line), stderr);
	}
	fflush(stdout);
}
