/* SPDX-License-Identifier: Apache-2.0 */
/* log-repeat.h - which log messages were seen just now; private to log.c.
 *
 * A small table of recent messages, known by their place and text.  Not
 * thread-safe: log.c holds its lock.
 */
#ifndef DESFS_BASE_LOG_REPEAT_H
#define DESFS_BASE_LOG_REPEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_REPEAT_NS (10 * 1000000000ULL)
#define LOG_REPEAT_SLOTS 64
#define LOG_REPEAT_TEXT 160

struct log_repeat_slot {
	uint64_t key;    /* hash of place and text; 0: free */
	uint64_t since;  /* when it was last written */
	uint64_t n_held; /* times it came since and was not written */
	int level;
	char text[LOG_REPEAT_TEXT]; /* its beginning */
};

struct log_repeat {
	struct log_repeat_slot slots[LOG_REPEAT_SLOTS];
};

/* What kind of message this is, from its format string and its text. */
uint64_t log_repeat_key(const char *place, const char *text);

/* A message came.  True: write it, and say that *ret_more others like it were
 * not written.  False: it is counted.
 */
bool log_repeat_pass(struct log_repeat *r, uint64_t key, uint64_t now,
		     int level, const char *text, uint64_t *ret_more);

/* Take one message out that was held back and whose time is over; all = true:
 * whatever its time.  False: there is none.
 */
bool log_repeat_take(struct log_repeat *r, uint64_t now, bool all,
		     struct log_repeat_slot *ret);

#endif
