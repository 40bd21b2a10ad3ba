/* SPDX-License-Identifier: Apache-2.0 */
/* bench-lookup.c - what finding files in a warm index costs, without FUSE.
 *
 *	bench-lookup [-n N] [-p BYTES] ARCHIVE LIST
 *
 * LIST holds paths of files in the archive, each ended by a NUL byte, as for
 * bench-read; N of them (20,000) are taken, spread evenly and in random order.
 * -p bounds the page cache: with 1 each step decodes its page anew.  Every
 * kind of call is made once for all files to warm up and then timed; a line of
 * JSON tells nanoseconds a call, and what the page cache takes an entry.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "volume/volume.h"

#define LIST_MAX (256u << 20)

struct file {
	struct span path;
	struct volume_entry dir, ve;
};

struct bench {
	struct volume *v;
	struct file *files;
	size_t n;
	uint64_t n_listed;
	struct err err;
};

static void die(const struct err *err)
{
	fprintf(stderr, "bench-lookup: %s\n", err->msg);
	exit(1);
}

static void read_list(const char *path, struct buf *ret)
{
	FILE *f = fopen(path, "re");
	char piece[4096];
	size_t n;

	if (!f) {
		fprintf(stderr, "bench-lookup: %s: %s\n", path,
			strerror(errno));
		exit(1);
	}
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_append(ret, piece, n);
	fclose(f);
}

/* Every so many of them, then shuffled. */
static void choose(struct bench *b, const struct buf *list, size_t want)
{
	const char *end = (const char *)list->p + list->len;
	uint64_t seed = 7;
	size_t n = 0, i = 0;

	for (const char *p = (const char *)list->p; p < end; p += strlen(p) + 1)
		n++;
	if (want > n)
		want = n;
	b->files = xcalloc(want ? want : 1, sizeof(*b->files));
	for (const char *p = (const char *)list->p; p < end && b->n < want;
	     p += strlen(p) + 1, i++) {
		if (i * want / n == b->n)
			b->files[b->n++].path = span_of(p, strlen(p));
	}
	for (i = b->n; i > 1; i--) {
		struct file f = b->files[i - 1];
		size_t k;

		seed = seed * UINT64_C(6364136223846793005) +
		       1442695040888963407;
		k = (size_t)(seed >> 33) % i;
		b->files[i - 1] = b->files[k];
		b->files[k] = f;
	}
}

static struct span parent_of(struct span path)
{
	while (path.len && path.p[path.len - 1] != '/')
		path.len--;
	return path;
}

static struct span name_of(struct span path)
{
	size_t n = parent_of(path).len;

	return span_of(path.p + n, path.len - n);
}

static enum rc resolve(struct bench *b, struct file *f)
{
	struct volume_entry ve;

	if (volume_resolve(b->v, f->path, &ve, &b->err))
		return b->err.rc;
	volume_entry_release(&ve);
	return RC_OK;
}

static enum rc lookup(struct bench *b, struct file *f)
{
	struct volume_entry ve;

	if (volume_lookup(b->v, &f->dir, name_of(f->path), &ve, &b->err))
		return b->err.rc;
	volume_entry_release(&ve);
	return RC_OK;
}

static enum rc absent(struct bench *b, struct file *f)
{
	struct volume_entry ve;
	struct span name = name_of(f->path);

	/* Its name without the first letter, which some other file may have. */
	name.p++;
	name.len--;
	if (!volume_lookup(b->v, &f->dir, name, &ve, &b->err))
		volume_entry_release(&ve);
	else if (b->err.rc != RC_NOENT)
		return b->err.rc;
	return RC_OK;
}

static enum rc get(struct bench *b, struct file *f)
{
	struct volume_entry ve;

	if (volume_get(b->v, f->ve.node, &ve, &b->err))
		return b->err.rc;
	volume_entry_release(&ve);
	return RC_OK;
}

static enum rc read_byte(struct bench *b, struct file *f)
{
	char byte;
	size_t n;

	return volume_read(b->v, &f->ve, 0, &byte, 1, &n, &b->err);
}

static bool count(void *arg, struct span name, const struct volume_entry *ve,
		  uint64_t next)
{
	uint64_t *n = arg;

	(void)name;
	(void)ve;
	(void)next;
	return ++*n % 100;
}

/* A hundred entries, as one message has. */
static enum rc list(struct bench *b, struct file *f)
{
	b->n_listed = 0;
	return volume_readdir(b->v, &f->dir, 0, count, &b->n_listed, &b->err);
}

static const struct {
	const char *name;
	enum rc (*run)(struct bench *b, struct file *f);
} calls[] = {
	{ "resolve", resolve }, { "lookup", lookup },  { "absent", absent },
	{ "get", get },         { "read", read_byte }, { "list100", list },
};

static void run_all(struct bench *b, size_t call)
{
	for (size_t i = 0; i < b->n; i++) {
		if (calls[call].run(b, &b->files[i]))
			die(&b->err);
	}
}

static void prepare(struct bench *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct file *f = &b->files[i];

		if (volume_resolve(b->v, parent_of(f->path), &f->dir,
				   &b->err) ||
		    volume_resolve(b->v, f->path, &f->ve, &b->err))
			die(&b->err);
	}
}

static void measure(struct bench *b)
{
	struct volume_stats vs;

	for (size_t call = 0; call < ARRAY_LEN(calls); call++) {
		uint64_t begin;

		run_all(b, call);
		begin = clock_mono_ns();
		run_all(b, call);
		printf("%s\"%s_ns\": %.0f", call ? ", " : "{", calls[call].name,
		       (double)(clock_mono_ns() - begin) / (double)b->n);
	}
	volume_stats(b->v, &vs);
	printf(", \"page_bytes_per_entry\": %.1f}\n",
	       (double)vs.page_cache_bytes / (double)vs.n_entries);
}

int main(int argc, char **argv)
{
	struct volume_options o = { .block_cache = UINT64_C(1) << 30 };
	CLEANUP_BUF struct buf text = { .max = LIST_MAX };
	struct bench b = { 0 };
	size_t n = 20000;
	int c;

	while ((c = getopt(argc, argv, "n:p:")) >= 0) {
		if (c == 'n')
			n = strtoul(optarg, NULL, 10);
		else if (c == 'p')
			o.page_cache = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind != 2) {
		fputs("usage: bench-lookup [-n N] [-p BYTES] ARCHIVE LIST\n",
		      stderr);
		return 2;
	}
	read_list(argv[optind + 1], &text);
	choose(&b, &text, n);
	if (volume_open(&b.v, argv[optind], &o, &b.err))
		die(&b.err);
	prepare(&b);
	measure(&b);
	for (size_t i = 0; i < b.n; i++) {
		volume_entry_release(&b.files[i].dir);
		volume_entry_release(&b.files[i].ve);
	}
	volume_close(b.v);
	free(b.files);
	return 0;
}
