/* SPDX-License-Identifier: Apache-2.0 */
/* engine-backend.h - what the files of the engine share. */
#ifndef DESFS_REPACK_ENGINE_BACKEND_H
#define DESFS_REPACK_ENGINE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/shard-out.h"
#include "repack/engine-blocks.h"
#include "repack/engine-stream.h"
#include "repack/engine.h"
#include "repack/live-set.h"
#include "shard/shard-build.h"
#include "store/store-write.h"
#include "verify/uid-set.h"

/* What damage costs, told when all is known. */
struct lost_item {
	const char *key;
	char *uid, *text; /* uid: NULL, several without names */
	size_t uid_len;
};

struct engine {
	const struct engine_options *o;
	struct source *sources;
	size_t n;
	uint64_t *bounds; /* part p has the items from bounds[p] on */
	size_t n_parts;
	uint32_t part, revision; /* of the first that comes out */
	enum codec_id page_codec;
	bool is_same; /* nothing has to come out */
	/* Of zones: find the store first whose copy is whole. */
	bool by_place;
	bool has_places;
	struct engine_report report;
	struct lost_item *lost;
	size_t n_lost, cap_lost;
	size_t n_lost_before; /* of these, known before the first part */
};

/* engine-open.c: the footer of src->meta's shard, or with drop_corrupt what
 * takes its place, so that all that is left can be found.  Sets e->has_places.
 */
enum rc source_open_shard(struct source *src, struct engine *e,
			  struct err *err) MUST_CHECK;

/* engine-recover.c: find what pages had that cannot be read. */
enum rc source_recover(struct engine *e, struct source *src,
		       struct err *err) MUST_CHECK;

/* entry: NULL if nobody knows which. */
void engine_lose(struct engine *e, const char *key, const struct entry *entry,
		 const char *text);

/* A block as it is in the new shard. */
struct placed {
	uint64_t off;
	uint32_t len;
	uint8_t hash[BLOCK_HASH_LEN];
};

/* Blocks in the order they were written. */
struct placed_list {
	struct placed *p;
	size_t n, cap;
};

struct blocks_check;
struct files_check;

/* One shard that comes out. */
struct part {
	struct engine *e;
	size_t number;
	uint64_t from, to;     /* items, see struct stream_item */
	struct live_set live;  /* by part_live_key */
	struct uid_set lost;   /* likewise */
	struct uid_set needed; /* directories that are above something */
	struct uid_set have;   /* directories that stay */
	uint64_t n_live;
	struct block_table blocks;
	bool is_again; /* more damage was found: all has to be done again */
	struct shard_out out;
	struct shard_build *build;
	const uint8_t *pending; /* written next, see part_sink */
	size_t n_pending;
	struct placed_list placed, late; /* late: while others are read back */
	struct blocks_check *check;      /* of those, or NULL */
	bool existed; /* the store had it: what was written is not used */
	struct shard_meta meta;
	bool has_meta;
};

enum fate {
	FATE_KEEP,
	FATE_STUB, /* a directory goes, but something below it stays */
	FATE_DELETED,
	FATE_LOST,
	FATE_DOUBLE,
	FATE_UNNEEDED,  /* an inferred directory with nothing below */
	FATE_ELSEWHERE, /* of another part */
};

/* engine-mark.c: what stays of the part; its table of blocks. */
enum rc part_mark(struct part *p, struct err *err) MUST_CHECK;
uint64_t part_live_key(const struct entry *e, size_t source);
/* Of a marked part; stubs: empty before the first item of a sequence. */
enum fate part_fate(const struct part *p, struct uid_set *stubs,
		    const struct stream_item *it);
/* What stands in a directory's place that goes, or is in another part. */
struct entry part_stub(const struct entry *e, bool is_deleted);
/* Name some of the files that need a block, behind the message in err. */
void part_name_files(struct part *p, size_t source, uint64_t off,
		     struct err *err);

/* engine-copy.c: the blocks. */
enum rc part_copy(struct part *p, struct err *err) MUST_CHECK;

/* engine-emit.c: the entries, and the end of the shard. */
enum rc part_emit(struct part *p, struct err *err) MUST_CHECK;
/* The references of an entry in the new shard; to has n_blocks of them.
 * *ret_changed: some block of it is not as it was.
 */
enum rc part_refs(const struct part *p, const struct stream_item *it,
		  const struct block_ref *was, struct block_ref *to,
		  uint32_t *ret_tail_off, bool *ret_changed,
		  struct err *err) MUST_CHECK;

/* engine-out.c: the shard that is written. */
enum rc part_begin(struct part *p, struct err *err) MUST_CHECK;
/* stored must stay until part_flush. */
enum rc part_add_block(struct part *p, const uint8_t *stored,
		       struct block_ref *ref, struct err *err) MUST_CHECK;
enum rc part_flush(struct part *p, struct err *err) MUST_CHECK;
enum rc part_publish(struct part *p, struct err *err) MUST_CHECK;

/* engine-check-blocks.c: what was written read back and hashed, by the workers,
 * while the thread that began it does other things.  From the shard, or from up
 * before that is published; then only what there is by now.
 */
enum rc blocks_check_begin(const struct part *p, const struct raw_shard *s,
			   struct store_upload *up, struct blocks_check **ret,
			   struct err *err) MUST_CHECK;
/* Who began it has nothing else to do; takes NULL. */
void blocks_check_hurry(struct blocks_check *b);
/* Wait and free; takes NULL. */
enum rc blocks_check_end(struct blocks_check *b, struct err *err) MUST_CHECK;
/* The same, of one nobody waits for: what is under way is waited for only. */
void blocks_check_drop(struct blocks_check *b);
enum rc check_blocks(const struct part *p, const struct placed_list *list,
		     const struct raw_shard *s, struct err *err) MUST_CHECK;

/* engine-check-files.c: files of the new shard read back and hashed, in the
 * order of the index.
 */
struct files_check *files_check_new(const struct part *p,
				    const struct raw_shard *s) MUST_CHECK;
/* An error may be that of a file before. */
enum rc files_check_add(struct files_check *c, const struct entry *e,
			const struct block_ref *refs,
			struct err *err) MUST_CHECK;
/* Wait and free, whatever was met before. */
enum rc files_check_end(struct files_check *c, struct err *err) MUST_CHECK;

/* engine-check.c: the new shard read back, wherever it is kept.  Begin to, if
 * the store can, while it is written on.
 */
enum rc part_check_begin(struct part *p, struct err *err) MUST_CHECK;
void part_check_drop(struct part *p);
enum rc part_check(struct part *p, struct err *err) MUST_CHECK;
/* All of a shard but blocks and entries. */
enum rc check_sections(const struct raw_shard *s, const struct shard_meta *m,
		       struct err *err) MUST_CHECK;

#endif
