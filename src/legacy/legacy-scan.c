/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-scan.c - reading the index of one shard of an older archive. */
#include "config.h"

#include "legacy/legacy-scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "legacy/legacy-meta.h"
#include "legacy/legacy-path.h"
#include "legacy/legacy-raw.h"
#include "legacy/legacy-time.h"
#include "shard/legacy-cursor.h"
#include "shard/shard-kinds.h"

/* Bytes of a sidecar read at a time. */
#define META_PIECE (256u << 10)

/* How often an object that changes while it is read is read again. */
#define ATTEMPTS 3

struct scan {
	struct legacy_source *src;
	struct store *st;
	struct spool *sp;
	struct object_info info; /* of the shard */
	struct buf tail;         /* its last bytes */
	struct buf path, key, value;
	char *doubt; /* why it is not known what was deleted, or NULL */
};

void legacy_source_release(struct legacy_source *s)
{
	free(s->key);
	free(s->meta_info);
	legacy_damage_release(&s->damage);
	*s = (struct legacy_source){ .key = NULL };
}

char *legacy_meta_key(const char *shard_key)
{
	size_t len = strlen(shard_key) - strlen(LEGACY_SHARD_SUFFIX);

	return xasprintf("%.*s" LEGACY_META_SUFFIX, (int)len, shard_key);
}

char *legacy_shard_key(const char *meta_key)
{
	size_t len = strlen(meta_key) - strlen(LEGACY_META_SUFFIX);

	return xasprintf("%.*s" LEGACY_SHARD_SUFFIX, (int)len, meta_key);
}

static void note(struct scan *s, const char *key, const struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	size_t len = strlen(key);

	if (!strncmp(err->msg, key, len) && err->msg[len] == ':')
		text = xstrdup(err->msg);
	else
		text = xasprintf("%s: %s", key, err->msg);
	legacy_damage_add(&s->src->damage, text);
}

/* --- records -------------------------------------------------------------- */

/* The directory the key is in, with its '/'. */
static int dir_len(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? (int)(slash - key + 1) : 0;
}

/* Where the content of an external entry is; free() it. */
static char *outside_key(const struct scan *s, const struct legacy_entry *e)
{
	const char *key = s->src->key;
	struct span name = e->hash.len ? e->hash : e->uid;

	return xasprintf("%.*s" LEGACY_BIG_FILES "/%.*s", dir_len(key), key,
			 (int)name.len, name.p);
}

static enum rc write_record(struct scan *s, const struct legacy_raw_place *p,
			    const struct legacy_raw *r, const char *text,
			    const char *meta, struct err *err)
{
	legacy_raw_key(p, &s->key);
	legacy_raw_value(r, text, meta, &s->value);
	return legacy_raw_write(s->sp, &s->key, &s->value, err);
}

/* The path of a uid; what has none is damage of the shard. */
static enum rc take_path(struct scan *s, struct span uid, bool *ret_ok,
			 struct err *err)
{
	enum rc rc = legacy_path_of(uid, LEGACY_PATH_PLAIN, &s->path, err);

	*ret_ok = !rc;
	if (rc != RC_LIMIT)
		return rc;
	note(s, s->src->key, err);
	return RC_OK;
}

static struct span path_of(const struct scan *s)
{
	return span_of(s->path.p, s->path.len);
}

/* The name of an external file of Datavision may be any; what is no key, or
 * leads elsewhere, is damage.
 */
static bool is_plain_name(struct span name)
{
	return name.len && !memchr(name.p, '/', name.len) &&
	       !memchr(name.p, '\0', name.len) &&
	       !span_equal(name, span_of(".", 1)) &&
	       !span_equal(name, span_of("..", 2));
}

static enum rc add_damaged(struct scan *s, const struct legacy_raw_place *p,
			   uint64_t size, const struct err *why,
			   struct err *err)
{
	CLEANUP_FREE char *text = xasprintf("%s: %s", s->src->key, why->msg);
	struct legacy_raw r = { .kind = LEGACY_RAW_DAMAGED,
				.size = size,
				.object = s->src->object,
				.day = s->src->day,
				.text_len = (uint32_t)strlen(text) };

	r.created_at = legacy_time_of_day(s->src->day);
	return write_record(s, p, &r, text, NULL, err);
}

static enum rc add_file(struct scan *s, const struct legacy_raw_place *p,
			const struct legacy_entry *e, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	struct legacy_raw r = { .kind = LEGACY_RAW_FILE,
				.size = e->plain_len,
				.off = e->off,
				.stored_len = e->stored_len,
				.object = s->src->object,
				.day = s->src->day,
				.codec = (uint8_t)e->codec,
				.is_external = e->is_external };

	if (e->is_external)
		text = outside_key(s, e);
	r.text_len = text ? (uint32_t)strlen(text) : 0;
	r.has_hash = e->hash.len && hex_decode(e->hash.p, e->hash.len, r.sha256,
					       sizeof(r.sha256));
	/* Entries of format 3 have room for no more. */
	if (e->meta.len <= META_MAX)
		r.meta_len = (uint32_t)e->meta.len;
	r.created_at = legacy_time_of(e->meta, s->src->day);
	return write_record(s, p, &r, text, e->meta.p, err);
}

/* An empty file could be read, and of what is not looked at no size is sure. */
static uint64_t size_in_doubt(const struct legacy_entry *e)
{
	bool is_sure = !e->is_external && e->plain_len <= LEGACY_ASK_FROM;

	return is_sure && e->plain_len ? e->plain_len : 1;
}

static enum rc add_entry(struct scan *s, const struct legacy_entry *e,
			 const struct err *why, struct err *err)
{
	struct legacy_raw_place p = { .day = s->src->day,
				      .object = span_of(s->src->key,
							strlen(s->src->key)),
				      .ordinal = e->ordinal };
	bool is_ok = false;
	struct err bad;

	if (take_path(s, e->uid, &is_ok, err))
		return err->rc;
	if (!is_ok)
		return RC_OK;
	p.path = path_of(s);
	s->src->n_entries++;
	if (why)
		return add_damaged(s, &p, 1, why, err);
	if (e->is_external && !e->hash.len && !is_plain_name(e->uid)) {
		err_set(&bad, RC_CORRUPT,
			"entry %" PRIu64 " at byte %" PRIu64
			": its name is that of no file beside the shard",
			e->ordinal, e->entry_off);
		return add_damaged(s, &p, 1, &bad, err);
	}
	if (s->doubt) {
		err_set(&bad, RC_CORRUPT, "%s", s->doubt);
		return add_damaged(s, &p, size_in_doubt(e), &bad, err);
	}
	return add_file(s, &p, e, err);
}

/* --- the shard ------------------------------------------------------------ */

/* legacy_read_fn */
static enum rc read_shard(void *arg, uint64_t off, void *p, size_t len,
			  struct err *err)
{
	const struct scan *s = arg;
	uint64_t from = s->info.size - s->tail.len;

	if (off < from || len > s->info.size - off)
		return store_read(s->st, s->src->key, &s->info, off, p, len,
				  err);
	if (len)
		memcpy(p, s->tail.p + (off - from), len);
	return RC_OK;
}

static enum rc locate(struct scan *s, struct legacy_index *ret, struct err *err)
{
	uint64_t size = s->info.size;
	uint8_t head[LEGACY_HEAD_SIZE];
	size_t head_len = size < sizeof(head) ? (size_t)size : sizeof(head);

	if (read_shard(s, 0, head, head_len, err))
		return err->rc;
	return legacy_index_locate(head, head_len, s->tail.p, s->tail.len, size,
				   ret, err);
}

/* All entries; damage of the index is noted. */
static enum rc read_entries(struct scan *s, struct legacy_cursor *c,
			    struct err *err)
{
	for (;;) {
		struct legacy_entry e;
		struct err why;
		enum rc rc = legacy_cursor_next(c, &e, &why);

		if (rc == RC_NOENT)
			return RC_OK;
		if (rc && rc != RC_CORRUPT) {
			*err = why;
			return rc;
		}
		if (rc && !e.uid.p)
			note(s, s->src->key, &why);
		else if (add_entry(s, &e, rc ? &why : NULL, err))
			return err->rc;
	}
}

static enum rc scan_index(struct scan *s, struct err *err)
{
	struct legacy_index index;
	struct legacy_cursor *c;
	enum rc rc;

	rc = locate(s, &index, err);
	if (rc)
		return rc;
	c = legacy_cursor_new(&index, read_shard, s);
	rc = read_entries(s, c, err);
	legacy_cursor_free(c);
	return rc;
}

/* --- the sidecar ---------------------------------------------------------- */

static enum rc read_meta(struct scan *s, const char *key, struct legacy_meta *m,
			 struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = META_PIECE };
	struct object_info *info = xcalloc(1, sizeof(*info));
	uint64_t off = 0;
	enum rc rc;

	free(s->src->meta_info);
	s->src->meta_info = NULL;
	/* Not what was moved away and is open still. */
	store_let_go(s->st, key);
	/* Most are smaller than that. */
	rc = store_read_tail(s->st, key, META_PIECE, &b, info, err);
	if (rc)
		free(info);
	else
		s->src->meta_info = info;
	while (!rc && off < info->size) {
		uint64_t left = info->size - off;
		size_t n = left < META_PIECE ? (size_t)left : META_PIECE;

		if (info->size > META_PIECE)
			rc = store_read(s->st, key, info, off, b.p, n, err);
		if (!rc)
			rc = legacy_meta_feed(m, b.p, n, err);
		off += n;
	}
	return rc ? rc : legacy_meta_end(m, err);
}

/* legacy_meta_fn */
static enum rc add_tombstone(void *arg, struct span uid, struct err *err)
{
	struct scan *s = arg;
	const struct legacy_raw r = { .kind = LEGACY_RAW_TOMBSTONE,
				      .object = LEGACY_OBJECT_NONE,
				      .day = s->src->day };
	struct legacy_raw_place p = { .day = s->src->day,
				      .is_tombstone = true };
	bool is_ok = false;

	if (take_path(s, uid, &is_ok, err))
		return err->rc;
	p.path = path_of(s);
	return is_ok ? write_record(s, &p, &r, NULL, NULL, err) : RC_OK;
}

static enum rc scan_meta(struct scan *s, struct err *err)
{
	CLEANUP_FREE char *key = legacy_meta_key(s->src->key);
	struct legacy_meta *m = legacy_meta_new(add_tombstone, s);
	uint64_t begin = spool_len(s->sp);
	enum rc rc = read_meta(s, key, m, err);

	legacy_meta_free(m);
	/* It is gone since it was listed, and with it what it said.  If it is
	 * listed once more, it is another one.
	 */
	if (rc == RC_NOENT) {
		spool_cut(s->sp, begin);
		s->src->has_meta = false;
		return RC_OK;
	}
	if (!legacy_is_damage(rc))
		return rc;
	/* The names stay, so that none of another shard takes their place and
	 * nobody takes them for missing; what they had cannot be read.
	 */
	note(s, key, err);
	s->doubt = xasprintf("%s: %s; so it is not known whether it was "
			     "deleted",
			     key, err->msg);
	return RC_OK;
}

/* --- all ------------------------------------------------------------------ */

static enum rc scan_shard(struct scan *s, struct legacy_objects *objects,
			  struct err *err)
{
	struct legacy_source *src = s->src;

	buf_clear(&s->tail);
	store_let_go(s->st, src->key);
	if (store_read_tail(s->st, src->key, store_tail_window(s->st), &s->tail,
			    &s->info, err))
		return err->rc;
	src->object = legacy_objects_add(objects, src->key, &s->info);
	return scan_index(s, err);
}

/* There is a sidecar at most. */
static void note_alone(struct legacy_source *src)
{
	src->is_alone = true;
	src->size = 0;
	src->is_gone = !src->has_meta;
}

/* What the sidecar says counts, whatever becomes of the shard: others may have
 * what it deletes.
 */
static enum rc scan_once(struct scan *s, struct legacy_objects *objects,
			 struct err *err)
{
	struct legacy_source *src = s->src;
	uint64_t end_of_meta;
	enum rc rc;

	free(s->doubt);
	s->doubt = NULL;
	src->object = LEGACY_OBJECT_NONE;
	if (src->has_meta && scan_meta(s, err))
		return err->rc;
	end_of_meta = spool_len(s->sp);
	rc = src->is_alone ? RC_NOENT : scan_shard(s, objects, err);
	if (rc != RC_NOENT && !legacy_is_damage(rc))
		return rc;
	spool_cut(s->sp, end_of_meta);
	if (rc == RC_NOENT)
		note_alone(src);
	else
		note(s, src->key, err);
	return RC_OK;
}

static enum rc scan_often(struct scan *s, struct legacy_objects *objects,
			  struct err *err)
{
	uint64_t begin = spool_len(s->sp);
	bool has_meta = s->src->has_meta;
	enum rc rc = RC_OK;

	for (int i = 0; i < ATTEMPTS; i++) {
		s->src->has_meta = has_meta;
		s->src->n_entries = 0;
		legacy_damage_release(&s->src->damage);
		rc = scan_once(s, objects, err);
		if (!rc)
			break;
		spool_cut(s->sp, begin);
		if (rc != RC_CHANGED)
			break;
	}
	s->src->at = begin;
	s->src->len = spool_len(s->sp) - begin;
	return rc;
}

enum rc legacy_scan(struct legacy_source *src, struct store *st,
		    struct legacy_objects *objects, struct spool *sp,
		    struct err *err)
{
	struct scan s = { .src = src, .st = st, .sp = sp };
	enum rc rc;

	buf_init(&s.tail, store_tail_window(st));
	buf_init(&s.path, LEGACY_PATH_MAX);
	buf_init(&s.key, 4 * LEGACY_PATH_MAX);
	buf_init(&s.value, 4 * LEGACY_META_MAX);
	rc = scan_often(&s, objects, err);
	src->is_read = !rc;
	buf_release(&s.tail);
	buf_release(&s.path);
	buf_release(&s.key);
	buf_release(&s.value);
	free(s.doubt);
	return rc;
}
