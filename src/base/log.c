/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - one line per event. */
#include "config.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/log-repeat.h"
#include "base/mem.h"

static_assert((int)LOG_LEVEL_ERR == LOG_ERR &&
		      (int)LOG_LEVEL_WARN == LOG_WARNING &&
		      (int)LOG_LEVEL_INFO == LOG_INFO &&
		      (int)LOG_LEVEL_DEBUG == LOG_DEBUG,
	      "levels are those of syslog");

#define TEXT_MAX 2048
#define LINE_MAX_BYTES (4 * TEXT_MAX + 256)

/* How a line is dressed. */
enum style { STYLE_TERMINAL, STYLE_JOURNAL, STYLE_FILE, STYLE_SYSLOG };

static const struct {
	enum log_room room;
	const char *name;
} rooms[] = {
	{ LOG_ROOM_BASE, "base" },     { LOG_ROOM_CODEC, "codec" },
	{ LOG_ROOM_CONF, "conf" },     { LOG_ROOM_NET, "net" },
	{ LOG_ROOM_SHARD, "shard" },   { LOG_ROOM_STORE, "store" },
	{ LOG_ROOM_CACHE, "cache" },   { LOG_ROOM_CATALOG, "catalog" },
	{ LOG_ROOM_VOLUME, "volume" }, { LOG_ROOM_PACK, "pack" },
	{ LOG_ROOM_FS, "fs" },         { LOG_ROOM_CMD, "cmd" },
};

static atomic_int max_level = LOG_LEVEL_WARN;
static atomic_uint debug_rooms;
static atomic_bool has_unfinished_line;

/* Set by main while it is the only thread. */
static const char *program = "desfs";
static enum style style = STYLE_TERMINAL;
static int out_fd = STDERR_FILENO;
static char *file_path;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_repeat repeats; /* guarded by lock */

/* The journal says in its variable which file it reads; stderr may have been
 * redirected since.
 */
static bool is_journal(int fd)
{
	const char *v = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;
	char *end;

	if (!v || fstat(fd, &st))
		return false;
	dev = strtoumax(v, &end, 10);
	if (*end != ':')
		return false;
	ino = strtoumax(end + 1, &end, 10);
	return !*end && st.st_dev == dev && st.st_ino == ino;
}

static void to_stderr(void)
{
	out_fd = STDERR_FILENO;
	if (isatty(out_fd))
		style = STYLE_TERMINAL;
	else
		style = is_journal(out_fd) ? STYLE_JOURNAL : STYLE_FILE;
}

void log_open(const char *name, enum log_level level)
{
	program = name;
	log_set_level(level);
	to_stderr();
}

static enum rc open_file(const char *path, int *ret, struct err *err)
{
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
		     0640);

	if (fd < 0)
		return err_set_errno(err, errno, "log file %s", path);
	*ret = fd;
	return RC_OK;
}

enum rc log_to_file(const char *path, struct err *err)
{
	int fd = -1;
	enum rc rc = open_file(path, &fd, err);

	if (rc)
		return rc;
	log_close();
	/* A daemon changes its directory, and has to find the file again. */
	file_path = realpath(path, NULL);
	if (!file_path)
		file_path = xstrdup(path);
	out_fd = fd;
	style = STYLE_FILE;
	return RC_OK;
}

enum rc log_reopen(struct err *err)
{
	CLEANUP_FD int fd = -1;
	enum rc rc;

	if (!file_path)
		return RC_OK;
	rc = open_file(file_path, &fd, err);
	if (rc)
		return rc;
	/* The number stays, so writers in other threads need no lock. */
	if (dup3(fd, out_fd, O_CLOEXEC) < 0)
		return err_set_errno(err, errno, "log file %s", file_path);
	return RC_OK;
}

void log_to_syslog(void)
{
	log_close();
	openlog(program, LOG_PID, LOG_DAEMON);
	style = STYLE_SYSLOG;
}

void log_set_level(enum log_level level)
{
	atomic_store(&max_level, (int)level);
}

void log_more(void)
{
	int level = atomic_load(&max_level);

	if (level == LOG_LEVEL_WARN)
		atomic_store(&max_level, LOG_LEVEL_INFO);
	else if (level < LOG_LEVEL_DEBUG)
		atomic_store(&max_level, level + 1);
}

static const char *room_name(enum log_room room)
{
	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		if (rooms[i].room == room)
			return rooms[i].name;
	}
	return "?";
}

/* The bits of the word of len bytes at name; 0 when there is no such room. */
static unsigned int room_bits(const char *name, size_t len)
{
	if (len == 3 && !memcmp(name, "all", 3))
		return ~0U;
	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		if (strlen(rooms[i].name) == len &&
		    !memcmp(rooms[i].name, name, len))
			return rooms[i].room;
	}
	return 0;
}

enum rc log_set_debug(const char *list, struct err *err)
{
	unsigned int all = 0;

	for (const char *p = list; *p;) {
		size_t len = strcspn(p, ",");
		unsigned int bits = room_bits(p, len);

		if (len && !bits)
			return err_set(err, RC_USAGE,
				       "debug: no room '%.*s', only base, "
				       "codec, conf, net, shard, store, cache, "
				       "catalog, volume, pack, fs, cmd and all",
				       (int)len, p);
		all |= bits;
		p += len;
		p += *p == ',';
	}
	atomic_store(&debug_rooms, all);
	return RC_OK;
}

bool log_wants_debug(enum log_room room)
{
	return atomic_load_explicit(&max_level, memory_order_relaxed) >=
		       LOG_LEVEL_DEBUG ||
	       atomic_load_explicit(&debug_rooms, memory_order_relaxed) & room;
}

void log_set_unfinished_line(bool is_there)
{
	atomic_store(&has_unfinished_line, is_there);
}

static const char *level_name(int level)
{
	switch (level) {
	case LOG_LEVEL_ERR: return "error";
	case LOG_LEVEL_WARN: return "warning";
	case LOG_LEVEL_INFO: return "info";
	default: return "debug";
	}
}

static void append_time(struct buf *b)
{
	int64_t ns = clock_wall_ns();
	time_t s = (time_t)(ns / (int64_t)CLOCK_NS_PER_SEC);
	char text[32];
	struct tm tm;

	if (!gmtime_r(&s, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	buf_printf(b, "%s.%06dZ ", text, (int)(ns / 1000 % 1000000));
}

static void append_prefix(struct buf *b, int level)
{
	switch (style) {
	case STYLE_TERMINAL:
		if (atomic_load(&has_unfinished_line))
			buf_append_str(b, "\r\033[K");
		buf_printf(b, "%s: ", program);
		break;
	case STYLE_JOURNAL: buf_printf(b, "<%d>", level); break;
	case STYLE_FILE:
		append_time(b);
		buf_printf(b, "%s: %s: ", program, level_name(level));
		break;
	case STYLE_SYSLOG: break;
	}
}

/* One write for one line: lines of several threads do not mix. */
static void write_line(int level, const char *text, uint64_t more)
{
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	append_prefix(&b, level);
	text_escape(&b, text, strlen(text));
	if (more)
		buf_printf(&b, " \xe2\x80\xa6 and %" PRIu64 " more", more);
	if (style == STYLE_SYSLOG) {
		syslog(level, "%s", buf_str(&b));
	} else {
		ssize_t n;

		buf_append(&b, "\n", 1);
		/* There is nobody to tell that the log cannot be written. */
		n = write(out_fd, b.p ? (const void *)b.p : "", b.len);
		(void)n;
	}
	buf_release(&b);
}

static bool take_held(bool all, struct log_repeat_slot *ret)
{
	LOCK_SCOPE(&lock);

	return log_repeat_take(&repeats, clock_mono_ns(), all, ret);
}

/* The held message itself counts as one. */
static void write_held(bool all)
{
	struct log_repeat_slot s;

	while (take_held(all, &s))
		write_line(s.level, s.text, s.n_held - 1);
}

void log_close(void)
{
	write_held(true);
	if (file_path)
		close(out_fd);
	if (style == STYLE_SYSLOG)
		closelog();
	free(file_path);
	file_path = NULL;
	pthread_mutex_lock(&lock);
	memset(&repeats, 0, sizeof(repeats));
	pthread_mutex_unlock(&lock);
	to_stderr();
}

static bool may_pass(int level, const char *fmt, const char *text,
		     uint64_t *ret_more)
{
	uint64_t key = log_repeat_key(fmt, text);
	LOCK_SCOPE(&lock);

	return log_repeat_pass(&repeats, key, clock_mono_ns(), level, text,
			       ret_more);
}

static void write_message(int level, const char *fmt, const char *text)
{
	int saved = errno;
	uint64_t more = 0;

	if (level == LOG_LEVEL_DEBUG || may_pass(level, fmt, text, &more))
		write_line(level, text, more);
	write_held(false);
	errno = saved;
}

static bool is_wanted(enum log_level level)
{
	return (int)level <= atomic_load(&max_level);
}

static void write_formatted(enum log_level level, const char *fmt, va_list ap)
	PRINTF(2, 0);

static void write_formatted(enum log_level level, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];

	if (!is_wanted(level))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	write_message(level, fmt, text);
}

void log_err(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_formatted(LOG_LEVEL_ERR, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_formatted(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_formatted(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void log_answer(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	write_line(LOG_LEVEL_INFO, text, 0);
}

void log_rc(const struct err *err, const char *fmt, ...)
{
	char text[TEXT_MAX];
	size_t used;
	va_list ap;

	if (!is_wanted(LOG_LEVEL_ERR))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text) - ERR_MSG_MAX, fmt, ap);
	va_end(ap);
	used = strlen(text);
	snprintf(text + used, sizeof(text) - used, ": %s", err->msg);
	write_message(LOG_LEVEL_ERR, fmt, text);
}

void log_debug_always(enum log_room room, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "%s: ", room_name(room));
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	write_message(LOG_LEVEL_DEBUG, fmt, text);
}
