/* SPDX-License-Identifier: Apache-2.0 */
/* des2-gather.h - all files in the sources, as records of the format DES2,
 * sorted by slot.
 */
#ifndef DESFS_PACK_DES2_GATHER_H
#define DESFS_PACK_DES2_GATHER_H

#include "base/err.h"

struct pack;

/* Fills items of the pack, which owns them.  What the format cannot hold is
 * reported as failed, but for directories: they are what names say.
 */
enum rc des2_gather(struct pack *p, struct err *err) MUST_CHECK;

#endif
