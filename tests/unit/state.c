/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - tests of what threads say they are at. */
#include "config.h"

#include "run/state.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "unit.h"

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static void a_thread_that_is_not_attached_says_nothing(void **state)
{
	struct state *s = state_new();
	struct state_view v;

	(void)state;
	assert_int_equal(state_enter(STATE_WRITING), STATE_WRITING);
	state_file(text("a"), text("b"));
	state_file_end();
	state_detach();
	assert_int_equal(state_look(s, &v, 1), 0);
	state_free(s);
}

static void an_attached_one_is_seen_at_its_file(void **state)
{
	struct state *s = state_new();
	struct state_view v;
	enum state_doing was;

	(void)state;
	clock_freeze(100 * CLOCK_NS_PER_SEC, 0);
	state_attach(s, 11);
	state_file(text("a/b"), text("c"));
	clock_advance(CLOCK_NS_PER_SEC);
	was = state_enter(STATE_WRITING);
	assert_int_equal(was, STATE_COMPARING);
	clock_advance(CLOCK_NS_PER_SEC);
	assert_int_equal(state_look(s, &v, 1), 1);
	assert_int_equal(v.slot, 11);
	assert_int_equal(v.doing, STATE_WRITING);
	assert_int_equal(v.doing_ns, CLOCK_NS_PER_SEC);
	assert_true(v.has_file);
	assert_int_equal(v.file_ns, 2 * CLOCK_NS_PER_SEC);
	assert_false(v.is_cut);
	assert_int_equal(v.name_len, 5);
	assert_memory_equal(v.name, "a/b/c", 5);
	state_leave(was);
	state_file_end();
	state_attach(s, 12);
	assert_int_equal(state_look(s, &v, 1), 1);
	assert_int_equal(v.slot, 12);
	assert_int_equal(v.doing, STATE_COMPARING);
	assert_false(v.has_file);
	state_detach();
	assert_int_equal(state_look(s, &v, 1), 0);
	clock_thaw();
	state_free(s);
}

static void of_a_long_name_the_end_is_seen(void **state)
{
	struct state *s = state_new();
	struct state_view v;
	char dir[1000], name[300];

	(void)state;
	memset(dir, 'd', sizeof(dir));
	memset(name, 'n', sizeof(name));
	state_attach(s, 0);
	state_file(span_of(dir, sizeof(dir)), text("name"));
	assert_int_equal(state_look(s, &v, 1), 1);
	assert_true(v.is_cut);
	assert_int_equal(v.name_len, STATE_NAME_MAX);
	assert_memory_equal(v.name + STATE_NAME_MAX - 6, "d/name", 6);
	state_file(span_of(dir, sizeof(dir)), span_of(name, sizeof(name)));
	assert_int_equal(state_look(s, &v, 1), 1);
	assert_true(v.is_cut);
	assert_true(v.name_len <= STATE_NAME_MAX);
	assert_int_equal(v.name[v.name_len - 1], 'n');
	state_file(text(""), text("top"));
	assert_int_equal(state_look(s, &v, 1), 1);
	assert_false(v.is_cut);
	assert_int_equal(v.name_len, 3);
	state_detach();
	state_free(s);
}

static void *work(void *arg)
{
	for (uint32_t i = 0; i < 1000; i++) {
		enum state_doing was;

		state_attach(arg, i);
		state_file(text("some"), text("file"));
		was = state_enter(STATE_READING);
		state_leave(was);
		state_file_end();
	}
	state_detach();
	return NULL;
}

static void threads_may_be_looked_at_while_they_work(void **state)
{
	struct state *s = state_new();
	struct state_view v[4];
	pthread_t t[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, work, s), 0);
	for (int i = 0; i < 1000; i++) {
		size_t n = state_look(s, v, 4);

		assert_true(n <= 2);
		for (size_t j = 0; j < n; j++)
			assert_true(!v[j].name_len || v[j].name_len == 9);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(state_look(s, v, 4), 0);
	state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_that_is_not_attached_says_nothing),
		cmocka_unit_test(an_attached_one_is_seen_at_its_file),
		cmocka_unit_test(of_a_long_name_the_end_is_seen),
		cmocka_unit_test(threads_may_be_looked_at_while_they_work),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
