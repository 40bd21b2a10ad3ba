/* SPDX-License-Identifier: Apache-2.0 */
/* source.h - what is to be packed, as the command line names it.
 *
 * One directory: its contents are the archive's root (name is "").  Several
 * sources, or a file: each under its own name.
 */
#ifndef DESFS_PACK_SOURCE_H
#define DESFS_PACK_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct source {
	const char *path; /* as given */
	char *name;       /* in the archive; "" for its root */
	size_t name_len;
	char *base; /* a file's name in fd */
	int fd;     /* the directory, or the directory the file is in */
	bool is_dir;
};

struct sources {
	struct source *v;
	size_t n;
};

/* Open all of them.  RC_NOENT, RC_ACCESS; RC_USAGE when two have one name. */
enum rc sources_open(struct sources *ret, char **paths, size_t n,
		     struct err *err) MUST_CHECK;
void sources_close(struct sources *s);

/* True when the archive's root is no source itself. */
bool sources_have_names(const struct sources *s);

/* A uid's path below the source's fd. */
struct span source_relative(const struct source *s, struct span uid);

#endif
