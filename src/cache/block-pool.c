/* SPDX-License-Identifier: Apache-2.0 */
/* block-pool.c - memory for blocks, used again rather than returned.
 *
 * Pieces are whole pages and go back to the system one by one: no
 * fragmentation, whatever sizes come.  Sizes are rounded up to classes, eight
 * to each doubling; what is idle waits in a stack per class, the piece used
 * last on top.  Once it is clear that much is needed, pieces are cut from huge
 * pages.
 */
#include "config.h"

#include "cache/block-pool.h"

#include <pthread.h>
#include <stdbool.h>
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

/* Huge pages, used from SLAB_AFTER bytes on for pieces of up to CUT_MAX. */
#define SLAB ((size_t)2 << 20)
#define SLAB_AFTER (2 * SLAB)
#define CUT_MAX (SLAB / 4)

/* At the start of a piece that is idle. */
struct idle {
	struct idle *next;
	size_t cap;
};

struct block_pool {
	uint64_t max_idle;
	pthread_mutex_t lock; /* guards the rest */
	struct idle *stacks[N_CLASSES];
	char *slab; /* what is left of it */
	size_t slab_left;
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
	if (p->slab_left)
		munmap(p->slab, p->slab_left);
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

static void *map(size_t cap)
{
	void *room = mmap(NULL, cap, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return room == MAP_FAILED ? NULL : room;
}

/* Address space that begins where a huge page can. */
static char *map_slab(void)
{
	char *p = map(2 * SLAB);
	size_t before;

	if (!p)
		return NULL;
	before = SLAB - (uintptr_t)p % SLAB;
	munmap(p, before);
	p += before;
	if (before < SLAB)
		munmap(p + SLAB, SLAB - before);
	madvise(p, SLAB, MADV_HUGEPAGE);
	return p;
}

/* With the lock held. */
static void *cut(struct block_pool *p, size_t cap)
{
	char *room;

	if (p->slab_left < cap) {
		if (p->slab_left)
			munmap(p->slab, p->slab_left);
		p->slab = map_slab();
		p->slab_left = p->slab ? SLAB : 0;
	}
	if (!p->slab)
		return NULL;
	room = p->slab;
	p->slab += cap;
	p->slab_left -= cap;
	return room;
}

/* With the lock held: a piece of an idle one or of a huge page. */
static void *take_held(struct block_pool *p, unsigned int class, size_t cap)
{
	void *room = class < N_CLASSES ? pop(p, class) : NULL;

	p->stats.used += cap;
	if (room)
		return room;
	p->stats.n_fresh++;
	if (cap > CUT_MAX || p->stats.used < SLAB_AFTER)
		return NULL;
	return cut(p, cap);
}

void *block_pool_take(struct block_pool *p, size_t len, size_t *ret_cap)
{
	unsigned int class;
	uint64_t n_fresh;
	bool is_fresh;
	void *room;
	size_t cap;

	if (len > SIZE_MAX - PAGE)
		return NULL;
	class = class_of(len, &cap);
	pthread_mutex_lock(&p->lock);
	n_fresh = p->stats.n_fresh;
	room = take_held(p, class, cap);
	is_fresh = p->stats.n_fresh > n_fresh;
	pthread_mutex_unlock(&p->lock);
	if (!room)
		room = map(cap);
	if (room) {
		/* In one call rather than page by page as they are used. */
		if (is_fresh)
			madvise(room, cap, MADV_POPULATE_WRITE);
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
