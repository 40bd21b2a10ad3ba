/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - tests of progress lines: when, and what is in them. */
#include "config.h"

#include "base/progress.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

#define MIB UINT64_C(1048576)

static char text[4096];

static int start_clock(void **state)
{
	(void)state;
	clock_freeze(100 * CLOCK_NS_PER_SEC, 0);
	return 0;
}

static int stop_clock(void **state)
{
	(void)state;
	clock_thaw();
	return 0;
}

/* What was written to the file since the last call. */
static const char *output(FILE *f)
{
	size_t n;

	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	rewind(f);
	assert_int_equal(ftruncate(fileno(f), 0), 0);
	return text;
}

static void without_a_terminal_auto_is_silent(void **state)
{
	FILE *f = tmpfile();
	struct progress *p = progress_new(PROGRESS_AUTO, fileno(f));
	struct progress_counters c = { .files_done = 1 };

	(void)state;
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	progress_end(p, &c);
	progress_end(NULL, NULL);
	assert_string_equal(output(f), "");
	fclose(f);
}

static void a_line_has_rate_and_time_left(void **state)
{
	FILE *f = tmpfile();
	struct progress *p = progress_new(PROGRESS_ALWAYS, fileno(f));
	struct progress_counters c = {
		.phase = "pack\n",
		.files_done = 10,
		.files_total = 40,
		.bytes_in = 10 * MIB,
		.bytes_total = 40 * MIB,
		.bytes_out = MIB,
		.errors = 2,
	};

	(void)state;
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_string_equal(output(f),
			    "pack\\n: 10/40 files, 2 failed, 10.0 MiB -> "
			    "1.0 MiB, 10.0 MiB/s, 3.0 s left\n");
	progress_end(p, NULL);
	assert_string_equal(output(f), "");
	fclose(f);
}

static void without_bytes_to_come_files_tell_the_time_left(void **state)
{
	FILE *f = tmpfile();
	struct progress *p = progress_new(PROGRESS_ALWAYS, fileno(f));
	struct progress_counters c = { .files_done = 10, .files_total = 40 };

	(void)state;
	clock_advance(20 * CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_string_equal(output(f), "10/40 files, 0 B, 1 min 00 s left\n");
	progress_end(p, NULL);
	fclose(f);
}

static void json_comes_once_a_second_and_at_the_end(void **state)
{
	FILE *f = tmpfile();
	struct progress *p = progress_new(PROGRESS_JSON, fileno(f));
	struct progress_counters c = { .phase = "walk", .bytes_in = MIB };

	(void)state;
	progress_update(p, &c);
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	progress_update(p, &c);
	clock_advance(CLOCK_NS_PER_SEC - 1);
	progress_update(p, &c);
	assert_string_equal(
	    output(f), "{\"progress\":1,\"phase\":\"walk\",\"files_done\":0,"
		       "\"bytes_in\":1048576,\"bytes_out\":0,\"errors\":0,"
		       "\"seconds\":1.0,\"bytes_per_second\":1048576,"
		       "\"done\":false}\n");
	progress_end(p, &c);
	assert_non_null(strstr(output(f), "\"done\":true}\n"));
	fclose(f);
}

/* The far end of a terminal of our own, its near end in *ret. */
static int open_terminal(int *ret)
{
	struct winsize ws = { .ws_row = 10, .ws_col = 20 };
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	if (fd < 0 || grantpt(fd) || unlockpt(fd))
		return -1;
	*ret = open(ptsname(fd), O_RDWR | O_NOCTTY);
	if (*ret < 0 || ioctl(*ret, TIOCSWINSZ, &ws))
		return -1;
	return fd;
}

static const char *seen_on(int fd)
{
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n > 0);
	text[n] = '\0';
	return text;
}

static void a_terminal_line_is_cut_rewritten_and_wiped(void **state)
{
	struct progress_counters c = { .phase = "p\xc3\xa4", .files_done = 7 };
	int near = -1;
	int far = open_terminal(&near);
	struct progress *p;

	(void)state;
	/* No pseudo terminals here: nothing to see. */
	if (far < 0)
		return;
	p = progress_new(PROGRESS_AUTO, near);
	clock_advance(CLOCK_NS_PER_SEC / 5);
	progress_update(p, &c);
	assert_string_equal(seen_on(far), "\rp\xc3\xa4: 7 files, 0 B\033[K");
	clock_advance(CLOCK_NS_PER_SEC / 5);
	c.files_done = 77;
	c.bytes_in = 1000;
	progress_update(p, &c);
	assert_string_equal(seen_on(far), "\rp\xc3\xa4: 77 files, 1000 \033[K");
	progress_end(p, &c);
	assert_string_equal(seen_on(far), "\r\033[K");
	close(near);
	close(far);
}

#define PROGRESS_TEST(f) \
	cmocka_unit_test_setup_teardown(f, start_clock, stop_clock)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROGRESS_TEST(without_a_terminal_auto_is_silent),
		PROGRESS_TEST(a_line_has_rate_and_time_left),
		PROGRESS_TEST(without_bytes_to_come_files_tell_the_time_left),
		PROGRESS_TEST(json_comes_once_a_second_and_at_the_end),
		PROGRESS_TEST(a_terminal_line_is_cut_rewritten_and_wiped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
