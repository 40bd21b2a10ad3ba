/* SPDX-License-Identifier: Apache-2.0 */
/* open-archive.c - an archive opened with the settings of options and files. */
#include "config.h"

#include "cmd/open-archive.h"

#include <inttypes.h>

#include "cmd/tell.h"
#include "volume/volume.h"

/* volume_text_fn */
static void tell_damage(void *arg, const char *text)
{
	(void)arg;
	tell("%s", text);
}

enum rc open_archive(struct open_archive *ret, const char *archive,
		     const struct conf *options, struct err *err)
{
	const struct volume_options how = { 0 };

	return open_archive_as(ret, archive, options, &how, err);
}

enum rc open_archive_as(struct open_archive *ret, const char *archive,
			const struct conf *options,
			const struct volume_options *as, struct err *err)
{
	struct volume_options how = *as;

	*ret = (struct open_archive){ .conf = *options };
	if (conf_fill(&ret->conf, archive, err)) {
		conf_release(&ret->conf);
		return err->rc;
	}
	how.verify = VERIFY_BLOCK;
	how.settings = &ret->conf.store;
	how.index_cache = ret->conf.index_cache;
	how.index_cache_size = ret->conf.index_cache_size;
	if (volume_open(&ret->v, archive, &how, err)) {
		conf_release(&ret->conf);
		return err->rc;
	}
	if (volume_index_cache_error(ret->v))
		tell("%s", volume_index_cache_error(ret->v));
	ret->n_damage = volume_legacy_damage(ret->v, tell_damage, NULL);
	return RC_OK;
}

enum rc archive_result(const struct open_archive *a, enum rc rc,
		       struct err *err)
{
	struct volume_stats vs;

	if (rc == RC_PARTIAL && volume_is_legacy(a->v)) {
		volume_stats(a->v, &vs);
		return a->n_damage || vs.corrupt
			       ? err_set(err, RC_CORRUPT, "%s", "")
			       : rc;
	}
	if (rc == RC_NOENT && a->n_damage)
		return err_set(err, RC_CORRUPT,
			       "it may be in the %" PRIu64
			       " parts of the archive that cannot be read",
			       a->n_damage);
	if (rc || !a->n_damage)
		return rc;
	return err_set(err, RC_CORRUPT,
		       "%" PRIu64 " parts of the archive cannot be read",
		       a->n_damage);
}

void close_archive(struct open_archive *a)
{
	volume_close(a->v);
	conf_release(&a->conf);
}
