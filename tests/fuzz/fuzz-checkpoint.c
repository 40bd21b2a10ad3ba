/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-checkpoint.c - checkpoints: what is read is written in one form. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/sha256.h"
#include "fuzz.h"
#include "pack/checkpoint.h"

static void seal_member(struct json_t *j, const char *name, const void *p,
			size_t len)
{
	uint8_t hash[SHA256_LEN];

	sha256_of(p, len, hash);
	json_set_hex(j, name, hash, SHARD_ID_LEN);
}

/* The digest of all members but the digest. */
static void seal_object(struct json_t *j)
{
	CLEANUP_BUF struct buf rest = { .max = CHECKPOINT_MAX };

	json_unset(j, "digest");
	json_write(j, &rest);
	seal_member(j, "digest", rest.p, rest.len);
}

static struct json_t *parse(const uint8_t *p, size_t len)
{
	struct json_t *j = NULL;
	struct err err;

	if (json_parse(p, len, CHECKPOINT_MAX, &j, &err))
		return NULL;
	if (json_is_obj(j))
		return j;
	json_free(j);
	return NULL;
}

/* The two lines with the digests they should have; false when they are not two
 * objects.
 */
static bool seal(const uint8_t *data, size_t size, struct buf *out)
{
	CLEANUP_JSON struct json_t *head = NULL;
	CLEANUP_JSON struct json_t *record = NULL;
	CLEANUP_BUF struct buf line = { .max = CHECKPOINT_MAX };
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;

	if (!end)
		return false;
	head = parse(data, (size_t)(end - data));
	end++;
	record = parse(end, size - (size_t)(end - data));
	if (!head || !record)
		return false;
	seal_object(record);
	json_write(record, &line);
	buf_append_str(&line, "\n");
	seal_member(head, "record", line.p, line.len);
	seal_object(head);
	json_write(head, out);
	buf_append_str(out, "\n");
	buf_append(out, line.p, line.len);
	return buf_ok(out);
}

static void try_checkpoint(const uint8_t *data, size_t size)
{
	CLEANUP(checkpoint_release) struct checkpoint c = { 0 };
	CLEANUP(checkpoint_release) struct checkpoint again = { 0 };
	CLEANUP_BUF struct buf one = { .max = CHECKPOINT_MAX };
	CLEANUP_BUF struct buf two = { .max = CHECKPOINT_MAX };
	struct err err;

	if (checkpoint_decode(data, size, &c, &err))
		return;
	checkpoint_encode(&c, &one);
	if (!buf_ok(&one) || checkpoint_decode(one.p, one.len, &again, &err) ||
	    again.n_shards != c.n_shards)
		abort();
	checkpoint_encode(&again, &two);
	if (one.len != two.len || memcmp(one.p, two.p, one.len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf sealed = { .max = CHECKPOINT_MAX };

	try_checkpoint(data, size);
	if (seal(data, size, &sealed))
		try_checkpoint(sealed.p, sealed.len);
	return 0;
}
