/* SPDX-License-Identifier: Apache-2.0 */
/* bench-decode.c - how fast blocks are decompressed that are in memory. */
#include "config.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/stop.h"
#include "cmd/bench.h"
#include "verify/raw-shard.h"
#include "volume/oplog.h"

#define BLOCKS_MAX 64u
#define BYTES_MAX (64u << 20) /* of the blocks as stored */
#define ROUNDS 10000

struct blocks {
	struct {
		struct buf stored;
		struct block_header header;
	} all[BLOCKS_MAX];
	size_t n;
	uint64_t bytes;
};

static enum rc add_block(struct bench *b, struct blocks *s,
			 const struct volume_entry *ve, struct err *err)
{
	const struct shard_meta *meta = volume_shard(b->archive.v, ve->node);
	CLEANUP_FREE struct block_ref *owned = NULL;
	const struct block_ref *refs;
	struct raw_shard shard;

	if (!ve->e.content.n_blocks)
		return RC_OK;
	if (raw_shard_open(&shard, volume_store(b->archive.v), meta->key,
			   err) ||
	    raw_shard_refs(&shard, &ve->e, &refs, &owned, err))
		return err->rc;
	if (block_is_hole(&refs[0]))
		return RC_OK;
	buf_init(&s->all[s->n].stored, BYTES_MAX);
	if (raw_shard_block(&shard, &refs[0], &s->all[s->n].stored,
			    &s->all[s->n].header, err)) {
		buf_release(&s->all[s->n].stored);
		return err->rc;
	}
	s->bytes += s->all[s->n].stored.len;
	s->n++;
	return RC_OK;
}

static void add_blocks(struct bench *b, struct blocks *s)
{
	for (size_t i = 0;
	     i < b->n_files && s->n < BLOCKS_MAX && s->bytes < BYTES_MAX &&
	     !bench_is_spent(b) && !stop_requested();
	     i++) {
		struct volume_entry ve;
		struct err err;

		if (volume_resolve(b->archive.v, b->files[i].path, &ve, &err)) {
			bench_failed(b, b->files[i].path, &err);
			continue;
		}
		if (add_block(b, s, &ve, &err))
			bench_failed(b, b->files[i].path, &err);
		volume_entry_release(&ve);
	}
}

static enum rc decode(struct bench *b, void *arg, uint64_t i,
		      uint64_t *ret_bytes, struct err *err)
{
	const struct blocks *s = arg;
	const struct block_header *h = &s->all[i % s->n].header;
	CLEANUP_FREE uint8_t *out = malloc((size_t)h->data_len + 1);

	if (!out)
		return err_set(err, RC_NOMEM, "out of memory");
	*ret_bytes = h->data_len;
	if (block_decode_data(s->all[i % s->n].stored.p, h, out, err))
		bench_failed(b, span_of("", 0), err);
	else
		return RC_OK;
	return err->rc;
}

static void decode_all(struct bench *b, struct blocks *s, unsigned int threads)
{
	struct bench_part part = { .name = "decompress", .threads = threads };

	bench_run(b, &part, s->n * ROUNDS, decode, s);
	bench_report(b, &part);
}

enum rc bench_decode(struct bench *b, struct err *err)
{
	struct blocks *s;
	enum rc rc = bench_open(b, err);

	if (rc)
		return rc;
	s = xcalloc(1, sizeof(*s));
	add_blocks(b, s);
	if (s->n) {
		decode_all(b, s, 1);
		if (b->o->threads > 1)
			decode_all(b, s, b->o->threads);
	}
	for (size_t i = 0; i < s->n; i++)
		buf_release(&s->all[i].stored);
	free(s);
	bench_close(b);
	return RC_OK;
}
