/* SPDX-License-Identifier: Apache-2.0 */
/* des2-there.c - what the shards of a day and slot have already. */
#include "config.h"

#include "pack/des2-there.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json-members.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/sorter.h"
#include "base/wr.h"
#include "codec/frame.h"
#include "legacy/legacy-meta.h"
#include "shard/legacy-cursor.h"
#include "shard/route.h"
#include "shard/shard-kinds.h"
#include "store/store.h"

#define MEMORY (4u << 20) /* bytes sorted before spilling */
#define VALUE_MAX 4096u
#define PIECE (64u << 10) /* bytes of a sidecar at a time */

struct des2_there {
	struct store *st;
	unsigned int n_bits;
	char day[16], hex[8];
	struct sorter *sorter;
	struct sorter_reader *reader;
	bool has_next; /* key and value are the reader's current ones */
	struct span key, value;
};

/* An object while its index is read. */
struct object {
	struct store *st;
	const char *key;
	struct object_info info;
};

static enum rc read_object(void *arg, uint64_t off, void *p, size_t len,
			   struct err *err)
{
	const struct object *o = arg;

	return store_read(o->st, o->key, &o->info, off, p, len, err);
}

static enum rc locate(struct object *o, struct legacy_index *ret,
		      struct err *err)
{
	CLEANUP_BUF struct buf tail = { .max = LEGACY_TAIL_SIZE };
	uint8_t head[LEGACY_HEAD_SIZE];
	size_t len = sizeof(head);

	if (store_read_tail(o->st, o->key, LEGACY_TAIL_SIZE, &tail, &o->info,
			    err))
		return err->rc;
	if (o->info.size < len)
		len = (size_t)o->info.size;
	if (len && read_object(o, 0, head, len, err))
		return err->rc;
	return legacy_index_locate(head, len, tail.p, tail.len, o->info.size,
				   ret, err)
		       ? err_prefix(err, "%s", o->key)
		       : RC_OK;
}

/* --- the entries of one shard -----------------------------------------------
 */

static void take_meta(struct span meta, struct des2_entry *e)
{
	struct json_piece doc = { meta.p, meta.len };

	if (!meta.len)
		return;
	(void)json_members_text(doc, "created_at", e->created,
				sizeof(e->created));
	(void)json_members_text(doc, "mtime", e->mtime, sizeof(e->mtime));
}

static void put_text(struct buf *out, const char *text)
{
	wr_u8(out, (uint8_t)strlen(text));
	buf_append_str(out, text);
}

/* Numbers that are to be compared, most significant byte first. */
static void put_order(struct buf *out, uint32_t v)
{
	for (int i = 24; i >= 0; i -= 8)
		wr_u8(out, (uint8_t)(v >> i));
}

/* rank: of several of one number the lowest counts. */
static enum rc add(struct des2_there *t, uint32_t number, uint32_t rank,
		   struct span uid, const struct des2_entry *e, struct err *err)
{
	CLEANUP_BUF struct buf value = { .max = VALUE_MAX };

	put_order(&value, number);
	put_order(&value, rank);
	wr_u8(&value, e->is_deleted);
	wr_u8(&value, e->is_damaged);
	wr_u8(&value, e->is_external);
	wr_u8(&value, (uint8_t)e->codec);
	wr_u64(&value, e->off);
	wr_u64(&value, e->stored_len);
	wr_u64(&value, e->plain_len);
	buf_append(&value, e->sha256, sizeof(e->sha256));
	put_text(&value, e->created);
	put_text(&value, e->mtime);
	if (!buf_ok(&value))
		return err_set(err, RC_NOMEM, "no memory for an entry");
	return sorter_add(t->sorter, 0, uid, span_of(value.p, value.len), err);
}

static enum rc add_entry(struct des2_there *t, uint32_t number,
			 const struct legacy_entry *le, bool is_damaged,
			 struct err *err)
{
	struct des2_entry e = { .is_damaged = is_damaged };

	if (!is_damaged) {
		e.is_external = le->is_external;
		e.codec = le->codec;
		e.off = le->off;
		e.stored_len = le->stored_len;
		e.plain_len = le->plain_len;
		if (le->is_external &&
		    !hex_decode(le->hash.p, le->hash.len, e.sha256, SHA256_LEN))
			e.is_damaged = true;
		take_meta(le->meta, &e);
	}
	return add(t, number, ~(uint32_t)le->ordinal, le->uid, &e, err);
}

/* Who packs with another number of bits would never find what is there. */
static enum rc check_slot(const struct des2_there *t, struct span uid,
			  struct err *err)
{
	static const struct timestamp any = { 0 };
	struct route r;
	struct err ignored;

	if (locate_shard(ROUTE_V2, ROUTE_UID, t->n_bits, uid.p, uid.len, &any,
			 &r, &ignored) ||
	    !strcmp(r.hex, t->hex))
		return RC_OK;
	return err_set(err, RC_USAGE,
		       "has a uid that --n-bits %u brings to slot %s; the "
		       "archive was made with another --n-bits",
		       t->n_bits, r.hex);
}

static enum rc read_entries(struct des2_there *t, uint32_t number,
			    struct legacy_cursor *c, struct err *err)
{
	struct legacy_entry le;
	enum rc rc = RC_OK;

	while (!rc) {
		le.uid.p = NULL;
		rc = legacy_cursor_next(c, &le, err);
		if (rc == RC_NOENT)
			break;
		if (rc == RC_CORRUPT) {
			/* Bytes that belong to no file hide none. */
			rc = RC_OK;
			if (le.uid.p)
				rc = add_entry(t, number, &le, true, err);
			continue;
		}
		if (!rc)
			rc = check_slot(t, le.uid, err);
		if (!rc)
			rc = add_entry(t, number, &le, false, err);
	}
	if (rc == RC_NOENT && legacy_cursor_is_cut(c))
		return err_set(err, RC_CORRUPT,
			       "its index cannot be followed to its end");
	return rc == RC_NOENT ? RC_OK : rc;
}

/* --- what is deleted --------------------------------------------------------
 */

static enum rc read_tombstones(const struct des2_there *t, const char *key,
			       struct legacy_meta *m, struct err *err)
{
	CLEANUP_BUF struct buf tail = { .max = 1 };
	CLEANUP_FREE uint8_t *p = mem_array(PIECE, 1);
	struct object o = { .st = t->st, .key = key };
	enum rc rc = store_read_tail(t->st, key, 1, &tail, &o.info, err);

	if (!p)
		return err_set(err, RC_NOMEM, "no memory to read %s", key);
	for (uint64_t off = 0; off < o.info.size && !rc; off += PIECE) {
		uint64_t left = o.info.size - off;
		size_t n = left < PIECE ? (size_t)left : PIECE;

		rc = read_object(&o, off, p, n, err);
		if (!rc && legacy_meta_feed(m, p, n, err))
			return err_prefix(err, "%s", key);
	}
	if (!rc && legacy_meta_end(m, err))
		return err_prefix(err, "%s", key);
	return rc;
}

/* Where the uids of a sidecar go. */
struct deleting {
	struct des2_there *t;
	uint32_t number;
};

/* legacy_meta_fn */
static enum rc add_deleted_uid(void *arg, struct span uid, struct err *err)
{
	static const struct des2_entry deleted = { .is_deleted = true };
	const struct deleting *d = arg;

	return add(d->t, d->number, 0, uid, &deleted, err);
}

static enum rc add_deleted(struct des2_there *t, const struct des2_name *name,
			   struct err *err)
{
	struct deleting d = { .t = t, .number = name->number };
	struct legacy_meta *m = legacy_meta_new(add_deleted_uid, &d);
	char key[DES2_KEY_TEXT];
	enum rc rc;

	des2_sidecar_key(name, key);
	rc = read_tombstones(t, key, m, err);
	legacy_meta_free(m);
	return rc == RC_LIMIT ? (err->rc = RC_CORRUPT) : rc;
}

static enum rc read_shard(struct des2_there *t, const struct des2_name *name,
			  struct err *err)
{
	char key[DES2_KEY_TEXT];
	struct object o = { .st = t->st, .key = key };
	struct legacy_index index;
	struct legacy_cursor *c;
	enum rc rc;

	des2_shard_key(name->day, name->hex, name->number, key);
	if (locate(&o, &index, err))
		return err->rc;
	c = legacy_cursor_new(&index, read_object, &o);
	rc = read_entries(t, name->number, c, err);
	legacy_cursor_free(c);
	/* The store names the key itself. */
	if (rc == RC_USAGE || rc == RC_CORRUPT)
		return err_prefix(err, "%s", key);
	return !rc && name->has_sidecar ? add_deleted(t, name, err) : rc;
}

/* --- asking -----------------------------------------------------------------
 */

static enum rc next(struct des2_there *t, struct err *err)
{
	enum rc rc = sorter_next(t->reader, &t->key, &t->value, err);

	t->has_next = !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

static void there_free_p(struct des2_there **t)
{
	des2_there_free(*t);
}

enum rc des2_there_new(struct store *st, const struct des2_name *names,
		       size_t n, unsigned int n_bits, const char *spool_dir,
		       struct des2_there **ret, struct err *err)
{
	CLEANUP(there_free_p) struct des2_there *t = xcalloc(1, sizeof(*t));
	enum rc rc = RC_OK;

	t->st = st;
	t->n_bits = n_bits;
	t->sorter = sorter_new(spool_dir, MEMORY, 1);
	if (n) {
		memcpy(t->day, names->day, sizeof(t->day));
		memcpy(t->hex, names->hex, sizeof(t->hex));
	}
	for (size_t i = 0; i < n && !rc; i++)
		rc = read_shard(t, &names[i], err);
	if (!rc)
		rc = sorter_finish(t->sorter, err);
	if (!rc)
		rc = sorter_read(t->sorter, 0, &t->reader, err);
	if (!rc)
		rc = next(t, err);
	if (!rc)
		*ret = STEAL_PTR(t);
	return rc;
}

void des2_there_free(struct des2_there *t)
{
	if (!t)
		return;
	sorter_reader_free(t->reader);
	sorter_free(t->sorter);
	free(t);
}

static void get_text(struct rd *r, char *ret, size_t cap)
{
	size_t len = rd_u8(r);
	const uint8_t *p = rd_take(r, len);

	if (p && len < cap) {
		memcpy(ret, p, len);
		ret[len] = '\0';
	}
}

static enum rc decode(const struct des2_there *t, struct des2_entry *ret,
		      struct err *err)
{
	struct rd r = { .p = (const uint8_t *)t->value.p,
			.left = t->value.len };
	struct des2_entry e = { .key = "" };
	const uint8_t *sha;
	uint32_t number = 0;

	for (int i = 0; i < 4; i++)
		number = number << 8 | rd_u8(&r);
	(void)rd_u32(&r);
	e.is_deleted = rd_u8(&r);
	des2_shard_key(t->day, t->hex, number, e.key);
	e.is_damaged = rd_u8(&r);
	e.is_external = rd_u8(&r);
	e.codec = (enum codec_id)rd_u8(&r);
	e.off = rd_u64(&r);
	e.stored_len = rd_u64(&r);
	e.plain_len = rd_u64(&r);
	sha = rd_take(&r, sizeof(e.sha256));
	if (sha)
		memcpy(e.sha256, sha, sizeof(e.sha256));
	get_text(&r, e.created, sizeof(e.created));
	get_text(&r, e.mtime, sizeof(e.mtime));
	if (!rd_ok(&r))
		return err_set(err, RC_IO, "temporary data are damaged");
	*ret = e;
	return RC_OK;
}

enum rc des2_there_find(struct des2_there *t, struct span uid,
			struct des2_entry *ret, struct err *err)
{
	enum rc rc = RC_OK;

	while (t && t->has_next && span_compare(t->key, uid) < 0 && !rc)
		rc = next(t, err);
	if (rc)
		return rc;
	if (!t || !t->has_next || !span_equal(t->key, uid))
		return RC_NOENT;
	return decode(t, ret, err);
}

/* --- its content ------------------------------------------------------------
 */

struct hashing {
	struct object object;
	uint64_t off, end;
	struct sha256 sha;
};

static enum rc hash_read(void *arg, void *p, size_t max, size_t *ret,
			 struct err *err)
{
	struct hashing *h = arg;
	uint64_t left = h->end - h->off;

	*ret = left < max ? (size_t)left : max;
	if (!*ret)
		return RC_OK;
	if (read_object(&h->object, h->off, p, *ret, err))
		return err->rc;
	h->off += *ret;
	return RC_OK;
}

static enum rc hash_write(void *arg, const void *p, size_t len, struct err *err)
{
	struct hashing *h = arg;

	(void)err;
	sha256_update(&h->sha, p, len);
	return RC_OK;
}

enum rc des2_there_hash(struct store *st, const struct des2_entry *e,
			uint8_t ret[SHA256_LEN], struct err *err)
{
	CLEANUP_BUF struct buf tail = { .max = 1 };
	struct hashing h = { .object = { .st = st, .key = e->key },
			     .off = e->off,
			     .end = e->off + e->stored_len };
	struct frame_io io = { hash_read, hash_write, &h };
	enum rc rc;

	sha256_init(&h.sha);
	rc = store_read_tail(st, e->key, 1, &tail, &h.object.info, err);
	if (!rc)
		rc = frame_decode(e->codec, &io, e->plain_len, NULL, err);
	if (rc == RC_CORRUPT || rc == RC_LIMIT)
		return err_prefix(err, "%s", e->key);
	if (rc)
		return rc;
	sha256_final(&h.sha, ret);
	return RC_OK;
}
