/* SPDX-License-Identifier: Apache-2.0 */
/* retry.c - backoff, budget, and what Retry-After says. */
#include "config.h"

#include "net/retry.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "net/http-date.h"

#define TOKEN 1000
#define GIVEN_BACK (TOKEN / 5)
#define RETRY_AFTER_MAX_SEC 3600

void retry_budget_init(struct retry_budget *b)
{
	atomic_init(&b->tokens, RETRY_TOKENS * TOKEN);
}

void retry_budget_success(struct retry_budget *b)
{
	int64_t old = atomic_load(&b->tokens);
	int64_t more;

	do {
		more = old + GIVEN_BACK;
		if (more > RETRY_TOKENS * TOKEN)
			more = RETRY_TOKENS * TOKEN;
		/* Most often it is full, and nothing is to be written. */
		if (more == old)
			return;
	} while (!atomic_compare_exchange_weak(&b->tokens, &old, more));
}

static bool take_token(struct retry_budget *b)
{
	int64_t old = atomic_load(&b->tokens);

	do {
		if (old < TOKEN)
			return false;
	} while (!atomic_compare_exchange_weak(&b->tokens, &old, old - TOKEN));
	return true;
}

void retry_init(struct retry *r, struct retry_budget *budget, unsigned int max,
		uint64_t deadline, uint64_t seed)
{
	*r = (struct retry){
		.budget = budget,
		.max = max,
		.deadline = deadline,
		.random = seed,
	};
}

static uint64_t jitter(struct retry *r)
{
	uint64_t most = RETRY_BASE_NS;

	for (unsigned int i = 0; i < r->n && most < RETRY_CAP_NS; i++)
		most *= 2;
	if (most > RETRY_CAP_NS)
		most = RETRY_CAP_NS;
	return random_next(&r->random) % (most + 1);
}

bool retry_next(struct retry *r, uint64_t now, uint64_t retry_after,
		uint64_t *ret_wait)
{
	uint64_t left = now < r->deadline ? r->deadline - now : 0;
	uint64_t more;

	if (r->n >= r->max || retry_after >= left)
		return false;
	/* On top of it, lest all who were sent away come back as one. */
	more = jitter(r);
	if (more >= left - retry_after || !take_token(r->budget))
		return false;
	r->n++;
	*ret_wait = retry_after + more;
	return true;
}

static uint64_t parse_seconds(const char *p, size_t len)
{
	uint64_t sec = 0;

	for (size_t i = 0; i < len && sec < RETRY_AFTER_MAX_SEC; i++)
		sec = sec * 10 + (uint64_t)(p[i] - '0');
	if (sec > RETRY_AFTER_MAX_SEC)
		sec = RETRY_AFTER_MAX_SEC;
	return sec * CLOCK_NS_PER_SEC;
}

uint64_t retry_after_parse(const char *text, int64_t wall_now)
{
	const char *p = text + strspn(text, " \t");
	size_t len = strlen(p);
	char date[sizeof("Sun, 06 Nov 1994 08:49:37 GMT")];
	int64_t then, wait;

	while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (len && strspn(p, "0123456789") == len)
		return parse_seconds(p, len);
	if (len >= sizeof(date))
		return 0;
	snprintf(date, sizeof(date), "%.*s", (int)len, p);
	if (!http_date_parse(date, &then))
		return 0;
	wait = then * 1000000 - wall_now / 1000;
	if (wait <= 0)
		return 0;
	if (wait > RETRY_AFTER_MAX_SEC * INT64_C(1000000))
		wait = RETRY_AFTER_MAX_SEC * INT64_C(1000000);
	return (uint64_t)wait * 1000;
}
