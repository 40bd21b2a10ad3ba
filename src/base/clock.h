/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - monotonic and wall time in nanoseconds, replaceable in tests.
 *
 * Safe from any thread.  Tests freeze the clock before they start threads that
 * read it, move it by hand, and thaw it at their end.
 */
#ifndef DESFS_BASE_CLOCK_H
#define DESFS_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_SEC 1000000000ULL
#define CLOCK_NS_PER_MS 1000000ULL
#define CLOCK_US_PER_SEC INT64_C(1000000)

/* Clocks of those who write to one archive differ by no more, in microseconds;
 * S3 refuses requests that are off by more.  What has the time of another is
 * older or newer for sure only beyond that.
 */
#define CLOCK_SKEW_US (INT64_C(15) * 60 * 1000000)

/* Time that only grows, from an unknown start. */
uint64_t clock_mono_ns(void);

/* The same, but it goes on while the machine sleeps. */
uint64_t clock_boot_ns(void);

/* The same as clock_mono_ns from the last tick (some milliseconds ago), for a
 * tenth the price.
 */
uint64_t clock_coarse_ns(void);

/* Nanoseconds since 1970-01-01 UTC; may jump. */
int64_t clock_wall_ns(void);

/* The same in microseconds, as all times in an archive are kept. */
int64_t clock_wall_us(void);

/* The same from the last tick: what the kernel stamps files with. */
int64_t clock_wall_coarse_ns(void);

/* For tests: stop all clocks at these values, move them, let them run again. */
void clock_freeze(uint64_t mono_ns, int64_t wall_ns);
void clock_advance(uint64_t ns);
void clock_thaw(void);

#endif
