/* SPDX-License-Identifier: Apache-2.0 */
/* engine-open.c - the footer of a shard, or what takes its place.
 *
 * Blocks say nothing of where they lie and are found without a footer, and the
 * log says all else that a shard needs.
 */
#include "config.h"

#include "repack/engine-backend.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "shard/shard-format.h"
#include "store/store.h"
#include "verify/verify-shard.h"

/* What the log says; the size of its blocks nobody knows any more. */
static void set_header(struct shard_header *h, const struct shard_meta *m,
		       const uint8_t *archive_id)
{
	*h = (struct shard_header){
		.incompat = m->incompat,
		.ro_compat = m->ro_compat,
		.compat = m->compat,
		.day = m->day,
		.slot = m->slot,
		.n_bits = (uint8_t)m->n_bits,
		.route = (uint8_t)m->route,
		.part = m->part,
		.revision = m->revision,
		.block_size = BLOCK_SIZE_DEFAULT,
	};
	memcpy(h->archive_id, archive_id, SHARD_ID_LEN);
}

static bool is_of(const struct shard_header *h, const struct shard_meta *m,
		  const uint8_t *archive_id)
{
	return h->day == m->day && h->slot == m->slot &&
	       h->n_bits == m->n_bits && h->part == m->part &&
	       h->revision == m->revision &&
	       (!archive_id ||
		!memcmp(h->archive_id, archive_id, SHARD_ID_LEN));
}

/* RC_CORRUPT: it cannot be read; RC_USAGE: it is that of another shard. */
static enum rc read_header(const struct raw_shard *s, struct shard_header *ret,
			   const struct shard_meta *m,
			   const uint8_t *archive_id, struct err *err)
{
	uint8_t bytes[SHARD_HEADER_SIZE];
	enum rc rc;

	if (s->info.size < sizeof(bytes))
		return err_set(err, RC_CORRUPT,
			       "header: the shard has %" PRIu64 " bytes",
			       s->info.size);
	rc = raw_shard_read(s, 0, bytes, sizeof(bytes), err);
	if (!rc)
		rc = shard_header_decode(bytes, sizeof(bytes), ret, err);
	if (!rc && !is_of(ret, m, archive_id))
		rc = err_set(err, RC_USAGE, "header: that of another shard");
	return rc;
}

/* All of it may be blocks. */
static enum rc open_without_footer(struct source *src,
				   const struct engine_options *o,
				   struct err *err)
{
	struct raw_shard *s = &src->s;
	struct shard_footer *f = &s->footer;
	const struct err footer = *err;
	struct shard_header header;
	enum rc rc = read_header(s, &header, src->meta, o->archive_id, err);

	/* Of two that say another version none need be damaged. */
	if (rc && (!is_damage(rc) || !is_damage(footer.rc) || !o->archive_id))
		return rc;
	log_warn("%s: %s", s->key, footer.msg);
	if (rc)
		log_warn("%s: %s", s->key, err->msg);
	*f = (struct shard_footer){ .data_off = SHARD_HEADER_SIZE };
	if (rc)
		set_header(&f->header, src->meta, o->archive_id);
	else
		f->header = header;
	if (s->info.size > SHARD_HEADER_SIZE)
		f->data_len = s->info.size - SHARD_HEADER_SIZE;
	f->index_off = f->data_off + f->data_len;
	return RC_OK;
}

/* --- which copy ----------------------------------------------------------- */

/* Bytes of an object that are read at a time. */
#define PIECE (1u << 20)

struct choosing {
	struct engine *e;
	const struct shard_meta *meta;
	struct store *best;        /* NULL: none so far */
	uint64_t lost, damage;     /* of that */
	uint8_t first[SHA256_LEN]; /* of the first one */
	size_t n;                  /* that are there */
	struct err unread;         /* of one that may be whole */
	bool is_whole;
	bool is_alike; /* all of them have the same bytes */
};

/* Of all its bytes; false when they cannot be read. */
static bool hash_object(struct store *st, const char *key,
			uint8_t ret[SHA256_LEN])
{
	CLEANUP_BUF struct buf tail = { .max = PIECE };
	CLEANUP_FREE uint8_t *p = mem_array(PIECE, 1);
	struct object_info info;
	struct err ignored;
	struct sha256 h;

	if (store_read_tail(st, key, 1, &tail, &info, &ignored))
		return false;
	sha256_init(&h);
	for (uint64_t off = 0; off < info.size; off += PIECE) {
		size_t len = info.size - off < PIECE ? (size_t)(info.size - off)
						     : PIECE;

		if (store_read(st, key, &info, off, p, len, &ignored))
			return false;
		sha256_update(&h, p, len);
	}
	sha256_final(&h, ret);
	return true;
}

/* Copies of the same bytes have lost the same. */
static void compare_copy(struct choosing *c, struct store *place)
{
	uint8_t hash[SHA256_LEN];
	bool is_read = hash_object(place, c->meta->key, hash);

	if (!c->n++)
		memcpy(c->first, hash, is_read ? sizeof(hash) : 0);
	c->is_alike = is_read && (c->n == 1 || c->is_alike) &&
		      !memcmp(c->first, hash, sizeof(hash));
}

static enum rc look_in(void *arg, const char *zone, struct store *place,
		       struct err *err)
{
	const struct verify_options nobody = { .fn = finding_ignore };
	struct choosing *c = arg;
	const struct verify_shard_job job = { .store = place,
					      .key = c->meta->key,
					      .expect = c->meta,
					      .archive_id = c->e->o->archive_id,
					      .tells_unread = true,
					      .deep = true };
	struct verify_report report = { .key = c->meta->key, .may_stop = true };
	CLEANUP_FREE char *first = NULL;
	struct verify_totals t = { 0 };
	bool is_gone;

	if (zone)
		c->e->has_places = true;
	if (!zone || !c->e->by_place || c->is_whole)
		return RC_OK;
	verify_shard(&job, &report);
	if (report.is_stopped) {
		verify_report_drop(&report);
		return err_set(err, RC_STOPPED, "stopped by a signal");
	}
	is_gone = report.is_gone;
	first = verify_report_first(&report);
	verify_report_tell(&report, &nobody, &t);
	if (t.unread_shards) {
		err_set(&c->unread, RC_IO, "in store %s: %s", zone,
			first ? first : "could not be read");
		return RC_OK;
	}
	if (is_gone)
		return RC_OK;
	c->is_whole = !t.damage;
	if (!c->is_whole && c->e->o->drop_corrupt)
		compare_copy(c, place);
	if (c->best &&
	    (t.lost > c->lost || (t.lost == c->lost && t.damage >= c->damage)))
		return RC_OK;
	c->best = place;
	c->lost = t.lost;
	c->damage = t.damage;
	return RC_OK;
}

/* What one copy has lost another may have, unless they are damaged alike. */
static enum rc check_choice(const struct choosing *c, struct err *err)
{
	if (c->is_whole)
		return RC_OK;
	if (c->unread.rc) {
		*err = c->unread;
		return err->rc;
	}
	if (c->n < 2 || !c->lost || c->is_alike)
		return RC_OK;
	return err_set(err, RC_CORRUPT,
		       "damaged in each of %zu stores, but not alike: what one "
		       "has lost another may have, so nothing is dropped while "
		       "there is more than one",
		       c->n);
}

/* Of several copies one that is whole, else the only one. */
static enum rc choose_store(struct engine *e, const struct shard_meta *m,
			    struct store **ret, struct err *err)
{
	struct choosing c = { .e = e, .meta = m };
	enum rc rc = store_each_place(e->o->store, m->key, look_in, &c, err);

	/* Else what is damaged is an error that names what it costs. */
	if (!rc && e->o->drop_corrupt)
		rc = check_choice(&c, err);
	*ret = c.best ? c.best : e->o->store;
	return rc;
}

enum rc source_open_shard(struct source *src, struct engine *e, struct err *err)
{
	const struct engine_options *o = e->o;
	const struct shard_meta *m = src->meta;
	struct store *st = NULL;
	enum rc rc = choose_store(e, m, &st, err);

	if (rc)
		return rc;
	rc = raw_shard_open(&src->s, st, m->key, err);
	if ((is_damage(rc) || rc == RC_UNSUPPORTED) && o->drop_corrupt)
		return open_without_footer(src, o, err);
	if (rc)
		return rc;
	/* Another object is no damage of this one. */
	if (memcmp(src->s.footer.root, m->root, SHARD_ROOT_LEN) != 0)
		return err_set(err, RC_CORRUPT,
			       "root hash is not that of the log");
	rc = check_sections(&src->s, m, err);
	if (rc && is_damage(rc) && o->drop_corrupt) {
		log_warn("%s: %s", m->key, err->msg);
		return RC_OK;
	}
	return rc;
}
