/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-record.c - one record of the log, and the keys of records and shards.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/json-elements.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "base/unique.h"
#include "shard/route.h"
#include "shard/shard-entry.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"
#include "volume/record-digest.h"

#define RECORD_VERSION 1
#define KIND_SHARDS "shards"

/* No shard is told in fewer bytes. */
#define SHARD_TEXT_MIN 256

void shard_meta_release(struct shard_meta *m)
{
	free(m->key);
	free(m->first);
	free(m->last);
	*m = (struct shard_meta){ 0 };
}

static void release_objects(struct oplog_object *objects, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(objects[i].key);
	free(objects);
}

static void release_repack(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_replaces; i++)
		free(r->replaces[i].key);
	free(r->replaces);
}

static void release_purged(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_purged; i++) {
		free(r->purged[i].key);
		free(r->purged[i].zone);
	}
	free(r->purged);
}

static void release_erased(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_receipts; i++)
		receipt_release(&r->receipts[i]);
	free(r->receipts);
	for (size_t i = 0; i < r->n_done; i++)
		free(r->done[i]);
	free(r->done);
	release_objects(r->suppressed, r->n_suppressed);
}

void oplog_record_release(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_shards; i++)
		shard_meta_release(&r->shards[i]);
	free(r->shards);
	free(r->name);
	free(r->prev.name);
	release_repack(r);
	release_objects(r->tombstones, r->n_tombstones);
	free(r->withdrawn);
	release_purged(r);
	release_erased(r);
	*r = (struct oplog_record){ 0 };
}

void shard_key(const struct shard_meta *m, char ret[SHARD_KEY_TEXT])
{
	char root[HEX_TEXT(8)], revision[16] = "";

	hex_encode(m->root, 8, root);
	if (m->revision)
		snprintf(revision, sizeof(revision), "R%03" PRIu32 "_",
			 m->revision);
	snprintf(ret, SHARD_KEY_TEXT,
		 "%08" PRIu32 "/%08" PRIu32 "_%0*" PRIX32 "_%04" PRIu32
		 "_%s%s.des",
		 m->day, m->day, (int)route_hex_width(m->n_bits), m->slot,
		 m->part, revision, root);
}

enum rc oplog_record_key(int64_t time, char *ret, size_t size, struct err *err)
{
	char stamp[TIMESTAMP_COMPACT_TEXT];
	char random[HEX_TEXT(16)];
	int n;

	if (unique_text(random, 16, err))
		return err->rc;
	timestamp_format_compact(time, stamp);
	n = snprintf(ret, size, "log/%s-%s.json", stamp, random);
	if (n < 0 || (size_t)n >= size)
		return err_set(err, RC_LIMIT, "log key needs %d bytes", n + 1);
	return RC_OK;
}

static struct json_t *shard_to_json(const struct shard_meta *m)
{
	struct json_t *j = json_new_obj();

	json_set_str(j, "key", m->key);
	json_set_u64(j, "size", m->size);
	json_set_hex(j, "root", m->root, sizeof(m->root));
	json_set_u64(j, "day", m->day);
	json_set_u64(j, "slot", m->slot);
	json_set_u64(j, "part", m->part);
	json_set_u64(j, "revision", m->revision);
	json_set_u64(j, "n_bits", m->n_bits);
	json_set_str(j, "route", descriptor_route_text(m->route));
	json_set_bytes(j, "first", m->first, m->first_len);
	json_set_bytes(j, "last", m->last, m->last_len);
	json_set_time(j, "created_min", m->created_min);
	json_set_time(j, "created_max", m->created_max);
	json_set_u64(j, "entries", m->n_entries);
	json_set_u64(j, "files", m->n_files);
	json_set_u64(j, "plain_bytes", m->plain_bytes);
	json_set_u64(j, "incompat", m->incompat);
	json_set_u64(j, "ro_compat", m->ro_compat);
	json_set_u64(j, "compat", m->compat);
	return j;
}

static int by_key(const void *a, const void *b)
{
	const struct shard_meta *const *x = a;
	const struct shard_meta *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void write_shards(const struct shard_meta **shards, size_t n,
			 struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP_JSON struct json_t *shard = shard_to_json(shards[i]);

		if (i)
			buf_append_str(out, ",");
		json_write(shard, out);
	}
}

static enum rc digest_of(const struct json_t *j,
			 const struct shard_meta **shards, size_t n,
			 uint8_t digest[SHARD_ID_LEN], struct err *err)
{
	struct record_digest d;

	record_digest_begin(&d, j);
	for (size_t i = 0; i < n; i++) {
		CLEANUP_JSON struct json_t *shard = shard_to_json(shards[i]);

		record_digest_shard(&d, shard);
	}
	return record_digest_end(&d, digest, err);
}

void oplog_record_encode(const struct oplog_record *r,
			 const uint8_t archive_id[SHARD_ID_LEN],
			 struct buf *out)
{
	CLEANUP_JSON struct json_t *j = json_new_obj();
	CLEANUP_FREE const struct shard_meta **sorted =
		xcalloc(r->n_shards, sizeof(*sorted));
	CLEANUP_BUF struct buf after = { .max = OPLOG_RECORD_MAX };
	uint8_t digest[SHARD_ID_LEN];
	struct err err;

	for (size_t i = 0; i < r->n_shards; i++)
		sorted[i] = &r->shards[i];
	qsort(sorted, r->n_shards, sizeof(*sorted), by_key);
	json_set_u64(j, "version", RECORD_VERSION);
	json_set_str(j, "kind", KIND_SHARDS);
	json_set_hex(j, "archive_id", archive_id, SHARD_ID_LEN);
	json_set_time(j, "time", r->time);
	if (digest_of(j, sorted, r->n_shards, digest, &err)) {
		out->failed = true;
		return;
	}
	json_set_hex(j, "digest", digest, sizeof(digest));
	json_write_around(j, RECORD_SHARDS, out, &after);
	write_shards(sorted, r->n_shards, out);
	buf_append(out, after.p, after.len);
	buf_append_str(out, "\n");
}

static enum rc get_u32(const struct json_t *j, const char *name, uint32_t max,
		       uint32_t *ret, struct err *err)
{
	uint64_t v = 0;

	if (json_get_u64(j, name, max, &v, err))
		return err->rc;
	*ret = (uint32_t)v;
	return RC_OK;
}

static enum rc get_day(const struct json_t *j, uint32_t *ret, struct err *err)
{
	struct timestamp t;
	char text[16], day[TIMESTAMP_DAY_TEXT];
	struct err why;

	if (get_u32(j, "day", 99991231, ret, err))
		return err->rc;
	snprintf(text, sizeof(text), "%08" PRIu32, *ret);
	if (!timestamp_parse(text, &t, &why)) {
		timestamp_day(t.us, day);
		if (!strcmp(day, text))
			return RC_OK;
	}
	return err_set(err, RC_CORRUPT, "day is %" PRIu32 ", which is no date",
		       *ret);
}

/* What decides where the shard lies. */
static enum rc get_place(const struct json_t *j, struct shard_meta *m,
			 struct err *err)
{
	const char *route = "";
	int64_t n_bits = 0;

	if (json_get_i64(j, "n_bits", ROUTE_BITS_MIN, ROUTE_BITS_MAX, &n_bits,
			 err) ||
	    json_get_str(j, "route", 64, &route, err))
		return err->rc;
	if (!descriptor_route_parse(route, &m->route))
		return err_set(err, RC_UNSUPPORTED,
			       "route %s is not known here", route);
	m->n_bits = (unsigned int)n_bits;
	if (get_day(j, &m->day, err) ||
	    get_u32(j, "slot", (UINT32_C(1) << n_bits) - 1, &m->slot, err) ||
	    get_u32(j, "part", OPLOG_PART_MAX, &m->part, err) ||
	    get_u32(j, "revision", OPLOG_REVISION_MAX, &m->revision, err) ||
	    json_get_hex(j, "root", m->root, sizeof(m->root), err))
		return err->rc;
	return RC_OK;
}

static enum rc get_key(const struct json_t *j, struct shard_meta *m,
		       struct err *err)
{
	char want[SHARD_KEY_TEXT];
	const char *key = "";

	if (json_get_str(j, "key", SHARD_KEY_TEXT - 1, &key, err))
		return err->rc;
	shard_key(m, want);
	if (strcmp(key, want) != 0)
		return err_set(err, RC_CORRUPT,
			       "key is %s, the other members give %s", key,
			       want);
	m->key = xstrdup(key);
	return RC_OK;
}

static enum rc get_names(const struct json_t *j, struct shard_meta *m,
			 struct err *err)
{
	struct span parent[2], name[2];

	if (json_get_bytes(j, "first", UID_MAX_LEN, &m->first, &m->first_len,
			   err) ||
	    json_get_bytes(j, "last", UID_MAX_LEN, &m->last, &m->last_len, err))
		return err->rc;
	entry_split_uid(span_of(m->first, m->first_len), &parent[0], &name[0]);
	entry_split_uid(span_of(m->last, m->last_len), &parent[1], &name[1]);
	if (entry_key_compare(parent[0], name[0], parent[1], name[1]) > 0)
		return err_set(err, RC_CORRUPT, "first comes after last");
	return RC_OK;
}

static enum rc get_counts(const struct json_t *j, struct shard_meta *m,
			  struct err *err)
{
	if (json_get_u64(j, "size", JSON_INT_MAX, &m->size, err) ||
	    json_get_u64(j, "entries", JSON_INT_MAX, &m->n_entries, err) ||
	    json_get_u64(j, "files", JSON_INT_MAX, &m->n_files, err) ||
	    json_get_u64(j, "plain_bytes", JSON_INT_MAX, &m->plain_bytes,
			 err) ||
	    get_u32(j, "incompat", UINT32_MAX, &m->incompat, err) ||
	    get_u32(j, "ro_compat", UINT32_MAX, &m->ro_compat, err) ||
	    get_u32(j, "compat", UINT32_MAX, &m->compat, err) ||
	    json_get_time(j, "created_min", &m->created_min, err) ||
	    json_get_time(j, "created_max", &m->created_max, err))
		return err->rc;
	if (m->size < SHARD_HEADER_SIZE + SHARD_FOOTER_SIZE)
		return err_set(err, RC_CORRUPT,
			       "size is %" PRIu64 ", not at least %d", m->size,
			       SHARD_HEADER_SIZE + SHARD_FOOTER_SIZE);
	if (m->n_files > m->n_entries)
		return err_set(err, RC_CORRUPT,
			       "%" PRIu64 " files in %" PRIu64 " entries",
			       m->n_files, m->n_entries);
	if (m->created_min > m->created_max)
		return err_set(err, RC_CORRUPT,
			       "created_min comes after created_max");
	return RC_OK;
}

static enum rc get_shard(const struct json_t *j, struct oplog_record *r,
			 struct err *err)
{
	size_t i = r->n_shards;
	struct shard_meta *m;

	r->shards = mem_grow(r->shards, &r->cap, i + 1, sizeof(*r->shards));
	m = &r->shards[r->n_shards++];
	*m = (struct shard_meta){ 0 };
	if (get_place(j, m, err) || get_key(j, m, err) ||
	    get_names(j, m, err) || get_counts(j, m, err))
		return err_prefix(err, "shard %zu", i);
	if (i && strcmp(m[-1].key, m->key) >= 0)
		return err_set(err, RC_CORRUPT, "shard %zu: %s is not in order",
			       i, m->key);
	return RC_OK;
}

/* Whether this program may interpret the record at all. */
static enum rc check_kind(const struct json_t *j, struct err *err)
{
	const char *kind = "";
	uint64_t version = 0;

	if (!json_is_obj(j))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (json_get_u64(j, "version", JSON_INT_MAX, &version, err))
		return err->rc;
	if (version != RECORD_VERSION)
		return err_set(err, RC_UNSUPPORTED,
			       "log record has version %" PRIu64
			       ", this program reads %d",
			       version, RECORD_VERSION);
	if (json_get_str(j, "kind", 64, &kind, err))
		return err->rc;
	if (strcmp(kind, KIND_SHARDS) != 0)
		return err_set(err, RC_UNSUPPORTED,
			       "log record is of kind %s, not known here",
			       kind);
	return RC_OK;
}

/* All shards, and the digest: a changed name would hide files, and no shard
 * would be asked about it.  max: how many there can be in a record of that
 * length.
 */
static enum rc get_shards(struct json_t *j, struct json_elements *e, size_t max,
			  struct oplog_record *r, struct err *err)
{
	uint8_t digest[SHARD_ID_LEN], want[SHARD_ID_LEN];
	struct err first = { .rc = RC_OK };
	struct json_piece piece;
	struct record_digest d;
	enum rc rc;

	if (json_get_hex(j, "digest", want, sizeof(want), err))
		return err->rc;
	json_unset(j, "digest");
	json_unset(j, RECORD_SHARDS);
	record_digest_begin(&d, j);
	while (json_elements_next(e, &piece)) {
		CLEANUP_JSON struct json_t *shard = NULL;

		rc = json_parse(piece.p, piece.len, OPLOG_RECORD_MAX, &shard,
				err);
		if (!rc && d.n == max)
			rc = err_set(err, RC_CORRUPT,
				     RECORD_SHARDS " has more than %zu "
						   "elements",
				     max);
		if (rc) {
			record_digest_release(&d);
			return rc;
		}
		record_digest_shard(&d, shard);
		/* Told only when the digest is right. */
		if (!first.rc)
			rc = get_shard(shard, r, &first);
	}
	rc = record_digest_end(&d, digest, err);
	if (!rc && memcmp(digest, want, sizeof(want)) != 0)
		rc = err_set(err, RC_CORRUPT,
			     "digest does not fit the other members");
	if (!rc && first.rc) {
		*err = first;
		rc = err->rc;
	}
	return rc;
}

/* All of the record but its shards, which *ret_shards is left to read. */
static enum rc parse(const void *p, size_t len, struct json_t **ret,
		     struct json_elements *ret_shards, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_RECORD_MAX };

	*ret_shards = (struct json_elements){ .is_begun = false };
	if (len > OPLOG_RECORD_MAX ||
	    !json_elements_find(ret_shards, p, len, RECORD_SHARDS))
		return json_parse(p, len, OPLOG_RECORD_MAX, ret, err);
	buf_append(&text, ret_shards->before.p, ret_shards->before.len);
	buf_append(&text, ret_shards->after.p, ret_shards->after.len);
	if (!buf_ok(&text))
		return err_set(err, RC_NOMEM, "no memory for a log record");
	return json_parse(text.p, text.len, OPLOG_RECORD_MAX, ret, err);
}

enum rc oplog_record_decode(const void *p, size_t len, struct oplog_record *ret,
			    struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	struct oplog_record r = { 0 };
	struct json_elements shards;
	struct json_t *array = NULL;
	size_t n = 0;

	if (parse(p, len, &j, &shards, err) || check_kind(j, err) ||
	    json_get_array(j, RECORD_SHARDS, 0, &array, &n, err) ||
	    json_get_hex(j, "archive_id", r.archive_id, SHARD_ID_LEN, err) ||
	    json_get_time(j, "time", &r.time, err))
		return err->rc;
	if (get_shards(j, &shards, len / SHARD_TEXT_MIN, &r, err)) {
		oplog_record_release(&r);
		return err->rc;
	}
	*ret = r;
	return RC_OK;
}
