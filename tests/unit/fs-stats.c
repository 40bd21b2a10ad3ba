/* SPDX-License-Identifier: Apache-2.0 */
/* fs-stats.c - tests of the texts about the daemon's work. */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "base/clock.h"
#include "fs/fs-stats.h"
#include "volume/volume.h"

static struct fs_stats stats;

static int set_up(void **state)
{
	(void)state;
	memset(&stats, 0, sizeof(stats));
	clock_freeze(5 * CLOCK_NS_PER_SEC, 0);
	stats.started = clock_mono_ns();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clock_thaw();
	return 0;
}

static void control_messages_are_counted_apart(void **state)
{
	static const struct volume_stats vs = { .n_files = 12 };
	CLEANUP_BUF struct buf text = { .max = 1 << 16 };

	(void)state;
	fs_count(&stats.messages[FS_LOOKUP], 3);
	fs_count(&stats.messages[FS_READ], 4);
	fs_count(&stats.control[FS_LOOKUP], 5);
	fs_stats_text(&stats, &vs, &text);
	assert_non_null(strstr(buf_str(&text), "\nfuse_messages 7\n"));
	assert_non_null(strstr(buf_str(&text), "\nfuse_lookup 3\n"));
	assert_non_null(strstr(buf_str(&text), "\ncontrol_messages 5\n"));
	assert_non_null(strstr(buf_str(&text), "\nvolume_n_files 12\n"));
}

static void metrics_have_a_type_each(void **state)
{
	static const struct volume_stats vs = { .n_shards = 2 };
	CLEANUP_BUF struct buf text = { .max = 1 << 16 };

	(void)state;
	fs_count(&stats.errors[RC_CORRUPT], 1);
	fs_stats_metrics(&stats, &vs, &text);
	assert_non_null(strstr(buf_str(&text),
			       "desfs_errors_total{cause=\"CORRUPT\"} 1\n"));
	assert_non_null(strstr(buf_str(&text),
			       "# TYPE desfs_volume_n_shards gauge\n"
			       "desfs_volume_n_shards 2\n"));
}

static struct fs_request take(enum fs_message m, uint64_t ino, pid_t pid)
{
	return fs_request_begin(&stats, m, ino, pid, false);
}

static void the_oldest_request_comes_first(void **state)
{
	CLEANUP_BUF struct buf text = { .max = 1 << 16 };
	struct fs_request first, second;

	(void)state;
	first = take(FS_READ, 0x10, 7);
	clock_advance(1500 * CLOCK_NS_PER_MS);
	second = take(FS_LOOKUP, 1, 8);
	clock_advance(500 * CLOCK_NS_PER_MS);
	fs_stats_requests(&stats, &text);
	assert_string_equal(buf_str(&text), "age_ms message node pid\n"
					    "2000 read 0000000000000010 7\n"
					    "500 lookup 0000000000000001 8\n");
	fs_request_end(&stats, &first);
	buf_clear(&text);
	fs_stats_requests(&stats, &text);
	assert_null(strstr(buf_str(&text), "read"));
	fs_request_end(&stats, &second);
}

static void more_requests_than_slots_go_unlisted(void **state)
{
	struct fs_request all[FS_SLOTS], more;

	(void)state;
	for (unsigned int i = 0; i < FS_SLOTS; i++) {
		all[i] = take(FS_READ, 2, 1);
		assert_int_not_equal(all[i].slot, FS_NO_SLOT);
	}
	more = take(FS_READ, 2, 1);
	assert_int_equal(more.slot, FS_NO_SLOT);
	fs_request_end(&stats, &more);
	for (unsigned int i = 0; i < FS_SLOTS; i++)
		fs_request_end(&stats, &all[i]);
}

static bool has(struct buf *text, const char *line)
{
	return strstr(buf_str(text), line);
}

static void requests_in_flight_are_counted(void **state)
{
	CLEANUP_BUF struct buf text = { .max = 1 << 16 };
	struct fs_request a, b, control;

	(void)state;
	memset(&stats, 0, sizeof(stats));
	stats.n_threads = 2;
	control = fs_request_begin(&stats, FS_LOOKUP, 1, 9, true);
	clock_advance(10 * CLOCK_NS_PER_MS);
	a = take(FS_READ, 2, 1);
	clock_advance(20 * CLOCK_NS_PER_MS);
	b = take(FS_READ, 2, 1);
	fs_request_end(&stats, &b);
	fs_stats_latency(&stats, &text);
	assert_true(has(&text, "requests_now 1\n"));
	assert_true(has(&text, "requests_max 2\n"));
	assert_true(has(&text, "requests_busy 1\n"));
	assert_true(has(&text, "requests_oldest_ms 20\n"));
	fs_request_end(&stats, &a);
	fs_request_end(&stats, &control);
	buf_clear(&text);
	fs_stats_latency(&stats, &text);
	assert_true(has(&text, "requests_now 0\n"));
	assert_true(has(&text, "requests_oldest_ms 0\n"));
}

static void durations_are_counted_by_kind(void **state)
{
	CLEANUP_BUF struct buf text = { .max = 1 << 20 };
	struct fs_request r;

	(void)state;
	memset(&stats, 0, sizeof(stats));
	for (int i = 0; i < 3; i++) {
		r = take(FS_READ, 2, 1);
		clock_advance(1 << 20);
		fs_request_end(&stats, &r);
	}
	r = fs_request_begin(&stats, FS_READ, 2, 1, true);
	clock_advance(CLOCK_NS_PER_SEC);
	fs_request_end(&stats, &r);
	fs_stats_latency(&stats, &text);
	assert_true(has(&text, "\nlatency_read_bucket_1048576 3\n"));
	assert_true(has(&text, "\nlatency_read_max_us 1049\n"));
	assert_true(has(&text, "\nlatency_read_sum_us 3146\n"));
	assert_true(has(&text, "\nlatency_lookup_p50_us 0\n"));
	assert_false(has(&text, "latency_forget"));
	buf_clear(&text);
	fs_metrics_latency(&stats, &text);
	assert_true(has(&text, "desfs_request_seconds_bucket{op=\"read\","
			       "le=\"0.000524288\"} 0\n"));
	assert_true(has(&text, "desfs_request_seconds_bucket{op=\"read\","
			       "le=\"0.001048576\"} 3\n"));
	assert_true(has(&text, "desfs_request_seconds_bucket{op=\"read\","
			       "le=\"+Inf\"} 3\n"));
	assert_true(has(&text, "desfs_request_seconds_count{op=\"read\"} 3\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_messages_are_counted_apart),
		cmocka_unit_test(metrics_have_a_type_each),
		cmocka_unit_test(the_oldest_request_comes_first),
		cmocka_unit_test(more_requests_than_slots_go_unlisted),
		cmocka_unit_test(requests_in_flight_are_counted),
		cmocka_unit_test(durations_are_counted_by_kind),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
