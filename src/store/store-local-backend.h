/* SPDX-License-Identifier: Apache-2.0 */
/* store-local-backend.h - what the two halves of the directory store share.
 *
 * All names are resolved beneath dirfd, part by part, and no symbolic link is
 * followed.
 */
#ifndef DESFS_STORE_STORE_LOCAL_BACKEND_H
#define DESFS_STORE_STORE_LOCAL_BACKEND_H

#include "store/store-backend.h"

struct fd_cache;

struct local_store {
	struct store base;
	int dirfd;
	struct fd_cache *fds;
	struct store_run *run; /* the writing half's; NULL outside a run */
};

/* Open the directory of the first len bytes of key (0: the root itself); -1 and
 * errno on failure.
 */
int store_local_open_dir(const struct local_store *ls, const char *key,
			 size_t len) MUST_CHECK;

#endif
