/* SPDX-License-Identifier: Apache-2.0 */
/* nodeid.c - tests of node numbers. */
#include "config.h"

#include "unit.h"

#include "fs/nodeid.h"

#define SHARDS ((UINT64_C(1) << NODEID_SHARD_BITS) - 1)
#define ORDINALS (UINT64_C(1) << NODEID_ORDINAL_BITS)

static void comes_back(enum nodeid_kind kind, uint32_t shard, uint64_t ordinal)
{
	const struct volume_node node = { shard, ordinal, kind == NODEID_DATE };
	uint64_t ino = 0;
	struct nodeid n;

	assert_true(nodeid_of_entry(kind, node, &ino));
	assert_true(ino > NODEID_ROOT_INO);
	n = nodeid_decode(ino);
	assert_int_equal(n.kind, kind);
	assert_int_equal(n.node.shard, shard);
	assert_true(n.node.ordinal == ordinal);
	assert_int_equal(n.node.date, kind == NODEID_DATE);
	assert_int_equal(nodeid_is_control(ino), kind == NODEID_INFO);
}

static void entries_come_back(void **state)
{
	static const enum nodeid_kind kinds[] = { NODEID_TREE, NODEID_DATE,
						  NODEID_INFO };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		comes_back(kinds[i], 0, 0);
		comes_back(kinds[i], 0, 1);
		comes_back(kinds[i], 1, 0);
		comes_back(kinds[i], SHARDS - 1, ORDINALS - 1);
	}
}

static void what_does_not_fit_is_refused(void **state)
{
	uint64_t ino = 77;

	(void)state;
	assert_false(nodeid_of_entry(
		NODEID_TREE, (struct volume_node){ SHARDS, 0, false }, &ino));
	assert_false(nodeid_of_entry(
		NODEID_TREE, (struct volume_node){ 0, ORDINALS, false }, &ino));
	assert_int_equal(ino, 77);
}

static void the_root_is_only_the_root(void **state)
{
	(void)state;
	assert_int_equal(nodeid_decode(NODEID_ROOT_INO).kind, NODEID_ROOT);
}

static void control_numbers_come_back(void **state)
{
	struct nodeid n = nodeid_decode(nodeid_of_control(123456789));

	(void)state;
	assert_int_equal(n.kind, NODEID_CONTROL);
	assert_int_equal(n.number, 123456789);
	assert_true(nodeid_is_control(nodeid_of_control(0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_back),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(the_root_is_only_the_root),
		cmocka_unit_test(control_numbers_come_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
