/* SPDX-License-Identifier: Apache-2.0 */
/* verify-target.h - what desfs verify was asked to look at. */
#ifndef DESFS_CMD_VERIFY_TARGET_H
#define DESFS_CMD_VERIFY_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* An archive, some shards of one, or a shard that is a file. */
struct verify_target {
	char *what;        /* a URL or path */
	bool is_file;      /* a shard */
	const char **keys; /* of shards in the archive; none: all of it */
	size_t n_keys, cap_keys;
};

struct verify_targets {
	struct verify_target *v;
	size_t n, cap;
};

/* An argument that is a file is a shard; one that looks like a shard's key is
 * one in the archive named last, and behind a URL or path in that archive; all
 * else is an archive.  Keys are borrowed from argv.
 */
void verify_targets_read(struct verify_targets *ret, int argc, char **argv);
void verify_targets_release(struct verify_targets *t);

#endif
