/* SPDX-License-Identifier: Apache-2.0 */
/* get-content.h - the bytes of one version of a file, checked as they are read.
 *
 * Each block is checked before a byte of it is given out, and the whole at its
 * end: RC_CORRUPT then, with the bytes written all the same.  The hash is that
 * of what was written.  Any thread.
 */
#ifndef DESFS_EXCHANGE_GET_CONTENT_H
#define DESFS_EXCHANGE_GET_CONTENT_H

#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"

struct volume;
struct volume_entry;

/* RC_USAGE: the entry is no regular file, and what it is. */
enum rc get_check_type(const struct volume_entry *ve,
		       struct err *err) MUST_CHECK;

/* In order, to anything that can be written to. */
enum rc get_stream(struct volume *v, const struct volume_entry *ve, int fd,
		   uint8_t ret_sha256[SHA256_LEN], struct err *err) MUST_CHECK;

/* Into an empty regular file, from its start on, with its holes. */
enum rc get_fill(struct volume *v, const struct volume_entry *ve, int fd,
		 uint8_t ret_sha256[SHA256_LEN], struct err *err) MUST_CHECK;

/* Into memory, as many bytes as the entry's size. */
enum rc get_load(struct volume *v, const struct volume_entry *ve, void *ret,
		 uint8_t ret_sha256[SHA256_LEN], struct err *err) MUST_CHECK;

#endif
