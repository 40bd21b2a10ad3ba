/* SPDX-License-Identifier: Apache-2.0 */
/* token-bucket.c - so many tokens a second and no more. */
#include "config.h"

#include "base/token-bucket.h"

#include "base/clock.h"

#define TIME_MAX (UINT64_MAX / 4) /* ns: 146 years */

/* In the time of n tokens; as long as it gets when there is no such number. */
static uint64_t time_of(const struct token_bucket *t, uint64_t n)
{
	unsigned __int128 ns;

	if (!t->rate)
		return 0;
	ns = (unsigned __int128)n * CLOCK_NS_PER_SEC / t->rate;
	return ns > TIME_MAX ? TIME_MAX : (uint64_t)ns;
}

static void set_next(struct token_bucket *t, uint64_t due, uint64_t more)
{
	t->next = due < TIME_MAX ? due + more : due;
}

void token_bucket_init(struct token_bucket *t, uint64_t rate, uint64_t burst)
{
	*t = (struct token_bucket){ .rate = rate };
	if (burst)
		t->tolerance = (burst - 1) * time_of(t, 1);
}

bool token_bucket_take(struct token_bucket *t, uint64_t now, uint64_t max_wait,
		       uint64_t *ret_wait)
{
	uint64_t due = t->next > now ? t->next : now;
	uint64_t wait = due - now;

	wait = wait > t->tolerance ? wait - t->tolerance : 0;
	if (wait > max_wait)
		return false;
	set_next(t, due, time_of(t, 1));
	*ret_wait = wait;
	return true;
}

uint64_t token_bucket_take_many(struct token_bucket *t, uint64_t now,
				uint64_t n)
{
	uint64_t due = t->next > now ? t->next : now;
	uint64_t wait = due - now;

	set_next(t, due, time_of(t, n));
	return wait > t->tolerance ? wait - t->tolerance : 0;
}
