/* SPDX-License-Identifier: Apache-2.0 */
/* fs-options.c - tests of what mount.desfs accepts. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fs/fs-options.h"

#define ARGS_MAX 16

/* Parse words, which end with NULL. */
static enum rc parse(struct fs_options *o, struct err *err,
		     const char *const *words)
{
	static char *argv[ARGS_MAX];
	int argc = 0;

	for (; words[argc]; argc++) {
		free(argv[argc]);
		argv[argc] = xstrdup(words[argc]);
	}
	return fs_options_parse(o, argc, argv, err);
}

#define PARSE(o, err, ...) \
	parse(o, err, (const char *const[]){ "mount.desfs", __VA_ARGS__, NULL })

static void mount_8_calls_it_its_way(void **state)
{
	struct fs_options o;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&o, &err, "/a", "/m", "-n", "-v", "-o",
			       "rw,relatime,uid=7"),
			 RC_OK);
	assert_string_equal(o.archive, "/a");
	assert_string_equal(o.mountpoint, "/m");
	assert_int_equal(o.uid, 7);
	assert_int_equal(o.gid, FS_ID_UNSET);
	assert_int_equal(o.verbose, 1);
	assert_false(o.foreground);
	fs_options_release(&o);
}

static void lists_add_up(void **state)
{
	struct fs_options o;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&o, &err, "-o", "allow_other", "-f", "-o",
			       "umask=027,refresh=0,layout=date,xattr=all",
			       "/a", "-o", "block_cache=1G,verify=file", "/m"),
			 RC_OK);
	assert_true(o.allow_other);
	assert_true(o.foreground);
	assert_int_equal(o.umask, 027);
	assert_int_equal(o.conf.refresh, 0);
	assert_int_equal(o.layout, LAYOUT_DATE);
	assert_int_equal(o.xattr, XATTR_ALL);
	assert_int_equal(o.verify, 2);
	assert_true(o.block_cache == UINT64_C(1) << 30);
	fs_options_release(&o);
}

static void defaults_are_those_of_the_manual(void **state)
{
	struct fs_options o;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&o, &err, "/a", "/m"), RC_OK);
	assert_int_equal(o.conf.refresh, CONF_UNSET);
	assert_string_equal(o.control, ".des");
	assert_int_equal(o.layout, LAYOUT_AUTO);
	assert_int_equal(o.xattr, XATTR_AUTO);
	assert_int_equal(o.verify, 0);
	fs_options_release(&o);
}

static void words_of_fstab_are_passed_over(void **state)
{
	struct fs_options o;
	struct err err;

	(void)state;
	assert_int_equal(
		PARSE(&o, &err, "/a", "/m", "-o",
		      "defaults,ro,rw,auto,noauto,user,nofail,_netdev,exec,noexec,"
		      "suid,nosuid,dev,nodev,noatime,x-systemd.automount,"
		      "x-gvfs-hide,comment=x"),
		RC_OK);
	assert_true(o.noexec);
	fs_options_release(&o);
}

static void rooms_are_joined_without_commas(void **state)
{
	struct fs_options o;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&o, &err, "/a", "/m", "-o",
			       "debug=fs:volume,debug=store"),
			 RC_OK);
	assert_string_equal(o.debug_rooms, "fs,volume,store");
	fs_options_release(&o);
}

static void control_may_be_named_or_taken_away(void **state)
{
	struct fs_options o;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&o, &err, "/a", "/m", "-o", "control="), RC_OK);
	assert_string_equal(o.control, "");
	fs_options_release(&o);
	assert_int_equal(PARSE(&o, &err, "/a", "/m", "-o", "control=a/b"),
			 RC_USAGE);
	fs_options_release(&o);
	assert_int_equal(PARSE(&o, &err, "/a", "/m", "-o", "control=.."),
			 RC_USAGE);
	fs_options_release(&o);
}

static void refuse(const char *list, const char *word)
{
	struct fs_options o;
	struct err err;

	assert_int_equal(PARSE(&o, &err, "/a", "/m", "-o", list), RC_USAGE);
	assert_non_null(strstr(err.msg, word));
	fs_options_release(&o);
}

static void what_is_wrong_is_named(void **state)
{
	struct fs_options o;
	struct err err;

	(void)state;
	refuse("frobnicate", "frobnicate");
	refuse("remount,ro", "remount");
	refuse("umask=999", "umask");
	refuse("layout=flat", "layout");
	refuse("uid=4294967295", "uid");
	refuse("allow_other=1", "allow_other");
	assert_int_equal(PARSE(&o, &err, "/a"), RC_USAGE);
	fs_options_release(&o);
	assert_int_equal(PARSE(&o, &err, "/a", "/m", "/x"), RC_USAGE);
	fs_options_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mount_8_calls_it_its_way),
		cmocka_unit_test(lists_add_up),
		cmocka_unit_test(defaults_are_those_of_the_manual),
		cmocka_unit_test(words_of_fstab_are_passed_over),
		cmocka_unit_test(rooms_are_joined_without_commas),
		cmocka_unit_test(control_may_be_named_or_taken_away),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
