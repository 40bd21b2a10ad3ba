/* SPDX-License-Identifier: Apache-2.0 */
/* gen-archive.c - make an archive of many tiny files without a source.
 *
 *	gen-archive COUNT ARCHIVE
 *
 * File number i is TTT/DDDDDD/IIIIIIII, where DDDDDD is i / 250 and TTT is
 * DDDDDD / 250, so that a path is known from its number; each has 100 bytes,
 * which also follow from it.  The shards are made as desfs-pack makes them with
 * its defaults, and are the same for the same COUNT every time.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "base/workers.h"
#include "pack/commit.h"
#include "pack/lane-pool.h"
#include "pack/lane.h"
#include "pack/pack.h"
#include "pack/past.h"
#include "pack/shard-out.h"
#include "shard/route.h"
#include "store/store-write.h"

#define PER_DIR 250u
#define FILE_BYTES 100u
#define COUNT_MAX 40000000u /* so that each slot fits into one part */
#define CREATED_US INT64_C(1704067200000000) /* 2024-01-01T00:00:00Z */
#define CREATED_DAY 20240101u
#define LEVEL 3

struct gen {
	struct pack pack;
	uint32_t count, n_dirs, n_tops;
	/* Slots of what is in each directory. */
	uint32_t root_slot, *top_slots, *dir_slots;
};

/* One shard in the making. */
struct part {
	struct gen *g;
	uint32_t slot;
	struct shard_out out;
	struct shard_build *build;
	struct lane *lane;
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t divide_up(uint32_t a, uint32_t b)
{
	return (a + b - 1) / b;
}

/* Digits of n, as many as there is room for; no NUL. */
static void put_digits(char *to, size_t width, uint32_t n)
{
	for (size_t i = width; i; i--, n /= 10)
		to[i - 1] = (char)('0' + n % 10);
}

struct name {
	char text[8];
	size_t len;
};

static struct name number_name(size_t width, uint32_t n)
{
	struct name name = { .len = width };

	put_digits(name.text, width, n);
	return name;
}

static struct name top_name(uint32_t top)
{
	return number_name(3, top);
}

static struct name dir_name(uint32_t dir)
{
	return number_name(6, dir);
}

/* TTT/DDDDDD */
#define DIR_PATH_LEN 10u

static void dir_path(uint32_t dir, char out[DIR_PATH_LEN])
{
	put_digits(out, 3, dir / PER_DIR);
	out[3] = '/';
	put_digits(out + 4, 6, dir);
}

/* The slot of what is in the directory. */
static uint32_t slot_below(const char *parent, size_t len)
{
	char uid[DIR_PATH_LEN + 2];

	if (!len)
		return route_slot(ROUTE_PARENT, ROUTE_BITS_MIN, "x", 1);
	memcpy(uid, parent, len);
	memcpy(uid + len, "/x", 2);
	return route_slot(ROUTE_PARENT, ROUTE_BITS_MIN, uid, len + 2);
}

static void fill_content(uint8_t *to, uint32_t i)
{
	static const char text[] =
		"{\"number\": 00000000, \"state\": \"archived\", \"owner\": "
		"\"somebody\", \"note\": \"one of many\", \"version\": 3}\n";

	_Static_assert(sizeof(text) - 1 == FILE_BYTES, "length of a file");
	memcpy(to, text, FILE_BYTES);
	put_digits((char *)to + 11, 8, i);
}

/* --- one shard ------------------------------------------------------------ */

static enum rc add_dir(struct part *p, struct span parent, struct span name,
		       uint32_t nlink, bool implicit, struct err *err)
{
	const struct entry e = { .parent = parent,
				 .name = name,
				 .created_at = CREATED_US,
				 .type = ENTRY_DIR,
				 .implicit = implicit,
				 .mode = 0755,
				 .nlink = implicit ? 0 : nlink,
				 .mtime_s = CREATED_US / 1000000 };

	return lane_entry(p->lane, &e, NULL, 0, err);
}

static enum rc add_file(struct part *p, struct span parent, uint32_t i,
			struct err *err)
{
	const struct name name = number_name(8, i);
	const struct entry e = { .parent = parent,
				 .name = span_of(name.text, name.len),
				 .created_at = CREATED_US,
				 .type = ENTRY_REG,
				 .mode = 0644,
				 .nlink = 1,
				 .size = FILE_BYTES,
				 .mtime_s = CREATED_US / 1000000 };
	uint8_t *room;
	uint32_t off;
	enum rc rc = lane_reserve(p->lane, FILE_BYTES, &room, err);

	if (rc)
		return rc;
	fill_content(room, i);
	rc = lane_keep(p->lane, FILE_BYTES, &off, err);
	if (rc)
		return rc;
	return lane_entry(p->lane, &e, NULL, off, err);
}

static enum rc add_files(struct part *p, uint32_t dir, struct err *err)
{
	uint32_t end = min_u32(p->g->count, (dir + 1) * PER_DIR);
	char parent[DIR_PATH_LEN];
	enum rc rc = RC_OK;

	dir_path(dir, parent);
	for (uint32_t i = dir * PER_DIR; i < end && !rc; i++)
		rc = add_file(p, span_of(parent, sizeof(parent)), i, err);
	return rc;
}

static uint32_t dirs_end(const struct gen *g, uint32_t top)
{
	return min_u32(g->n_dirs, (top + 1) * PER_DIR);
}

/* Is there anything of the slot below the directory of the first level? */
static bool top_has_slot(const struct gen *g, uint32_t top, uint32_t slot)
{
	if (g->top_slots[top] == slot)
		return true;
	for (uint32_t d = top * PER_DIR; d < dirs_end(g, top); d++)
		if (g->dir_slots[d] == slot)
			return true;
	return false;
}

/* A directory is in the shard where its name belongs, and implied in those that
 * have something below it.
 */
static enum rc add_tops(struct part *p, struct err *err)
{
	const struct gen *g = p->g;
	bool real = g->root_slot == p->slot;
	enum rc rc = add_dir(p, span_of(NULL, 0), span_of(NULL, 0),
			     2 + g->n_tops, !real, err);

	for (uint32_t t = 0; t < g->n_tops && !rc; t++) {
		const struct name name = top_name(t);
		uint32_t nlink = 2 + dirs_end(g, t) - t * PER_DIR;

		if (real || top_has_slot(g, t, p->slot))
			rc = add_dir(p, span_of(NULL, 0),
				     span_of(name.text, name.len), nlink, !real,
				     err);
	}
	return rc;
}

static enum rc add_top(struct part *p, uint32_t top, struct err *err)
{
	const struct gen *g = p->g;
	const struct name name = top_name(top);
	bool real = g->top_slots[top] == p->slot;
	enum rc rc = RC_OK;

	for (uint32_t d = top * PER_DIR; d < dirs_end(g, top) && !rc; d++) {
		const struct name dir = dir_name(d);

		if (real || g->dir_slots[d] == p->slot)
			rc = add_dir(p, span_of(name.text, name.len),
				     span_of(dir.text, dir.len), 2, !real, err);
	}
	for (uint32_t d = top * PER_DIR; d < dirs_end(g, top) && !rc; d++)
		if (g->dir_slots[d] == p->slot)
			rc = add_files(p, d, err);
	return rc;
}

static enum rc add_all(struct part *p, struct err *err)
{
	enum rc rc = add_tops(p, err);

	for (uint32_t t = 0; t < p->g->n_tops && !rc; t++)
		rc = add_top(p, t, err);
	return rc;
}

static enum rc open_part(struct part *p, struct err *err)
{
	struct pack *pack = &p->g->pack;
	const struct pack_options *o = pack->opts;
	struct shard_build_options options = { .codec = o->codec,
					       .level = o->level };
	struct shard_header *h = &options.header;
	struct lane_options lane = { .workers = pack->encoders,
				     .pool = pack->blocks,
				     .report = pack->report,
				     .sizes = o->sizes,
				     .codec = o->codec,
				     .level = o->level };
	struct shard_sink sink;
	enum rc rc = shard_out_open(&p->out, pack->store, pack->report,
				    o->spool, err);

	if (rc)
		return rc;
	memcpy(h->archive_id, pack->descriptor.archive_id,
	       sizeof(h->archive_id));
	h->day = CREATED_DAY;
	h->slot = p->slot;
	h->n_bits = ROUTE_BITS_MIN;
	h->route = ROUTE_PARENT;
	h->block_size = o->sizes.group;
	snprintf(h->writer, sizeof(h->writer), "desfs %s %s", version_text(),
		 codec_libraries());
	sink = shard_out_sink(&p->out);
	rc = shard_build_new(&options, &sink, &p->build, err);
	if (rc)
		return rc;
	lane.build = p->build;
	p->lane = lane_new(&lane);
	return RC_OK;
}

static enum rc end_part(struct part *p, struct err *err)
{
	struct shard_footer footer;
	struct shard_meta meta;
	uint64_t n = 0, size = 0;
	bool existed = false;
	enum rc rc = lane_finish(p->lane, &n, err);

	/* The archive is so small that the slot has nothing. */
	if (rc || !n)
		return rc;
	rc = shard_build_finish(p->build, &footer, &size, err);
	if (!rc)
		rc = shard_out_commit(&p->out, &footer, size,
				      shard_build_info(p->build), &meta,
				      &existed, err);
	if (rc)
		return rc;
	pack_add_shard(&p->g->pack, &meta);
	shard_meta_release(&meta);
	return RC_OK;
}

static enum rc make_slot(struct gen *g, uint32_t slot, struct err *err)
{
	struct part p = { .g = g, .slot = slot };
	enum rc rc = open_part(&p, err);

	if (!rc)
		rc = add_all(&p, err);
	if (!rc)
		rc = end_part(&p, err);
	lane_free(p.lane);
	shard_build_free(p.build);
	shard_out_close(&p.out);
	return rc;
}

/* --- all of them ---------------------------------------------------------- */

static bool take_slot(struct gen *g, uint32_t *ret)
{
	bool taken = false;

	pthread_mutex_lock(&g->pack.lock);
	if (!g->pack.failure.rc && g->pack.next_slot < 1u << ROUTE_BITS_MIN) {
		*ret = g->pack.next_slot++;
		taken = true;
	}
	pthread_mutex_unlock(&g->pack.lock);
	return taken;
}

static void make_slots(void *arg)
{
	struct gen *g = arg;
	struct err err;
	uint32_t slot;

	while (take_slot(g, &slot)) {
		if (!make_slot(g, slot, &err))
			continue;
		pthread_mutex_lock(&g->pack.lock);
		g->pack.failure = err;
		pthread_mutex_unlock(&g->pack.lock);
	}
}

static void find_slots(struct gen *g)
{
	char path[DIR_PATH_LEN];

	g->n_dirs = divide_up(g->count, PER_DIR);
	g->n_tops = divide_up(g->n_dirs, PER_DIR);
	g->top_slots = xcalloc(g->n_tops, sizeof(*g->top_slots));
	g->dir_slots = xcalloc(g->n_dirs, sizeof(*g->dir_slots));
	g->root_slot = slot_below("", 0);
	for (uint32_t t = 0; t < g->n_tops; t++) {
		const struct name name = top_name(t);

		g->top_slots[t] = slot_below(name.text, name.len);
	}
	for (uint32_t d = 0; d < g->n_dirs; d++) {
		dir_path(d, path);
		g->dir_slots[d] = slot_below(path, sizeof(path));
	}
}

static enum rc make(struct gen *g, struct err *err)
{
	struct pack *p = &g->pack;
	unsigned int n = p->opts->jobs;
	struct workers *slots = NULL;
	enum rc rc = commit_open(p, err);

	if (!rc && p->has_descriptor)
		return err_set(err, RC_EXISTS, "%s: is there already",
			       p->opts->archive);
	if (!rc)
		rc = commit_begin(p, err);
	p->blocks = lane_pool_new();
	if (!rc)
		rc = workers_start(&p->encoders, "encode", n, (size_t)2 * n,
				   err);
	if (!rc)
		rc = workers_start(&slots, "slot", n, n, err);
	for (unsigned int i = 0; i < n && !rc; i++)
		workers_submit(slots, make_slots, g);
	workers_stop(slots);
	workers_stop(p->encoders);
	lane_pool_free(p->blocks);
	if (!rc && p->failure.rc) {
		*err = p->failure;
		rc = err->rc;
	}
	if (!rc)
		rc = commit_end(p, err);
	p->is_committed = !rc;
	return rc;
}

static void release(struct gen *g)
{
	struct pack *p = &g->pack;

	store_run_end(p->run, p->is_committed);
	past_close(p);
	store_close(p->store);
	report_free(p->report);
	for (size_t i = 0; i < p->n_shards; i++)
		shard_meta_release(&p->shards[i]);
	free(p->shards);
	pthread_mutex_destroy(&p->lock);
	free(g->top_slots);
	free(g->dir_slots);
}

static bool parse_count(const char *text, uint32_t *ret)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	*ret = (uint32_t)n;
	return !errno && end != text && !*end && n && n <= COUNT_MAX;
}

int main(int argc, char **argv)
{
	const struct report_options quiet = { .progress = PROGRESS_NEVER };
	struct pack_options opts = { .n_bits = ROUTE_BITS_MIN,
				     .route = ROUTE_PARENT,
				     .created = CREATED_TIME,
				     .created_at = CREATED_US,
				     .codec = CODEC_ZSTD,
				     .level = LEVEL,
				     .sizes = profile_get(0)->sizes,
				     .jobs = workers_n_cpus(),
				     .spool = "/tmp" };
	struct gen g = { .pack.opts = &opts };
	const char *tmpdir = getenv("TMPDIR");
	struct err err;
	enum rc rc;

	if (argc != 3 || !parse_count(argv[1], &g.count)) {
		fprintf(stderr,
			"usage: gen-archive COUNT ARCHIVE, up to %u "
			"files\n",
			COUNT_MAX);
		return 2;
	}
	log_open("gen-archive", LOG_LEVEL_WARN);
	if (tmpdir && *tmpdir)
		opts.spool = tmpdir;
	opts.archive = argv[2];
	pthread_mutex_init(&g.pack.lock, NULL);
	g.pack.report = report_new(&quiet);
	find_slots(&g);
	rc = make(&g, &err);
	if (rc)
		log_err("%s", err.msg);
	release(&g);
	log_close();
	return rc ? 1 : 0;
}
