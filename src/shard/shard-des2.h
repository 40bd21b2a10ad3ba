/* SPDX-License-Identifier: Apache-2.0 */
/* shard-des2.h - numbers of the format DES2; des2(5) is the description.
 *
 * It is read with shard/shard-kinds.h and shard/legacy-cursor.h.
 */
#ifndef DESFS_SHARD_SHARD_DES2_H
#define DESFS_SHARD_SHARD_DES2_H

#define DES2_MAGIC "DES2"
#define DES2_VERSION_OFF 4
#define DES2_HEADER_SIZE 8
#define DES2_FOOTER_MAGIC "DESI"
#define DES2_FOOTER_SIZE 12

/* Of an index: the number of entries. */
#define DES2_COUNT_SIZE 4

/* Of an entry with its content in the shard, all but uid and metadata. */
#define DES2_ENTRY_V1_SIZE 35
#define DES2_ENTRY_SIZE 40

#define DES2_FLAG_BIG_FILE 1u

#endif
