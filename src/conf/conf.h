/* SPDX-License-Identifier: Apache-2.0 */
/* conf.h - settings for one archive: options first, then desfs.conf(5).
 *
 *	struct conf c = CONF_INIT;
 *	... options set fields of c, see conf-opts.h ...
 *	rc = conf_fill(&c, archive, err);
 *	... store_open(&st, archive, &c.store, err) ...
 *	conf_release(&c);
 *
 * Files: /etc/desfs.conf, then $XDG_CONFIG_HOME/desfs/desfs.conf or
 * ~/.config/desfs/desfs.conf; DESFS_CONF names one file in place of both, or,
 * when it is empty, none.  Section [default] is for all, [archive URL] for
 * archives at or below that URL; the longest URL wins, of equal ones the later
 * file, options over all.
 */
#ifndef DESFS_CONF_CONF_H
#define DESFS_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/store-settings.h"

enum conf_stale { STALE_UNSET, STALE_ERROR, STALE_OK };

#define CONF_UNSET UINT32_MAX

struct buf;
struct conf_strings;

struct conf {
	struct store_settings store;
	const char *index_cache;   /* file; "": none; NULL: the usual place */
	uint64_t index_cache_size; /* bytes; 0: default */
	const char *disk_cache;    /* directory; "" or NULL: none */
	uint64_t disk_cache_size;  /* bytes; 0: default */
	uint64_t disk_cache_free;  /* bytes left free; 0: default */
	const char *erasure_key;   /* file, see erasure-key.h; NULL: none */
	/* For mounts.  Seconds; CONF_UNSET before conf_fill, default after. */
	unsigned int refresh, tombstone_max_age;
	enum conf_stale stale;

	struct conf_strings *strings; /* what fields above point to */
	const char **origins;         /* see conf_origin */
};

/* Before options are parsed. */
#define CONF_INIT                                                      \
	{                                                              \
		.refresh = CONF_UNSET, .tombstone_max_age = CONF_UNSET \
	}
void conf_init(struct conf *c);

/* Fill in what options left unset.  Paths become absolute, so it comes before
 * the working directory changes.  Strings of options stay borrowed.  RC_USAGE:
 * FILE:LINE and what is wrong there, or the option that is; c is to be released
 * in any case.  archive may be NULL: what is for all.
 */
enum rc conf_fill(struct conf *c, const char *archive,
		  struct err *err) MUST_CHECK;
void conf_release(struct conf *c);

/* "scheme://..."; all else is a path. */
bool conf_is_url(const char *archive);

/* For those who show settings: after conf_fill, and for each row below n. */
size_t conf_n_rows(void);
const char *conf_key(size_t row);
/* "option", "default", or FILE:LINE; borrowed from c. */
const char *conf_origin(const struct conf *c, size_t row);
/* Append the value, in words where it is the default. */
void conf_value_text(const struct conf *c, size_t row, struct buf *ret);

#endif
