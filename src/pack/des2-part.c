/* SPDX-License-Identifier: Apache-2.0 */
/* des2-part.c - a shard of the format DES2 in the making. */
#include "config.h"

#include "pack/des2-part.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pack/des2-backend.h"
#include "run/state.h"
#include "shard/shard-format.h"
#include "store/store-write.h"

#define COPY_BYTES (128u << 10)
#define META_BYTES (1u << 26)

static struct pack *pack_of(const struct des2_part *p)
{
	return p->t->d->p;
}

void des2_part_init(struct des2_part *p, struct des2_thread *t)
{
	*p = (struct des2_part){ .t = t };
	buf_init(&p->meta, META_BYTES);
}

void des2_part_release(struct des2_part *p)
{
	des2_part_close(p);
	buf_release(&p->meta);
}

void des2_part_close(struct des2_part *p)
{
	if (!p->is_open)
		return;
	des2_shard_release(&p->shard);
	shard_out_close(&p->out);
	p->is_open = false;
}

enum rc des2_part_open(struct des2_part *p, uint32_t slot, struct err *err)
{
	struct pack *pack = pack_of(p);
	struct shard_sink sink;
	enum rc rc;

	if (pack_is_stopping(pack, err))
		return err->rc;
	rc = shard_out_open(&p->out, pack->store, pack->report,
			    pack->opts->spool, err);
	if (rc)
		return rc;
	p->is_open = true;
	p->fill = (struct des2_fill){ .max = pack->opts->max_shard };
	store_upload_set_slot(p->out.upload, slot);
	sink = shard_out_sink(&p->out);
	return des2_shard_begin(&p->shard, &sink, err);
}

bool des2_part_is_full(const struct des2_part *p, uint64_t size)
{
	return des2_fill_is_full(&p->fill, size);
}

/* --- files ------------------------------------------------------------------
 */

static enum rc copy_stored(struct des2_part *p, struct err *err)
{
	const struct spool *from = &p->t->stored;
	CLEANUP_FREE uint8_t *bytes = mem_array(COPY_BYTES, 1);
	uint64_t len = spool_len(from);
	enum rc rc = RC_OK;

	if (!bytes)
		return err_set(err, RC_NOMEM, "no memory to copy a file");
	for (uint64_t at = 0; at < len && !rc; at += COPY_BYTES) {
		size_t n = COPY_BYTES;

		if (n > len - at)
			n = (size_t)(len - at);
		rc = spool_read(from, at, bytes, n, err);
		if (!rc)
			rc = des2_shard_data(&p->shard, bytes, n, err);
	}
	return rc;
}

enum rc des2_part_meta(struct des2_part *p, const struct des2_record *r,
		       struct err *err)
{
	const struct pack_options *o = pack_of(p)->opts;
	struct des2_meta m = { .created = r->created,
			       .has_mtime = true,
			       .mtime_s = r->it.mtime_s,
			       .mtime_ns = r->it.mtime_ns,
			       .more = r->it.meta };

	buf_clear(&p->meta);
	if (!o->no_meta)
		des2_meta_write(&m, &p->meta);
	if (!buf_ok(&p->meta))
		return err_set(err, RC_NOMEM, "no memory for metadata");
	if (p->meta.len > META_MAX)
		return err_set(
			err, RC_LIMIT,
			"metadata of %zu bytes with its times, more than "
			"%u",
			p->meta.len, META_MAX);
	return RC_OK;
}

enum rc des2_part_add(struct des2_part *p, const struct des2_record *r,
		      enum codec_id codec, const uint8_t *big_sha256,
		      struct err *err)
{
	struct span meta = span_of(p->meta.p, p->meta.len);
	enum rc rc;

	des2_fill_add(&p->fill, r->it.size);
	if (big_sha256)
		return des2_shard_big(&p->shard, r->uid, big_sha256, r->it.size,
				      meta, err);
	rc = copy_stored(p, err);
	return rc ? rc
		  : des2_shard_file(&p->shard, r->uid, codec, r->it.size, meta,
				    err);
}

/* --- its name ---------------------------------------------------------------
 */

static enum rc commit(struct des2_part *p, const char *key, bool *ret_existed,
		      struct err *err)
{
	struct des2 *d = p->t->d;
	bool is_remote = store_is_remote(d->p->store);
	enum rc rc;

	*ret_existed = false;
	if (is_remote && des2_lock(d, key, err))
		return err->rc;
	rc = store_upload_commit(p->out.upload, key, ret_existed, err);
	if (is_remote)
		des2_unlock(d, key);
	return rc;
}

/* Somebody may have the name since the list was made. */
static enum rc take_name(struct des2_part *p, const char *key, struct err *err)
{
	enum state_doing was = state_enter(STATE_WRITING);
	bool existed = false;
	enum rc rc = commit(p, key, &existed, err);

	state_leave(was);
	if (rc != RC_EXISTS && (rc || !existed))
		return rc;
	return err_set(err, RC_EXISTS, "%s: another run has just made it", key);
}

/* What was written must be there, as with shards of format 3. */
static enum rc look_again(struct des2_part *p, const char *key, uint64_t size,
			  struct err *err)
{
	CLEANUP_BUF struct buf end = { .max = DES2_FOOTER_SIZE };
	struct object_info info = { 0 };
	enum rc rc = store_read_tail(pack_of(p)->store, key, DES2_FOOTER_SIZE,
				     &end, &info, err);

	if (rc == RC_NOENT)
		rc = err->rc = RC_CHANGED;
	if (rc)
		return rc;
	if (info.size != size || end.len != DES2_FOOTER_SIZE ||
	    memcmp(end.p, p->shard.footer, DES2_FOOTER_SIZE) != 0)
		return err_set(err, RC_CORRUPT,
			       "%s: is not what was packed just now", key);
	return RC_OK;
}

enum rc des2_part_end(struct des2_part *p, const char *key, struct err *err)
{
	uint64_t size = 0;
	enum rc rc = des2_shard_end(&p->shard, &size, err);

	if (!rc)
		rc = take_name(p, key, err);
	if (!rc)
		rc = look_again(p, key, size, err);
	if (rc)
		return rc;
	report_shard(pack_of(p)->report, size, false);
	des2_part_close(p);
	return RC_OK;
}
