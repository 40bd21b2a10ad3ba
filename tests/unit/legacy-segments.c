/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-segments.c - tests of files read with one request that fails. */
#include "config.h"

#include "legacy/legacy-segments.h"

#include "base/compiler.h"
#include "store/store-made.h"
#include "unit.h"

#define SIZE 4096u /* of the object */
#define FILE_SIZE 100u

/* A store that refuses to give more than a file at once. */
struct fake {
	struct store *below, *st;
	struct legacy_objects *objects;
	struct legacy_segments *segments;
	const struct legacy_object *o;
	enum rc rc; /* of more */
	unsigned int n_reads;
};

static struct fake fake;

static enum rc fake_read(void *arg, const char *key,
			 const struct object_info *expect, uint64_t off,
			 void *buf, size_t len, bool is_ahead, struct err *err)
{
	struct fake *k = arg;
	uint8_t *p = buf;

	(void)is_ahead;
	assert_true(off + len <= expect->size);
	k->n_reads++;
	if (k->rc && len > FILE_SIZE)
		return err_set(err, k->rc, "%s: %zu bytes", key, len);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)((off + i) / 7);
	return RC_OK;
}

static void fake_close(void *arg)
{
	(void)arg;
}

static const struct store_made_ops ops = {
	.read = fake_read,
	.close = fake_close,
};

static int setup(void **state)
{
	const struct object_info info = { .size = SIZE };
	struct fake *k = &fake;
	struct err err;

	(void)state;
	*k = (struct fake){ .rc = RC_OK };
	if (store_open(&k->below, ".", NULL, &err))
		return -1;
	k->st = store_made_new(&ops, k, k->below);
	k->objects = legacy_objects_new();
	k->o = legacy_objects_get(k->objects,
				  legacy_objects_add(k->objects, "a", &info));
	k->segments = legacy_segments_new(k->st);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	legacy_segments_free(fake.segments);
	legacy_objects_free(fake.objects);
	store_close(fake.st);
	store_close(fake.below);
	return 0;
}

static enum rc read_file(unsigned int i, struct err *err)
{
	uint8_t buf[FILE_SIZE];
	uint64_t off = (uint64_t)i * FILE_SIZE;
	enum rc rc = legacy_segments_read(fake.segments, fake.o, off, buf,
					  sizeof(buf), false, err);

	for (size_t k = 0; k < sizeof(buf) && !rc; k++)
		assert_int_equal(buf[k], (uint8_t)((off + k) / 7));
	return rc;
}

static void expect_files(unsigned int n)
{
	legacy_segments_expect(fake.segments, fake.o, 0,
			       (uint64_t)n * FILE_SIZE, false);
}

static void what_is_expected_takes_one_read(void **state)
{
	struct err err;

	(void)state;
	expect_files(10);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(read_file(i, &err), RC_OK);
	assert_int_equal(fake.n_reads, 1);
}

static void who_reads_for_all_gets_his_own_when_that_fails(void **state)
{
	static const enum rc rcs[] = { RC_NOMEM, RC_IO, RC_ACCESS, RC_CORRUPT,
				       RC_TIMEOUT };
	struct err err;

	for (size_t k = 0; k < ARRAY_LEN(rcs); k++) {
		fake.rc = rcs[k];
		fake.n_reads = 0;
		expect_files(10);
		for (unsigned int i = 0; i < 10; i++)
			assert_int_equal(read_file(i, &err), RC_OK);
		assert_int_equal(fake.n_reads, 11);
	}
	(void)state;
}

static void an_object_that_changed_is_not_read_again(void **state)
{
	static const enum rc rcs[] = { RC_CHANGED, RC_STOPPED };
	struct err err;

	for (size_t k = 0; k < ARRAY_LEN(rcs); k++) {
		fake.rc = rcs[k];
		fake.n_reads = 0;
		expect_files(10);
		assert_int_equal(read_file(0, &err), fake.rc);
		assert_int_equal(fake.n_reads, 1);
	}
	(void)state;
}

/* There is nobody else whose bytes may be what is wrong. */
static void what_is_wanted_wholly_is_read_once(void **state)
{
	uint8_t buf[2 * FILE_SIZE];
	struct err err;

	(void)state;
	fake.rc = RC_TIMEOUT;
	expect_files(2);
	assert_int_equal(legacy_segments_read(fake.segments, fake.o, 0, buf,
					      sizeof(buf), false, &err),
			 RC_TIMEOUT);
	assert_int_equal(fake.n_reads, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_expected_takes_one_read),
		TEST(who_reads_for_all_gets_his_own_when_that_fails),
		TEST(an_object_that_changed_is_not_read_again),
		TEST(what_is_wanted_wholly_is_read_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("legacy-segments", tests, NULL,
					   NULL);
}
