/* SPDX-License-Identifier: Apache-2.0 */
/* fresh.c - files that changed so lately that they could change again unseen.
 */
#include "config.h"

#include "pack/fresh.h"

#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define NS_PER_SEC INT64_C(1000000000)
#define WRITE_SECONDS 600         /* no write(2) takes longer */
#define AHEAD_NS (2 * NS_PER_SEC) /* for clocks a bit before ours */

/* How long the file system may give out the same stamp, by the looks of it: FAT
 * counts in two seconds or hundredths, others in whole ones.
 */
static int64_t grain(uint32_t ns)
{
	if (!ns)
		return 2 * NS_PER_SEC;
	return ns % 1000000 ? 0 : 20000000;
}

uint64_t fresh_wait_ns(const struct item *it, int64_t now)
{
	int64_t changed, past;

	/* Neither is any time near now. */
	if (it->ctime_s < 0 || it->ctime_s > INT64_MAX / NS_PER_SEC - 8)
		return 0;
	changed = it->ctime_s * NS_PER_SEC + it->ctime_ns;
	past = changed + grain(it->ctime_ns) + 1;
	if (past <= now || changed - now > AHEAD_NS)
		return 0;
	return (uint64_t)(past - now);
}

static void wait_for_tick(const struct item *it)
{
	struct timespec ts;
	uint64_t wait;

	for (;;) {
		wait = fresh_wait_ns(it, clock_wall_coarse_ns());
		if (!wait)
			return;
		ts.tv_sec = (time_t)(wait / CLOCK_NS_PER_SEC);
		ts.tv_nsec = (long)(wait % CLOCK_NS_PER_SEC);
		(void)nanosleep(&ts, NULL);
	}
}

void fresh_settle(int fd, const struct item *it)
{
	int64_t now = clock_wall_coarse_ns() / NS_PER_SEC;

	wait_for_tick(it);
	if (it->ctime_s + WRITE_SECONDS < now)
		return;
	(void)lseek(fd, 0, SEEK_DATA);
	(void)lseek(fd, 0, SEEK_SET);
}
