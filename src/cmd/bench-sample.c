/* SPDX-License-Identifier: Apache-2.0 */
/* bench-sample.c - files chosen at random by their numbers in the index. */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "cmd/bench.h"
#include "volume/oplog.h"

#define SMALL_MAX (128u << 10) /* bytes */
#define TRIES 4                /* for each file that is wanted */

/* xorshift64* (Vigna 2016): the same numbers everywhere. */
uint64_t bench_random(struct bench *b, uint64_t n)
{
	b->random ^= b->random >> 12;
	b->random ^= b->random << 25;
	b->random ^= b->random >> 27;
	return (b->random * UINT64_C(0x2545F4914F6CDD1D) >> 11) % n;
}

/* How many entries shards have, the first ones of them, and so on. */
struct numbers {
	uint64_t *first; /* number of each shard's first entry, n + 1 of them */
	uint32_t n;
};

static void numbers_init(struct numbers *s, struct volume *v)
{
	uint64_t sum = 0;

	s->n = volume_shard_bound(v);
	s->first = xcalloc((size_t)s->n + 1, sizeof(*s->first));
	for (uint32_t i = 0; i < s->n; i++) {
		const struct shard_meta *m =
			volume_shard(v, (struct volume_node){ .shard = i });

		s->first[i] = sum;
		sum += m ? m->n_entries : 0;
	}
	s->first[s->n] = sum;
}

static struct volume_node node_at(const struct numbers *s, uint64_t number)
{
	uint32_t low = 0, high = s->n;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (s->first[middle] <= number)
			low = middle;
		else
			high = middle;
	}
	return (struct volume_node){ .shard = low,
				     .ordinal = number - s->first[low] };
}

static void add(struct bench *b, struct span path, uint64_t size)
{
	if (size <= SMALL_MAX)
		b->small[b->n_small++] = b->n_files;
	if (size > b->files[b->largest].size)
		b->largest = b->n_files;
	b->files[b->n_files++] =
		(struct bench_file){ .path = path, .size = size };
}

/* Entries that are hidden or older than what their path shows are passed over.
 */
static enum rc try_node(struct bench *b, struct volume_node node,
			struct err *err)
{
	struct volume_entry ve, shown;
	struct span path;
	bool is_taken = false;
	char *p;

	if (volume_get(b->archive.v, node, &ve, err))
		return err->rc;
	if (ve.e.type != ENTRY_REG) {
		volume_entry_release(&ve);
		return RC_OK;
	}
	path.len = entry_uid_len(ve.e.parent, ve.e.name);
	p = xcalloc(path.len + 1, 1);
	entry_uid(ve.e.parent, ve.e.name, p);
	path.p = p;
	volume_entry_release(&ve);
	if (!volume_resolve(b->archive.v, path, &shown, err)) {
		is_taken = shown.node.shard == node.shard &&
			   shown.node.ordinal == node.ordinal;
		if (is_taken)
			add(b, path, shown.e.size);
		volume_entry_release(&shown);
	} else if (err->rc != RC_NOENT && err->rc != RC_NOTDIR) {
		bench_failed(b, path, err);
	}
	if (!is_taken)
		free(p);
	return RC_OK;
}

/* By time too: of a slow store a few will do. */
enum rc bench_sample(struct bench *b, struct err *err)
{
	uint64_t end = clock_mono_ns() + 2 * b->o->seconds * CLOCK_NS_PER_SEC;
	size_t tries = (size_t)b->o->n_files * TRIES;
	struct numbers numbers;
	enum rc rc = bench_open(b, err);

	if (rc)
		return rc;
	b->files = xcalloc(b->o->n_files, sizeof(*b->files));
	b->small = xcalloc(b->o->n_files, sizeof(*b->small));
	numbers_init(&numbers, b->archive.v);
	for (size_t i = 0; i < tries && b->n_files < b->o->n_files; i++) {
		uint64_t all = numbers.first[numbers.n];
		struct err one;

		if (!all || stop_requested() || bench_is_spent(b) ||
		    clock_mono_ns() > end)
			break;
		if (try_node(b, node_at(&numbers, bench_random(b, all)), &one))
			bench_failed(b, span_of("", 0), &one);
	}
	free(numbers.first);
	bench_close(b);
	if (!b->n_files && b->n_failed)
		return err_set(err, (enum rc)b->worst,
			       "no file could be found in the index");
	return RC_OK;
}

void bench_sample_free(struct bench *b)
{
	for (size_t i = 0; i < b->n_files; i++)
		free((void *)(uintptr_t)b->files[i].path.p);
	for (size_t i = 0; i < b->n_ordered; i++)
		free((void *)(uintptr_t)b->ordered[i].path.p);
	free(b->ordered);
	free(b->files);
	free(b->small);
}
