/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - a bounded queue of pointers between threads. */
#include "config.h"

#include "base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct queue {
	pthread_mutex_t lock;     /* guards all below */
	pthread_cond_t not_empty; /* or closed */
	pthread_cond_t not_full;  /* or closed */
	bool is_closed;
	size_t first; /* index of the oldest */
	size_t n;
	size_t cap; /* fixed */
	void **ring;
};

struct queue *queue_new(size_t cap)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	assert(cap > 0);
	q->cap = cap;
	q->ring = xcalloc(cap, sizeof(*q->ring));
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->not_empty, NULL);
	pthread_cond_init(&q->not_full, NULL);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->not_full);
	pthread_cond_destroy(&q->not_empty);
	pthread_mutex_destroy(&q->lock);
	free(q->ring);
	free(q);
}

bool queue_push(struct queue *q, void *p)
{
	LOCK_SCOPE(&q->lock);

	while (q->n == q->cap && !q->is_closed)
		pthread_cond_wait(&q->not_full, &q->lock);
	if (q->is_closed)
		return false;
	q->ring[(q->first + q->n) % q->cap] = p;
	q->n++;
	pthread_cond_signal(&q->not_empty);
	return true;
}

bool queue_pop(struct queue *q, void **ret)
{
	LOCK_SCOPE(&q->lock);

	while (!q->n && !q->is_closed)
		pthread_cond_wait(&q->not_empty, &q->lock);
	if (!q->n)
		return false;
	*ret = q->ring[q->first];
	q->first = (q->first + 1) % q->cap;
	q->n--;
	pthread_cond_signal(&q->not_full);
	return true;
}

void queue_close(struct queue *q)
{
	LOCK_SCOPE(&q->lock);

	q->is_closed = true;
	pthread_cond_broadcast(&q->not_empty);
	pthread_cond_broadcast(&q->not_full);
}
