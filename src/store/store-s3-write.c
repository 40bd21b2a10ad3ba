/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write.c - objects of an S3 bucket: the writing half's table. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/log-index.h"
#include "store/store-s3-write-backend.h"

/* There are no directories in a bucket, so the place is there when the bucket
 * is.  Buckets are made by whoever pays for them.
 */
static enum rc look(struct s3_store *s, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	const struct sigv4_pair query[] = { { "list-type", "2" },
					    { "max-keys", "1" },
					    { "prefix", s->prefix } };
	const struct s3_request rq = { .kind = REMOTE_LIST,
				       .method = HTTP_GET,
				       .key = "bucket",
				       .is_bucket = true,
				       .query = query,
				       .n_query = 3 };
	enum rc rc = s3_send(s, &rq, &re, err);

	if (rc != RC_NOENT)
		return rc;
	return err_set(err, RC_NOENT,
		       "bucket %s does not exist; make it first, desfs-pack "
		       "does not",
		       s->bucket);
}

static enum rc s3_create(const char *rest, const struct store_settings *set,
			 struct err *err)
{
	struct store *st = NULL;
	enum rc rc = store_backend_s3.open(&st, "s3", rest, set, err);

	if (rc)
		return rc;
	st->ops = &store_backend_s3;
	rc = look((struct s3_store *)st, err);
	free(st->location);
	store_backend_s3.close(st);
	return rc;
}

static enum rc s3_replace(struct store *st, const char *key, const void *p,
			  size_t len, struct err *err)
{
	char version[S3_VERSION_MAX];

	if (s3_write_put((struct s3_store *)st, key, p, len, false, version,
			 err))
		return err->rc;
	/* Its readers shall not miss it for the moment that RGW takes. */
	if (!strcmp(key, LOG_INDEX_KEY))
		return RC_OK;
	return s3_write_drop_older((struct s3_store *)st, key, err);
}

const struct store_writer store_writer_s3 = {
	.backend = &store_backend_s3,
	.create = s3_create,
	.replace = s3_replace,
	.upload_memory = s3_upload_memory,
	.upload_new = s3_upload_new,
	.upload_write = s3_upload_write,
	.upload_commit = s3_upload_commit,
	.upload_free = s3_upload_free,
	.remove = s3_write_remove,
	.purge = s3_write_purge,
	.run_begin = s3_run_begin,
	.run_end = s3_run_end,
	.runs_alive = s3_write_runs_alive,
	.runs_oldest = s3_write_runs_oldest,
	.claims = s3_write_claims,
	.leftovers = s3_write_leftovers,
	.strays = s3_write_strays,
	.has_tmp = s3_write_has_tmp,
	.try_write = s3_write_try,
};
