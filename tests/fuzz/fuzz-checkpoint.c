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

/* The digest of all members but the digest. */
static void seal_object(struct json_t *j)
{
	CLEANUP_BUF struct buf rest = { .max = CHECKPOINT_MAX };
	uint8_t hash[SHA256_LEN];

	json_unset(j, "digest");
	json_write(j, &rest);
	sha256_of(rest.p, rest.len, hash);
	json_set_hex(j, "digest", hash, SHARD_ID_LEN);
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

/* The lines with the digests they should have; false when they are not objects.
 */
static bool seal(const uint8_t *data, size_t size, struct buf *out)
{
	while (size) {
		CLEANUP_JSON struct json_t *line = NULL;
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size;

		line = parse(data, n);
		if (!line)
			return false;
		seal_object(line);
		json_write(line, out);
		buf_append_str(out, "\n");
		n += end ? 1 : 0;
		data += n;
		size -= n;
	}
	return buf_ok(out);
}

static void encode(const struct checkpoint *c, struct buf *out)
{
	checkpoint_encode_head(c, out);
	checkpoint_encode_shards(c, out);
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
	encode(&c, &one);
	if (!buf_ok(&one) || checkpoint_decode(one.p, one.len, &again, &err) ||
	    again.n_shards != c.n_shards)
		abort();
	encode(&again, &two);
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
