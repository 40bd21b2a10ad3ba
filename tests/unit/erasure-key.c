/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-key.c - tests of the file of keys that nobody else may read. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/erasure-key.h"

static char dir[] = "/tmp/desfs-key-XXXXXX";
static char *path;

#define HEX_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX_B "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void write_file(mode_t mode, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void a_made_key_can_be_loaded_and_is_for_its_owner_alone(void **state)
{
	struct erasure_keys k, again;
	struct stat st;
	struct err err;

	(void)state;
	umask(0);
	assert_int_equal(erasure_key_make(path, &err), RC_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(erasure_keys_load(path, &k, &err), RC_OK);
	assert_int_equal(k.n, 1);
	assert_int_equal(erasure_key_make(path, &err), RC_EXISTS);
	assert_int_equal(erasure_keys_load(path, &again, &err), RC_OK);
	assert_memory_equal(&k, &again, sizeof(k));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(erasure_key_make(path, &err), RC_OK);
	assert_int_equal(erasure_keys_load(path, &again, &err), RC_OK);
	assert_memory_not_equal(k.v[0], again.v[0], ERASURE_KEY_LEN);
}

static void several_keys_keep_their_order(void **state)
{
	struct erasure_keys k;
	struct err err;

	(void)state;
	write_file(0600, "# now\nkey = " HEX_B "\n\n# before\nkey=" HEX_A "\n");
	assert_int_equal(erasure_keys_load(path, &k, &err), RC_OK);
	assert_int_equal(k.n, 2);
	assert_int_equal(k.v[0][0], 0xff);
	assert_int_equal(k.v[1][0], 0x00);
	assert_int_equal(k.v[1][31], 0xff);
}

static void without_a_file_there_are_none(void **state)
{
	struct erasure_keys k = { .n = 7 };
	struct err err;

	(void)state;
	assert_int_equal(erasure_keys_load(NULL, &k, &err), RC_OK);
	assert_int_equal(k.n, 0);
	assert_int_equal(erasure_keys_load(path, &k, &err), RC_NOENT);
}

static void refused(enum rc want, mode_t mode, const char *text)
{
	static const struct erasure_keys none;
	struct erasure_keys k;
	struct err err;

	write_file(mode, text);
	assert_int_equal(erasure_keys_load(path, &k, &err), want);
	assert_memory_equal(&k, &none, sizeof(k));
	assert_null(strstr(err.msg, "00112233"));
	assert_null(strstr(err.msg, "112233"));
}

static void what_is_no_key_is_refused_and_not_shown(void **state)
{
	(void)state;
	refused(RC_ACCESS, 0640, "key = " HEX_A "\n");
	refused(RC_ACCESS, 0604, "key = " HEX_A "\n");
	refused(RC_USAGE, 0600, "");
	refused(RC_USAGE, 0600, "# none\n");
	refused(RC_USAGE, 0600, HEX_A "\n");
	refused(RC_USAGE, 0600, "[x]\nkey = " HEX_A "\n");
	refused(RC_USAGE, 0600, "secret = " HEX_A "\n");
	refused(RC_USAGE, 0600, "key = " HEX_A "0\n");
	refused(RC_USAGE, 0600, "key = " HEX_A "\nkey = 00112233\n");
	refused(RC_USAGE, 0600, "key = " HEX_A "\nkey =\n");
}

static void there_may_not_be_too_many(void **state)
{
	CLEANUP_BUF struct buf text = { .max = 1u << 16 };
	struct erasure_keys k;
	struct err err;

	(void)state;
	for (unsigned int i = 0; i < ERASURE_KEYS_MAX; i++)
		buf_append_str(&text, "key = " HEX_A "\n");
	write_file(0600, buf_str(&text));
	assert_int_equal(erasure_keys_load(path, &k, &err), RC_OK);
	assert_int_equal(k.n, ERASURE_KEYS_MAX);
	buf_append_str(&text, "key = " HEX_A "\n");
	refused(RC_USAGE, 0600, buf_str(&text));
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	path = xasprintf("%s/keys", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	free(path);
	return rmdir(dir);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_made_key_can_be_loaded_and_is_for_its_owner_alone),
		TEST(several_keys_keep_their_order),
		TEST(without_a_file_there_are_none),
		TEST(what_is_no_key_is_refused_and_not_shown),
		TEST(there_may_not_be_too_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("erasure-key", tests, make_dir,
					   remove_dir);
}
