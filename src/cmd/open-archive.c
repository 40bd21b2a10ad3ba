/* SPDX-License-Identifier: Apache-2.0 */
/* open-archive.c - an archive opened with the settings of options and files. */
#include "config.h"

#include "cmd/open-archive.h"

#include "cmd/tell.h"
#include "volume/volume.h"

enum rc open_archive(struct open_archive *ret, const char *archive,
		     const struct conf *options, struct err *err)
{
	struct volume_options how = { .verify = VERIFY_BLOCK };

	*ret = (struct open_archive){ .conf = *options };
	if (conf_fill(&ret->conf, archive, err)) {
		conf_release(&ret->conf);
		return err->rc;
	}
	how.settings = &ret->conf.store;
	how.index_cache = ret->conf.index_cache;
	how.index_cache_size = ret->conf.index_cache_size;
	if (volume_open(&ret->v, archive, &how, err)) {
		conf_release(&ret->conf);
		return err->rc;
	}
	if (volume_index_cache_error(ret->v))
		tell("%s", volume_index_cache_error(ret->v));
	return RC_OK;
}

void close_archive(struct open_archive *a)
{
	volume_close(a->v);
	conf_release(&a->conf);
}
