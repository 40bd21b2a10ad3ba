/* SPDX-License-Identifier: Apache-2.0 */
/* token-bucket.c - so many calls a second and no more. */
#include "config.h"

#include "store/token-bucket.h"

#include "base/clock.h"

void token_bucket_init(struct token_bucket *t, unsigned int rate,
		       unsigned int burst)
{
	*t = (struct token_bucket){ 0 };
	if (!rate)
		return;
	/* 0, no limit again, for more than one a ns. */
	t->interval = CLOCK_NS_PER_SEC / rate;
	if (burst)
		t->tolerance = (burst - 1) * t->interval;
}

bool token_bucket_take(struct token_bucket *t, uint64_t now, uint64_t max_wait,
		       uint64_t *ret_wait)
{
	uint64_t due = t->next > now ? t->next : now;
	uint64_t wait = due - now;

	wait = wait > t->tolerance ? wait - t->tolerance : 0;
	if (wait > max_wait)
		return false;
	t->next = due + t->interval;
	*ret_wait = wait;
	return true;
}
