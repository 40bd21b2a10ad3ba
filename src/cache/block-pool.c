/* SPDX-License-Identifier: Apache-2.0 */
/* block-pool.c - memory for blocks, used again rather than returned.
 *
 * Each piece is a mapping of its own, so that one can go back without regard to
 * the others: no fragmentation, whatever sizes come.  Sizes are rounded up to
 * classes, eight to each doubling; what is idle waits in a stack per class, the
 * piece used last on top.  No huge pages: clearing one takes milliseconds, in
 * which readers wait.
 */
#include "config.h"

#include "cache/block-pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

/* Up to FINE_MAX a class for each PAGE bytes, from there on eight a doubling.
 */
#define PAGE ((size_t)4096)
#define FINE_LOG 15
#define FINE_MAX ((size_t)1 << FINE_LOG)
#define MAX_LOG 25
#define N_CLASSES (8 + (MAX_LOG - FINE_LOG) * 8)

/* At the start of a piece that is idle. */
struct idle {
	struct idle *next;
	size_t cap;
};

struct block_pool {
	uint64_t max_idle;
	pthread_mutex_t lock; /* guards the rest */
	struct idle *stacks[N_CLASSES];
	unsigned int hand; /* the class to take from next when it is too much */
	struct block_pool_stats stats;
};

struct block_pool *block_pool_new(uint64_t max_idle)
{
	struct block_pool *p = xcalloc(1, sizeof(*p));

	p->max_idle = max_idle;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void block_pool_free(struct block_pool *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < N_CLASSES; i++) {
		while (p->stacks[i]) {
			struct idle *idle = p->stacks[i];

			p->stacks[i] = idle->next;
			munmap(idle, idle->cap);
		}
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* The class of len bytes and its size; N_CLASSES: none is as large. */
static unsigned int class_of(size_t len, size_t *ret_cap)
{
	unsigned int log = FINE_LOG;
	size_t step, n;

	if (len <= FINE_MAX) {
		n = len ? (len + PAGE - 1) / PAGE : 1;
		*ret_cap = n * PAGE;
		return (unsigned int)n - 1;
	}
	while (log < MAX_LOG && len > (size_t)2 << log)
		log++;
	if (log == MAX_LOG) {
		*ret_cap = (len + PAGE - 1) / PAGE * PAGE;
		return N_CLASSES;
	}
	step = (size_t)1 << (log - 3);
	n = (len - ((size_t)1 << log) + step - 1) / step;
	*ret_cap = ((size_t)1 << log) + n * step;
	return 8 + (log - FINE_LOG) * 8 + (unsigned int)n - 1;
}

/* With the lock held. */
static struct idle *pop(struct block_pool *p, unsigned int class)
{
	struct idle *idle = p->stacks[class];

	if (idle) {
		p->stacks[class] = idle->next;
		p->stats.idle -= idle->cap;
	}
	return idle;
}

/* In one call rather than page by page as they are used. */
static void *map(size_t cap)
{
	void *room = mmap(NULL, cap, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return room == MAP_FAILED ? NULL : room;
}

void *block_pool_take(struct block_pool *p, size_t len, size_t *ret_cap)
{
	void *room = NULL;
	unsigned int class;
	size_t cap;

	if (len > SIZE_MAX - PAGE)
		return NULL;
	class = class_of(len, &cap);
	pthread_mutex_lock(&p->lock);
	if (class < N_CLASSES)
		room = pop(p, class);
	p->stats.used += cap;
	p->stats.n_fresh += !room;
	pthread_mutex_unlock(&p->lock);
	if (!room)
		room = map(cap);
	if (room) {
		*ret_cap = cap;
		return room;
	}
	pthread_mutex_lock(&p->lock);
	p->stats.used -= cap;
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* With the lock held: one that is idle, of another class if there is one, since
 * this one is in use.
 */
static struct idle *pop_other(struct block_pool *p, unsigned int class)
{
	for (unsigned int n = 0; n < N_CLASSES; n++) {
		unsigned int i = p->hand;

		if (i != class && p->stacks[i])
			return pop(p, i);
		p->hand = (i + 1) % N_CLASSES;
	}
	return pop(p, class);
}

void block_pool_give(struct block_pool *p, void *room, size_t cap)
{
	struct idle *idle = room, *drop = NULL;
	unsigned int class;

	if (!room)
		return;
	class = class_of(cap, &cap);
	pthread_mutex_lock(&p->lock);
	p->stats.used -= cap;
	if (class < N_CLASSES && cap <= p->max_idle) {
		*idle = (struct idle){ p->stacks[class], cap };
		p->stacks[class] = idle;
		p->stats.idle += cap;
	} else {
		*idle = (struct idle){ NULL, cap };
		drop = idle;
	}
	while (p->stats.idle > p->max_idle) {
		struct idle *other = pop_other(p, class);

		if (!other)
			break;
		other->next = drop;
		drop = other;
	}
	pthread_mutex_unlock(&p->lock);
	while (drop) {
		idle = drop;
		drop = idle->next;
		munmap(idle, idle->cap);
	}
}

void block_pool_stats(struct block_pool *p, struct block_pool_stats *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->stats;
	pthread_mutex_unlock(&p->lock);
}
