/* SPDX-License-Identifier: Apache-2.0 */
/* end.h - whether deletions come to an end, and leave nothing behind. */
#ifndef DESFS_TESTS_END_H
#define DESFS_TESTS_END_H

#include "world.h"

/* Reap, day by day, until nothing is left to do. */
void end_reap(struct world *w);

/* Look for names and bytes of what is deleted in all that the store has. */
void end_search(struct world *w);

/* What receipts and the log say is so. */
void end_verify(struct world *w);

#endif
