/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - what this process takes of the machine; any thread. */
#ifndef DESFS_BASE_PROCESS_H
#define DESFS_BASE_PROCESS_H

#include <stdint.h>

struct process {
	uint64_t rss, rss_max; /* bytes */
	uint64_t cpu_ms;
};

/* Zeros for what cannot be found out. */
struct process process_now(void);

#endif
