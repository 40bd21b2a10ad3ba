/* SPDX-License-Identifier: Apache-2.0 */
/* store-do.c - one call of the store room for shell tests; what comes of it on
 * standard output, failures on standard error with the exit status of desfs.
 *
 *	store-do URL put KEY FILE         make it
 *	store-do URL replace KEY FILE     in the place of another
 *	store-do URL remove KEY
 *	store-do URL purge KEY            "removed", "versions removed",
 *	                                  "kept" and until when
 *	store-do URL places KEY           names and URLs
 *	store-do URL oldest               seconds the oldest run is old; "none"
 *	store-do URL alive                how many
 *	store-do URL strays [remove S]    those older than S seconds
 *	store-do URL leftovers [remove]
 *	store-do URL run SECONDS          a run that is alive so long
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/timestamp.h"
#include "conf/store-settings.h"
#include "store/store-write.h"

static struct err err;

static int fail(void)
{
	fprintf(stderr, "store-do: %s\n", err.msg);
	return rc_to_status(err.rc);
}

static void read_file(const char *path, struct buf *ret)
{
	FILE *f = fopen(path, "r");
	char piece[4096];
	size_t n;

	if (!f) {
		fprintf(stderr, "%s: %m\n", path);
		exit(2);
	}
	buf_init(ret, (size_t)1 << 30);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_append(ret, piece, n);
	fclose(f);
}

static int do_put(struct store *st, char **argv)
{
	CLEANUP_BUF struct buf b = { 0 };
	bool existed = false;

	read_file(argv[1], &b);
	if (store_put(st, argv[0], b.p, b.len, &existed, &err))
		return fail();
	puts(existed ? "existed" : "made");
	return 0;
}

static int do_replace(struct store *st, char **argv)
{
	CLEANUP_BUF struct buf b = { 0 };

	read_file(argv[1], &b);
	return store_replace(st, argv[0], b.p, b.len, &err) ? fail() : 0;
}

static int do_remove(struct store *st, char **argv)
{
	return store_remove(st, argv[0], &err) ? fail() : 0;
}

static int do_purge(struct store *st, char **argv)
{
	char text[TIMESTAMP_TEXT] = "unknown";
	enum store_gone gone;
	int64_t until;

	if (store_purge(st, argv[0], &gone, &until, &err))
		return fail();
	if (gone == STORE_KEPT && until != STORE_UNTIL_UNKNOWN)
		timestamp_format(until, text);
	switch (gone) {
	case STORE_REMOVED: puts("removed"); break;
	case STORE_VERSIONS_REMOVED: puts("versions removed"); break;
	case STORE_KEPT: printf("kept %s\n", text); break;
	}
	return 0;
}

static enum rc print_place(void *arg, const char *zone, struct store *place,
			   struct err *e)
{
	(void)arg;
	(void)e;
	printf("%s %s\n", zone ? zone : "-", store_url(place));
	return RC_OK;
}

static int do_places(struct store *st, char **argv)
{
	return store_each_place(st, argv[0], print_place, NULL, &err) ? fail()
								      : 0;
}

static int do_oldest(struct store *st, char **argv)
{
	int64_t us;

	(void)argv;
	if (store_runs_oldest(st, ~0u, NULL, &us, &err))
		return fail();
	if (us == INT64_MAX)
		puts("none");
	else if (us == INT64_MIN)
		puts("unknown");
	else
		printf("%" PRId64 "\n", (clock_wall_us() - us) / 1000000);
	return 0;
}

static int do_alive(struct store *st, char **argv)
{
	unsigned int n;

	(void)argv;
	if (store_runs_alive(st, NULL, &n, &err))
		return fail();
	printf("%u\n", n);
	return 0;
}

static void print_stray(void *arg, const char *what, uint64_t size, int64_t age,
			bool is_removed)
{
	(void)arg;
	printf("%s%s %" PRIu64 " %" PRId64 "\n", is_removed ? "removed " : "",
	       what, size, age / 1000000);
}

static int do_strays(struct store *st, char **argv)
{
	int64_t age =
		argv[0] && argv[1] ? strtoll(argv[1], NULL, 10) * 1000000 : 0;

	return store_strays(st, argv[0], age, print_stray, NULL, &err) ? fail()
								       : 0;
}

static void print_leftover(void *arg, const char *what, uint64_t size)
{
	(void)arg;
	printf("%s %" PRIu64 "\n", what, size);
}

static int do_leftovers(struct store *st, char **argv)
{
	return store_leftovers(st, argv[0], NULL, print_leftover, NULL, &err)
		       ? fail()
		       : 0;
}

static int do_run(struct store *st, char **argv)
{
	struct store_run *run = NULL;

	if (store_run_begin(st, STORE_RUN_OTHER, &run, &err))
		return fail();
	puts("running");
	fflush(stdout);
	sleep((unsigned int)strtoul(argv[0], NULL, 10));
	store_run_end(run, true);
	return 0;
}

static const struct {
	const char *name;
	int n_args; /* at least */
	int (*run)(struct store *st, char **argv);
} verbs[] = {
	{ "put", 2, do_put },
	{ "replace", 2, do_replace },
	{ "remove", 1, do_remove },
	{ "purge", 1, do_purge },
	{ "places", 1, do_places },
	{ "oldest", 0, do_oldest },
	{ "alive", 0, do_alive },
	{ "strays", 0, do_strays },
	{ "leftovers", 0, do_leftovers },
	{ "run", 1, do_run },
};

int main(int argc, char **argv)
{
	struct store_settings set = { 0 };
	struct store *st = NULL;
	int status = 2;

	set.endpoint = getenv("AWS_ENDPOINT_URL_S3");
	if (argc < 3 || store_create(&st, argv[1], &set, &err)) {
		fprintf(stderr, "store-do: %s\n",
			argc < 3 ? "URL and what to do" : err.msg);
		return argc < 3 ? 2 : rc_to_status(err.rc);
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!strcmp(verbs[i].name, argv[2]) &&
		    argc - 3 >= verbs[i].n_args)
			status = verbs[i].run(st, argv + 3);
	}
	store_close(st);
	return status;
}
