/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - monotonic and wall time. */
#include "config.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

static atomic_bool is_frozen;
static atomic_uint_fast64_t frozen_mono;
static atomic_int_fast64_t frozen_wall;

static int64_t read_clock(clockid_t id)
{
	struct timespec ts = { 0 };

	/* Fails only for a clock that does not exist. */
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * (int64_t)CLOCK_NS_PER_SEC + ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	if (atomic_load(&is_frozen))
		return atomic_load(&frozen_mono);
	return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_boot_ns(void)
{
	if (atomic_load(&is_frozen))
		return atomic_load(&frozen_mono);
	return (uint64_t)read_clock(CLOCK_BOOTTIME);
}

uint64_t clock_coarse_ns(void)
{
	if (atomic_load(&is_frozen))
		return atomic_load(&frozen_mono);
	return (uint64_t)read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t clock_wall_ns(void)
{
	if (atomic_load(&is_frozen))
		return atomic_load(&frozen_wall);
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_wall_us(void)
{
	return clock_wall_ns() / 1000;
}

int64_t clock_wall_coarse_ns(void)
{
	if (atomic_load(&is_frozen))
		return atomic_load(&frozen_wall);
	return read_clock(CLOCK_REALTIME_COARSE);
}

void clock_freeze(uint64_t mono_ns, int64_t wall_ns)
{
	atomic_store(&frozen_mono, mono_ns);
	atomic_store(&frozen_wall, wall_ns);
	atomic_store(&is_frozen, true);
}

void clock_advance(uint64_t ns)
{
	atomic_fetch_add(&frozen_mono, ns);
	atomic_fetch_add(&frozen_wall, (int64_t)ns);
}

void clock_thaw(void)
{
	atomic_store(&is_frozen, false);
}
