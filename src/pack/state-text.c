/* SPDX-License-Identifier: Apache-2.0 */
/* state-text.c - the answer to SIGUSR1. */
#include "config.h"

#include "pack/state-text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/spool.h"
#include "base/stop.h"
#include "pack/report.h"
#include "run/state.h"

#define THREADS_MAX 64
#define LINE_MAX_BYTES 4096

static void tell_phase(struct report *r)
{
	struct report_phase v[REPORT_PHASES];
	size_t n = report_phases(r, v);
	char in_all[HUMAN_MAX], here[HUMAN_MAX];

	human_duration(in_all, report_age(r));
	if (n)
		log_answer("state: %s for %s, running for %s%s", v[n - 1].name,
			   human_duration(here, v[n - 1].ns), in_all,
			   stop_asked() ? ", asked to stop" : "");
	else
		log_answer("state: opening the archive, running for %s",
			   in_all);
}

static void tell_counts(const struct report_counts *c)
{
	char found[HUMAN_MAX], in[HUMAN_MAX], out[HUMAN_MAX];

	log_answer("names: %" PRIu64 " found, %" PRIu64 " packed, %" PRIu64
		   " unchanged, %" PRIu64 " removed, %" PRIu64
		   " failed, %" PRIu64 " left out, %" PRIu64 " excluded",
		   c->found, c->packed, c->unchanged, c->removed, c->failed,
		   c->left_out, c->excluded);
	log_answer("bytes: %s found, %s read -> %s written, %" PRIu64
		   " shards; %" PRIu64 " of %" PRIu64 " slots done",
		   human_bytes(found, c->found_bytes),
		   human_bytes(in, c->block_bytes),
		   human_bytes(out, c->written_bytes), c->shards, c->slots_done,
		   c->slots);
}

static void tell_speed(struct report *r)
{
	struct progress_speed speed = report_speed(r);
	char bytes[HUMAN_MAX], left[HUMAN_MAX];

	human_bytes(bytes, (uint64_t)speed.bytes);
	log_answer("speed: %.0f files/s, %s/s, %s left", speed.files, bytes,
		   speed.is_left_known ? human_duration(left, speed.ns_left)
				       : "nobody knows how much is");
}

static const struct state_view *oldest(const struct state_view *v, size_t n)
{
	const struct state_view *first = NULL;

	for (size_t i = 0; i < n; i++)
		if (v[i].has_file && (!first || v[i].file_ns > first->file_ns))
			first = &v[i];
	return first;
}

static void append_name(struct buf *out, const struct state_view *v)
{
	if (v->is_cut)
		buf_append_str(out, "...");
	name_escape(out, v->name, v->name_len);
}

static void tell_threads(struct state *s)
{
	CLEANUP_FREE struct state_view *v = xcalloc(THREADS_MAX, sizeof(*v));
	size_t n = state_look(s, v, THREADS_MAX);
	const struct state_view *first = oldest(v, n);
	char text[HUMAN_MAX];

	for (size_t i = 0; i < n; i++) {
		CLEANUP_BUF struct buf b = { .max = LINE_MAX_BYTES };

		buf_printf(&b, "slot %" PRIX32 ": %s for %s", v[i].slot,
			   state_doing_text(s, v[i].doing),
			   human_duration(text, v[i].doing_ns));
		if (v[i].has_file) {
			buf_append_str(&b, ", at ");
			append_name(&b, &v[i]);
		}
		log_answer("%s", buf_str(&b));
	}
	if (first) {
		CLEANUP_BUF struct buf b = { .max = LINE_MAX_BYTES };

		append_name(&b, first);
		log_answer("oldest file in the works: %s, for %s", buf_str(&b),
			   human_duration(text, first->file_ns));
	}
}

static void tell_resources(struct state *s)
{
	char rss[HUMAN_MAX], most[HUMAN_MAX], spilled[HUMAN_MAX];
	struct process p = process_now();

	log_answer("memory: %s, %s at most, %s spilled; %u of %u threads "
		   "compress",
		   human_bytes(rss, p.rss), human_bytes(most, p.rss_max),
		   human_bytes(spilled, spool_spilled()),
		   atomic_load(state_encoding(s)), state_encoders(s));
}

void state_tell(struct report *r)
{
	struct report_counts c = report_counts(r);
	struct state *s = report_state(r);

	tell_phase(r);
	tell_counts(&c);
	tell_speed(r);
	tell_threads(s);
	tell_resources(s);
}
