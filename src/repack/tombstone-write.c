/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-write.c - documents of tombstones into a store, and the log record
 * that makes them count.
 */
#include "config.h"

#include "repack/tombstone-write.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/percent.h"
#include "base/sha256.h"
#include "base/unique.h"
#include "store/store-write.h"
#include "volume/oplog.h"

#define ERASURE_BYTES 128u /* of an erasure at most, beside its uid */
#define DOCUMENT_BYTES (TOMBSTONE_MAX - (1u << 20))
/* Of documents that are kept to be written again; of more at once those that
 * are gone when they are to count are an error.
 */
#define KEPT_BYTES (64u << 20)

struct tombstone_write {
	struct store *st;
	struct oplog *log;
	struct store_run *run;
	const struct erasure_words *words;
	struct tombstone doc; /* the one that is being filled */
	size_t doc_bytes;
	struct buf encoded;        /* of a uid, to know its length */
	struct oplog_object *done; /* documents in the store */
	size_t n_done, cap_done;
	struct buf *texts; /* the bytes of each; empty: not kept */
	size_t cap_texts, kept;
	bool is_tried; /* a record of them may be there */
	bool is_committed;
};

static enum rc begin_doc(struct tombstone_write *w, struct err *err)
{
	return unique_bytes(w->doc.nonce, sizeof(w->doc.nonce), err);
}

enum rc tombstone_write_begin(struct tombstone_write **ret, struct store *st,
			      struct oplog *log,
			      const uint8_t archive_id[SHARD_ID_LEN],
			      const struct erasure_words *words,
			      struct err *err)
{
	struct tombstone_write *w = xcalloc(1, sizeof(*w));

	w->st = st;
	w->log = log;
	w->words = words;
	buf_init(&w->encoded, 4 * UID_MAX_LEN);
	w->doc.time = clock_wall_us();
	memcpy(w->doc.archive_id, archive_id, SHARD_ID_LEN);
	if (store_run_begin(st, STORE_RUN_TOMBSTONE, &w->run, err) ||
	    begin_doc(w, err)) {
		tombstone_write_free(w);
		return err->rc;
	}
	*ret = w;
	return RC_OK;
}

static void clear_doc(struct tombstone_write *w)
{
	for (size_t i = 0; i < w->doc.n; i++)
		free(w->doc.erasures[i].uid);
	w->doc.n = 0;
	w->doc_bytes = 0;
}

void tombstone_write_free(struct tombstone_write *w)
{
	enum store_gone gone;
	int64_t until;
	struct err err;

	if (!w)
		return;
	for (size_t i = 0; i < w->n_done; i++) {
		/* What stays says nothing, as no record names it.  But it has
		 * names, versions too.
		 */
		if (!w->is_tried)
			(void)!store_purge(w->st, w->done[i].key, &gone, &until,
					   &err);
		free(w->done[i].key);
		buf_release(&w->texts[i]);
	}
	if (w->run)
		store_run_end(w->run, w->is_committed);
	clear_doc(w);
	free(w->doc.erasures);
	buf_release(&w->encoded);
	free(w->done);
	free(w->texts);
	free(w);
}

int64_t tombstone_write_time(const struct tombstone_write *w)
{
	return w->doc.time;
}

size_t tombstone_write_n_keys(const struct tombstone_write *w)
{
	return w->n_done;
}

const char *tombstone_write_key(const struct tombstone_write *w, size_t i)
{
	return w->done[i].key;
}

/* What a document is to be, and where. */
struct wanted {
	const char *key;
	const struct buf *text;
};

static enum rc read_place(void *arg, const char *zone, struct store *place,
			  struct err *err)
{
	CLEANUP_BUF struct buf now = { .max = TOMBSTONE_MAX };
	const struct wanted *w = arg;

	(void)zone;
	store_forget(place, w->key);
	if (store_read_all(place, w->key, TOMBSTONE_MAX, &now, err))
		return err_prefix(err, "read back");
	if (now.len != w->text->len || memcmp(now.p, w->text->p, now.len) != 0)
		return err_set(err, RC_CORRUPT,
			       "%s: read back it is not what was written",
			       w->key);
	return RC_OK;
}

/* A deletion is acknowledged only if others can read it, wherever they look.
 */
static enum rc read_back(struct tombstone_write *w, const char *key,
			 const struct buf *text, struct err *err)
{
	struct wanted wanted = { .key = key, .text = text };

	return store_each_place(w->st, key, read_place, &wanted, err);
}

static void keep_text(struct tombstone_write *w, const struct buf *text)
{
	struct buf *kept;

	w->texts =
		mem_grow(w->texts, &w->cap_texts, w->n_done, sizeof(*w->texts));
	kept = &w->texts[w->n_done - 1];
	buf_init(kept, TOMBSTONE_MAX);
	if (text->len > KEPT_BYTES - w->kept)
		return;
	buf_append(kept, text->p, text->len);
	w->kept += text->len;
}

static enum rc look_at_size(struct tombstone_write *w, const char *key,
			    struct err *err)
{
	CLEANUP_BUF struct buf end = { .max = 1 };
	struct object_info info;

	return store_read_tail(w->st, key, 1, &end, &info, err);
}

/* Where nobody else's locks are seen a clean-up may take the run for dead, and
 * remove what no record names yet.
 */
static enum rc look_again(struct tombstone_write *w, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; !rc && i < w->n_done; i++) {
		const char *key = w->done[i].key;
		const struct buf *text = &w->texts[i];
		bool existed;

		if (!text->len || !buf_ok(text)) {
			rc = look_at_size(w, key, err);
			continue;
		}
		rc = read_back(w, key, text, err);
		if (rc != RC_NOENT)
			continue;
		rc = store_put(w->st, key, text->p, text->len, &existed, err);
		if (!rc)
			rc = read_back(w, key, text, err);
	}
	return rc;
}

static enum rc end_doc(struct tombstone_write *w, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };
	struct oplog_object *o;
	char key[TOMBSTONE_KEY_TEXT];
	bool existed;

	if (!w->doc.n)
		return RC_OK;
	w->doc.words = *w->words;
	if (tombstone_encode(&w->doc, &text, err) ||
	    tombstone_key(w->doc.time, key, err) ||
	    store_put(w->st, key, text.p, text.len, &existed, err))
		return err->rc;
	w->done = mem_grow(w->done, &w->cap_done, w->n_done + 1,
			   sizeof(*w->done));
	o = &w->done[w->n_done++];
	*o = (struct oplog_object){ .key = xstrdup(key), .count = w->doc.n };
	sha256_of(text.p, text.len, o->sha256);
	keep_text(w, &text);
	if (read_back(w, key, &text, err))
		return err->rc;
	clear_doc(w);
	return begin_doc(w, err);
}

enum rc tombstone_write_add(struct tombstone_write *w, struct span uid,
			    enum erasure_range range, int64_t time,
			    struct err *err)
{
	size_t bytes;
	uint8_t id[ERASURE_ID_LEN];

	buf_clear(&w->encoded);
	percent_encode(uid.p, uid.len, &w->encoded);
	bytes = ERASURE_BYTES + w->encoded.len;
	if (w->doc.n == TOMBSTONE_ERASURES_MAX ||
	    w->doc_bytes + bytes > DOCUMENT_BYTES) {
		if (end_doc(w, err))
			return err->rc;
	}
	if (unique_bytes(id, sizeof(id), err))
		return err->rc;
	if (range == ERASURE_UNTIL && time < w->doc.time)
		time = w->doc.time;
	tombstone_add(&w->doc, id, uid.p, uid.len, range, time);
	w->doc_bytes += bytes;
	return RC_OK;
}

enum rc tombstone_write_commit(struct tombstone_write *w, struct err *err)
{
	struct oplog_record r = { .kind = OPLOG_TOMBSTONES };
	bool changed;
	enum rc rc;

	if (end_doc(w, err))
		return err->rc;
	if (!w->n_done)
		return RC_OK;
	oplog_want_all(w->log);
	if (oplog_read(w->log, w->st, &changed, err) || look_again(w, err))
		return err->rc;
	r.tombstones = w->done;
	r.n_tombstones = w->n_done;
	w->is_tried = true;
	rc = oplog_write(w->log, w->st, &r, w->doc.archive_id, err);
	r.tombstones = NULL;
	r.n_tombstones = 0;
	oplog_record_release(&r);
	w->is_committed = !rc;
	if (!rc && look_again(w, err))
		return err_prefix(err, "the deletion was recorded, but not all "
				       "of it can be read");
	return rc ? err_prefix(err, "it is not known whether the deletion was "
				    "recorded; ask again, or look with "
				    "'desfs tombstone list'")
		  : RC_OK;
}
