/* SPDX-License-Identifier: Apache-2.0 */
/* verify-salvage.h - desfs verify --salvage: what is intact of damaged shards
 * is written into a directory.
 *
 * For one thread.  All take a zeroed struct, with which they do nothing.
 */
#ifndef DESFS_CMD_VERIFY_SALVAGE_H
#define DESFS_CMD_VERIFY_SALVAGE_H

#include <stddef.h>

#include "base/err.h"
#include "restore/salvage.h"

struct store_settings;

struct verify_salvage {
	struct restore *to; /* NULL: none is wanted */
	char **damaged;     /* keys of this archive's damaged shards */
	size_t n_damaged, cap_damaged;
	struct salvage_totals salvaged;
};

enum rc verify_salvage_begin(struct verify_salvage *v, const char *dir,
			     struct err *err) MUST_CHECK;
void verify_salvage_end(struct verify_salvage *v);

/* A damaged object; only shards matter. */
void verify_salvage_note(struct verify_salvage *v, const char *key);
/* Salvage those noted, of this archive. */
enum rc verify_salvage_archive(struct verify_salvage *v, const char *url,
			       const struct store_settings *set,
			       struct err *err) MUST_CHECK;
/* A shard that was named is salvaged whether it is damaged or not. */
enum rc verify_salvage_file(struct verify_salvage *v, const char *path,
			    struct err *err) MUST_CHECK;

#endif
