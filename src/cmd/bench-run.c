/* SPDX-License-Identifier: Apache-2.0 */
/* bench-run.c - operations by some threads, timed, within bounds. */
#include "config.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/workers.h"
#include "cmd/bench.h"

struct run {
	struct bench *b;
	struct bench_part *part;
	uint64_t n, end; /* operations; monotonic ns */
	bench_fn *fn;
	void *arg;
	_Atomic uint64_t next, done, bytes, n_failed;
};

static bool is_over(const struct run *r, uint64_t i)
{
	return i >= r->n || stop_requested() || clock_mono_ns() >= r->end ||
	       ((r->part->is_cold || r->b->is_remote) && bench_is_spent(r->b));
}

static void run_thread(void *arg)
{
	struct run *r = arg;

	for (;;) {
		uint64_t i = atomic_fetch_add(&r->next, 1), bytes = 0, since;
		struct err err;

		if (is_over(r, i))
			return;
		since = clock_mono_ns();
		if (r->fn(r->b, r->arg, i, &bytes, &err)) {
			atomic_fetch_add(&r->n_failed, 1);
		} else {
			latency_add(&r->part->took, clock_mono_ns() - since);
			atomic_fetch_add(&r->done, 1);
		}
		atomic_fetch_add(&r->bytes, bytes);
	}
}

static void run_all(struct run *r)
{
	struct workers *w = NULL;
	struct err err;

	if (r->part->threads == 1) {
		run_thread(r);
		return;
	}
	if (workers_start(&w, "bench", r->part->threads, r->part->threads,
			  &err)) {
		bench_failed(r->b, span_of("", 0), &err);
		return;
	}
	for (unsigned int i = 0; i < r->part->threads; i++)
		workers_submit(w, run_thread, r);
	workers_stop(w);
}

void bench_run(struct bench *b, struct bench_part *part, uint64_t n,
	       bench_fn *fn, void *arg)
{
	uint64_t since = clock_mono_ns(), requests, moved;
	struct run r = {
		.b = b,
		.part = part,
		.n = n,
		.end = since + b->o->seconds * CLOCK_NS_PER_SEC,
		.fn = fn,
		.arg = arg,
	};

	bench_moved(b, &requests, &moved);
	part->has_latency = true;
	run_all(&r);
	part->ns = clock_mono_ns() - since;
	part->n = r.done;
	part->bytes = r.bytes;
	part->n_failed = r.n_failed;
	bench_moved(b, &part->requests, &part->moved);
	part->requests -= requests;
	part->moved -= moved;
}
