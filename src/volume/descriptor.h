/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.h - desfs.json, what an archive is; see desfs-archive(5). */
#ifndef DESFS_VOLUME_DESCRIPTOR_H
#define DESFS_VOLUME_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-format.h"

#define DESCRIPTOR_KEY "desfs.json"
#define DESCRIPTOR_MAX (64u << 10)

struct descriptor {
	uint8_t archive_id[SHARD_ID_LEN];
	unsigned int format; /* 3 */
	unsigned int n_bits; /* 4 ... 16 */
	unsigned int route;  /* enum route_kind */
	int64_t created_at;  /* of the first run, microseconds */
	/* A feature not known here forbids writing; lost by encoding. */
	bool is_read_only;
};

struct store;
/* Append what the store has; RC_NOENT says that there is no archive, and of a
 * remote place also what the server says.  ret takes DESCRIPTOR_MAX at least.
 */
enum rc descriptor_read(struct store *st, struct buf *ret,
			struct err *err) MUST_CHECK;

/* Compute archive_id from the other fields. */
void descriptor_set_id(struct descriptor *d);

/* RC_CORRUPT: not JSON, fields missing, out of range, or the id does not match.
 * RC_UNSUPPORTED: a format or feature not known here.
 */
enum rc descriptor_decode(const void *p, size_t len, struct descriptor *ret,
			  struct err *err) MUST_CHECK;
void descriptor_encode(const struct descriptor *d, struct buf *out);

/* The word for an enum route_kind. */
const char *descriptor_route_text(unsigned int route);

/* The members n_bits and route, which records of the log have, too. */
struct json_t;
enum rc descriptor_get_routing(const struct json_t *j, unsigned int *ret_route,
			       unsigned int *ret_n_bits,
			       struct err *err) MUST_CHECK;

#endif
