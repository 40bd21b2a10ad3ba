/* SPDX-License-Identifier: Apache-2.0 */
/* convert-check.c - tests of what is told of archives that are compared: of two
 * that are equal, and then one of them is damaged.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "exchange/convert-check.h"
#include "pack/pack.h"
#include "shard/shard-format.h"
#include "volume/oplog-record.h"
#include "volume/volume.h"

/* 2026-11-21 */
#define TIME INT64_C(1795219200000000)
#define NEEDLE "find me in the only block"
#define N_ENTRIES 3 /* with the root */

struct fixture {
	char dir[64], source[80], from[80], to[80];
	char *key; /* of the only shard in from that has a file */
	uint64_t n_of_key;
	bool leaves_out;
	/* What was told. */
	unsigned int n_differ, n_unread;
	uint64_t n_lost;
	enum rc why;
};

static void make_file(const struct fixture *f, const char *name,
		      const char *text)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", f->source, name);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_pwrite(fd, text, strlen(text), 0), 0);
}

static void pack(struct fixture *f, const char *archive)
{
	const struct profile *profile = profile_get(0);
	char *sources[] = { f->source };
	struct pack_options o = { .archive = archive,
				  .sources = sources,
				  .n_sources = 1,
				  .route = PACK_ANY_ROUTE,
				  .created = CREATED_TIME,
				  .created_at = TIME,
				  .codec = CODEC_NONE,
				  .sizes = profile->sizes,
				  .max_shard = UINT64_C(1) << 30,
				  .jobs = 1,
				  .open_shards = 1,
				  .spool = "/tmp" };
	const struct report_options ro = { 0 };
	struct report *report = report_new(&ro);
	struct err err;
	enum rc rc;

	rc = pack_run(&o, report, &err);
	if (rc)
		print_message("# %s\n", err.msg);
	assert_int_equal(rc, RC_OK);
	report_free(report);
}

static bool note_key(void *arg, const struct volume_entry *ve)
{
	struct fixture *f = arg;

	f->n_of_key++;
	return ve || true;
}

static void never_lost(void *arg, uint64_t n, const struct err *why)
{
	(void)arg;
	(void)n;
	fail_msg("%s", why->msg);
}

/* The shard that has the files. */
static void find_shard(struct fixture *f)
{
	struct volume *v = NULL;
	struct volume_entry ve;
	struct err err;

	assert_int_equal(volume_open(&v, f->from, NULL, &err), RC_OK);
	assert_int_equal(volume_resolve(v, span_of("file", 4), &ve, &err),
			 RC_OK);
	f->key = xstrdup(volume_shard(v, ve.node)->key);
	assert_int_equal(volume_shard_entries(v, ve.node.shard, note_key,
					      never_lost, f, &err),
			 RC_OK);
	volume_entry_release(&ve);
	volume_close(v);
}

static int begin(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/desfs-check-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	log_set_level(LOG_LEVEL_ERR);
	snprintf(f->source, sizeof(f->source), "%s/src", f->dir);
	snprintf(f->from, sizeof(f->from), "%s/from", f->dir);
	snprintf(f->to, sizeof(f->to), "%s/to", f->dir);
	assert_int_equal(mkdir(f->source, 0700), 0);
	make_file(f, "file", NEEDLE);
	make_file(f, "empty", "");
	pack(f, f->from);
	find_shard(f);
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int end(void **state)
{
	struct fixture *f = *state;

	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f->key);
	free(f);
	return 0;
}

/* --- comparing --------------------------------------------------------------
 */

static bool is_left_out(void *arg, uint64_t number)
{
	(void)arg;
	(void)number;
	return false;
}

static void differs(void *arg, const struct volume_entry *ve,
		    const struct err *why)
{
	struct fixture *f = arg;

	(void)ve;
	f->n_differ++;
	f->why = why->rc;
}

static void unread(void *arg, const struct volume_entry *ve,
		   const struct err *why)
{
	struct fixture *f = arg;

	assert_int_equal(ve->e.type, ENTRY_REG);
	f->n_unread++;
	f->why = why->rc;
}

static void lost(void *arg, const struct shard_meta *shard, uint64_t n,
		 const struct err *why)
{
	struct fixture *f = arg;

	assert_string_equal(shard->key, f->key);
	assert_int_equal(f->n_lost, 0);
	f->n_lost = n;
	f->why = why->rc;
}

static enum rc check(struct fixture *f, uint64_t *ret_n_equal)
{
	struct verify_live live = { 0 };
	struct convert_check c = { .jobs = 2,
				   .live = &live,
				   .is_left_out = is_left_out,
				   .differs = differs,
				   .unread = unread,
				   .lost = lost,
				   .arg = f };
	struct err err;
	enum rc rc;

	*ret_n_equal = 0;
	assert_int_equal(volume_open(&c.from, f->from, NULL, &err), RC_OK);
	assert_int_equal(volume_open(&c.to, f->to, NULL, &err), RC_OK);
	rc = convert_check(&c, ret_n_equal, &err);
	if (rc)
		print_message("# %s\n", err.msg);
	volume_close(c.from);
	volume_close(c.to);
	return rc;
}

/* In the shard of from: its last bytes are cut off, or those of the file become
 * others.
 */
static void damage(struct fixture *f, bool is_cut)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", f->from, f->key);
	CLEANUP_FREE char *all = NULL;
	CLEANUP_FD int fd = -1;
	struct stat st;
	const char *at;

	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	if (is_cut) {
		assert_int_equal(ftruncate(fd, st.st_size - 8), 0);
		return;
	}
	all = xcalloc(1, (size_t)st.st_size);
	assert_int_equal(io_pread(fd, all, (size_t)st.st_size, 0), st.st_size);
	at = memmem(all, (size_t)st.st_size, NEEDLE, strlen(NEEDLE));
	assert_non_null(at);
	assert_int_equal(io_pwrite(fd, "XYZ", 3, (uint64_t)(at - all)), 0);
}

static void what_is_equal_is_counted(void **state)
{
	struct fixture *f = *state;
	uint64_t n;

	pack(f, f->to);
	assert_int_equal(check(f, &n), RC_OK);
	assert_int_equal(n, N_ENTRIES);
	assert_int_equal(f->n_differ + f->n_unread + f->n_lost, 0);
}

static void another_content_is_told(void **state)
{
	struct fixture *f = *state;
	uint64_t n;

	make_file(f, "file", "F");
	pack(f, f->to);
	assert_int_equal(check(f, &n), RC_OK);
	assert_int_equal(f->n_differ, 1);
	assert_int_equal(f->why, RC_CORRUPT);
	assert_int_equal(f->n_unread + f->n_lost, 0);
}

static void entries_that_cannot_be_listed_are_told(void **state)
{
	struct fixture *f = *state;
	uint64_t n;

	pack(f, f->to);
	damage(f, true);
	assert_int_equal(check(f, &n), RC_OK);
	assert_int_equal(f->n_lost, f->n_of_key);
	assert_int_equal(f->why, RC_CORRUPT);
	assert_int_equal(f->n_differ + f->n_unread, 0);
}

static void content_that_cannot_be_read_is_not_different(void **state)
{
	struct fixture *f = *state;
	uint64_t n;

	pack(f, f->to);
	damage(f, false);
	assert_int_equal(check(f, &n), RC_OK);
	assert_int_equal(n, N_ENTRIES - 1);
	assert_int_equal(f->n_unread, 1);
	assert_int_equal(f->why, RC_CORRUPT);
	assert_int_equal(f->n_differ + f->n_lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_equal_is_counted, begin,
						end),
		cmocka_unit_test_setup_teardown(another_content_is_told, begin,
						end),
		cmocka_unit_test_setup_teardown(
			entries_that_cannot_be_listed_are_told, begin, end),
		cmocka_unit_test_setup_teardown(
			content_that_cannot_be_read_is_not_different, begin,
			end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
