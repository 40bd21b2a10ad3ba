/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c - what a checkpoint says, as text.
 *
 * A line with an object of its own, and as many as there have to be with
 * records as the log has them.
 */
#include "config.h"

#include "pack/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"

#define CHECKPOINT_VERSION 2
#define CHECKPOINT_KIND "checkpoint"

/* Of all members but the digest itself. */
static void digest_of(const struct json_t *j, uint8_t out[SHARD_ID_LEN])
{
	CLEANUP_BUF struct buf b = { .max = 2 * CHECKPOINT_HEAD_MAX };
	uint8_t hash[SHA256_LEN];

	json_write(j, &b);
	sha256_of(b.p, b.len, hash);
	memcpy(out, hash, SHARD_ID_LEN);
}

void checkpoint_encode_head(const struct checkpoint *c, struct buf *out)
{
	CLEANUP_JSON struct json_t *j = json_new_obj();
	uint8_t hash[SHARD_ID_LEN];
	char worker[WORKER_TEXT];

	worker_format(&c->worker, worker);
	json_set_u64(j, "version", CHECKPOINT_VERSION);
	json_set_str(j, "kind", CHECKPOINT_KIND);
	json_set_hex(j, "archive_id", c->archive_id, sizeof(c->archive_id));
	json_set_hex(j, "options", c->options, sizeof(c->options));
	json_set_hex(j, "past", c->past, sizeof(c->past));
	json_set_str(j, "worker", worker);
	json_set_time(j, "created_at", c->created_at);
	digest_of(j, hash);
	json_set_hex(j, "digest", hash, sizeof(hash));
	json_write(j, out);
	buf_append_str(out, "\n");
}

void checkpoint_encode_shards(const struct checkpoint *c, struct buf *out)
{
	const struct oplog_record r = { .time = c->created_at,
					.shards = c->shards,
					.n_shards = c->n_shards };

	if (c->n_shards)
		oplog_record_encode(&r, c->archive_id, out);
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

static enum rc check_digest(struct json_t *j, struct err *err)
{
	uint8_t hash[SHARD_ID_LEN], want[SHARD_ID_LEN];

	if (json_get_hex(j, "digest", hash, sizeof(hash), err))
		return err->rc;
	json_unset(j, "digest");
	digest_of(j, want);
	if (memcmp(hash, want, sizeof(hash)) != 0)
		return err_set(err, RC_CORRUPT,
			       "digest does not fit the rest of it");
	return RC_OK;
}

static enum rc decode_head(const uint8_t *p, size_t len, struct checkpoint *c,
			   struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	const char *worker = "";

	if (json_parse(p, len, CHECKPOINT_HEAD_MAX, &j, err) ||
	    check_kind(j, err) || check_digest(j, err) ||
	    json_get_hex(j, "archive_id", c->archive_id, SHARD_ID_LEN, err) ||
	    json_get_hex(j, "options", c->options, SHARD_ID_LEN, err) ||
	    json_get_hex(j, "past", c->past, SHARD_ID_LEN, err) ||
	    json_get_str(j, "worker", WORKER_TEXT - 1, &worker, err) ||
	    json_get_time(j, "created_at", &c->created_at, err))
		return err->rc;
	if (worker_parse(worker, &c->worker, err))
		return err_set(err, RC_CORRUPT, "worker is %s", worker);
	return RC_OK;
}

/* The shards of one more line. */
static enum rc decode_shards(const uint8_t *p, size_t len, struct checkpoint *c,
			     size_t *cap, struct err *err)
{
	struct oplog_record r = { 0 };

	if (oplog_record_decode(p, len, &r, err))
		return err->rc;
	if (memcmp(r.archive_id, c->archive_id, SHARD_ID_LEN) != 0) {
		oplog_record_release(&r);
		return err_set(err, RC_CORRUPT,
			       "it has shards of another archive");
	}
	c->shards = mem_grow(c->shards, cap, c->n_shards + r.n_shards + 1,
			     sizeof(*c->shards));
	if (r.n_shards)
		memcpy(c->shards + c->n_shards, r.shards,
		       r.n_shards * sizeof(*r.shards));
	c->n_shards += r.n_shards;
	r.n_shards = 0; /* what they point to is taken over */
	oplog_record_release(&r);
	return RC_OK;
}

static enum rc decode_lines(const uint8_t *p, size_t len, struct checkpoint *c,
			    struct err *err)
{
	size_t cap = 0;

	for (size_t i = 2; len; i++) {
		const uint8_t *end = memchr(p, '\n', len);
		size_t n = end ? (size_t)(end - p) + 1 : len;
		enum rc rc = RC_CORRUPT;

		if (end)
			rc = decode_shards(p, n, c, &cap, err);
		c->is_cut = rc == RC_CORRUPT && n == len;
		if (rc && !c->is_cut)
			return err_prefix(err, "line %zu", i);
		p += n;
		len -= n;
	}
	return RC_OK;
}

static enum rc sort_shards(struct checkpoint *c, struct err *err)
{
	if (c->n_shards)
		qsort(c->shards, c->n_shards, sizeof(*c->shards),
		      shard_meta_compare);
	for (size_t i = 1; i < c->n_shards; i++) {
		if (!shard_meta_compare(&c->shards[i - 1], &c->shards[i]))
			return err_set(err, RC_CORRUPT, "it has %s twice",
				       c->shards[i].key);
	}
	return RC_OK;
}

enum rc checkpoint_decode(const void *p, size_t len, struct checkpoint *ret,
			  struct err *err)
{
	CLEANUP(checkpoint_release) struct checkpoint c = { 0 };
	const uint8_t *bytes = p, *end;
	size_t head;

	head = len < CHECKPOINT_HEAD_MAX ? len : CHECKPOINT_HEAD_MAX;
	end = head ? memchr(p, '\n', head) : NULL;
	if (!end)
		return err_set(err, RC_CORRUPT, "it has no first line");
	head = (size_t)(end - bytes) + 1;
	if (decode_head(p, head - 1, &c, err) ||
	    decode_lines(bytes + head, len - head, &c, err) ||
	    sort_shards(&c, err))
		return err->rc;
	*ret = c;
	c = (struct checkpoint){ 0 };
	return RC_OK;
}

void checkpoint_release(struct checkpoint *c)
{
	struct oplog_record r = { .shards = c->shards,
				  .n_shards = c->n_shards };

	oplog_record_release(&r);
	*c = (struct checkpoint){ 0 };
}
