/* SPDX-License-Identifier: Apache-2.0 */
/* state-text.h - the answer to SIGUSR1. */
#ifndef DESFS_PACK_STATE_TEXT_H
#define DESFS_PACK_STATE_TEXT_H

struct report;

/* Log how far the run is, what its threads are at, and what it takes. */
void state_tell(struct report *r);

#endif
