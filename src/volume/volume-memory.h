/* SPDX-License-Identifier: Apache-2.0 */
/* volume-memory.h - what a volume can give without asking its store.
 *
 * For guesses, which are not worth a request.  True is good for a moment: what
 * is in memory may leave it.  Any thread.
 */
#ifndef DESFS_VOLUME_VOLUME_MEMORY_H
#define DESFS_VOLUME_VOLUME_MEMORY_H

#include <stdbool.h>

#include "volume/volume.h"

/* volume_get, if all it takes is in memory. */
bool volume_get_in_memory(struct volume *v, struct volume_node node,
			  struct volume_entry *ret) MUST_CHECK;

/* The content of a file of one block is. */
bool volume_is_in_memory(struct volume *v, const struct volume_entry *ve);

#endif
