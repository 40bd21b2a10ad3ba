/* SPDX-License-Identifier: Apache-2.0 */
/* engine-out.c - the shard that is written: blocks that lie together go out in
 * one call.
 */
#include "config.h"

#include "repack/engine-backend.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/version.h"
#include "store/store-write.h"

enum rc part_flush(struct part *p, struct err *err)
{
	struct shard_sink sink = shard_out_sink(&p->out);
	size_t n = p->n_pending;

	if (!n)
		return RC_OK;
	p->n_pending = 0;
	if (p->e->o->progress)
		atomic_fetch_add(&p->e->o->progress->bytes_written, n);
	return sink.data(sink.arg, p->pending, n, err);
}

/* What follows what is pending waits with it. */
static enum rc sink_data(void *arg, const void *bytes, size_t len,
			 struct err *err)
{
	struct part *p = arg;
	enum rc rc = RC_OK;

	if (!p->n_pending || p->pending + p->n_pending != bytes) {
		rc = part_flush(p, err);
		p->pending = bytes;
	}
	p->n_pending += len;
	/* The header is gone when the call returns. */
	return rc || p->build ? rc : part_flush(p, err);
}

/* So are pages and the rest when the call returns. */
static enum rc sink_tail(void *arg, const void *bytes, size_t len,
			 struct err *err)
{
	enum rc rc = sink_data(arg, bytes, len, err);

	return rc ? rc : part_flush(arg, err);
}

static enum rc sink_index(void *arg, const void *bytes, size_t len,
			  struct err *err)
{
	struct part *p = arg;
	struct shard_sink sink = shard_out_sink(&p->out);

	return sink.index(sink.arg, bytes, len, err);
}

static enum rc sink_flush_index(void *arg, struct err *err)
{
	struct part *p = arg;
	struct shard_sink sink = shard_out_sink(&p->out);
	enum rc rc = part_flush(p, err);

	return rc ? rc : sink.flush_index(sink.arg, err);
}

static struct shard_build_options build_options(const struct part *p)
{
	const struct engine *e = p->e;
	const struct codec *c = codec_by_id(e->page_codec);
	struct shard_build_options o = {
		.header = e->sources[0].s.footer.header,
		.codec = e->page_codec,
		.level = c->level_default,
	};
	struct shard_header *h = &o.header;

	if (e->o->recompress && e->o->codec == e->page_codec)
		o.level = e->o->level;
	h->compat = 0; /* set as entries need it */
	h->revision = e->revision;
	h->part = e->part;
	if (p->number)
		h->part = e->o->free_part + (uint32_t)p->number - 1;
	memset(h->writer, 0, sizeof(h->writer));
	snprintf(h->writer, sizeof(h->writer), "desfs %s %s", version_text(),
		 codec_libraries());
	return o;
}

enum rc part_begin(struct part *p, struct err *err)
{
	const struct engine_options *o = p->e->o;
	const struct shard_build_options options = build_options(p);
	const struct shard_sink sink = { .data = sink_data,
					 .index = sink_index,
					 .flush_index = sink_flush_index,
					 .tail = sink_tail,
					 .arg = p };
	enum rc rc = shard_out_open(&p->out, o->store, NULL, o->spool_dir, err);

	if (!rc) {
		store_upload_set_slot(p->out.upload, options.header.slot);
		rc = shard_build_new(&options, &sink, &p->build, err);
	}
	return rc;
}

enum rc part_add_block(struct part *p, const uint8_t *stored,
		       struct block_ref *ref, struct err *err)
{
	enum rc rc =
		shard_build_block(p->build, stored, ref->stored_len, ref, err);
	struct placed_list *to = p->check ? &p->late : &p->placed;
	struct placed *at;

	if (rc)
		return rc;
	to->p = mem_grow(to->p, &to->cap, to->n + 1, sizeof(*to->p));
	at = &to->p[to->n++];
	*at = (struct placed){ .off = ref->off, .len = ref->stored_len };
	memcpy(at->hash, ref->hash, BLOCK_HASH_LEN);
	return RC_OK;
}

enum rc part_publish(struct part *p, struct err *err)
{
	struct shard_footer footer;
	uint64_t size = 0;
	enum rc rc = shard_build_finish(p->build, &footer, &size, err);

	if (!rc)
		rc = part_flush(p, err);
	if (rc)
		return rc;
	rc = shard_out_commit(&p->out, &footer, size,
			      shard_build_info(p->build), &p->meta, &p->existed,
			      err);
	/* It is never removed again: it may have been there before, or another
	 * run have met it since.
	 */
	p->has_meta = !rc;
	return rc;
}
