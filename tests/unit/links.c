/* SPDX-License-Identifier: Apache-2.0 */
/* links.c - tests which names are found to be the same file. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "pack/links.h"
#include "shard/route.h"
#include "volume/descriptor.h"

#define FEEDS 2

static struct err err;
static struct descriptor descriptor = { .n_bits = 4,
					.route = ROUTE_PARENT,
					.archive_id = "an archive's id" };

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static void add(struct links *l, unsigned int feed, uint64_t ino,
		const char *uid)
{
	assert_int_equal(links_add(l, feed, 1, ino, text(uid), &err), RC_OK);
}

/* Asks for one name, with a reader of its own unless there is one. */
static struct item find(const struct links *l, const char *uid,
			struct links_reader **r)
{
	uint32_t slot = route_slot(ROUTE_PARENT, 4, uid, strlen(uid));
	struct buf key = { .max = 1000 };
	struct links_reader *own = NULL;
	struct item it = { .link = 1 };
	struct span parent, name;

	entry_split_uid(text(uid), &parent, &name);
	item_key_encode(parent, name, &key);
	if (!*r)
		assert_int_equal(links_read(l, slot, r, &err), RC_OK);
	own = *r;
	assert_int_equal(links_find(own, span_of(key.p, key.len), &it, &err),
			 RC_OK);
	buf_release(&key);
	return it;
}

static void assert_alone(const struct links *l, const char *uid)
{
	struct links_reader *r = NULL;
	struct item it = find(l, uid, &r);

	assert_int_equal(it.link, 0);
	assert_int_equal(it.nlink, 1);
	assert_false(link_group_is_set(it.link_group));
	links_reader_free(r);
}

static void assert_group(const struct item *it, const char *uid)
{
	uint8_t group[LINK_GROUP_LEN];

	link_group_of(descriptor.archive_id, text(uid), group);
	assert_memory_equal(it->link_group, group, LINK_GROUP_LEN);
}

/* Returns the group's number. */
static uint64_t assert_linked(const struct links *l, const char *uid,
			      unsigned int n, const char *group)
{
	struct links_reader *r = NULL;
	struct item it = find(l, uid, &r);

	assert_int_not_equal(it.link, 0);
	assert_int_equal(it.nlink, n);
	assert_group(&it, group);
	links_reader_free(r);
	return it.link;
}

static void a_group_is_named_by_its_smallest_path(void **state)
{
	struct links *l = links_new("/tmp", FEEDS, &descriptor);
	uint64_t link;

	(void)state;
	add(l, 1, 7, "m");
	add(l, 0, 8, "a");
	add(l, 0, 7, "z");
	add(l, 1, 7, "b/c");
	links_end_feed(l, 1);
	assert_int_equal(links_finish(l, &err), RC_OK);
	link = assert_linked(l, "m", 3, "b/c");
	assert_int_equal(assert_linked(l, "z", 3, "b/c"), link);
	assert_int_equal(assert_linked(l, "b/c", 3, "b/c"), link);
	assert_alone(l, "a");
	assert_alone(l, "no such name");
	links_free(l);
}

static void equal_inodes_of_two_devices_are_two_files(void **state)
{
	struct links *l = links_new("/tmp", FEEDS, &descriptor);

	(void)state;
	assert_int_equal(links_add(l, 0, 1, 7, text("a"), &err), RC_OK);
	assert_int_equal(links_add(l, 0, 2, 7, text("b"), &err), RC_OK);
	assert_int_equal(links_finish(l, &err), RC_OK);
	assert_alone(l, "a");
	assert_alone(l, "b");
	links_free(l);
}

static void a_name_seen_twice_counts_once(void **state)
{
	struct links *l = links_new("/tmp", FEEDS, &descriptor);

	(void)state;
	add(l, 0, 7, "a");
	add(l, 1, 7, "a");
	add(l, 0, 8, "b");
	add(l, 0, 8, "c");
	add(l, 1, 8, "c");
	assert_int_equal(links_finish(l, &err), RC_OK);
	assert_alone(l, "a");
	(void)assert_linked(l, "b", 2, "b");
	(void)assert_linked(l, "c", 2, "b");
	links_free(l);
}

static void names_are_asked_for_in_order(void **state)
{
	struct links *l = links_new("/tmp", FEEDS, &descriptor);
	struct links_reader *r = NULL;

	(void)state;
	add(l, 0, 7, "d/b");
	add(l, 0, 7, "d/e");
	add(l, 0, 7, "d/f");
	add(l, 0, 7, "d/h");
	assert_int_equal(links_finish(l, &err), RC_OK);
	assert_int_equal(find(l, "d/a", &r).nlink, 1);
	assert_int_equal(find(l, "d/b", &r).nlink, 4);
	assert_int_equal(find(l, "d/c", &r).nlink, 1);
	assert_int_equal(find(l, "d/f", &r).nlink, 4);
	assert_int_equal(find(l, "d/i", &r).nlink, 1);
	assert_int_equal(find(l, "d/j", &r).nlink, 1);
	links_reader_free(r);
	links_free(l);
}

/* More than memory holds: the groups are the same. */
static void many_links_are_found_on_disk(void **state)
{
	enum { N = 200000 };
	struct links *l = links_new("/tmp", FEEDS, &descriptor);
	struct links_reader *r = NULL;
	char uid[100], group[100];

	(void)state;
	for (unsigned int i = 0; i < N; i++) {
		snprintf(uid, sizeof(uid), "one/%060u", i);
		add(l, i % FEEDS, i / 2, uid);
	}
	assert_int_equal(links_finish(l, &err), RC_OK);
	for (unsigned int i = 0; i < N; i++) {
		struct item it;

		snprintf(uid, sizeof(uid), "one/%060u", i);
		snprintf(group, sizeof(group), "one/%060u", i / 2 * 2);
		it = find(l, uid, &r);
		assert_int_equal(it.nlink, 2);
		assert_group(&it, group);
	}
	links_reader_free(r);
	links_free(l);
}

static void nothing_is_linked_when_nothing_was_added(void **state)
{
	struct links *l = links_new("/tmp", FEEDS, &descriptor);

	(void)state;
	assert_int_equal(links_finish(l, &err), RC_OK);
	assert_alone(l, "a");
	links_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_is_named_by_its_smallest_path),
		cmocka_unit_test(equal_inodes_of_two_devices_are_two_files),
		cmocka_unit_test(a_name_seen_twice_counts_once),
		cmocka_unit_test(names_are_asked_for_in_order),
		cmocka_unit_test(many_links_are_found_on_disk),
		cmocka_unit_test(nothing_is_linked_when_nothing_was_added),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
