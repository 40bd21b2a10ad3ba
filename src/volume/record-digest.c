/* SPDX-License-Identifier: Apache-2.0 */
/* record-digest.c - the digest of a log record. */
#include "config.h"

#include "volume/record-digest.h"

#include <string.h>

#include "base/json.h"
#include "volume/oplog-record.h"

static void digest_text(struct record_digest *d, const struct buf *text)
{
	sha256_update(&d->hash, text->p, text->len);
	d->len += text->len;
}

void record_digest_begin(struct record_digest *d, const struct json_t *record,
			 const char *array)
{
	CLEANUP_BUF struct buf before = { .max = OPLOG_RECORD_MAX };

	*d = (struct record_digest){ .after = { .max = OPLOG_RECORD_MAX } };
	sha256_init(&d->hash);
	json_write_around(record, array, &before, &d->after);
	digest_text(d, &before);
}

void record_digest_written(struct record_digest *d, const struct buf *elements)
{
	digest_text(d, elements);
}

void record_digest_element(struct record_digest *d, const struct json_t *j)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_RECORD_MAX };

	if (d->n++)
		buf_append_str(&text, ",");
	json_write(j, &text);
	digest_text(d, &text);
}

enum rc record_digest_end(struct record_digest *d, uint8_t digest[SHARD_ID_LEN],
			  struct err *err)
{
	uint8_t hash[SHA256_LEN];

	digest_text(d, &d->after);
	sha256_final(&d->hash, hash);
	record_digest_release(d);
	if (d->len > OPLOG_RECORD_MAX)
		return err_set(err, RC_LIMIT, "log record over %u bytes",
			       OPLOG_RECORD_MAX);
	memcpy(digest, hash, SHARD_ID_LEN);
	return RC_OK;
}

void record_digest_release(struct record_digest *d)
{
	buf_release(&d->after);
}
