/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-bench.c - desfs bench: how fast an archive of one's own is. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/opt-rows.h"
#include "base/stop.h"
#include "base/workers.h"
#include "cmd/bench.h"
#include "cmd/cmd.h"
#include "cmd/tell.h"
#include "conf/conf-opts.h"
#include "store/store.h"
#include "volume/oplog.h"

#define FILES 1000
#define FILES_MAX 1000000
#define SECONDS 1
#define SECONDS_MAX 86400
#define THREADS_MAX 256
#define THREADS_DEFAULT 8
#define BYTES_LOCAL (UINT64_C(1) << 30)
#define BYTES_REMOTE (UINT64_C(64) << 20)
#define TOLD_MAX 10 /* errors; the rest is only counted */

static const struct opt bench_opts[] = {
	{ .name = "files",
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = FILES_MAX,
	  .offset = offsetof(struct bench_options, n_files),
	  .help = "choose so many files [1000]" },
	{ .name = "threads",
	  .letter = 'j',
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = THREADS_MAX,
	  .offset = offsetof(struct bench_options, threads),
	  .help = "measure one thread and N at once [one a processor, at most 8]" },
	{ .name = "time",
	  .arg = "SECONDS",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = SECONDS_MAX,
	  .offset = offsetof(struct bench_options, seconds),
	  .help = "longest time of each part [1]" },
	{ .name = "max-bytes",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  .min = 1,
	  .max = INT64_MAX,
	  .offset = offsetof(struct bench_options, max_bytes),
	  .help = "read about this much at most [1G, over a network 64M]" },
	{ .name = "seed",
	  .arg = "N",
	  .kind = OPT_UINT,
	  .offset = offsetof(struct bench_options, seed),
	  .help = "choose other files [1]" },
	{ .name = "drop-caches",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct bench_options, drop_caches),
	  .help = "have the kernel forget the shards before each cold part" },
	OPT_ROW_JSON(struct bench_options, json,
		     "print one JSON object for each part"),
	CONF_OPTS(struct bench_options, conf)
};

/* What comes first is told, and damage decides the exit status. */
void bench_failed(struct bench *b, struct span path, const struct err *err)
{
	uint64_t n = atomic_fetch_add(&b->n_failed, 1);

	if (n < TOLD_MAX && path.len)
		tell_failed(path, err);
	else if (n < TOLD_MAX)
		tell("%s", err->msg);
	if (b->worst != RC_CORRUPT)
		b->worst = (int)err->rc;
}

void bench_moved(struct bench *b, uint64_t *ret_requests, uint64_t *ret_bytes)
{
	struct volume_stats vs;

	*ret_requests = b->requests;
	*ret_bytes = b->moved;
	if (!b->archive.v)
		return;
	volume_stats(b->archive.v, &vs);
	*ret_requests += b->is_remote ? vs.store_get + vs.store_get_list
				      : vs.store_reads + vs.store_lists;
	*ret_bytes += b->is_remote ? vs.store_wire_in : vs.store_bytes;
}

bool bench_is_spent(struct bench *b)
{
	uint64_t requests, bytes;

	bench_moved(b, &requests, &bytes);
	return b->max_bytes && bytes >= b->max_bytes;
}

void bench_close(struct bench *b)
{
	uint64_t requests, moved;

	if (!b->archive.v)
		return;
	bench_moved(b, &requests, &moved);
	b->requests = requests;
	b->moved = moved;
	close_archive(&b->archive);
	b->archive.v = NULL;
}

/* Clean pages that nobody has mapped go; who may read a file may ask so. */
static void drop_shards(struct bench *b)
{
	uint32_t n = volume_shard_bound(b->archive.v);

	b->n_dropped = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct shard_meta *m = volume_shard(
			b->archive.v, (struct volume_node){ .shard = i });
		CLEANUP_FREE char *path =
			m ? xasprintf("%s/%s", b->url, m->key) : NULL;
		CLEANUP_FD int fd = -1;

		if (path)
			fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && !posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
			b->n_dropped++;
	}
}

enum rc bench_reopen(struct bench *b, struct err *err)
{
	struct conf conf = b->o->conf;

	bench_close(b);
	/* One from before would not be cold. */
	if (!conf.index_cache)
		conf.index_cache = "";
	if (open_archive(&b->archive, b->url, &conf, err)) {
		b->archive.v = NULL;
		return err->rc;
	}
	b->is_remote = store_is_remote(volume_store(b->archive.v));
	return RC_OK;
}

enum rc bench_open(struct bench *b, struct err *err)
{
	enum rc rc = bench_reopen(b, err);

	if (!rc && b->o->drop_caches)
		drop_shards(b);
	return rc;
}

static enum rc run_parts(struct bench *b, struct err *err)
{
	if (bench_first(b, err) || bench_names(b, err) ||
	    bench_listing(b, err) || bench_small(b, 1, err))
		return err->rc;
	if (b->o->threads > 1 && bench_small(b, b->o->threads, err))
		return err->rc;
	if (bench_ordered(b, err) || bench_large(b, err) ||
	    bench_decode(b, err))
		return err->rc;
	return RC_OK;
}

static enum rc run(struct bench *b, struct err *err)
{
	enum rc rc = bench_open(b, err);

	if (rc)
		return rc;
	b->max_bytes = b->o->max_bytes;
	if (!b->max_bytes)
		b->max_bytes = b->is_remote ? BYTES_REMOTE : BYTES_LOCAL;
	bench_report_head(b);
	if (b->o->drop_caches && !b->n_dropped)
		tell("--drop-caches: no shard here is a file of a local disk");
	rc = bench_sample(b, err);
	if (!rc)
		rc = run_parts(b, err);
	bench_report_end(b);
	return rc;
}

static enum rc bench_cmd_run(const void *options, int argc, char **argv,
			     struct err *err)
{
	struct bench_options o = *(const struct bench_options *)options;
	struct bench b = { .o = &o,
			   .url = argv[0],
			   .random = UINT64_C(0x9E3779B97F4A7C15) ^ o.seed };
	enum rc rc;

	(void)argc;
	if (!o.threads)
		o.threads = workers_n_cpus() < THREADS_DEFAULT
				    ? workers_n_cpus()
				    : THREADS_DEFAULT;
	rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	if (!rc)
		rc = run(&b, err);
	bench_close(&b);
	bench_sample_free(&b);
	if (!rc && stop_requested())
		return err_set(err, RC_STOPPED, "stopped");
	if (!rc && b.n_failed)
		return err_set(err, (enum rc)b.worst, "%s", "");
	return rc;
}

static const struct bench_options bench_defaults = {
	.n_files = FILES, .seconds = SECONDS, .seed = 1, .conf = CONF_INIT
};

const struct cmd cmd_bench = {
	.name = "bench",
	.usage = "[OPTION]... ARCHIVE",
	.summary = "measure how fast an archive is",
	.opts = bench_opts,
	.n_opts = ARRAY_LEN(bench_opts),
	.defaults = &bench_defaults,
	.options_size = sizeof(bench_defaults),
	.min_args = 1,
	.max_args = 1,
	.run = bench_cmd_run,
};
