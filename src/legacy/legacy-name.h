/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-name.h - names of objects in archives of older programs, and what they
 * tell: kind, day, slot, and how many bits slots have.
 *
 * Names are keys in the archive's store, without anything before them.  What is
 * taken for one is what the original writes, to the letter:
 *
 *	YYYYMMDD_HEX_NNNN.des         DES2, a shard
 *	YYYYMMDD_HEX_NNNN.meta        its sidecar
 *	_bigFiles/<64 digits, lower>  DES2, a big file
 *	YYYY-MM-DD/<digits, lower>.des    Datavision, a container
 *	YYYY-MM-DD/shard_NN.des           the same, by its packer
 *	YYYY-MM-DD/_bigFiles/<name>       Datavision, an external file
 *
 * The folder of big files has its default name; another one cannot be told from
 * the archive.  YYYYMMDD/HEX.des, which the original documents, it never
 *writes. All functions are pure.
 */
#ifndef DESFS_LEGACY_LEGACY_NAME_H
#define DESFS_LEGACY_LEGACY_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "shard/shard-entry.h"

#define LEGACY_BIG_FILES "_bigFiles"

enum legacy_name_kind {
	LEGACY_NAME_NONE, /* not of an older archive */
	LEGACY_NAME_SHARD,
	LEGACY_NAME_META,
	LEGACY_NAME_BIG_FILE,
	LEGACY_NAME_CONTAINER,        /* Datavision, slot in digits of hex */
	LEGACY_NAME_CONTAINER_NUMBER, /* Datavision, shard_NN */
	LEGACY_NAME_EXTERNAL,         /* Datavision */
};

struct legacy_name {
	enum legacy_name_kind kind;
	/* The date as written, YYYYMMDD as a number: a date that exists, in the
	 * years 1 to 9999.  0 for big files.
	 */
	uint32_t day;
	uint32_t slot;          /* of shards, sidecars, containers */
	unsigned int hex_width; /* digits the slot is written with */
	uint64_t number;        /* NNNN of shards and sidecars */
	struct span file;       /* big files: the hash; external files: the
				   name; borrowed from the key */
};

/* Take a key apart; any bytes.  LEGACY_NAME_NONE and false for all other. */
bool legacy_name_parse(const char *key, size_t len,
		       struct legacy_name *ret) MUST_CHECK;

/* "shard", "sidecar", ...; static. */
const char *legacy_name_kind_text(enum legacy_name_kind kind);

/* True for what has an index: shards and containers. */
static inline bool legacy_name_is_shard(const struct legacy_name *n)
{
	return n->kind == LEGACY_NAME_SHARD ||
	       n->kind == LEGACY_NAME_CONTAINER ||
	       n->kind == LEGACY_NAME_CONTAINER_NUMBER;
}

/* Is this a shard, container or sidecar of that day and slot? */
bool legacy_name_is_of(const struct legacy_name *n, uint32_t day,
		       uint32_t slot) MUST_CHECK;

/* Does DES2 write this slot with so many digits if n_bits is that? */
bool legacy_name_slot_fits(uint64_t slot, unsigned int width,
			   unsigned int n_bits) MUST_CHECK;

/* The order in which the original looks into the shards of one day and slot:
 * that of the bytes of their keys, so 10000 comes before 9999.  The first that
 * has a uid counts.  < 0, 0, > 0.
 */
int legacy_name_compare(struct span key_a, struct span key_b) MUST_CHECK;

/* What takes the place of ".des" at the end of a shard's key to make that of
 * its sidecar, and back.
 */
#define LEGACY_SHARD_SUFFIX ".des"
#define LEGACY_META_SUFFIX ".meta"

#endif
