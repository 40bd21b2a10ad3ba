/* SPDX-License-Identifier: Apache-2.0 */
/* feed-told.c - the records of a feed that a part has. */
#include "config.h"

#include "pack/feed-told.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/spool.h"
#include "pack/feed.h"
#include "shard/shard-entry.h"

#define TOLD_MEMORY (64u << 10) /* bytes; more are in a file */

struct feed_told {
	const struct feed *feed;
	struct spool spool; /* of struct told */
};

struct told {
	uint64_t number;
	bool has_sha256;
	uint8_t sha256[SHA256_LEN];
};

struct feed_told *feed_told_new(const struct feed *feed, const char *spool_dir)
{
	struct feed_told *t = xcalloc(1, sizeof(*t));

	t->feed = feed;
	spool_init(&t->spool, spool_dir, TOLD_MEMORY);
	return t;
}

void feed_told_free(struct feed_told *t)
{
	if (!t)
		return;
	spool_release(&t->spool);
	free(t);
}

enum rc feed_told_entry(void *arg, uint64_t number, const struct entry *e,
			const struct err *failure, struct err *err)
{
	struct feed_told *t = arg;
	struct told told;

	if (failure) {
		feed_tell(t->feed, number, FEED_FAILED, failure);
		return RC_OK;
	}
	memset(&told, 0, sizeof(told));
	told.number = number;
	told.has_sha256 = e->has_hash;
	if (e->has_hash)
		memcpy(told.sha256, e->sha256, SHA256_LEN);
	return spool_append(&t->spool, &told, sizeof(told), err);
}

enum rc feed_told_publish(struct feed_told *t, const char *key, struct err *err)
{
	struct told told;

	if (!t || !t->feed->result)
		return RC_OK;
	for (uint64_t at = 0; at < spool_len(&t->spool); at += sizeof(told)) {
		struct feed_result r = { .status = FEED_ARCHIVED,
					 .shard = key };

		if (spool_read(&t->spool, at, &told, sizeof(told), err))
			return err->rc;
		r.number = told.number;
		r.has_sha256 = told.has_sha256;
		memcpy(r.sha256, told.sha256, SHA256_LEN);
		t->feed->result(t->feed->arg, &r);
	}
	return RC_OK;
}
