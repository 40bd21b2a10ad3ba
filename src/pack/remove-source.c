/* SPDX-License-Identifier: Apache-2.0 */
/* remove-source.c - removes from the sources what the archive has proven to
 * have: what the walk saw is compared once more with what a reader finds now.
 */
#include "config.h"

#include "pack/remove-source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/stop.h"
#include "pack/attr.h"
#include "pack/compare-file.h"
#include "pack/erased.h"
#include "pack/own.h"
#include "pack/pack.h"
#include "pack/remove-file.h"
#include "pack/remove-proof.h"
#include "pack/slot-items.h"
#include "pack/tree.h"
#include "shard/shard-format.h"
#include "volume/volume.h"

struct remover {
	struct pack *p;
	struct remove_proof *proof;
	struct volume *volume;
	struct tree *tree;
	struct own *own;
	struct attr_reader *attrs;
	struct buf uid;

	struct slot_items items; /* of the slot looked at */
	struct volume_scan *scan;
	bool has_ahead;
	struct volume_entry ahead; /* the next one of the scan */
};

/* --- what may not be done --------------------------------------------------
 */

/* Is dir the archive, or somewhere in it? */
static enum rc check_outside(const struct own *own, int dir, const char *path,
			     struct err *err)
{
	CLEANUP_FD int fd = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, above;

	if (fd < 0 || fstat(fd, &st))
		return err_set_errno(err, errno, "%s", path);
	for (;;) {
		int up;

		if (own_is_dir(own, &st) || own_holds(own, fd))
			return err_set(err, RC_USAGE,
				       "%s: lies in the archive, of which "
				       "--remove-source-files would take files",
				       path);
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0)
			return err_set_errno(err, errno, "%s: the way up",
					     path);
		close(fd);
		fd = up;
		if (fstat(fd, &above))
			return err_set_errno(err, errno, "%s: the way up",
					     path);
		if (above.st_dev == st.st_dev && above.st_ino == st.st_ino)
			return RC_OK;
		st = above;
	}
}

enum rc remove_source_check(const struct pack *p, struct err *err)
{
	if (p->opts->mirror)
		return err_set(err, RC_USAGE,
			       "--mirror would take the files that "
			       "--remove-source-files removed for deleted");
	return RC_OK;
}

enum rc remove_source_check_places(const struct pack *p, struct err *err)
{
	for (size_t i = 0; i < p->sources.n; i++) {
		const struct source *s = &p->sources.v[i];

		if (check_outside(p->own, s->fd, s->path, err))
			return err->rc;
	}
	return RC_OK;
}

/* --- one file --------------------------------------------------------------
 */

static struct span set_uid(struct remover *r, const struct item *it)
{
	buf_clear(&r->uid);
	buf_append(&r->uid, it->parent.p, it->parent.len);
	if (it->parent.len)
		buf_append_str(&r->uid, "/");
	buf_append(&r->uid, it->name.p, it->name.len);
	return span_of(r->uid.p, r->uid.len);
}

enum outcome {
	FILE_REMOVED,
	FILE_GONE, /* somebody else was quicker */
	FILE_KEPT, /* err says why */
	FILE_LAST, /* so does it, and that others will do no better */
};

/* ve: the version of it that the archive has. */
static enum outcome remove_one(struct remover *r, const struct item *it,
			       const struct volume_entry *ve, struct err *err)
{
	const struct entry *e = &ve->e;
	const struct remove_from from = { .tree = r->tree,
					  .own = r->own,
					  .attrs = r->attrs,
					  .throttle = r->p->throttle };
	bool has_bytes = it->type == ENTRY_REG && it->size;
	enum rc rc;

	if (!compare_attributes(it, e) || (has_bytes && !e->has_hash)) {
		err_set(err, RC_CHANGED,
			"not removed: the archive has another version");
		return FILE_KEPT;
	}
	rc = remove_proof_check(r->proof, volume_shard(r->volume, ve->node), e,
				err);
	if (rc)
		return rc_is_transient(rc) ? FILE_LAST : FILE_KEPT;
	rc = remove_file(&from, it, has_bytes ? e->sha256 : NULL, err);
	if (rc == RC_NOENT)
		return FILE_GONE;
	if (rc)
		return rc == RC_STOPPED ? FILE_LAST : FILE_KEPT;
	return FILE_REMOVED;
}

static enum rc remove_item(struct remover *r, const struct item *it,
			   const struct volume_entry *ve, struct err *err)
{
	struct span uid = set_uid(r, it);
	enum outcome outcome = FILE_REMOVED;
	struct err failure;

	/* It was not packed, and so it is not proven. */
	if (erased_keeps_out(r->p->erased, it) &&
	    (!ve || !compare_attributes(it, &ve->e)))
		return RC_OK;
	if (it->type == ENTRY_DIR || it->implicit ||
	    report_has_failed(r->p->report, uid))
		return RC_OK;
	if (!r->p->opts->dry_run && ve) {
		outcome = remove_one(r, it, ve, &failure);
	} else if (!r->p->opts->dry_run) {
		err_set(&failure, RC_CHANGED,
			"not removed: not found in the archive again");
		outcome = FILE_KEPT;
	}
	switch (outcome) {
	case FILE_REMOVED:
		report_removed_source(r->p->report, uid, it->type,
				      it->type == ENTRY_REG ? it->size : 0);
		break;
	case FILE_GONE: break;
	case FILE_KEPT: report_kept_source(r->p->report, uid, &failure); break;
	case FILE_LAST: *err = failure; return err->rc;
	}
	return RC_OK;
}

/* --- a slot ----------------------------------------------------------------
 */

static enum rc next_ahead(struct remover *r, struct err *err)
{
	enum rc rc;

	r->has_ahead = false;
	if (!r->scan)
		return RC_OK;
	rc = volume_scan_next(r->scan, &r->ahead, err);
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	r->has_ahead = true;
	return RC_OK;
}

/* Of the item's versions that of this run, or else the newest, which is held
 * until the caller releases it.
 */
static enum rc find_version(struct remover *r, const struct item *it,
			    struct volume_entry *ret, bool *ret_found,
			    struct err *err)
{
	bool is_own = false;
	enum rc rc = RC_OK;

	*ret_found = false;
	while (!rc && r->has_ahead) {
		const struct entry *e = &r->ahead.e;
		int order = entry_key_compare(it->parent, it->name, e->parent,
					      e->name);
		bool own;

		if (order < 0)
			return RC_OK;
		own = !order && !e->implicit &&
		      remove_proof_is_own(
			      r->proof, volume_shard(r->volume, r->ahead.node));
		if (!order && !e->implicit &&
		    (!*ret_found || (own && !is_own))) {
			if (*ret_found)
				volume_entry_release(ret);
			*ret = r->ahead;
			*ret_found = true;
			is_own = own;
		} else {
			volume_entry_release(&r->ahead);
		}
		rc = next_ahead(r, err);
	}
	if (rc && *ret_found) {
		volume_entry_release(ret);
		*ret_found = false;
	}
	return rc;
}

/* RC_NOENT at the end. */
static enum rc remove_items(struct remover *r, struct err *err)
{
	enum rc rc = next_ahead(r, err);

	while (!rc) {
		struct volume_entry ve;
		bool found = false;
		struct item it;

		rc = slot_items_next(&r->items, &it, err);
		if (rc)
			return rc == RC_NOENT ? RC_OK : rc;
		if (stop_asked())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		rc = find_version(r, &it, &ve, &found, err);
		if (rc)
			return rc;
		rc = remove_item(r, &it, found ? &ve : NULL, err);
		if (found)
			volume_entry_release(&ve);
	}
	return rc;
}

static enum rc remove_slot(struct remover *r, uint32_t slot, struct err *err)
{
	enum rc rc = slot_items_open(&r->items, r->p, slot, err);

	if (!rc && r->volume)
		rc = volume_scan_slot(r->volume, slot, &r->scan, err);
	if (!rc)
		rc = remove_items(r, err);
	if (r->has_ahead)
		volume_entry_release(&r->ahead);
	r->has_ahead = false;
	volume_scan_free(r->scan);
	r->scan = NULL;
	slot_items_close(&r->items);
	return rc;
}

/* --- a run -----------------------------------------------------------------
 */

/* As somebody sees it who comes now, without anything remembered. */
static enum rc open_archive(struct remover *r, struct err *err)
{
	struct volume_options how = r->p->opts->how;
	enum rc rc;

	report_phase(r->p->report, "verifying");
	rc = remove_proof_new(r->p, &r->proof, err);
	if (rc)
		return rc;
	how.index_cache = "";
	how.disk_cache = NULL;
	how.verify = VERIFY_BLOCK;
	return volume_open(&r->volume, r->p->opts->archive, &how, err);
}

static enum rc remove_slots(struct remover *r, struct err *err)
{
	enum rc rc = RC_OK;

	report_phase(r->p->report, "removing");
	for (uint32_t i = 0; !rc && !(i >> r->p->descriptor.n_bits); i++)
		rc = remove_slot(r, i, err);
	return rc;
}

/* The kernel asks for a lease back by SIGIO, which would kill us; we look. */
static void ignore_sigio(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGIO, &ignore, NULL);
}

enum rc remove_source(struct pack *p, struct err *err)
{
	struct remover r = { .p = p };
	enum rc rc = RC_OK;

	if (!p->opts->dry_run && !p->n_shards && !p->volume)
		return RC_OK;
	buf_init(&r.uid, SIZE_MAX / 2);
	r.tree = tree_new(&p->sources);
	/* Once more, for what others or this run made since. */
	r.own = own_new(p);
	r.attrs = attr_reader_new();
	tree_refuse(r.tree, r.own);
	ignore_sigio();
	if (!p->opts->dry_run)
		rc = open_archive(&r, err);
	if (!rc)
		rc = remove_slots(&r, err);
	if (!rc && r.proof && remove_proof_damaged(r.proof))
		rc = err_set(err, RC_CORRUPT,
			     "%zu shards of this run are damaged; their files "
			     "were not removed",
			     remove_proof_damaged(r.proof));
	if (rc && !p->opts->dry_run)
		err_prefix(err, "the run is in the archive, but not all of its "
				"sources were removed");
	attr_reader_free(r.attrs);
	tree_free(r.tree);
	own_free(r.own);
	volume_close(r.volume);
	remove_proof_free(r.proof);
	buf_release(&r.uid);
	return rc;
}
