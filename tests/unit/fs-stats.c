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

static void the_oldest_request_comes_first(void **state)
{
	CLEANUP_BUF struct buf text = { .max = 1 << 16 };
	unsigned int first, second;

	(void)state;
	first = fs_slot_take(&stats, FS_READ, 0x10, 7);
	clock_advance(1500 * CLOCK_NS_PER_MS);
	second = fs_slot_take(&stats, FS_LOOKUP, 1, 8);
	clock_advance(500 * CLOCK_NS_PER_MS);
	fs_stats_requests(&stats, &text);
	assert_string_equal(buf_str(&text), "age_ms message node pid\n"
					    "2000 read 0000000000000010 7\n"
					    "500 lookup 0000000000000001 8\n");
	fs_slot_give(&stats, first);
	buf_clear(&text);
	fs_stats_requests(&stats, &text);
	assert_null(strstr(buf_str(&text), "read"));
	fs_slot_give(&stats, second);
}

static void more_requests_than_slots_go_unlisted(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FS_SLOTS; i++)
		assert_int_not_equal(fs_slot_take(&stats, FS_READ, 2, 1),
				     FS_NO_SLOT);
	assert_int_equal(fs_slot_take(&stats, FS_READ, 2, 1), FS_NO_SLOT);
	fs_slot_give(&stats, FS_NO_SLOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_messages_are_counted_apart),
		cmocka_unit_test(metrics_have_a_type_each),
		cmocka_unit_test(the_oldest_request_comes_first),
		cmocka_unit_test(more_requests_than_slots_go_unlisted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
