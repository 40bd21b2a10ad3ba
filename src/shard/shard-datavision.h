/* SPDX-License-Identifier: Apache-2.0 */
/* shard-datavision.h - numbers of Datavision's container; des-datavision(5) is
 * the description.
 *
 * It is read with shard/shard-kinds.h and shard/legacy-cursor.h.
 */
#ifndef DESFS_SHARD_SHARD_DATAVISION_H
#define DESFS_SHARD_SHARD_DATAVISION_H

#define DATAVISION_MAGIC "DESHEAD1"
#define DATAVISION_HEADER_SIZE 16
#define DATAVISION_FOOTER_MAGIC "DESFOOT1"
#define DATAVISION_FOOTER_SIZE 72
#define DATAVISION_VERSION 1

/* Of an entry, all but its name. */
#define DATAVISION_ENTRY_SIZE 38

#define DATAVISION_FLAG_EXTERNAL 1u

#endif
