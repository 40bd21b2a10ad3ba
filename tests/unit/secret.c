/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c - tests of credentials and where they come from. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/secret.h"

static char dir[] = "/tmp/desfs-secret-XXXXXX";
static struct secret s;

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void write_file(const char *name, mode_t mode, const char *text)
{
	CLEANUP_FREE char *path = path_of(name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

#define PROFILES                                                              \
	"[default]\naws_access_key_id = AKDEFAULT\n"                          \
	"aws_secret_access_key = SEKRIT/default+==\n\n"                       \
	"[other]\naws_access_key_id=AKOTHER\naws_secret_access_key=SEKRIT2\n" \
	"aws_session_token=TOKEN\nregion = eu-central-1\nsome = thing\n"      \
	"[half]\naws_access_key_id=AKHALF\n"

/* A home with both files, and nothing in the environment. */
static int setup(void **state)
{
	static const char *const names[] = {
		"AWS_ACCESS_KEY_ID",           "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN",           "AWS_PROFILE",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	setenv("HOME", dir, 1);
	write_file(".aws/credentials", 0600, PROFILES);
	write_file(".aws/config", 0644,
		   "[default]\nregion = eu-west-1\ns3 =\n  x = y\n"
		   "[profile other]\nregion = us-west-2\n"
		   "[profile third]\nregion = us-west-3\n");
	return 0;
}

static void the_default_profile_is_taken_with_its_region(void **state)
{
	const struct store_settings set = { .endpoint = NULL };
	struct err err;

	(void)state;
	assert_int_equal(secret_load(&set, &s, &err), RC_OK);
	assert_string_equal(s.access, "AKDEFAULT");
	assert_string_equal(s.key, "SEKRIT/default+==");
	assert_string_equal(s.token, "");
	assert_string_equal(s.region, "eu-west-1");
	assert_non_null(strstr(s.source, "/.aws/credentials"));
}

static void a_profile_may_be_named(void **state)
{
	const struct store_settings set = { .profile = "other" };
	const struct store_settings none = { .profile = NULL };
	struct err err;

	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AKENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SEKRITENV", 1);
	assert_int_equal(secret_load(&set, &s, &err), RC_OK);
	assert_string_equal(s.access, "AKOTHER");
	assert_string_equal(s.token, "TOKEN");
	assert_string_equal(s.region, "eu-central-1");
	setup(state);
	setenv("AWS_PROFILE", "other", 1);
	assert_int_equal(secret_load(&none, &s, &err), RC_OK);
	assert_string_equal(s.access, "AKOTHER");
}

static void the_environment_goes_before_the_files(void **state)
{
	const struct store_settings set = { .endpoint = NULL };
	struct err err;

	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AKENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SEKRITENV", 1);
	setenv("AWS_SESSION_TOKEN", "TOK", 1);
	assert_int_equal(secret_load(&set, &s, &err), RC_OK);
	assert_string_equal(s.access, "AKENV");
	assert_string_equal(s.key, "SEKRITENV");
	assert_string_equal(s.token, "TOK");
	assert_string_equal(s.source, "environment");
	assert_string_equal(s.region, "eu-west-1");
}

static void a_file_of_credentials_goes_before_all(void **state)
{
	CLEANUP_FREE char *path = path_of("keys");
	const struct store_settings set = { .credentials = path };
	struct err err;

	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AKENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SEKRITENV", 1);
	write_file("keys", 0400,
		   "aws_access_key_id = AKFILE\r\n"
		   "aws_secret_access_key = SEKRITFILE # comment\r\n");
	assert_int_equal(secret_load(&set, &s, &err), RC_OK);
	assert_string_equal(s.access, "AKFILE");
	assert_string_equal(s.key, "SEKRITFILE");
	assert_string_equal(s.source, path);
}

/* Load, and expect a refusal that says this and shows no secret. */
static void refused(const struct store_settings *set, const char *says)
{
	struct err err;

	if (!secret_load(set, &s, &err))
		fail_msg("taken, not: %s", says);
	if (err.rc != RC_ACCESS || !strstr(err.msg, says))
		fail_msg("'%s', not '%s'", err.msg, says);
	assert_null(strstr(err.msg, "SEKRIT"));
	assert_string_equal(s.key, "");
}

static void files_that_others_may_read_are_refused(void **state)
{
	CLEANUP_FREE char *path = path_of("keys");
	const struct store_settings set = { .credentials = path };
	const struct store_settings none = { .credentials = NULL };

	(void)state;
	write_file("keys", 0640, PROFILES);
	refused(&set, "may be read by others");
	write_file("keys", 0602, PROFILES);
	refused(&set, "chmod 600");
	write_file(".aws/credentials", 0604, PROFILES);
	refused(&none, "may be read by others");
}

static void files_of_others_are_refused(void **state)
{
	CLEANUP_FREE char *path = path_of("keys");
	const struct store_settings set = { .credentials = path };

	(void)state;
	write_file("keys", 0600, PROFILES);
	/* Only root can give files away. */
	if (!geteuid()) {
		assert_int_equal(chown(path, 12345, 0), 0);
		refused(&set, "belongs to another user");
	}
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(&set, "is not a file");
	assert_int_equal(remove(path), 0);
	refused(&set, "No such file");
	write_file("keys", 0600, "");
}

static void what_is_missing_is_told(void **state)
{
	struct store_settings set = { .profile = "half" };

	(void)state;
	refused(&set, "profile half has no aws_secret_access_key");
	set.profile = "nobody";
	refused(&set, "has no profile nobody");
	set.profile = NULL;
	setenv("AWS_ACCESS_KEY_ID", "AKENV", 1);
	refused(&set, "AWS_SECRET_ACCESS_KEY is not");
	unsetenv("AWS_ACCESS_KEY_ID");
	setenv("AWS_SECRET_ACCESS_KEY", "SEKRITENV", 1);
	refused(&set, "AWS_ACCESS_KEY_ID is not");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	setenv("HOME", "/nonexistent", 1);
	refused(&set, "no credentials: set AWS_ACCESS_KEY_ID");
	unsetenv("HOME");
	refused(&set, "make ~/.aws/credentials");
}

static void what_no_key_can_be_is_refused(void **state)
{
	CLEANUP_FREE char *path = path_of("keys");
	const struct store_settings set = { .credentials = path };
	const struct store_settings none = { .credentials = NULL };
	CLEANUP_FREE char *longest = xcalloc(1, SECRET_KEY_MAX + 1);
	CLEANUP_FREE char *text = NULL;
	struct err err;

	(void)state;
	memset(longest, 'k', SECRET_KEY_MAX);
	text = xasprintf("aws_access_key_id=A\naws_secret_access_key=%s\n",
			 longest);
	write_file("keys", 0600, text);
	refused(&set, ":2: aws_secret_access_key is too long");
	write_file("keys", 0600,
		   "aws_access_key_id=A\naws_secret_access_key=SEKRIT x\n");
	refused(&set, ":2: aws_secret_access_key is too long, or has");
	write_file("keys", 0600,
		   "aws_access_key_id=A\naws_secret_access_key=SEKRIT\x01\n");
	assert_int_equal(secret_load(&set, &s, &err), RC_ACCESS);
	assert_non_null(strstr(err.msg, ":2: a control character"));
	setenv("AWS_ACCESS_KEY_ID", "A\nHost: evil", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SEKRIT", 1);
	refused(&none, "AWS_ACCESS_KEY_ID is no access key id");
	setenv("AWS_ACCESS_KEY_ID", "A", 1);
	setenv("AWS_SECRET_ACCESS_KEY", longest, 1);
	refused(&none, "AWS_SECRET_ACCESS_KEY is no secret key");
}

static void wiping_leaves_nothing(void **state)
{
	static const struct secret zero;
	const struct store_settings set = { .profile = "other" };
	struct err err;

	(void)state;
	assert_int_equal(secret_load(&set, &s, &err), RC_OK);
	secret_wipe(&s);
	assert_memory_equal(&s, &zero, sizeof(s));
}

static int make_dir(void **state)
{
	CLEANUP_FREE char *aws = NULL;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	aws = path_of(".aws");
	return mkdir(aws, 0700);
}

static int remove_dir(void **state)
{
	static const char *const names[] = { ".aws/credentials", ".aws/config",
					     ".aws", "keys" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP_FREE char *path = path_of(names[i]);

		if (remove(path))
			return -1;
	}
	return remove(dir);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_default_profile_is_taken_with_its_region),
		TEST(a_profile_may_be_named),
		TEST(the_environment_goes_before_the_files),
		TEST(a_file_of_credentials_goes_before_all),
		TEST(files_that_others_may_read_are_refused),
		TEST(files_of_others_are_refused),
		TEST(what_is_missing_is_told),
		TEST(what_no_key_can_be_is_refused),
		TEST(wiping_leaves_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("secret", tests, make_dir,
					   remove_dir);
}
