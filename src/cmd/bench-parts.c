/* SPDX-License-Identifier: Apache-2.0 */
/* bench-parts.c - what is measured of names and files, through the volume. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "cmd/bench.h"
#include "cmd/todo.h"

#define PIECE (1u << 20)
#define WARM_ROUNDS 20 /* of the sample, at most */
#define FIRST_TIMES 5
#define ORDERED_MAX 20000
#define LARGE_MIN (1u << 20) /* bytes; less tells nothing of MB/s */
#define MISSING ".desfs-bench-has-no-such-name"

/* --- names ---------------------------------------------------------------- */

static const struct bench_file *file_at(const struct bench *b, uint64_t i)
{
	return &b->files[i % b->n_files];
}

static enum rc look_up(struct bench *b, void *arg, uint64_t i,
		       uint64_t *ret_bytes, struct err *err)
{
	const struct bench_file *f = file_at(b, i);
	struct volume_entry ve;

	(void)arg;
	(void)ret_bytes;
	if (volume_resolve(b->archive.v, f->path, &ve, err)) {
		bench_failed(b, f->path, err);
		return err->rc;
	}
	volume_entry_release(&ve);
	return RC_OK;
}

static enum rc miss(struct bench *b, void *arg, uint64_t i, uint64_t *ret_bytes,
		    struct err *err)
{
	const struct bench_file *f = file_at(b, i);
	CLEANUP_FREE char *name = xasprintf("%s" MISSING, f->path.p);
	struct volume_entry ve;

	(void)arg;
	(void)ret_bytes;
	if (!volume_resolve(b->archive.v, span_of(name, strlen(name)), &ve,
			    err)) {
		volume_entry_release(&ve);
		return RC_OK;
	}
	if (err->rc == RC_NOENT)
		return RC_OK;
	bench_failed(b, f->path, err);
	return err->rc;
}

static void run_part(struct bench *b, const char *name, bool is_cold,
		     unsigned int threads, uint64_t n, bench_fn *fn, void *arg)
{
	struct bench_part part = { .name = name,
				   .threads = threads,
				   .is_cold = is_cold };

	bench_run(b, &part, n, fn, arg);
	bench_report(b, &part);
}

enum rc bench_names(struct bench *b, struct err *err)
{
	uint64_t n = b->n_files;

	if (!n)
		return RC_OK;
	if (bench_open(b, err))
		return err->rc;
	run_part(b, "find a name", true, 1, n, look_up, NULL);
	run_part(b, "find it again", false, 1, n * WARM_ROUNDS, look_up, NULL);
	run_part(b, "miss a name", false, 1, n, miss, NULL);
	bench_close(b);
	return RC_OK;
}

/* --- listing -------------------------------------------------------------- */

struct listing {
	struct bench *b;
	struct todo dirs;
	struct todo_dir dir; /* being listed */
	uint64_t n, end;
	uint64_t n_dirs, n_failed;
};

/* Takes the path. */
static void remember(struct bench *b, struct span path, uint64_t size)
{
	b->ordered = mem_grow(b->ordered, &b->cap_ordered, b->n_ordered + 1,
			      sizeof(*b->ordered));
	b->ordered[b->n_ordered++] =
		(struct bench_file){ .path = path, .size = size };
}

static bool list_entry(void *arg, struct span name,
		       const struct volume_entry *ve, uint64_t next_cookie)
{
	struct listing *l = arg;

	(void)next_cookie;
	l->n++;
	if (ve->e.type == ENTRY_REG && l->b->n_ordered < ORDERED_MAX)
		remember(l->b, path_join(l->dir.path, name), ve->e.size);
	if (ve->e.type == ENTRY_DIR)
		todo_push(&l->dirs, l->dir.path, name, ve->node);
	return !stop_requested() && clock_mono_ns() < l->end;
}

static enum rc list_dir(struct listing *l, struct err *err)
{
	struct volume *v = l->b->archive.v;
	struct volume_entry dir;
	enum rc rc = volume_get(v, l->dir.node, &dir, err);

	if (rc)
		return rc;
	rc = volume_readdir(v, &dir, 0, list_entry, l, err);
	volume_entry_release(&dir);
	return rc;
}

static void list_all(struct listing *l)
{
	while (todo_pop(&l->dirs, &l->dir)) {
		struct err err;

		if (list_dir(l, &err)) {
			bench_failed(l->b, l->dir.path, &err);
			l->n_failed++;
		}
		todo_dir_release(&l->dir);
		l->n_dirs++;
		if (stop_requested() || clock_mono_ns() >= l->end ||
		    bench_is_spent(l->b))
			return;
	}
}

enum rc bench_listing(struct bench *b, struct err *err)
{
	struct bench_part part = { .name = "list entries",
				   .threads = 1,
				   .is_cold = true };
	struct listing l = { .b = b };
	struct volume_entry root;
	uint64_t since, requests, moved;
	enum rc rc = bench_open(b, err);

	if (rc)
		return rc;
	bench_moved(b, &requests, &moved);
	since = clock_mono_ns();
	l.end = since + b->o->seconds * CLOCK_NS_PER_SEC;
	rc = volume_root(b->archive.v, &root, err);
	if (!rc) {
		todo_push(&l.dirs, span_of("", 0), span_of("", 0), root.node);
		volume_entry_release(&root);
		list_all(&l);
	} else {
		bench_failed(b, span_of("", 0), err);
		l.n_failed++;
	}
	todo_release(&l.dirs);
	part.ns = clock_mono_ns() - since;
	part.n = l.n;
	part.n_failed = l.n_failed;
	bench_moved(b, &part.requests, &part.moved);
	part.requests -= requests;
	part.moved -= moved;
	bench_report(b, &part);
	bench_close(b);
	return RC_OK;
}

/* --- bytes ---------------------------------------------------------------- */

/* All bytes of a file, in pieces, or those of its first max. */
static enum rc read_file(struct bench *b, const struct bench_file *f,
			 uint64_t max, uint64_t *ret_bytes, struct err *err)
{
	uint64_t most = f->size < max ? f->size + 1 : max;
	size_t piece = most < PIECE ? (size_t)most : PIECE;
	CLEANUP_FREE char *p = malloc(piece);
	struct volume_entry ve;
	uint64_t off = 0;
	enum rc rc;

	if (!p)
		return err_set(err, RC_NOMEM, "out of memory");
	rc = volume_resolve(b->archive.v, f->path, &ve, err);
	if (rc)
		return rc;
	while (!rc && off < ve.e.size && off < max) {
		size_t len = 0;

		if (stop_requested())
			break;
		rc = volume_read(b->archive.v, &ve, off, p, piece, &len, err);
		if (!rc && !len)
			rc = err_set(err, RC_CORRUPT, "file ends too early");
		if (!rc)
			*ret_bytes += len;
		off += len;
	}
	volume_entry_release(&ve);
	return rc;
}

static enum rc read_whole(struct bench *b, const struct bench_file *f,
			  uint64_t max, uint64_t *ret_bytes, struct err *err)
{
	enum rc rc = read_file(b, f, max, ret_bytes, err);

	if (rc)
		bench_failed(b, f->path, err);
	return rc;
}

static enum rc read_small(struct bench *b, void *arg, uint64_t i,
			  uint64_t *ret_bytes, struct err *err)
{
	(void)arg;
	return read_whole(b, &b->files[b->small[i % b->n_small]], UINT64_MAX,
			  ret_bytes, err);
}

static enum rc read_in_order(struct bench *b, void *arg, uint64_t i,
			     uint64_t *ret_bytes, struct err *err)
{
	(void)arg;
	return read_whole(b, &b->ordered[i], UINT64_MAX, ret_bytes, err);
}

enum rc bench_ordered(struct bench *b, struct err *err)
{
	if (!b->n_ordered)
		return RC_OK;
	if (bench_open(b, err))
		return err->rc;
	run_part(b, "read in order", true, 1, b->n_ordered, read_in_order,
		 NULL);
	bench_close(b);
	return RC_OK;
}

enum rc bench_small(struct bench *b, unsigned int threads, struct err *err)
{
	uint64_t n = b->n_small;

	if (!n)
		return RC_OK;
	if (bench_open(b, err))
		return err->rc;
	run_part(b, "read small files", true, threads, n, read_small, NULL);
	run_part(b, "read them again", false, threads, n * WARM_ROUNDS,
		 read_small, NULL);
	bench_close(b);
	return RC_OK;
}

static enum rc read_piece(struct bench *b, void *arg, uint64_t i,
			  uint64_t *ret_bytes, struct err *err)
{
	struct volume_entry *ve = arg;
	CLEANUP_FREE char *p = malloc(PIECE);
	size_t len = 0;
	enum rc rc;

	if (!p)
		return err_set(err, RC_NOMEM, "out of memory");
	rc = volume_read(b->archive.v, ve, i * PIECE, p, PIECE, &len, err);
	if (rc)
		bench_failed(b, b->files[b->largest].path, err);
	*ret_bytes += len;
	return rc;
}

enum rc bench_large(struct bench *b, struct err *err)
{
	const struct bench_file *f = &b->files[b->largest];
	struct volume_entry ve;

	if (!b->n_files || f->size < LARGE_MIN)
		return RC_OK;
	if (bench_open(b, err))
		return err->rc;
	if (volume_resolve(b->archive.v, f->path, &ve, err)) {
		bench_failed(b, f->path, err);
	} else {
		run_part(b, "read a large file", true, 1,
			 (ve.e.size + PIECE - 1) / PIECE, read_piece, &ve);
		volume_entry_release(&ve);
	}
	bench_close(b);
	return RC_OK;
}

/* --- from nothing to the first byte --------------------------------------- */

static enum rc read_first(struct bench *b, void *arg, uint64_t i,
			  uint64_t *ret_bytes, struct err *err)
{
	(void)arg;
	if (bench_reopen(b, err)) {
		bench_failed(b, span_of("", 0), err);
		return err->rc;
	}
	return read_whole(b, file_at(b, i), 1, ret_bytes, err);
}

enum rc bench_first(struct bench *b, struct err *err)
{
	if (!b->n_files)
		return RC_OK;
	if (bench_open(b, err))
		return err->rc;
	run_part(b, "open, first bytes", true, 1, FIRST_TIMES, read_first,
		 NULL);
	bench_close(b);
	return RC_OK;
}
