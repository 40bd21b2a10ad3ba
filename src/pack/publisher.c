/* SPDX-License-Identifier: Apache-2.0 */
/* publisher.c - publishes shards while others are made. */
#include "config.h"

#include "pack/publisher.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/workers.h"
#include "pack/feed-told.h"
#include "pack/pack.h"
#include "pack/report.h"
#include "run/state.h"

#define WAITING 1u /* shards that wait for a thread */

struct publisher {
	struct pack *p;
	struct workers *threads;
};

struct shard_done {
	struct pack *p;
	uint32_t slot;
	struct shard_out out;
	struct shard_footer footer;
	uint64_t size;
	char *first, *last;
	struct shard_info info; /* in the two above */
	struct feed_told *told;
};

unsigned int publisher_uploads(unsigned int n)
{
	return n + WAITING;
}

enum rc publisher_start(struct pack *p, unsigned int n, struct publisher **ret,
			struct err *err)
{
	struct publisher *pub = xcalloc(1, sizeof(*pub));
	enum rc rc = workers_start(&pub->threads, "publish", n, WAITING, err);

	if (rc) {
		free(pub);
		return rc;
	}
	pub->p = p;
	*ret = pub;
	return RC_OK;
}

void publisher_stop(struct publisher *pub)
{
	if (!pub)
		return;
	workers_stop(pub->threads);
	free(pub);
}

static enum rc publish(struct shard_done *d, struct err *err)
{
	struct pack *p = d->p;
	bool existed = false;
	struct shard_meta meta;
	enum rc rc;

	if (pack_is_ending(p, err))
		return err->rc;
	rc = shard_out_commit(&d->out, &d->footer, d->size, d->info, &meta,
			      &existed, err);
	if (rc)
		return rc;
	report_shard(p->report, d->size, existed);
	pack_add_shard(p, &meta);
	rc = feed_told_publish(d->told, meta.key, err);
	shard_meta_release(&meta);
	return rc;
}

static void run(void *arg)
{
	struct shard_done *d = arg;
	struct err err;

	state_attach(report_state(d->p->report), d->slot);
	state_enter(STATE_WRITING);
	if (publish(d, &err))
		pack_fail(d->p, &err);
	state_detach();
	shard_out_close(&d->out);
	feed_told_free(d->told);
	free(d->first);
	free(d->last);
	free(d);
}

void publisher_add(struct publisher *pub, uint32_t slot, struct shard_out *out,
		   const struct shard_footer *f, uint64_t size,
		   struct shard_info info, struct feed_told *told)
{
	struct shard_done *d = xcalloc(1, sizeof(*d));

	d->p = pub->p;
	d->slot = slot;
	d->out = shard_out_take(out);
	d->footer = *f;
	d->size = size;
	d->told = told;
	d->first = xmemdup0(info.first.p, info.first.len);
	d->last = xmemdup0(info.last.p, info.last.len);
	d->info = (struct shard_info){
		.first = span_of(d->first, info.first.len),
		.last = span_of(d->last, info.last.len),
	};
	workers_submit(pub->threads, run, d);
}
