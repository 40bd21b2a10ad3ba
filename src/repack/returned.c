/* SPDX-License-Identifier: Apache-2.0 */
/* returned.c - what was deleted for good and was brought by a run since. */
#include "config.h"

#include "repack/returned.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/timestamp.h"
#include "base/unique.h"
#include "erase/erasure-state.h"
#include "erase/tombstone-set.h"
#include "repack/shard-seek.h"
#include "repack/tombstone-write.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

#define CHECKED_PREFIX "reap/checked-"

struct looking {
	struct oplog *log;
	const struct returned_options *o;
	const struct oplog_state *state;
	struct suppression *lists; /* one for each secret */
	int64_t since;             /* records from then on */
	int64_t newest;            /* of those looked at */
	char **markers;            /* keys */
	size_t n_markers, cap;
	struct tombstone_write *write; /* begun when it is needed */
	struct erasure_words words;
	struct buf uid;
	struct returned *ret;
};

static void release(struct looking *l)
{
	for (size_t i = 0; l->lists && i < l->o->n_secrets; i++)
		suppression_release(&l->lists[i]);
	for (size_t i = 0; i < l->n_markers; i++)
		free(l->markers[i]);
	free(l->lists);
	free(l->markers);
	tombstone_write_free(l->write);
	buf_release(&l->uid);
}

/* --- the list ------------------------------------------------------------- */

static enum rc add_list(struct looking *l, const struct oplog_object *o,
			struct err *err)
{
	CLEANUP(suppression_release) struct suppression s = { 0 };
	CLEANUP_BUF struct buf text = { .max = SUPPRESSION_MAX };
	uint8_t hash[SHA256_LEN], id[SUPPRESSION_KEY_ID_LEN];

	if (store_read_all(l->o->store, o->key, SUPPRESSION_MAX, &text, err))
		return err->rc;
	sha256_of(text.p, text.len, hash);
	if (memcmp(hash, o->sha256, sizeof(hash)) != 0)
		return err_set(err, RC_CORRUPT,
			       "%s: its SHA-256 is not the one the log says",
			       o->key);
	if (suppression_decode(text.p, text.len, &s, err))
		return err_prefix(err, "%s", o->key);
	if (s.time < l->since)
		l->since = s.time;
	for (size_t i = 0; i < l->o->n_secrets; i++) {
		suppression_key_id(l->o->secrets[i], id);
		if (!memcmp(id, s.key_id, sizeof(id)))
			return suppression_append(&l->lists[i], &s, err);
	}
	l->ret->unknown++;
	return RC_OK;
}

static enum rc read_lists(struct looking *l, struct err *err)
{
	size_t n = oplog_state_n_suppressed(l->state);
	enum rc rc = RC_OK;

	l->since = INT64_MAX;
	l->lists = xcalloc(l->o->n_secrets + 1, sizeof(*l->lists));
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_list(l, oplog_state_suppressed(l->state, i), err);
	for (size_t i = 0; !rc && i < l->o->n_secrets; i++)
		suppression_sort(&l->lists[i]);
	return rc;
}

/* --- how far it was looked at --------------------------------------------- */

static enum rc note_marker(void *arg, const char *key, uint64_t size,
			   struct err *err)
{
	struct looking *l = arg;
	const char *stamp = key + strlen(CHECKED_PREFIX);
	int64_t time;

	(void)size;
	(void)err;
	if (strlen(stamp) < TIMESTAMP_COMPACT_TEXT ||
	    !timestamp_parse_compact(stamp, TIMESTAMP_COMPACT_TEXT - 1, &time))
		return RC_OK;
	if (time > l->since)
		l->since = time;
	l->markers = mem_grow(l->markers, &l->cap, l->n_markers + 1,
			      sizeof(*l->markers));
	l->markers[l->n_markers++] = xstrdup(key);
	return RC_OK;
}

static enum rc write_marker(struct looking *l, struct err *err)
{
	char stamp[TIMESTAMP_COMPACT_TEXT], random[HEX_TEXT(16)];
	static const char text[] = "{}\n";
	struct err ignored;
	char *key;
	bool existed;
	enum rc rc;

	if (unique_text(random, 16, err))
		return err->rc;
	timestamp_format_compact(l->newest, stamp);
	key = xasprintf(CHECKED_PREFIX "%s-%s", stamp, random);
	rc = store_put(l->o->store, key, text, sizeof(text) - 1, &existed, err);
	free(key);
	for (size_t i = 0; !rc && i < l->n_markers; i++)
		(void)!store_remove(l->o->store, l->markers[i], &ignored);
	return rc;
}

/* --- shards --------------------------------------------------------------- */

static bool is_listed(const struct looking *l, const void *uid, size_t len)
{
	for (size_t i = 0; i < l->o->n_secrets; i++) {
		struct suppression_hash hash;

		if (!l->lists[i].n)
			continue;
		suppression_hash(l->o->secrets[i], uid, len, &hash);
		if (suppression_has(&l->lists[i], &hash))
			return true;
	}
	return false;
}

static enum rc delete_again(struct looking *l, const struct entry *e,
			    struct err *err)
{
	if (!l->write &&
	    tombstone_write_begin(&l->write, l->o->store, l->log,
				  l->o->archive_id, &l->words, err))
		return err->rc;
	l->ret->deleted++;
	return tombstone_write_add(l->write, span_of(l->uid.p, l->uid.len),
				   ERASURE_ONE, e->created_at, err);
}

/* A directory comes back with what is below it, which is no harm. */
static enum rc look_at_entry(struct looking *l, const struct entry *e,
			     struct err *err)
{
	uint8_t *to;
	size_t len = entry_uid_len(e->parent, e->name);

	if (!len || e->implicit || e->type == ENTRY_DIR ||
	    tombstone_set_hides(oplog_deleted(l->log), e->parent, e->name,
				e->created_at))
		return RC_OK;
	buf_clear(&l->uid);
	to = buf_reserve(&l->uid, len);
	if (!to)
		return err_set(err, RC_NOMEM, "no memory for a name");
	l->uid.len += entry_uid(e->parent, e->name, (char *)to);
	return is_listed(l, l->uid.p, l->uid.len) ? delete_again(l, e, err)
						  : RC_OK;
}

static enum rc look_at_shard(struct looking *l, const struct shard_meta *m,
			     struct err *err)
{
	const struct span none = span_of("", 0);
	struct shard_seek c = { 0 };
	enum rc rc = shard_seek_open(&c, l->o->store, m->key, m->root, err);

	/* It was replaced and is gone: what took its place came of it. */
	if (rc == RC_NOENT && !oplog_state_find(l->state, m->key))
		return RC_OK;
	if (!rc)
		rc = shard_seek_key(&c, none, none, err);
	l->ret->shards += !rc;
	while (!rc && !c.at_end) {
		rc = look_at_entry(l, &c.e, err);
		if (!rc)
			rc = shard_seek_next(&c, err);
	}
	shard_seek_close(&c);
	return rc;
}

static enum rc look_at_record(struct looking *l, const struct oplog_record *r,
			      struct err *err)
{
	enum rc rc = RC_OK;

	if (r->kind != OPLOG_SHARDS || r->time < l->since)
		return RC_OK;
	if (r->time > l->newest)
		l->newest = r->time;
	for (size_t i = 0; !rc && !r->allow_erased && i < r->n_shards; i++) {
		if (!r->shards[i].is_purged)
			rc = look_at_shard(l, &r->shards[i], err);
	}
	return rc;
}

static enum rc look(struct looking *l, struct err *err)
{
	enum rc rc;

	if (store_list(l->o->store, CHECKED_PREFIX, NULL, note_marker, l, err))
		return err->rc;
	/* Some come into the list late, and clocks differ. */
	l->since -= CLOCK_SKEW_US;
	l->newest = l->since;
	rc = RC_OK;
	for (size_t i = 0; !rc && i < oplog_n_records(l->log); i++)
		rc = look_at_record(l, oplog_record_at(l->log, i), err);
	if (!rc && l->write)
		rc = tombstone_write_commit(l->write, err);
	if (rc || l->ret->unknown || l->newest <= l->since + CLOCK_SKEW_US)
		return rc;
	return write_marker(l, err);
}

enum rc returned_delete(struct oplog *log, const struct returned_options *opts,
			struct returned *ret, struct err *err)
{
	struct looking l = { .log = log,
			     .o = opts,
			     .uid = { .max = UID_MAX_LEN },
			     .words = { .reason = ERASURE_USER },
			     .ret = ret };
	bool changed;
	enum rc rc;

	*ret = (struct returned){ 0 };
	oplog_want_all(log);
	rc = oplog_read(log, opts->store, &changed, err);
	l.state = oplog_state(log);
	if (!rc && oplog_state_n_suppressed(l.state) && opts->n_secrets)
		rc = read_lists(&l, err);
	if (!rc && l.since != INT64_MAX && l.lists)
		rc = look(&l, err);
	release(&l);
	return rc;
}
