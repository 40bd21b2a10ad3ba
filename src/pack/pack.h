/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - one run of desfs-pack, from its options to its log record. */
#ifndef DESFS_PACK_PACK_H
#define DESFS_PACK_PACK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/codec.h"
#include "pack/profile.h"
#include "pack/report.h"
#include "pack/source.h"
#include "pack/worker.h"
#include "run/throttle.h"
#include "volume/descriptor.h"
#include "volume/oplog.h"
#include "volume/volume.h"

struct erased;
struct feed;
struct filter;
struct own;
struct past_part;
struct resume;
struct store;
struct store_run;
struct workers;

enum created_mode { CREATED_NOW, CREATED_MTIME, CREATED_TIME };

#define PACK_ANY_ROUTE UINT32_MAX

/* All other numbers are that of des-shard(5). */
#define PACK_FORMAT_DES2 2

/* Defaults of open_shards and max_shard. */
#define PACK_OPEN_SHARDS 2
#define PACK_MAX_SHARD (UINT64_C(1) << 30)

struct pack_options {
	char **sources; /* paths, borrowed */
	size_t n_sources;
	const char *archive;
	struct volume_options how; /* it is opened, settings among that */
	unsigned int n_bits; /* 0: the archive's, or the route's default */
	unsigned int route;  /* enum route_kind, or PACK_ANY_ROUTE */
	enum created_mode created;
	int64_t created_at; /* CREATED_TIME: microseconds */
	int created_zone; /* the zone it was given in: seconds, see timestamp */
	bool mirror, mirror_empty, checksum, dry_run, one_file_system, publish;
	bool remove_sources, allow_erased;
	const char *erasure_key; /* file; NULL: none */
	enum codec_id codec;
	int level;
	struct block_sizes sizes;
	uint64_t max_shard; /* plain bytes of a part */
	unsigned int jobs, open_shards;
	const char *spool; /* directory for temporary files */
	const struct filter *filter;
	const char *files0_from; /* NULL: walk all */
	struct throttle_rates throttle;
	struct worker worker;
	const char *checkpoint; /* file; NULL: none */
	/* In the place of sources, of which there are none then; borrowed.
	 * NULL: the sources are walked.
	 */
	const struct feed *feed;

	unsigned int format; /* see PACK_FORMAT_DES2 */
	uint64_t big_file; /* format 2: larger files are objects of their own */
	bool no_meta;      /* format 2: entries without metadata */
};

/* A run while it runs; for this room. */
struct pack {
	const struct pack_options *opts;
	struct report *report;
	struct sources sources;
	struct store *store;   /* NULL: a dry run without an archive */
	struct volume *volume; /* NULL: nothing was packed before */
	struct volume *before; /* the same without shards of this run's time */
	struct store_run *run;
	struct resume *resume; /* NULL: a run without checkpoint */
	bool is_committed;
	struct descriptor descriptor;
	bool has_descriptor;     /* it is in the store */
	bool has_runs;           /* something was packed before */
	bool is_resumed;         /* a checkpoint gave the stamp */
	struct past_part *parts; /* see past_parts */
	size_t n_parts, parts_cap;
	/* The shards of the worker's slots that were there before the run. */
	uint8_t past_id[SHARD_ID_LEN];
	int64_t stamp;      /* created_at of this run's entries */
	int64_t safe_stamp; /* the same, but above all that is there */
	struct links *links;
	struct dirs *dirs;
	struct keep *keep;
	struct own *own;          /* as the walk met it */
	struct erased *erased;    /* NULL: nothing was deleted */
	struct sorter *items;     /* by slot */
	struct workers *encoders; /* compress and hash blocks */
	struct lane_pool *blocks;
	struct publisher *publisher;
	/* Directories of before and of volume, while slots are compared. */
	struct old_dirs *dirs_before, *dirs_now;
	struct throttle *throttle;

	pthread_mutex_t lock;      /* guards all below */
	struct shard_meta *shards; /* published by this run */
	size_t n_shards, shards_cap;
	uint32_t next_slot; /* the worker's, see worker_slot */
	struct err failure; /* the first, which ends the run */
};

/* Pack.  What happened to single files is in report; RC_PARTIAL when some
 * failed.
 */
enum rc pack_run(const struct pack_options *opts, struct report *report,
		 struct err *err) MUST_CHECK;

/* Bytes of memory a run with these options is bounded by. */
uint64_t pack_memory(const struct pack_options *opts);

/* True when the run should end at once: a failure somewhere, a stop. */
bool pack_is_ending(struct pack *p, struct err *err);

/* True when nothing more should be begun: the same, or a signal asks for an end
 * in good order, which a part in the making is finished for.
 */
bool pack_is_stopping(struct pack *p, struct err *err);

/* End the run: the first failure is the one that is told. */
void pack_fail(struct pack *p, const struct err *err);

/* Take over a shard that was published. */
void pack_add_shard(struct pack *p, const struct shard_meta *m);

#endif
