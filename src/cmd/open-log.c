/* SPDX-License-Identifier: Apache-2.0 */
/* open-log.c - an archive opened for those who write into its log. */
#include "config.h"

#include "cmd/open-log.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "store/store-write.h"
#include "volume/oplog.h"

static enum rc read_descriptor(struct open_log *l, const char *archive,
			       bool for_writing, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };

	if (descriptor_read(l->st, &b, err) ||
	    descriptor_decode(b.p, b.len, &l->descriptor, err))
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
	    open_place(ret, archive, for_writing, err)) {
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
