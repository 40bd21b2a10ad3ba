/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - tests of log lines: dress, escapes and repeats. */
#include "config.h"

#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

/* 2026-11-21T10:15:30.123456Z */
#define WALL INT64_C(1795256130123456789)
#define STAMP "2026-11-21T10:15:30.123456Z t: "
#define SECONDS CLOCK_NS_PER_SEC

static char path[] = "/tmp/desfs-unit-log-XXXXXX";
static char written[65536];

static int set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	if (truncate(path, 0))
		return -1;
	clock_freeze(1000 * SECONDS, WALL);
	log_open("t", LOG_LEVEL_WARN);
	return log_to_file(path, &err) ? -1 : 0;
}

static int tear_down(void **state)
{
	struct err err = { 0 };

	(void)state;
	log_close();
	clock_thaw();
	return log_set_debug("", &err) ? -1 : 0;
}

/* What was written since the last call. */
static const char *lines(void)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(written, 1, sizeof(written) - 1, f);
	fclose(f);
	written[n] = '\0';
	assert_int_equal(truncate(path, 0), 0);
	return written;
}

static void a_file_gets_time_name_and_level(void **state)
{
	(void)state;
	log_err("%s is %d", "this", 1);
	log_warn("that");
	assert_string_equal(lines(),
			    STAMP "error: this is 1\n" STAMP "warning: that\n");
}

static void only_urgent_enough_levels_are_written(void **state)
{
	(void)state;
	log_info("not yet");
	log_more();
	log_info("now");
	log_debug(LOG_ROOM_NET, "not yet");
	log_more();
	log_debug(LOG_ROOM_NET, "now");
	log_more();
	log_set_level(LOG_LEVEL_ERR);
	log_warn("no more");
	assert_string_equal(lines(),
			    STAMP "info: now\n" STAMP "debug: net: now\n");
}

static void debug_goes_by_room(void **state)
{
	struct err err = { 0 };
	int n_evaluated = 0;

	(void)state;
	assert_int_equal(log_set_debug("net,cache", &err), RC_OK);
	log_debug(LOG_ROOM_NET, "%d", ++n_evaluated);
	log_debug(LOG_ROOM_SHARD, "%d", ++n_evaluated);
	log_debug(LOG_ROOM_CACHE, "%d", ++n_evaluated);
	assert_string_equal(lines(),
			    STAMP "debug: net: 1\n" STAMP "debug: cache: 2\n");
	assert_int_equal(log_set_debug("net,kitchen", &err), RC_USAGE);
	assert_non_null(strstr(err.msg, "'kitchen'"));
	assert_int_equal(log_set_debug("all", &err), RC_OK);
	assert_true(log_wants_debug(LOG_ROOM_FS));
}

static void hostile_names_stay_in_their_line(void **state)
{
	(void)state;
	log_warn("%s", "a\nb\033[2J\xff \\n \xc3\xa4");
	assert_string_equal(lines(), STAMP "warning: a\\nb\\033[2J\\377 \\n "
					   "\xc3\xa4\n");
}

static void long_messages_are_cut(void **state)
{
	static char text[10000];

	(void)state;
	memset(text, '\1', sizeof(text) - 1);
	log_warn("%s", text);
	assert_true(strlen(lines()) < 9000);
	assert_int_equal(written[strlen(written) - 1], '\n');
}

static void a_result_is_added_to_the_text(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, RC_CORRUPT, "footer is %d bytes", 3);
	log_rc(&err, "read inode %d", 7);
	assert_string_equal(lines(), STAMP "error: read inode 7: "
					   "footer is 3 bytes\n");
}

static void warn_about(const char *what)
{
	log_warn("cannot read %s", what);
}

static void a_repeat_within_ten_seconds_is_counted(void **state)
{
	(void)state;
	for (int i = 0; i < 125; i++)
		warn_about("x");
	assert_string_equal(lines(), STAMP "warning: cannot read x\n");
	clock_freeze(1009 * SECONDS, WALL);
	warn_about("x");
	assert_string_equal(lines(), "");
	clock_freeze(1010 * SECONDS, WALL);
	warn_about("x");
	assert_string_equal(lines(), STAMP "warning: cannot read x "
					   "\xe2\x80\xa6 and 125 more\n");
	clock_freeze(1020 * SECONDS, WALL);
	warn_about("x");
	assert_string_equal(lines(), STAMP "warning: cannot read x\n");
}

static void other_texts_and_places_are_no_repeats(void **state)
{
	(void)state;
	warn_about("x");
	warn_about("y");
	log_warn("cannot %s", "read x");
	warn_about("x");
	assert_string_equal(lines(), STAMP "warning: cannot read x\n" STAMP
					   "warning: cannot read y\n" STAMP
					   "warning: cannot read x\n");
}

static void what_was_held_back_is_told_later(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		warn_about("x");
	lines();
	clock_freeze(1011 * SECONDS, WALL);
	warn_about("y");
	assert_string_equal(lines(), STAMP "warning: cannot read y\n" STAMP
					   "warning: cannot read x "
					   "\xe2\x80\xa6 and 1 more\n");
	warn_about("y");
	log_close();
	assert_string_equal(lines(), STAMP "warning: cannot read y\n");
}

static void debug_is_never_held_back(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	for (int i = 0; i < 2; i++)
		log_debug(LOG_ROOM_FS, "x");
	assert_string_equal(lines(),
			    STAMP "debug: fs: x\n" STAMP "debug: fs: x\n");
}

/* Log one warning to a stderr that is the test's file. */
static void warn_on_stderr(void)
{
	int saved = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_APPEND);

	assert_true(saved >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	close(fd);
	log_close();
	log_warn("x");
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void the_journal_gets_a_priority(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	warn_on_stderr();
	assert_string_equal(lines(), "<4>x\n");
	/* The variable is inherited, the stream was redirected. */
	setenv("JOURNAL_STREAM", "1:1", 1);
	warn_on_stderr();
	assert_string_equal(lines(), STAMP "warning: x\n");
	unsetenv("JOURNAL_STREAM");
}

static void a_moved_file_is_opened_again(void **state)
{
	struct err err = { 0 };
	char moved[sizeof(path) + 2];

	(void)state;
	snprintf(moved, sizeof(moved), "%s.1", path);
	log_warn("before");
	assert_int_equal(rename(path, moved), 0);
	log_warn("moved");
	assert_int_equal(log_reopen(&err), RC_OK);
	log_warn("after");
	assert_string_equal(lines(), STAMP "warning: after\n");
	unlink(moved);
}

static void a_log_file_that_cannot_be_opened_is_an_error(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(log_to_file("/nonexistent/log", &err), RC_NOENT);
	log_warn("still here");
	assert_string_equal(lines(), STAMP "warning: still here\n");
}

static void *warn_often(void *arg)
{
	for (int i = 0; i < 200; i++) {
		warn_about(arg);
		log_warn("one");
	}
	return NULL;
}

static void many_threads_write_whole_lines(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	pthread_t threads[4];
	int n = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, warn_often, names[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (const char *p = lines(); *p; p = strchr(p, '\n') + 1) {
		assert_memory_equal(p, STAMP, sizeof(STAMP) - 1);
		n++;
	}
	assert_int_equal(n, 5);
	log_close();
	assert_non_null(strstr(lines(), "one \xe2\x80\xa6 and 798 more\n"));
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_file_gets_time_name_and_level),
		LOG_TEST(only_urgent_enough_levels_are_written),
		LOG_TEST(debug_goes_by_room),
		LOG_TEST(hostile_names_stay_in_their_line),
		LOG_TEST(long_messages_are_cut),
		LOG_TEST(a_result_is_added_to_the_text),
		LOG_TEST(a_repeat_within_ten_seconds_is_counted),
		LOG_TEST(other_texts_and_places_are_no_repeats),
		LOG_TEST(what_was_held_back_is_told_later),
		LOG_TEST(debug_is_never_held_back),
		LOG_TEST(the_journal_gets_a_priority),
		LOG_TEST(a_moved_file_is_opened_again),
		LOG_TEST(a_log_file_that_cannot_be_opened_is_an_error),
		LOG_TEST(many_threads_write_whole_lines),
	};
	int fd = mkstemp(path);
	int n_failed;

	if (fd < 0)
		return 1;
	close(fd);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return n_failed;
}
