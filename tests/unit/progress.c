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
#include "base/progress-format.h"
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
	struct progress_counters c = { .files_in = 1 };

	(void)state;
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_true(progress_speed(p).files == 1);
	progress_end(p, &c);
	assert_string_equal(output(f), "");
	progress_free(p);
	progress_free(NULL);
	fclose(f);
}

static void a_line_has_speeds_and_time_left(void **state)
{
	FILE *f = tmpfile();
	struct progress *p = progress_new(PROGRESS_ALWAYS, fileno(f));
	struct progress_counters c = {
		.phase = "pack\n",
		.slots_done = 3,
		.slots_total = 16,
		.files_done = 12,
		.files_total = 42,
		.bytes_done = 20 * MIB,
		.bytes_total = 40 * MIB,
		.files_in = 10,
		.bytes_in = 10 * MIB,
		.bytes_out = MIB,
		.errors = 2,
	};

	(void)state;
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_string_equal(output(f),
			    "pack\\n: 12/42 files, 2 failed, 10.0 MiB -> "
			    "1.0 MiB, 10.0 %, 10/s, 10.0 MiB/s, 3/16 slots, "
			    "2.5 s left\n");
	progress_end(p, NULL);
	assert_string_equal(output(f), "");
	progress_free(p);
	fclose(f);
}

static void the_slower_of_files_and_bytes_tells_the_time_left(void **state)
{
	struct progress *p = progress_new(PROGRESS_NEVER, -1);
	struct progress_counters c = { .files_done = 10,
				       .files_total = 40,
				       .bytes_done = 10,
				       .bytes_total = 100 };

	(void)state;
	clock_advance(10 * CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_true(progress_speed(p).is_left_known);
	assert_int_equal(progress_speed(p).ns_left, 90 * CLOCK_NS_PER_SEC);
	progress_free(p);
}

static void a_new_phase_begins_anew(void **state)
{
	struct progress *p = progress_new(PROGRESS_NEVER, -1);
	struct progress_counters c = { .files_done = 1000, .files_in = 1000 };

	(void)state;
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_false(progress_speed(p).is_left_known);
	c = (struct progress_counters){ .files_total = 1000 };
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_false(progress_speed(p).is_left_known);
	c.files_done = c.files_in = 100;
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_true(progress_speed(p).files == 100);
	assert_int_equal(progress_speed(p).ns_left, 9 * CLOCK_NS_PER_SEC);
	progress_free(p);
}

static void updates_before_their_time_do_nothing(void **state)
{
	FILE *f = tmpfile();
	struct progress *p = progress_new(PROGRESS_ALWAYS, fileno(f));
	struct progress_counters c = { .files_done = 1 };
	uint64_t due;

	(void)state;
	due = progress_update(p, &c);
	assert_int_equal(due, clock_mono_ns() + CLOCK_NS_PER_SEC);
	clock_advance(CLOCK_NS_PER_SEC - 1);
	assert_int_equal(progress_update(p, &c), due);
	assert_string_equal(output(f), "");
	clock_advance(1);
	assert_int_equal(progress_update(p, &c), due + CLOCK_NS_PER_SEC);
	assert_string_equal(output(f), "1 files, 0 B\n");
	progress_free(p);
	fclose(f);
}

static void json_has_all_its_fields_always(void **state)
{
	FILE *f = tmpfile();
	struct progress *p = progress_new(PROGRESS_JSON, fileno(f));
	struct progress_counters c = { .phase = "walk", .bytes_in = MIB };

	(void)state;
	clock_advance(CLOCK_NS_PER_SEC);
	progress_update(p, &c);
	assert_string_equal(
		output(f),
		"{\"v\":1,\"type\":\"progress\",\"phase\":\"walk\","
		"\"slots_done\":null,\"slots_total\":null,"
		"\"files_done\":0,\"files_total\":null,\"bytes_done\":0,"
		"\"bytes_total\":null,\"files_in\":0,\"bytes_in\":1048576,"
		"\"bytes_out\":0,\"ratio\":0.0000,\"failed\":0,"
		"\"seconds\":1.0,\"files_per_second\":0.0,"
		"\"bytes_per_second\":1048576,\"seconds_left\":null,"
		"\"done\":false}\n");
	c.files_total = c.slots_total = 2;
	c.files_done = c.slots_done = 1;
	clock_advance(CLOCK_NS_PER_SEC);
	progress_end(p, &c);
	assert_string_equal(
		output(f),
		"{\"v\":1,\"type\":\"progress\",\"phase\":\"walk\","
		"\"slots_done\":1,\"slots_total\":2,"
		"\"files_done\":1,\"files_total\":2,\"bytes_done\":0,"
		"\"bytes_total\":0,\"files_in\":0,\"bytes_in\":1048576,"
		"\"bytes_out\":0,\"ratio\":0.0000,\"failed\":0,"
		"\"seconds\":2.0,\"files_per_second\":0.0,"
		"\"bytes_per_second\":838861,\"seconds_left\":21,"
		"\"done\":true}\n");
	progress_update(p, &c);
	assert_string_equal(output(f), "");
	progress_free(p);
	fclose(f);
}

static void a_narrow_line_leaves_out_what_matters_least(void **state)
{
	static const struct {
		size_t width;
		const char *text;
	} rows[] = {
		{ 99, "p: 12/42 files, 2 failed, 10.0 MiB -> 1.0 MiB, "
		      "10.0 %, 10/s, 7.0 MiB/s, 3/16 slots, 2.5 s left" },
		{ 94, "p: 12/42 files, 2 failed, 10.0 MiB -> 1.0 MiB, "
		      "10.0 %, 10/s, 7.0 MiB/s, 2.5 s left" },
		{ 80, "p: 12/42 files, 2 failed, 10.0 MiB -> 1.0 MiB, "
		      "10.0 %, 7.0 MiB/s, 2.5 s left" },
		{ 60, "p: 12/42 files, 2 failed, 10.0 MiB -> 1.0 MiB, "
		      "2.5 s left" },
		{ 38, "p: 12/42 files, 2 failed, 2.5 s left" },
		{ 30, "p: 12/42 files, 2 failed" },
		{ 5, "p: 12/42 files" },
	};
	struct progress_counters c = {
		.phase = "p",
		.slots_done = 3,
		.slots_total = 16,
		.files_done = 12,
		.files_total = 42,
		.bytes_in = 10 * MIB,
		.bytes_out = MIB,
		.errors = 2,
	};
	struct progress_speed speed = { .files = 10,
					.bytes = 7 * MIB,
					.is_left_known = true,
					.ns_left = 2500 * CLOCK_NS_PER_MS };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = { .max = 256 };

		progress_format_line(&c, speed, rows[i].width, &b);
		assert_string_equal(buf_str(&b), rows[i].text);
		buf_release(&b);
	}
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
	assert_string_equal(seen_on(far), "\rp\xc3\xa4: 77 files\033[K");
	clock_advance(CLOCK_NS_PER_SEC / 5);
	c.files_done = UINT64_MAX;
	progress_update(p, &c);
	assert_string_equal(seen_on(far), "\rp\xc3\xa4: 184467440737095\033[K");
	progress_end(p, &c);
	assert_string_equal(seen_on(far), "\r\033[K");
	progress_free(p);
	close(near);
	close(far);
}

#define PROGRESS_TEST(f) \
	cmocka_unit_test_setup_teardown(f, start_clock, stop_clock)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROGRESS_TEST(without_a_terminal_auto_is_silent),
		PROGRESS_TEST(a_line_has_speeds_and_time_left),
		PROGRESS_TEST(
			the_slower_of_files_and_bytes_tells_the_time_left),
		PROGRESS_TEST(a_new_phase_begins_anew),
		PROGRESS_TEST(updates_before_their_time_do_nothing),
		PROGRESS_TEST(json_has_all_its_fields_always),
		PROGRESS_TEST(a_narrow_line_leaves_out_what_matters_least),
		PROGRESS_TEST(a_terminal_line_is_cut_rewritten_and_wiped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
