/* SPDX-License-Identifier: Apache-2.0 */
/* des2-record.h - a file on its way through the sorter to a shard of the format
 * DES2: by day, then uid.
 *
 * A record is a view: its spans are borrowed.  Encoded records are for files of
 * one's own run only.
 */
#ifndef DESFS_PACK_DES2_RECORD_H
#define DESFS_PACK_DES2_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "pack/item.h"

struct des2_record {
	struct span uid; /* UTF-8 */
	struct timestamp created;
	/* Its parent and name make uid.  Of several of one day and uid the one
	 * with the lowest number counts.
	 */
	struct item it;
};

/* The first bytes of a key are equal for records of one day and no others. */
#define DES2_DAY_LEN 4

void des2_record_encode(const struct des2_record *r, struct buf *key,
			struct buf *value);

/* The spans are borrowed from both. */
enum rc des2_record_decode(struct span key, struct span value,
			   struct des2_record *ret, struct err *err) MUST_CHECK;

#endif
