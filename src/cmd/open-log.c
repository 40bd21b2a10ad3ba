/* SPDX-License-Identifier: Apache-2.0 */
/* open-log.c - an archive opened for those who write into its log. */
#include "config.h"

#include "cmd/open-log.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "legacy/legacy-store.h"
#include "pack/lost-log.h"
#include "store/store-write.h"
#include "verify/archive-list.h"
#include "volume/oplog.h"

static enum rc read_descriptor(struct open_log *l, const char *archive,
			       bool for_writing, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };

	enum rc rc = descriptor_read(l->st, &b, err);

	if (rc == RC_NOENT && legacy_store_refuse(l->st, err) != RC_NOENT)
		return err->rc;
	if (rc || descriptor_decode(b.p, b.len, &l->descriptor, err))
		return err_prefix(err, "%s", archive);
	if (store_n_bits(l->st) && store_n_bits(l->st) != l->descriptor.n_bits)
		return err_set(err, RC_USAGE,
			       "%s: its zones are made for n_bits %u, the "
			       "archive has %u",
			       archive, store_n_bits(l->st),
			       l->descriptor.n_bits);
	if (for_writing && l->descriptor.is_read_only)
		return err_set(err, RC_UNSUPPORTED,
			       "%s: has features that this program cannot "
			       "write with",
			       archive);
	return RC_OK;
}

/* --- an archive that has lost its log ------------------------------------- */

static enum rc note_shard(void *arg, const char *key, uint64_t size,
			  struct err *err)
{
	bool *has = arg;

	(void)size;
	*has = archive_key_is_shard(key);
	return *has ? err_set(err, RC_EXISTS, "found") : RC_OK;
}

/* The first record of a new log would hide all shards that there are; and
 * without one nothing is true that is said of deletions.
 */
static enum rc check_log(const struct open_log *l, const char *archive,
			 bool for_writing, struct err *err)
{
	bool has_record = false, has_shard = false;
	enum rc rc = lost_log_has_record(l->st, &has_record, err);

	/* A web server cannot list, and says what it has in a log. */
	if (has_record || rc == RC_UNSUPPORTED)
		return RC_OK;
	if (!rc)
		rc = store_list(l->st, "", NULL, note_shard, &has_shard, err);
	if (!has_shard || (for_writing && lost_log_has_first_run(l->st, NULL)))
		return has_shard ? RC_OK : rc;
	return err_set(err, RC_NOENT,
		       "%s: has shards and no log: it is lost ('desfs "
		       "rebuild'), or a first run was not finished (run it "
		       "again)",
		       archive);
}

/* --- opening -------------------------------------------------------------- */

/* An archive that is there is opened for reading first: else a mistaken path
 * would be made.
 */
static enum rc open_place(struct open_log *l, const char *archive,
			  bool for_writing, struct err *err)
{
	if (for_writing && store_check_writable(archive, err))
		return err->rc;
	if (store_open(&l->st, archive, &l->conf.store, err) ||
	    read_descriptor(l, archive, for_writing, err))
		return err->rc;
	if (!for_writing)
		return RC_OK;
	store_close(l->st);
	l->st = NULL;
	return store_create(&l->st, archive, &l->conf.store, err);
}

enum rc open_log(struct open_log *ret, const char *archive,
		 const struct conf *options, bool for_writing, struct err *err)
{
	*ret = (struct open_log){ .conf = *options };
	if (conf_fill(&ret->conf, archive, err) ||
	    open_place(ret, archive, for_writing, err) ||
	    check_log(ret, archive, for_writing, err)) {
		close_log(ret);
		return err->rc;
	}
	ret->log = oplog_new();
	oplog_keep_receipts(ret->log);
	oplog_expect(ret->log, ret->descriptor.archive_id);
	return RC_OK;
}

void close_log(struct open_log *l)
{
	if (l->log)
		oplog_free(l->log);
	if (l->st)
		store_close(l->st);
	conf_release(&l->conf);
	*l = (struct open_log){ .st = NULL };
}
