/* SPDX-License-Identifier: Apache-2.0 */
/* damage.h - one byte of a shard that counts is turned.
 *
 * What a reader shows then is right or an error, never an older version and
 * never nothing; and after repack --drop-corrupt all that it could read is
 * there, without errors.
 */
#ifndef DESFS_TESTS_DAMAGE_H
#define DESFS_TESTS_DAMAGE_H

#include "world.h"

/* When all else was checked: the archive is not the same afterwards. */
void damage_check(struct world *w);

#endif
