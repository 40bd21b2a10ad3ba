/* SPDX-License-Identifier: Apache-2.0 */
/* des2-rules.h - the rules of the format DES2 for who writes it: names of
 * shards, when one is full, what is not compressed, what an entry says.
 *
 * des2(5) describes the format.  Pure functions, any thread.
 */
#ifndef DESFS_PACK_DES2_RULES_H
#define DESFS_PACK_DES2_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/timestamp.h"
#include "shard/shard-entry.h"

/* As the original has them. */
#define DES2_N_BITS 8
#define DES2_MAX_SHARD UINT64_C(1000000000)
#define DES2_BIG_FILE (UINT64_C(10) << 20)
#define DES2_BIG_DIR "_bigFiles"

/* Ours: the original has no bound for files without bytes. */
#define DES2_SHARD_FILES (1u << 20)

/* Is the file stored without compression for its name's sake?  The names of
 * what is compressed already, whatever their case.
 */
bool des2_stays_plain(struct span uid);

/* A shard that is filled with files in their order. */
struct des2_fill {
	uint64_t max; /* plain bytes, big files among them */
	uint64_t bytes;
	uint32_t n;
};

/* Does a file of so many bytes begin the next shard? */
bool des2_fill_is_full(const struct des2_fill *f, uint64_t size);
void des2_fill_add(struct des2_fill *f, uint64_t size);

#define DES2_KEY_TEXT 64

/* YYYYMMDD_HEX_NNNN.des; day and hex as locate_shard gives them. */
void des2_shard_key(const char *day, const char *hex, uint32_t number,
		    char ret[DES2_KEY_TEXT]);

struct des2_name {
	char day[16], hex[8];
	uint32_t number;
	bool has_sidecar; /* for who lists; des2_parse_key: false */
};

/* False for all that des2_shard_key cannot have made. */
bool des2_parse_key(const char *key, struct des2_name *ret);
/* The same of a sidecar's, YYYYMMDD_HEX_NNNN.meta. */
bool des2_parse_sidecar(const char *key, struct des2_name *ret);

void des2_sidecar_key(const struct des2_name *n, char ret[DES2_KEY_TEXT]);

/* Is key a big file's, by its form? */
bool des2_is_big_key(const char *key);

/* What an entry has besides its content. */
struct des2_meta {
	struct timestamp created;
	bool has_mtime;
	int64_t mtime_s;
	uint32_t mtime_ns;
	struct span more; /* a JSON object whose members are kept, or empty */
};

/* Append it as a JSON object.  Of more a created_at is kept, in the place of
 * ours, if it is the same time and date, and a mtime if there is none of ours.
 */
void des2_meta_write(const struct des2_meta *m, struct buf *out);

#endif
