/* SPDX-License-Identifier: Apache-2.0 */
/* volume-source.h - the bytes of a file of a volume, for restore.h and
 * export.h.
 *
 *	struct volume_source s;
 *	struct restore_source src = volume_source(&s, v, ve);
 */
#ifndef DESFS_RESTORE_VOLUME_SOURCE_H
#define DESFS_RESTORE_VOLUME_SOURCE_H

#include "restore/restore.h"
#include "volume/volume.h"

struct volume_source {
	struct volume *v;
	const struct volume_entry *ve;
};

/* Fills s, which with v and ve must stay as long as what it returns. */
struct restore_source volume_source(struct volume_source *s, struct volume *v,
				    const struct volume_entry *ve);

#endif
