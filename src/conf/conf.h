/* SPDX-License-Identifier: Apache-2.0 */
/* conf.h - settings for one archive: options first, then desfs.conf(5).
 *
 *	struct conf c = { 0 };
 *	... options set fields of c, see CONF_OPTS ...
 *	rc = conf_fill(&c, archive, err);
 *	... store_open(&st, archive, &c.store, err) ...
 *	conf_release(&c);
 *
 * Files: /etc/desfs.conf, then $XDG_CONFIG_HOME/desfs/desfs.conf or
 * ~/.config/desfs/desfs.conf; DESFS_CONF names one file in place of both.
 *Section [default] is for all, [archive URL] for archives at or below that URL;
 *the longest wins, the later file wins over the earlier one, options over all.
 */
#ifndef DESFS_CONF_CONF_H
#define DESFS_CONF_CONF_H

#include <stdint.h>

#include "base/err.h"
#include "conf/store-settings.h"

enum conf_stale { STALE_UNSET, STALE_ERROR, STALE_OK };

#define CONF_UNSET UINT32_MAX

struct conf_strings;

struct conf {
	struct store_settings store;
	const char *index_cache;   /* file; "": none; NULL: the usual place */
	uint64_t index_cache_size; /* bytes; 0: default */
	const char *disk_cache;    /* directory; "" or NULL: none */
	uint64_t disk_cache_size;  /* bytes; 0: default */
	uint64_t disk_cache_free;  /* bytes left free; 0: default */
	/* For mounts.  Seconds; CONF_UNSET before conf_fill, default after. */
	unsigned int refresh, tombstone_max_age;
	enum conf_stale stale;

	struct conf_strings *strings; /* what fields above point to */
};

/* Before options are parsed. */
void conf_init(struct conf *c);

/* Fill in what options left unset.  RC_USAGE: FILE:LINE and what is wrong
 * there.
 */
enum rc conf_fill(struct conf *c, const char *archive,
		  struct err *err) MUST_CHECK;
void conf_release(struct conf *c);

/* CONF_OPTS(type, member) and CONF_MOUNT_OPTS(type, member), in conf-opts.h,
 * are the rows of these settings for the tables of tools and of mounts: member
 * is a struct conf in the struct type that opt_parse fills.
 */

#endif
