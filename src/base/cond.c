/* SPDX-License-Identifier: Apache-2.0 */
/* cond.c - condition variables that wait for a time. */
#include "config.h"

#include "base/cond.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

void cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

bool cond_wait_for(pthread_cond_t *c, pthread_mutex_t *lock, uint64_t ns)
{
	struct timespec until = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &until);
	ns += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(ns / CLOCK_NS_PER_SEC);
	until.tv_nsec = (long)(ns % CLOCK_NS_PER_SEC);
	return pthread_cond_timedwait(c, lock, &until) != ETIMEDOUT;
}
