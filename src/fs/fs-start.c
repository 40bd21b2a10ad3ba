/* SPDX-License-Identifier: Apache-2.0 */
/* fs-start.c - an archive opened for mounting. */
#include "config.h"

#include "fs/fs-start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Parts of an older archive that cannot be read: so many are logged. */
#define DAMAGE_TOLD 20u

/* The control directory would hide it. */
static enum rc refuse_control_name(struct fs *fs,
				   const struct volume_entry *root,
				   struct err *err)
{
	const char *name = fs->o->control;
	struct volume_entry ve;
	enum rc rc;

	if (!*name || fs->by_date)
		return RC_OK;
	rc = volume_lookup(fs->v, root, span_of(name, strlen(name)), &ve, err);
	if (rc == RC_NOENT)
		return RC_OK;
	if (rc) {
		/* Damage costs the names that are damaged, not the mount. */
		log_rc(err, "looking for '%s'", name);
		return RC_OK;
	}
	volume_entry_release(&ve);
	return err_set(err, RC_EXISTS,
		       "the archive has a file '%s' of its own: name the "
		       "control directory otherwise with -o control=NAME",
		       name);
}

static enum rc check_root(struct fs *fs, struct err *err)
{
	struct volume_entry root;
	enum rc rc;

	/* Also before there is any. */
	if (fs->by_date && fs_day_of_name(fs->o->control))
		return err_set(err, RC_EXISTS,
			       "days are called like '%s': name the control "
			       "directory otherwise with -o control=NAME",
			       fs->o->control);
	rc = volume_root(fs->v, &root, err);
	if (rc == RC_NOENT)
		return RC_OK;
	if (rc)
		return rc;
	rc = refuse_control_name(fs, &root, err);
	volume_entry_release(&root);
	return rc;
}

/* Numbers of the words that may be left out. */
static void choose_defaults(struct fs *fs)
{
	struct volume_stats vs;

	fs->by_date = fs->o->layout == LAYOUT_DATE;
	if (fs->o->layout == LAYOUT_AUTO)
		fs->by_date = volume_routes_by_uid(fs->v);
	fs->xattr = fs->o->xattr;
	if (fs->xattr == XATTR_AUTO) {
		volume_stats(fs->v, &vs);
		fs->xattr = vs.any_xattrs ? XATTR_PACKED : XATTR_OFF;
	}
}

/* volume_text_fn */
static void tell_damage(void *arg, const char *text)
{
	unsigned int *n = arg;

	if ((*n)++ < DAMAGE_TOLD)
		log_warn("%s", text);
}

void fs_tell_legacy(struct fs *fs)
{
	char bits[VOLUME_BITS_TEXT];
	unsigned int n = 0;
	uint64_t n_all;

	if (!volume_is_legacy(fs->v))
		return;
	volume_legacy_bits(fs->v, bits);
	log_info("%s: archive of an older program; %s", fs->o->archive, bits);
	n_all = volume_legacy_damage(fs->v, tell_damage, &n);
	if (n_all > DAMAGE_TOLD)
		log_warn("%s: %llu parts cannot be read, 'desfs verify' tells "
			 "all",
			 fs->o->archive, (unsigned long long)n_all);
}

/* A refresh that gets no answer shall not keep the next one waiting. */
static void bound_timeout(struct fs *fs, unsigned int refresh)
{
	unsigned int third = refresh < 3 ? 1 : refresh / 3;
	unsigned int *timeout = &fs->store.timeout;

	if (!refresh || (*timeout ? *timeout : STORE_TIMEOUT_DEFAULT) <= third)
		return;
	if (*timeout)
		log_info("timeout is %u s, a third of refresh", third);
	*timeout = third;
}

enum rc fs_start(struct fs *fs, const struct fs_options *o, struct err *err)
{
	const struct conf *conf = &o->conf;
	struct volume_options vo = {
		.settings = &fs->store,
		.index_cache = conf->index_cache,
		.index_cache_size = conf->index_cache_size,
		.disk_cache = conf->disk_cache,
		.disk_cache_size = conf->disk_cache_size,
		.disk_cache_free = conf->disk_cache_free,
		.block_cache = o->block_cache,
		.page_cache = o->page_cache,
		.verify = (enum volume_verify)o->verify,
		.legacy.n_bits = o->n_bits,
	};
	enum rc rc;
	int e;

	*fs = (struct fs){
		.o = o,
		.served = -1,
		.owner = getuid(),
		.group = getgid(),
		.started =
			(time_t)(clock_wall_ns() / (int64_t)CLOCK_NS_PER_SEC),
		.stats.started = clock_mono_ns(),
		.store = conf->store,
		.max_age = conf->stale == STALE_OK || !conf->refresh
				   ? 0
				   : conf->tombstone_max_age,
	};
	bound_timeout(fs, conf->refresh);
	fs_push_init(fs);
	e = pthread_key_create(&fs->buffers, free);
	if (e)
		return err_set_errno(err, e, "thread key");
	fs->snapshots = fs_snapshots_new();
	fs->served = eventfd(0, EFD_CLOEXEC);
	if (fs->served < 0)
		return err_set_errno(err, errno, "eventfd");
	rc = volume_open(&fs->v, o->archive, &vo, err);
	if (rc)
		return rc;
	fs_stale_fresh(fs);
	if (volume_index_cache_error(fs->v))
		log_warn("%s", volume_index_cache_error(fs->v));
	fs_tell_legacy(fs);
	choose_defaults(fs);
	return check_root(fs, err);
}

void fs_release(struct fs *fs)
{
	fs_unmount(fs);
	volume_close(fs->v);
	fs->v = NULL;
	fs_push_release(fs);
	fs_snapshots_free(fs->snapshots);
	fs->snapshots = NULL;
	if (fs->served >= 0)
		close(fs->served);
	fs->served = -1;
	/* The workers' buffers went with them. */
	pthread_key_delete(fs->buffers);
}
