/* SPDX-License-Identifier: Apache-2.0 */
/* queue.h - a bounded queue of pointers between threads.
 *
 * Any number of threads push and pop.  The bound is what keeps a fast producer
 * from filling memory.  The queue does not own what the pointers point to: what
 * is left when it is freed is the caller's loss.
 */
#ifndef DESFS_BASE_QUEUE_H
#define DESFS_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct queue;

/* A queue for at most cap (> 0) pointers. */
struct queue *queue_new(size_t cap) MUST_CHECK;

/* No thread may use the queue any more. */
void queue_free(struct queue *q);

/* Add p at the end; waits while the queue is full.  False: the queue is closed
 * and p was not added.
 */
bool queue_push(struct queue *q, void *p) MUST_CHECK;

/* Take the first pointer; waits while the queue is empty.  False: the queue is
 * closed and nothing is left in it.
 */
bool queue_pop(struct queue *q, void **ret) MUST_CHECK;

/* No more pushes: wakes all who wait.  What is in the queue may still be
 * popped.  May be called twice.
 */
void queue_close(struct queue *q);

#endif
