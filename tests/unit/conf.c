/* SPDX-License-Identifier: Apache-2.0 */
/* conf.c - tests of settings, from options and files. */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/conf-opts.h"

static char dir[] = "/tmp/desfs-conf-XXXXXX";

static void write_file(const char *name, const char *text)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/* Fill c for the archive with text as the only file. */
static enum rc fill(struct conf *c, const char *archive, const char *text,
		    struct err *err)
{
	CLEANUP_FREE char *path = xasprintf("%s/desfs.conf", dir);

	write_file("desfs.conf", text);
	setenv("DESFS_CONF", path, 1);
	return conf_fill(c, archive, err);
}

static size_t row_of(const char *key)
{
	for (size_t i = 0; i < conf_n_rows(); i++) {
		if (!strcmp(conf_key(i), key))
			return i;
	}
	fail_msg("no row %s", key);
	return 0;
}

static void without_files_there_are_defaults(void **state)
{
	struct conf c = CONF_INIT;
	struct err err;

	(void)state;
	setenv("DESFS_CONF", "", 1);
	assert_int_equal(conf_fill(&c, "s3://b", &err), RC_OK);
	assert_null(c.store.endpoint);
	assert_null(c.index_cache);
	assert_int_equal(c.store.timeout, 0);
	assert_int_equal(c.refresh, 60);
	assert_int_equal(c.tombstone_max_age, 86400);
	assert_int_equal(c.stale, STALE_ERROR);
	assert_string_equal(conf_origin(&c, row_of("region")), "default");
	conf_release(&c);
}

static void a_file_that_DESFS_CONF_names_must_exist(void **state)
{
	struct conf c = CONF_INIT;
	struct err err;

	(void)state;
	setenv("DESFS_CONF", "/nonexistent/desfs.conf", 1);
	assert_int_equal(conf_fill(&c, "s3://b", &err), RC_NOENT);
	assert_non_null(strstr(err.msg, "DESFS_CONF: /nonexistent/desfs.conf"));
	conf_release(&c);
}

static void the_file_of_the_user_is_found(void **state)
{
	struct conf c = CONF_INIT;
	CLEANUP_FREE char *sub = xasprintf("%s/desfs", dir);
	struct err err;

	(void)state;
	unsetenv("DESFS_CONF");
	setenv("XDG_CONFIG_HOME", dir, 1);
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file("desfs/desfs.conf", "[default]\nretries = 3\n");
	assert_int_equal(conf_fill(&c, "s3://b", &err), RC_OK);
	assert_int_equal(c.store.retries, 3);
	conf_release(&c);
}

#define THREE                                                 \
	"[archive s3://b/p/]\nregion = below\n"               \
	"[default]\nregion = all\ntimeout = 5\nrefresh = 7\n" \
	"[archive s3://b]\nregion = bucket\ntimeout = 6\nendpoint = http://h\n"

static void the_longest_url_wins(void **state)
{
	struct conf c = CONF_INIT;
	struct err err;

	(void)state;
	assert_int_equal(fill(&c, "s3://b/p/x", THREE, &err), RC_OK);
	assert_string_equal(c.store.region, "below");
	assert_int_equal(c.store.timeout, 6);
	assert_int_equal(c.refresh, 7);
	assert_non_null(
		strstr(conf_origin(&c, row_of("region")), "desfs.conf:2"));
	conf_release(&c);
	conf_init(&c);
	assert_int_equal(fill(&c, "s3://b/px/", THREE, &err), RC_OK);
	assert_string_equal(c.store.region, "bucket");
	conf_release(&c);
	conf_init(&c);
	assert_int_equal(fill(&c, "s3://bb", THREE, &err), RC_OK);
	assert_string_equal(c.store.region, "all");
	assert_null(c.store.endpoint);
	conf_release(&c);
}

static void options_are_over_files(void **state)
{
	struct conf c = CONF_INIT;
	struct err err;

	(void)state;
	c.store.region = "mine";
	c.refresh = 0;
	c.stale = STALE_OK;
	assert_int_equal(
		fill(&c, "s3://b", THREE "[default]\nstale=error\n", &err),
		RC_OK);
	assert_string_equal(c.store.region, "mine");
	assert_int_equal(c.refresh, 0);
	assert_int_equal(c.stale, STALE_OK);
	assert_int_equal(c.store.timeout, 6);
	assert_string_equal(conf_origin(&c, row_of("region")), "option");
	conf_release(&c);
}

static void an_empty_value_takes_back(void **state)
{
	struct conf c = CONF_INIT;
	struct err err;

	(void)state;
	assert_int_equal(fill(&c, "s3://b",
			      "[default]\nregion = all\nindex_cache = /x\n"
			      "[archive s3://b]\nregion =\nindex_cache =\n",
			      &err),
			 RC_OK);
	assert_null(c.store.region);
	assert_string_equal(c.index_cache, "");
	conf_release(&c);
}

static void paths_become_absolute(void **state)
{
	struct conf c = CONF_INIT;
	char cwd[PATH_MAX], want[PATH_MAX + 64];
	struct err err;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	setenv("HOME", "/home/me", 1);
	c.store.credentials = "keys";
	c.store.trace = "-";
	assert_int_equal(fill(&c, "s3://b",
			      "[default]\nca_file = ca.pem\n"
			      "index_cache = ~/index\ndisk_cache = /d\n",
			      &err),
			 RC_OK);
	snprintf(want, sizeof(want), "%s/keys", cwd);
	assert_string_equal(c.store.credentials, want);
	snprintf(want, sizeof(want), "%s/ca.pem", dir);
	assert_string_equal(c.store.ca_file, want);
	assert_string_equal(c.index_cache, "/home/me/index");
	assert_string_equal(c.disk_cache, "/d");
	assert_string_equal(c.store.trace, "-");
	conf_release(&c);
}

static void directories_are_archives_too(void **state)
{
	CLEANUP_FREE char *text = xasprintf("[archive %s]\nrefresh = 9\n", dir);
	CLEANUP_FREE char *odd =
		xasprintf("file://%s/../%s//", dir, strrchr(dir, '/') + 1);
	struct conf c = CONF_INIT;
	struct err err;

	(void)state;
	assert_int_equal(fill(&c, odd, text, &err), RC_OK);
	assert_int_equal(c.refresh, 9);
	conf_release(&c);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{ "region = x\n", ":1: want [default]" },
		{ "\n[what]\n", ":2: unknown section [what]" },
		{ "[archive]\n", ":1: want [archive URL]" },
		{ "[archive x]\n", ":1: 'x' is neither" },
		{ "[default\n", ":1: ']' is missing" },
		{ "[ ]\n", ":1: a section without a name" },
		{ "[default]\nregion\n", ":2: want [SECTION]" },
		{ "[default]\n= x\n", ":2: want [SECTION]" },
		{ "[default]\nregions = x\n", ":2: unknown setting regions" },
		{ "[default]\nregion = a b\n", ":2: region: no name" },
		{ "[default]\nregion = a\nregion = b\n", "in line 2" },
		{ "[default]\ntimeout = 0\n", ":2: timeout: 0 is not from" },
		{ "[default]\ntimeout = 1s\n", ":2: timeout: '1s' is no" },
		{ "[default]\npath_style = on\n", ":2: path_style: 'on'" },
		{ "[default]\nindex_cache_size = 1\n", ":2: index_cache_size" },
		{ "[default]\nendpoint = h\n", ":2: endpoint: want http://" },
		{ "[default]\nproxy = http://me:pw@h\n", ":2: proxy: a URL" },
		{ "[default]\naws_secret_access_key = SEKRIT\n",
		  ":2: secrets do not belong here" },
		{ "[archive s3://x]\ntimeout = 0\n", ":2: timeout" },
		{ "[default]\nregion = \x1b[2J\n", ":2: a control character" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct conf c = CONF_INIT;
		enum rc rc = fill(&c, "s3://b", rows[i].text, &err);

		if (rc != RC_USAGE || !strstr(err.msg, rows[i].says) ||
		    !strstr(err.msg, "/desfs.conf:"))
			fail_msg("%s: %s, not %s", rows[i].text,
				 rc ? err.msg : "taken", rows[i].says);
		assert_null(strstr(err.msg, "SEKRIT"));
		assert_null(strstr(err.msg, "pw"));
		conf_release(&c);
	}
}

static void wrong_options_are_told_too(void **state)
{
	struct conf c = CONF_INIT;
	struct err err;

	(void)state;
	setenv("DESFS_CONF", "", 1);
	c.store.endpoint = "host:80";
	assert_int_equal(conf_fill(&c, "s3://b", &err), RC_USAGE);
	assert_non_null(strstr(err.msg, "endpoint: want http://"));
	conf_release(&c);
}

struct both {
	int before;
	struct conf conf;
};

static const struct opt tool_rows[] = { CONF_OPTS(struct both, conf) };
static const struct opt mount_rows[] = { CONF_MOUNT_OPTS(struct both, conf) };

static void option_tables_set_the_fields(void **state)
{
	struct both b = { .conf = CONF_INIT };
	char p[] = "x", region[] = "--region=eu", retries[] = "--retries=2";
	char style[] = "--path-style=no", size[] = "--index-cache-size=2M";
	char *argv[] = { p, region, retries, style, size, NULL };
	char list[] = "path_style=yes,disk_cache=/d,refresh=0,stale=ok";
	int first = 0;
	struct err err;

	(void)state;
	assert_int_equal(opt_parse(tool_rows, ARRAY_LEN(tool_rows), &b, 5, argv,
				   &first, &err),
			 RC_OK);
	assert_string_equal(b.conf.store.region, "eu");
	assert_int_equal(b.conf.store.retries, 2);
	assert_int_equal(b.conf.store.path_style, PATH_STYLE_NO);
	assert_int_equal(b.conf.index_cache_size, 2 << 20);
	assert_int_equal(opt_parse_list(mount_rows, ARRAY_LEN(mount_rows), &b,
					list, NULL, NULL, &err),
			 RC_OK);
	assert_int_equal(b.conf.store.path_style, PATH_STYLE_YES);
	assert_string_equal(b.conf.disk_cache, "/d");
	assert_int_equal(b.conf.refresh, 0);
	assert_int_equal(b.conf.stale, STALE_OK);
}

static int make_dir(void **state)
{
	(void)state;
	setenv("HOME", "/nonexistent", 1);
	return !mkdtemp(dir);
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "desfs.conf", "desfs/desfs.conf",
					     "desfs", "." };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP_FREE char *path =
			i == 3 ? xstrdup(dir)
			       : xasprintf("%s/%s", dir, names[i]);

		if (remove(path))
			return -1;
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_files_there_are_defaults),
		cmocka_unit_test(a_file_that_DESFS_CONF_names_must_exist),
		cmocka_unit_test(the_file_of_the_user_is_found),
		cmocka_unit_test(the_longest_url_wins),
		cmocka_unit_test(options_are_over_files),
		cmocka_unit_test(an_empty_value_takes_back),
		cmocka_unit_test(paths_become_absolute),
		cmocka_unit_test(directories_are_archives_too),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(wrong_options_are_told_too),
		cmocka_unit_test(option_tables_set_the_fields),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("conf", tests, make_dir, remove_dir);
}
