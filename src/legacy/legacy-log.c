/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-log.c - the documents that say which made shards count. */
#include "config.h"

#include "legacy/legacy-log.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/timestamp.h"
#include "legacy/legacy-time.h"

#define RECORD_MAX (256u << 20)
#define ROUTE "parent"

/* Seconds; nothing is ever removed here. */
#define GRACE 86400

static void half_hash(const struct buf *b, uint8_t ret[SHARD_ID_LEN])
{
	uint8_t hash[SHA256_LEN];

	sha256_of(b->p, b->len, hash);
	memcpy(ret, hash, SHARD_ID_LEN);
}

void legacy_log_descriptor(uint32_t first_day, struct buf *out,
			   uint8_t ret_id[SHARD_ID_LEN])
{
	CLEANUP_JSON struct json_t *j = json_new_obj();
	CLEANUP_BUF struct buf b = { .max = 4096 };
	struct json_t *features = json_new_obj();

	json_set(features, "compat", json_new_array());
	json_set(features, "incompat", json_new_array());
	json_set(features, "ro_compat", json_new_array());
	json_set_time(j, "created_at", legacy_time_of_day(first_day));
	json_set(j, "features", features);
	json_set_u64(j, "format", SHARD_VERSION);
	json_set_u64(j, "n_bits", LEGACY_N_BITS);
	json_set_str(j, "route", ROUTE);
	json_write(j, &b);
	half_hash(&b, ret_id);
	json_set_hex(j, "archive_id", ret_id, SHARD_ID_LEN);
	json_write(j, out);
	buf_append_str(out, "\n");
}

void legacy_record_release(struct legacy_record *r)
{
	free(r->key);
	buf_release(&r->text);
	*r = (struct legacy_record){ .key = NULL };
}

/* --- elements ------------------------------------------------------------- */

static enum rc set_uid(struct json_t *j, const char *name,
		       const struct legacy_shards *s, uint64_t at, uint32_t len,
		       struct err *err)
{
	CLEANUP_FREE char *uid = mem_array((size_t)len + 1, 1);

	if (!uid)
		return err_set(err, RC_NOMEM, "no memory for a uid");
	if (spool_read(&s->texts, at, uid, len, err))
		return err->rc;
	json_set_bytes(j, name, uid, len);
	return RC_OK;
}

static enum rc write_shard(const struct legacy_shards *s,
			   const struct legacy_shard *m, struct buf *out,
			   struct err *err)
{
	CLEANUP_JSON struct json_t *j = json_new_obj();

	json_set_str(j, "key", m->key);
	json_set_u64(j, "size", m->size);
	json_set_hex(j, "root", m->root, sizeof(m->root));
	json_set_u64(j, "day", m->day);
	json_set_u64(j, "slot", m->slot);
	json_set_u64(j, "part", m->part);
	json_set_u64(j, "revision", m->revision);
	json_set_u64(j, "n_bits", LEGACY_N_BITS);
	json_set_str(j, "route", ROUTE);
	if (set_uid(j, "first", s, m->first, m->first_len, err) ||
	    set_uid(j, "last", s, m->last, m->last_len, err))
		return err->rc;
	json_set_time(j, "created_min", m->created_min);
	json_set_time(j, "created_max", m->created_max);
	json_set_u64(j, "entries", m->n_entries);
	json_set_u64(j, "files", m->n_files);
	json_set_u64(j, "plain_bytes", m->plain_bytes);
	json_set_u64(j, "incompat", SHARD_INCOMPAT_UNHASHED);
	json_set_u64(j, "ro_compat", 0);
	json_set_u64(j, "compat", 0);
	json_write(j, out);
	return RC_OK;
}

/* Those of one set that the other has not; each in the order of keys. */
static enum rc write_shards(const struct legacy_shards *now,
			    const struct legacy_shards *before, struct buf *out,
			    struct err *err)
{
	for (size_t i = 0; i < now->n; i++) {
		if (before && legacy_shards_find(before, now->shards[i].key))
			continue;
		if (out->len)
			buf_append_str(out, ",");
		if (write_shard(now, &now->shards[i], out, err))
			return err->rc;
	}
	return RC_OK;
}

static struct json_t *replaced_of(const struct legacy_shards *now,
				  const struct legacy_shards *before,
				  bool *ret_any)
{
	struct json_t *array = json_new_array();

	*ret_any = false;
	for (size_t i = 0; before && i < before->n; i++) {
		const struct legacy_shard *m = &before->shards[i];
		struct json_t *j;

		if (legacy_shards_find(now, m->key))
			continue;
		j = json_new_obj();
		json_set_str(j, "key", m->key);
		json_set_hex(j, "root", m->root, sizeof(m->root));
		json_add(array, j);
		*ret_any = true;
	}
	return array;
}

/* --- records -------------------------------------------------------------- */

/* All but the shards and the digest. */
static struct json_t *rest_of(const struct legacy_shards *now,
			      const struct legacy_shards *before, int64_t time,
			      const uint8_t archive_id[SHARD_ID_LEN],
			      bool *ret_replaces)
{
	struct json_t *j = json_new_obj();
	struct json_t *replaced = replaced_of(now, before, ret_replaces);

	json_set_u64(j, "version", 1);
	json_set_str(j, "kind", *ret_replaces ? "repack" : "shards");
	json_set_hex(j, "archive_id", archive_id, SHARD_ID_LEN);
	json_set_time(j, "time", time);
	if (!*ret_replaces) {
		json_free(replaced);
		return j;
	}
	json_set(j, "replaces", replaced);
	json_set_u64(j, "grace", GRACE);
	json_set_str(j, "why", "merge");
	return j;
}

static void write_all(const struct json_t *rest, const struct buf *shards,
		      struct buf *out)
{
	CLEANUP_BUF struct buf after = { .max = RECORD_MAX };

	buf_clear(out);
	json_write_around(rest, "shards", out, &after);
	buf_append(out, shards->p, shards->len);
	buf_append(out, after.p, after.len);
}

enum rc legacy_log_record(const struct legacy_shards *now,
			  const struct legacy_shards *before, int64_t time,
			  const uint8_t archive_id[SHARD_ID_LEN],
			  struct legacy_record *ret, bool *ret_any,
			  struct err *err)
{
	CLEANUP_BUF struct buf shards = { .max = RECORD_MAX };
	CLEANUP_BUF struct buf text = { .max = RECORD_MAX };
	CLEANUP_JSON struct json_t *rest = NULL;
	char stamp[TIMESTAMP_COMPACT_TEXT], hex[HEX_TEXT(SHARD_ID_LEN)];
	uint8_t digest[SHARD_ID_LEN];
	bool replaces = false;

	rest = rest_of(now, before, time, archive_id, &replaces);
	if (write_shards(now, before, &shards, err))
		return err->rc;
	*ret_any = replaces || shards.len;
	write_all(rest, &shards, &text);
	half_hash(&text, digest);
	json_set_hex(rest, "digest", digest, SHARD_ID_LEN);
	write_all(rest, &shards, &text);
	buf_append_str(&text, "\n");
	if (!buf_ok(&shards) || !buf_ok(&text))
		return err_set(err, RC_LIMIT, "too many shards for one record");
	hex_encode(digest, SHARD_ID_LEN, hex);
	timestamp_format_compact(time, stamp);
	ret->key = xasprintf(LEGACY_LOG "%s-%s.json", stamp, hex);
	ret->text = text;
	text = (struct buf){ 0 };
	return RC_OK;
}
