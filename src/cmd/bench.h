/* SPDX-License-Identifier: Apache-2.0 */
/* bench.h - what the files of desfs bench share among themselves.
 *
 * A part is a number of operations of one kind, by a number of threads.  Those
 * on a volume that was just opened are cold: desfs has nothing in memory.
 */
#ifndef DESFS_CMD_BENCH_H
#define DESFS_CMD_BENCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/latency.h"
#include "cmd/open-archive.h"
#include "shard/shard-entry.h"
#include "volume/volume.h"

struct bench_options {
	unsigned int n_files, threads;
	unsigned int seconds; /* of each part */
	unsigned int seed;
	uint64_t max_bytes; /* read from the store; 0: default */
	bool drop_caches, json;
	struct conf conf;
};

/* A file that was chosen. */
struct bench_file {
	struct span path; /* owned, ends with NUL */
	uint64_t size;
};

struct bench_part {
	const char *name;
	unsigned int threads;
	bool is_cold;
	uint64_t n, bytes, ns; /* operations, what they gave, how long */
	uint64_t n_failed;
	uint64_t requests, moved; /* of the store: calls, bytes */
	bool has_latency;
	struct latency took;
};

struct bench {
	const struct bench_options *o;
	const char *url;
	struct open_archive archive; /* v NULL: closed */
	bool is_remote;              /* a read costs a request */
	uint64_t n_dropped;          /* shards dropped by the kernel */
	uint64_t random;             /* state of the generator */

	struct bench_file *files;
	size_t n_files;
	size_t *small; /* those that are read whole, by number */
	size_t n_small;
	size_t largest;
	struct bench_file *ordered; /* the first ones met when listing */
	size_t n_ordered, cap_ordered;

	uint64_t max_bytes;
	uint64_t moved, requests; /* by volumes that are closed */
	_Atomic uint64_t n_failed;
	_Atomic int worst; /* enum rc of what failed last; CORRUPT stays */
};

/* The next number, below n (> 0); by one thread. */
uint64_t bench_random(struct bench *b, uint64_t n);

/* cmd-bench.c */

/* Have a volume open that knows nothing yet; the first also drops the kernel's
 * caches when that is wanted.
 */
enum rc bench_open(struct bench *b, struct err *err) MUST_CHECK;
enum rc bench_reopen(struct bench *b, struct err *err) MUST_CHECK;
void bench_close(struct bench *b);
/* Tell and count what failed; path may be empty. */
void bench_failed(struct bench *b, struct span path, const struct err *err);
/* Calls and bytes of the store up to now. */
void bench_moved(struct bench *b, uint64_t *ret_requests, uint64_t *ret_bytes);
bool bench_is_spent(struct bench *b);

/* bench-sample.c: choose files by their numbers in the index. */
enum rc bench_sample(struct bench *b, struct err *err) MUST_CHECK;
void bench_sample_free(struct bench *b);

/* bench-run.c */

/* One operation; adds to *ret_bytes what it gave.  Any thread. */
typedef enum rc bench_fn(struct bench *b, void *arg, uint64_t i,
			 uint64_t *ret_bytes, struct err *err);

/* Run fn for i from 0 to n - 1, by the part's threads, until time, bytes or n
 * are over.
 */
void bench_run(struct bench *b, struct bench_part *part, uint64_t n,
	       bench_fn *fn, void *arg);

/* bench-parts.c and bench-decode.c: each runs some parts and reports them. */
enum rc bench_names(struct bench *b, struct err *err) MUST_CHECK;
enum rc bench_small(struct bench *b, unsigned int threads,
		    struct err *err) MUST_CHECK;
enum rc bench_large(struct bench *b, struct err *err) MUST_CHECK;
enum rc bench_first(struct bench *b, struct err *err) MUST_CHECK;
enum rc bench_listing(struct bench *b, struct err *err) MUST_CHECK;
/* After the listing. */
enum rc bench_ordered(struct bench *b, struct err *err) MUST_CHECK;
enum rc bench_decode(struct bench *b, struct err *err) MUST_CHECK;

/* bench-report.c */
void bench_report_head(struct bench *b);
void bench_report(const struct bench *b, const struct bench_part *part);
void bench_report_end(struct bench *b);

#endif
