/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c - what a checkpoint says, as text.
 *
 * Two lines: an object of its own, and a record as the log has it.
 */
#include "config.h"

#include "pack/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/sha256.h"

#define CHECKPOINT_VERSION 1
#define CHECKPOINT_KIND "checkpoint"

static void half_hash(const void *p, size_t len, uint8_t out[SHARD_ID_LEN])
{
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	memcpy(out, hash, SHARD_ID_LEN);
}

/* Of all members but the digest itself. */
static void digest_of(const struct json_t *j, uint8_t out[SHARD_ID_LEN])
{
	CLEANUP_BUF struct buf b = { .max = 2 * CHECKPOINT_HEAD_MAX };

	json_write(j, &b);
	half_hash(b.p, b.len, out);
}

void checkpoint_encode(const struct checkpoint *c, struct buf *out)
{
	CLEANUP_JSON struct json_t *j = json_new_obj();
	CLEANUP_BUF struct buf record = { .max = OPLOG_RECORD_MAX };
	const struct oplog_record r = { .time = c->created_at,
					.shards = c->shards,
					.n_shards = c->n_shards };
	uint8_t hash[SHARD_ID_LEN];
	char worker[WORKER_TEXT];

	oplog_record_encode(&r, c->archive_id, &record);
	if (!buf_ok(&record)) {
		out->failed = true;
		return;
	}
	worker_format(&c->worker, worker);
	half_hash(record.p, record.len, hash);
	json_set_u64(j, "version", CHECKPOINT_VERSION);
	json_set_str(j, "kind", CHECKPOINT_KIND);
	json_set_hex(j, "options", c->options, sizeof(c->options));
	json_set_str(j, "worker", worker);
	json_set_time(j, "created_at", c->created_at);
	json_set_hex(j, "record", hash, sizeof(hash));
	digest_of(j, hash);
	json_set_hex(j, "digest", hash, sizeof(hash));
	json_write(j, out);
	buf_append_str(out, "\n");
	buf_append(out, record.p, record.len);
}

static enum rc check_kind(const struct json_t *j, struct err *err)
{
	const char *kind = "";
	uint64_t version = 0;

	if (!json_is_obj(j))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (json_get_str(j, "kind", 64, &kind, err))
		return err->rc;
	if (strcmp(kind, CHECKPOINT_KIND) != 0)
		return err_set(err, RC_CORRUPT, "it is of kind %s, not %s",
			       kind, CHECKPOINT_KIND);
	if (json_get_u64(j, "version", JSON_INT_MAX, &version, err))
		return err->rc;
	if (version != CHECKPOINT_VERSION)
		return err_set(err, RC_UNSUPPORTED,
			       "it has version %" PRIu64
			       ", this program reads %d",
			       version, CHECKPOINT_VERSION);
	return RC_OK;
}

static enum rc check_hash(const struct json_t *j, const char *name,
			  const uint8_t want[SHARD_ID_LEN], struct err *err)
{
	uint8_t hash[SHARD_ID_LEN];

	if (json_get_hex(j, name, hash, sizeof(hash), err))
		return err->rc;
	if (memcmp(hash, want, sizeof(hash)) != 0)
		return err_set(err, RC_CORRUPT,
			       "%s does not fit the rest of it", name);
	return RC_OK;
}

static enum rc check_digest(struct json_t *j, struct err *err)
{
	uint8_t hash[SHARD_ID_LEN], want[SHARD_ID_LEN];

	if (json_get_hex(j, "digest", hash, sizeof(hash), err))
		return err->rc;
	json_unset(j, "digest");
	digest_of(j, want);
	json_set_hex(j, "digest", hash, sizeof(hash));
	return check_hash(j, "digest", want, err);
}

static enum rc decode_head(struct json_t *j, const uint8_t *record,
			   size_t record_len, struct checkpoint *c,
			   struct err *err)
{
	uint8_t hash[SHARD_ID_LEN];
	const char *worker = "";

	half_hash(record, record_len, hash);
	if (check_kind(j, err) || check_digest(j, err) ||
	    check_hash(j, "record", hash, err) ||
	    json_get_hex(j, "options", c->options, sizeof(c->options), err) ||
	    json_get_str(j, "worker", WORKER_TEXT - 1, &worker, err) ||
	    json_get_time(j, "created_at", &c->created_at, err))
		return err->rc;
	if (worker_parse(worker, &c->worker, err))
		return err_set(err, RC_CORRUPT, "worker is %s", worker);
	return RC_OK;
}

enum rc checkpoint_decode(const void *p, size_t len, struct checkpoint *ret,
			  struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	struct oplog_record r = { 0 };
	struct checkpoint c = { 0 };
	const uint8_t *bytes = p, *end;
	size_t head;

	end = memchr(p, '\n',
		     len < CHECKPOINT_HEAD_MAX ? len : CHECKPOINT_HEAD_MAX);
	if (!end)
		return err_set(err, RC_CORRUPT, "it has no first line");
	head = (size_t)(end - bytes);
	if (json_parse(p, head, CHECKPOINT_HEAD_MAX, &j, err) ||
	    decode_head(j, end + 1, len - head - 1, &c, err) ||
	    oplog_record_decode(end + 1, len - head - 1, &r, err))
		return err->rc;
	memcpy(c.archive_id, r.archive_id, sizeof(c.archive_id));
	c.shards = r.shards;
	c.n_shards = r.n_shards;
	r.shards = NULL;
	r.n_shards = 0;
	oplog_record_release(&r);
	*ret = c;
	return RC_OK;
}

void checkpoint_release(struct checkpoint *c)
{
	struct oplog_record r = { .shards = c->shards,
				  .n_shards = c->n_shards };

	oplog_record_release(&r);
	*c = (struct checkpoint){ 0 };
}
