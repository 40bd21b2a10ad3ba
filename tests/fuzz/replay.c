/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - the main of a fuzz target without libFuzzer: runs its corpus.
 *
 * tests/fuzz/fuzz-NAME reads $SRCDIR/tests/fuzz/corpus/NAME/, or the files and
 * directories it is given, and prints TAP: one test a file.  Each file is run
 * as it is, and with a few hundred bytes changed or cut, always the same ones.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "fuzz.h"

#define REPLAY_MAX (1u << 20)
#define MUTATIONS 300

static unsigned int n_tests;
static uint64_t seed;

/* xorshift64, George Marsaglia, 2003 */
static size_t pick(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return n ? (size_t)(seed % n) : 0;
}

/* An exact allocation, so that a sanitizer sees the first byte too far. */
static void run_copy(const uint8_t *data, size_t size, size_t cut, size_t at,
		     uint8_t flip)
{
	size_t len = size - cut;
	uint8_t *p = malloc(len ? len : 1);

	if (!p)
		abort();
	memcpy(p, data, len);
	if (at < len)
		p[at] ^= flip;
	LLVMFuzzerTestOneInput(p, len);
	free(p);
}

static void run_bytes(const char *name, const uint8_t *data, size_t size)
{
	run_copy(data, size, 0, size, 0);
	seed = 88172645463325252u;
	for (int i = 0; i < MUTATIONS && size; i++)
		run_copy(data, size, i % 4 ? 0 : pick(size + 1), pick(size),
			 (uint8_t)(1 + pick(255)));
	printf("ok %u - %s\n", ++n_tests, name);
	fflush(stdout);
}

static int run_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	uint8_t *data = malloc(REPLAY_MAX);
	FILE *f = fopen(path, "rb");
	int bad = !f || !data;

	if (bad) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
	} else {
		size_t n = fread(data, 1, REPLAY_MAX, f);

		run_bytes(slash ? slash + 1 : path, data, n);
	}
	if (f)
		fclose(f);
	free(data);
	return bad;
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* A directory that is not there is an empty one. */
static int run_path(const char *path)
{
	struct dirent **list = NULL;
	int n = scandir(path, &list, not_hidden, alphasort);
	int bad = 0;

	if (n < 0)
		return errno == ENOTDIR ? run_file(path) : 0;
	for (int i = 0; i < n; i++) {
		char sub[4096];

		snprintf(sub, sizeof(sub), "%s/%s", path, list[i]->d_name);
		bad |= run_file(sub);
		free(list[i]);
	}
	free(list);
	return bad;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("SRCDIR");
	const char *name = strstr(argv[0], "fuzz-");
	char corpus[4096];
	int bad = 0;

	for (const char *s = name; s && (s = strstr(s + 1, "fuzz-"));)
		name = s;
	run_bytes("empty", (const uint8_t *)"", 0);
	snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s",
		 srcdir ? srcdir : ".", name ? name + strlen("fuzz-") : "");
	if (argc < 2)
		bad |= run_path(corpus);
	for (int i = 1; i < argc; i++)
		bad |= run_path(argv[i]);
	printf("1..%u\n", n_tests);
	return bad;
}
