/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-oplog.c - log records: what is read is written in one form. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/sha256.h"
#include "fuzz.h"
#include "volume/oplog.h"

/* The record with the digest it should have; false when it is no object. */
static bool seal(const uint8_t *data, size_t size, struct buf *out)
{
	CLEANUP_JSON struct json_t *j = NULL;
	CLEANUP_BUF struct buf rest = { 0 };
	uint8_t hash[SHA256_LEN];
	struct err err;

	if (json_parse(data, size, OPLOG_RECORD_MAX, &j, &err) ||
	    !json_is_obj(j))
		return false;
	json_unset(j, "digest");
	buf_init(&rest, OPLOG_RECORD_MAX);
	json_write(j, &rest);
	sha256_of(rest.p, rest.len, hash);
	json_set_hex(j, "digest", hash, SHARD_ID_LEN);
	json_write(j, out);
	return true;
}

static void try_record(const uint8_t *data, size_t size)
{
	CLEANUP(oplog_record_release) struct oplog_record r = { 0 };
	CLEANUP(oplog_record_release) struct oplog_record again = { 0 };
	CLEANUP_BUF struct buf one = { 0 };
	CLEANUP_BUF struct buf two = { 0 };
	struct err err;

	if (oplog_record_decode(data, size, &r, &err))
		return;
	buf_init(&one, OPLOG_RECORD_MAX);
	buf_init(&two, OPLOG_RECORD_MAX);
	oplog_record_encode(&r, r.archive_id, &one);
	if (!buf_ok(&one) ||
	    oplog_record_decode(one.p, one.len, &again, &err) ||
	    again.n_shards != r.n_shards)
		abort();
	oplog_record_encode(&again, again.archive_id, &two);
	if (one.len != two.len || memcmp(one.p, two.p, one.len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf sealed = { 0 };

	try_record(data, size);
	buf_init(&sealed, OPLOG_RECORD_MAX);
	if (seal(data, size, &sealed))
		try_record(sealed.p, sealed.len);
	return 0;
}
