/* SPDX-License-Identifier: Apache-2.0 */
/* shard-out.c - a shard on its way into a store. */
#include "config.h"

#include "pack/shard-out.h"

#include <string.h>

#include "base/mem.h"
#include "pack/report.h"
#include "run/state.h"
#include "store/store-write.h"

#define COPY_BYTES (8u << 10)

enum rc shard_out_open(struct shard_out *o, struct store *st,
		       struct report *report, const char *spool_dir,
		       struct err *err)
{
	*o = (struct shard_out){ .report = report };
	spool_init(&o->index, spool_dir, SHARD_OUT_INDEX_MEMORY);
	return store_upload_new(st, &o->upload, err);
}

void shard_out_close(struct shard_out *o)
{
	store_upload_free(o->upload);
	o->upload = NULL;
	spool_release(&o->index);
}

struct shard_out shard_out_take(struct shard_out *o)
{
	struct shard_out taken = { .upload = o->upload, .report = o->report };

	spool_init(&taken.index, o->index.dir, 0);
	o->upload = NULL;
	shard_out_close(o);
	return taken;
}

static enum rc out_write(void *arg, const void *p, size_t len, struct err *err)
{
	struct shard_out *o = arg;
	enum state_doing was = state_enter(STATE_WRITING);
	enum rc rc = store_upload_write(o->upload, p, len, err);

	state_leave(was);
	if (!rc && o->report)
		report_written(o->report, len);
	return rc;
}

static enum rc out_index(void *arg, const void *p, size_t len, struct err *err)
{
	struct shard_out *o = arg;

	return spool_append(&o->index, p, len, err);
}

static enum rc out_flush_index(void *arg, struct err *err)
{
	struct shard_out *o = arg;
	uint64_t len = spool_len(&o->index);
	uint8_t bytes[COPY_BYTES];
	enum rc rc = RC_OK;

	for (uint64_t at = 0; at < len && !rc; at += sizeof(bytes)) {
		size_t n = sizeof(bytes);

		if (n > len - at)
			n = (size_t)(len - at);
		rc = spool_read(&o->index, at, bytes, n, err);
		if (!rc)
			rc = out_write(o, bytes, n, err);
	}
	return rc;
}

struct shard_sink shard_out_sink(struct shard_out *o)
{
	return (struct shard_sink){ .data = out_write,
				    .index = out_index,
				    .flush_index = out_flush_index,
				    .tail = out_write,
				    .arg = o };
}

static struct shard_meta make_meta(const struct shard_footer *f, uint64_t size,
				   struct shard_info info)
{
	const struct shard_header *h = &f->header;
	struct shard_meta m = { .size = size,
				.day = h->day,
				.slot = h->slot,
				.part = h->part,
				.revision = h->revision,
				.n_bits = h->n_bits,
				.route = h->route,
				.created_min = f->created_min,
				.created_max = f->created_max,
				.n_entries = f->n_entries,
				.n_files = f->n_files,
				.plain_bytes = f->plain_bytes,
				.incompat = h->incompat,
				.ro_compat = h->ro_compat,
				.compat = h->compat };
	char key[SHARD_KEY_TEXT];

	memcpy(m.root, f->root, sizeof(m.root));
	m.first = xmemdup0(info.first.p, info.first.len);
	m.first_len = info.first.len;
	m.last = xmemdup0(info.last.p, info.last.len);
	m.last_len = info.last.len;
	shard_key(&m, key);
	m.key = xstrdup(key);
	return m;
}

enum rc shard_out_commit(struct shard_out *o, const struct shard_footer *f,
			 uint64_t size, struct shard_info info,
			 struct shard_meta *ret, bool *ret_existed,
			 struct err *err)
{
	struct shard_meta m = make_meta(f, size, info);
	enum state_doing was = state_enter(STATE_WRITING);
	enum rc rc = store_upload_commit(o->upload, m.key, ret_existed, err);

	state_leave(was);
	if (rc)
		shard_meta_release(&m);
	else
		*ret = m;
	return rc;
}
