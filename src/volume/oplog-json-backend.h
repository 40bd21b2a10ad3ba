/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-json-backend.h - what the kinds of log records look like as JSON; for
 * oplog-record.c, oplog-kinds*.c, oplog-shard.c and oplog-checkpoint.c.
 */
#ifndef DESFS_VOLUME_OPLOG_JSON_BACKEND_H
#define DESFS_VOLUME_OPLOG_JSON_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "volume/oplog-record.h"

struct json_t;

/* A kind of record: one array that may be long, whose elements are read and
 * written one by one, and a few members beside it.
 */
struct oplog_form {
	const char *kind, *array; /* words in the record */
	const char *element;      /* for messages: "shard" */
	size_t text_min;          /* no element is told in fewer bytes */
	size_t element_size;
	/* The array, and how many elements it has. */
	const void *(*array_of)(const struct oplog_record *r, size_t *ret_n);
	int (*compare)(const void *a, const void *b); /* of two elements */
	enum rc (*to_json)(const void *element, struct json_t **ret,
			   struct err *err);
	/* Append one.  is_kept: it is in a checkpoint. */
	enum rc (*append)(struct oplog_record *r, const struct json_t *j,
			  bool is_kept, struct err *err);
	/* The other members; NULL: none. */
	void (*set_rest)(const struct oplog_record *r, struct json_t *j);
	enum rc (*get_rest)(const struct json_t *j, struct oplog_record *r,
			    struct err *err);
};

#define OPLOG_N_KINDS 6
extern const struct oplog_form *const oplog_forms[OPLOG_N_KINDS]; /* by kind */
extern const struct oplog_form oplog_form_tombstones, oplog_form_withdrawn,
	oplog_form_purged, oplog_form_erased;

/* So many can be in OPLOG_REST_MAX bytes. */
#define OPLOG_REST_ITEMS_MAX (OPLOG_REST_MAX / 32)

struct json_t *oplog_shard_to_json(const struct shard_meta *m);
/* On failure m is to be released, too. */
enum rc oplog_shard_from_json(const struct json_t *j, bool is_kept,
			      struct shard_meta *m, struct err *err) MUST_CHECK;

/* Whether it can be the key of a shard of that root. */
bool shard_key_is_of(const char *key,
		     const uint8_t root[SHARD_ROOT_LEN]) MUST_CHECK;
/* The members key and root of a shard; *ret_key is to be freed. */
enum rc oplog_get_shard_key(const struct json_t *j, char **ret_key,
			    uint8_t ret_root[SHARD_ROOT_LEN],
			    struct err *err) MUST_CHECK;

/* A record as a checkpoint has it: with name and sha256.  digest: its own. */
enum rc oplog_record_decode_kept(const void *p, size_t len,
				 struct oplog_record *ret,
				 uint8_t ret_digest[SHARD_ID_LEN],
				 struct err *err) MUST_CHECK;
void oplog_record_encode_kept(const struct oplog_record *r,
			      const uint8_t archive_id[SHARD_ID_LEN],
			      struct buf *out,
			      uint8_t ret_digest[SHARD_ID_LEN]);

#endif
