/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-record.c - one record of the log, and the keys of records and shards.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/timestamp.h"
#include "shard/route.h"
#include "shard/shard-entry.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"

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

void oplog_record_release(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_shards; i++)
		shard_meta_release(&r->shards[i]);
	free(r->shards);
	free(r->name);
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
	uint8_t b[16];
	int n;

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return err_set_errno(err, errno, "random number");
	hex_encode(b, sizeof(b), random);
	timestamp_format_compact(time, stamp);
	n = snprintf(ret, size, "log/%s-%s.json", stamp, random);
	if (n < 0 || (size_t)n >= size)
		return err_set(err, RC_LIMIT, "log key needs %d bytes", n + 1);
	return RC_OK;
}

/* First half of the SHA-256 of what has all members but the digest. */
static enum rc digest_of(const struct json_t *j, uint8_t digest[SHARD_ID_LEN],
			 struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	uint8_t hash[SHA256_LEN];

	buf_init(&b, OPLOG_RECORD_MAX);
	json_write(j, &b);
	if (!buf_ok(&b))
		return err_set(err, RC_LIMIT, "log record over %u bytes",
			       OPLOG_RECORD_MAX);
	sha256_of(b.p, b.len, hash);
	memcpy(digest, hash, SHARD_ID_LEN);
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

void oplog_record_encode(const struct oplog_record *r,
			 const uint8_t archive_id[SHARD_ID_LEN],
			 struct buf *out)
{
	CLEANUP_JSON struct json_t *j = json_new_obj();
	struct json_t *shards = json_new_array();
	const struct shard_meta **sorted =
		xcalloc(r->n_shards, sizeof(*sorted));
	uint8_t digest[SHARD_ID_LEN];
	struct err err;

	for (size_t i = 0; i < r->n_shards; i++)
		sorted[i] = &r->shards[i];
	qsort(sorted, r->n_shards, sizeof(*sorted), by_key);
	for (size_t i = 0; i < r->n_shards; i++)
		json_add(shards, shard_to_json(sorted[i]));
	free(sorted);
	json_set_u64(j, "version", RECORD_VERSION);
	json_set_str(j, "kind", KIND_SHARDS);
	json_set_hex(j, "archive_id", archive_id, SHARD_ID_LEN);
	json_set_time(j, "time", r->time);
	json_set(j, "shards", shards);
	if (digest_of(j, digest, &err)) {
		out->failed = true;
		return;
	}
	json_set_hex(j, "digest", digest, sizeof(digest));
	json_write(j, out);
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

/* max: how many there can be in a record of that length. */
static enum rc get_shards(const struct json_t *j, struct oplog_record *r,
			  size_t max, struct err *err)
{
	struct json_t *shards = NULL;
	size_t n = 0;

	if (json_get_array(j, "shards", max, &shards, &n, err))
		return err->rc;
	r->shards = xcalloc(n, sizeof(*r->shards));
	for (size_t i = 0; i < n; i++) {
		const struct json_t *s = json_at(shards, i);
		struct shard_meta *m = &r->shards[r->n_shards++];

		if (get_place(s, m, err) || get_key(s, m, err) ||
		    get_names(s, m, err) || get_counts(s, m, err))
			return err_prefix(err, "shard %zu", i);
		if (i && strcmp(m[-1].key, m->key) >= 0)
			return err_set(err, RC_CORRUPT,
				       "shard %zu: %s is not in order", i,
				       m->key);
	}
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

/* A changed name would hide files, and no shard would be asked about it. */
static enum rc check_digest(struct json_t *j, struct err *err)
{
	uint8_t digest[SHARD_ID_LEN], want[SHARD_ID_LEN];

	if (json_get_hex(j, "digest", want, sizeof(want), err))
		return err->rc;
	json_unset(j, "digest");
	if (digest_of(j, digest, err))
		return err->rc;
	if (memcmp(digest, want, sizeof(want)) != 0)
		return err_set(err, RC_CORRUPT,
			       "digest does not fit the other members");
	return RC_OK;
}

enum rc oplog_record_decode(const void *p, size_t len, struct oplog_record *ret,
			    struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	struct oplog_record r = { 0 };

	if (json_parse(p, len, OPLOG_RECORD_MAX, &j, err) ||
	    check_kind(j, err) || check_digest(j, err) ||
	    json_get_hex(j, "archive_id", r.archive_id, SHARD_ID_LEN, err) ||
	    json_get_time(j, "time", &r.time, err))
		return err->rc;
	if (get_shards(j, &r, len / SHARD_TEXT_MIN, err)) {
		oplog_record_release(&r);
		return err->rc;
	}
	*ret = r;
	return RC_OK;
}
