/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-oplog-checkpoint.c - checkpoints of the log, with the digests they have
 * and with right ones: what is read is written in one form.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "fuzz.h"
#include "volume/oplog-checkpoint.h"

struct read {
	struct oplog_record *records;
	size_t n, cap;
	uint8_t archive_id[SHARD_ID_LEN];
	int64_t time;
};

static enum rc take(void *arg, struct oplog_record *r, struct err *err)
{
	struct read *all = arg;

	(void)err;
	all->records = mem_grow(all->records, &all->cap, all->n + 1,
				sizeof(*all->records));
	all->records[all->n++] = *r;
	return RC_OK;
}

static void release(struct read *all)
{
	for (size_t i = 0; i < all->n; i++)
		oplog_record_release(&all->records[i]);
	free(all->records);
}

static bool decode(const uint8_t *data, size_t size, struct read *ret)
{
	struct err err;

	return !oplog_checkpoint_decode(data, size, ret->archive_id, &ret->time,
					take, ret, &err);
}

static void encode(const struct read *all, struct buf *out)
{
	const struct oplog_record **at = xcalloc(all->n + 1, sizeof(*at));
	struct err err;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		at[i] = &all->records[i];
	buf_init(out, OPLOG_CHECKPOINT_MAX);
	if (oplog_checkpoint_encode(at, all->n, all->archive_id, all->time,
				    NULL, NULL, out, &n, &err) ||
	    n != all->n)
		abort();
	free(at);
}

static void try_one(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf one = { 0 };
	CLEANUP_BUF struct buf two = { 0 };
	struct read all = { .n = 0 }, again = { .n = 0 };

	if (decode(data, size, &all)) {
		encode(&all, &one);
		if (!decode(one.p, one.len, &again) || again.n != all.n)
			abort();
		encode(&again, &two);
		if (one.len != two.len || memcmp(one.p, two.p, one.len) != 0)
			abort();
	}
	release(&all);
	release(&again);
}

static void set_digest(struct json_t *j)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_CHECKPOINT_MAX };
	uint8_t hash[SHA256_LEN];

	json_unset(j, "digest");
	json_write(j, &text);
	sha256_of(text.p, text.len, hash);
	json_set_hex(j, "digest", hash, SHARD_ID_LEN);
}

/* All digests as they should be; false when it has not the form. */
static bool seal(const uint8_t *data, size_t size, struct buf *out)
{
	CLEANUP_JSON struct json_t *j = NULL, *copy = NULL;
	struct json_t *records = NULL, *digests = json_new_array();
	struct err err;
	size_t n = 0;
	const char *digest = "";

	if (json_parse(data, size, OPLOG_CHECKPOINT_MAX, &j, &err) ||
	    !json_is_obj(j) ||
	    json_get_array(j, "records", 64, &records, &n, &err)) {
		json_free(digests);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_t *r = json_at(records, i);

		if (!json_is_obj(r))
			continue;
		set_digest(r);
		if (!json_get_str(r, "digest", 64, &digest, &err))
			json_add_str(digests, digest);
	}
	/* The digest is over those of the records. */
	if (json_parse(data, size, OPLOG_CHECKPOINT_MAX, &copy, &err)) {
		json_free(digests);
		return false;
	}
	json_set(copy, "records", digests);
	set_digest(copy);
	if (!json_get_str(copy, "digest", 64, &digest, &err))
		json_set_str(j, "digest", digest);
	json_write(j, out);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf sealed = { 0 };

	try_one(data, size);
	buf_init(&sealed, OPLOG_CHECKPOINT_MAX);
	if (seal(data, size, &sealed) && buf_ok(&sealed))
		try_one(sealed.p, sealed.len);
	return 0;
}
