/* SPDX-License-Identifier: Apache-2.0 */
/* cond.h - condition variables that wait for a time.
 *
 * It runs on however the clock is set, and also while tests have it frozen.
 */
#ifndef DESFS_BASE_COND_H
#define DESFS_BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void cond_init(pthread_cond_t *c);

/* As pthread_cond_wait, of one from cond_init, for at most so many ns.  False:
 * they are over.
 */
bool cond_wait_for(pthread_cond_t *c, pthread_mutex_t *lock, uint64_t ns);

#endif
