/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one line per event, for the people who run the program.
 *
 * Lines go to stderr until log_to_file or log_to_syslog say otherwise.  On
 * stderr they look as its reader needs them: "<3>text" for the journal,
 * "desfs: text" on a terminal, else (and in files) the time in UTC, the name,
 * the level and the text.  Text is escaped: file names are hostile.
 *
 * The same message from the same place comes at most once per 10 s, debug
 * excepted; what was left out is counted, and told when it comes again, when
 * something else is logged later, or by log_close.
 *
 * Only cmd/, fs/ and pack's main log errors; all others return them.  Never log
 * payload, credentials or signed URLs.  All functions are safe from any thread,
 * but log_open, log_close and log_to_* belong to main, before other threads
 * start and after they have ended; they are not for signal handlers.
 */
#ifndef DESFS_BASE_LOG_H
#define DESFS_BASE_LOG_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"

/* The values are those of syslog(3). */
enum log_level {
	LOG_LEVEL_ERR = 3,   /* the operator must act */
	LOG_LEVEL_WARN = 4,  /* we coped */
	LOG_LEVEL_INFO = 6,  /* start, stop, mount, result per shard */
	LOG_LEVEL_DEBUG = 7, /* how it came about */
};

enum log_room {
	LOG_ROOM_BASE = 1,
	LOG_ROOM_CODEC = 2,
	LOG_ROOM_CONF = 4,
	LOG_ROOM_NET = 8,
	LOG_ROOM_SHARD = 16,
	LOG_ROOM_STORE = 32,
	LOG_ROOM_CACHE = 64,
	LOG_ROOM_CATALOG = 128,
	LOG_ROOM_VOLUME = 256,
	LOG_ROOM_PACK = 512,
	LOG_ROOM_FS = 1024,
	LOG_ROOM_CMD = 2048,
};

/* Start: the program's name (borrowed for ever), and the least urgent level to
 * log, by custom WARN for tools and INFO for the daemon.
 */
void log_open(const char *name, enum log_level level);

/* Write what is still held back, close the file, return to stderr. */
void log_close(void);

/* Append to the file from here on; created with mode 0640. */
enum rc log_to_file(const char *path, struct err *err) MUST_CHECK;

/* Open the file of log_to_file again, after somebody moved it. */
enum rc log_reopen(struct err *err) MUST_CHECK;

void log_to_syslog(void);

void log_set_level(enum log_level level);

/* One level more, for each -v. */
void log_more(void);

/* Log debug messages of these rooms whatever the level: "net,cache", "all". */
enum rc log_set_debug(const char *rooms, struct err *err) MUST_CHECK;

void log_err(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);

/* What somebody asked for just now: always written, in full. */
void log_answer(const char *fmt, ...) PRINTF(1, 2);

/* "<formatted>: <err->msg>" as an error. */
void log_rc(const struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* The arguments are evaluated only when the message is wanted. */
#define log_debug(room, ...)                                 \
	do {                                                 \
		if (log_wants_debug(room))                   \
			log_debug_always(room, __VA_ARGS__); \
	} while (0)

bool log_wants_debug(enum log_room room);
void log_debug_always(enum log_room room, const char *fmt, ...) PRINTF(2, 3);

/* For progress.c: an unfinished line is on the terminal, to be wiped before the
 * next message.
 */
void log_set_unfinished_line(bool is_there);

#endif
