/* SPDX-License-Identifier: Apache-2.0 */
/* volume.h - an archive as a tree of files: names to entries, entries to bytes.
 *
 * A volume is opened once and used from any thread.  Results are entries held
 * by struct volume_entry: valid until volume_entry_release, which every
 * successful call that fills one must be followed by.
 *
 * Two trees are offered.  The tree view shows the newest version of each path;
 * a whiteout hides, a directory's opaque_since hides older children.  The date
 * view of a UTC day shows every version that entered that day: the newest
 * under its name, older ones of the same day as NAME@20261121T101530.123456Z,
 * of a directory the newest only.  There a newest whiteout leaves the plain
 * name out.  Names that no file can have (with '/' or NUL, "", ".", "..", over
 * 255 bytes) are in neither.
 *
 * In the tree view a uid counts only in the slot it is routed to, so pack gives
 * every directory, also an inferred one, an entry there.
 *
 * Versions with a tombstone (oplog.h) are in no tree: who holds one in a struct
 * volume_entry gets RC_DELETED from then on.
 *
 * Errors: RC_NOENT no such name; RC_NOTDIR; RC_CORRUPT, message with the
 * object; RC_IO and RC_NOENT of a store are told apart: a shard the log names
 * and the store has not is RC_CORRUPT.
 */
#ifndef DESFS_VOLUME_VOLUME_H
#define DESFS_VOLUME_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"
#include "legacy/legacy-options.h"
#include "shard/shard-entry.h"

struct volume;
struct descriptor;
struct shard_meta;
struct store;
struct store_settings;

enum volume_verify {
	VERIFY_CRC,   /* each block's CRC32C when it enters the cache */
	VERIFY_BLOCK, /* and the hash its index page states */
	VERIFY_FILE,  /* and SHA-256 of files of up to one block */
};

/* Zeros are the defaults. */
struct volume_options {
	const struct store_settings *settings; /* of the store, see there */
	/* For remote stores only: */
	const char *index_cache;   /* file; NULL: the usual place; "": none */
	uint64_t index_cache_size; /* bytes; 0: 1 GiB */
	const char *disk_cache;    /* directory; NULL or "": none */
	uint64_t disk_cache_size;  /* bytes; 0: 10 GiB */
	uint64_t disk_cache_free;  /* bytes; 0: a tenth of the disk */
	/* Bytes of decoded blocks, those of blocks not held but their memory
	 * among them; 0: 128 MiB.
	 */
	uint64_t block_cache;
	uint64_t page_cache; /* bytes of decoded index pages; 0: 32 MiB */
	enum volume_verify verify;
	/* Leave out the shards all of whose entries were created just at
	 * without: the archive as it was before a run of that time.
	 */
	bool has_without;
	int64_t without; /* microseconds */
	/* The store, open already and the caller's, instead of one opened from
	 * the URL; to be closed after the volume.
	 */
	struct store *store;
	/* Of an archive of an older program. */
	struct legacy_options legacy;
};

/* Reads descriptor and log; no shard.  RC_NOENT: no archive there.  Of an
 * archive of an older program the indices of all shards are read.
 */
enum rc volume_open(struct volume **ret, const char *url,
		    const struct volume_options *opts,
		    struct err *err) MUST_CHECK;
void volume_close(struct volume *v);

/* Why the index cache that was wanted cannot be used, which costs requests;
 * NULL: nothing is wrong.
 */
const char *volume_index_cache_error(const struct volume *v);

const struct descriptor *volume_descriptor(const struct volume *v);
struct store *volume_store(struct volume *v);

/* It is an archive of an older program, shown as one of format 3 is: see
 * docs/legacy.md.  volume_store is what it was made into then.
 */
bool volume_is_legacy(const struct volume *v);
/* Reads cost requests, whatever the store is made of. */
bool volume_is_remote(const struct volume *v);
/* What of it cannot be read, as of the last refresh: texts that begin with the
 * key of the object.  Damage of single files is not among them.  Returns how
 * many there are, which may be more than fn is told of.
 */
typedef void volume_text_fn(void *arg, const char *text);
uint64_t volume_legacy_damage(struct volume *v, volume_text_fn *fn, void *arg);
/* How many shards of the older format it has. */
uint64_t volume_legacy_shards(struct volume *v);
/* Of these archives only: is the uid deleted, on whichever of the days that
 * were read?
 */
enum rc volume_legacy_is_deleted(struct volume *v, struct span uid, bool *ret,
				 struct err *err) MUST_CHECK;
/* What is known of n_bits, and by what; of these archives only. */
#define VOLUME_BITS_TEXT 256
void volume_legacy_bits(struct volume *v, char ret[VOLUME_BITS_TEXT]);

/* The route is uid: its users know uids and days, not directories. */
bool volume_routes_by_uid(const struct volume *v);

/* The log as it was read when the volume was opened: for tools, before they
 * read anything else or refresh.
 */
struct oplog;
const struct oplog *volume_log(const struct volume *v);

/* Read the log's new records and publish the new view.  Calls in flight finish
 * on the view they began with.  On failure the old view stays.
 */
enum rc volume_refresh(struct volume *v, bool *ret_changed,
		       struct err *err) MUST_CHECK;

/* The identity of an entry for as long as the volume is open: never reused,
 * never another version.  date: the node belongs to the date view, where
 * lookups stay inside the day.
 */
struct volume_node {
	uint32_t shard;   /* session ordinal */
	uint64_t ordinal; /* of the entry in its shard */
	bool date;
};

#define VOLUME_NO_SHARD UINT32_MAX /* of the root, see volume_root */

struct volume_entry {
	struct volume_node node;
	struct entry e;
	void *hold; /* keeps what e borrows from */
};
void volume_entry_release(struct volume_entry *ve);

/* Root of the tree view.  An archive with no root entry yet: RC_NOENT.  Of one
 * that has no entries any more it is in no shard (volume_shard is NULL).
 */
enum rc volume_root(struct volume *v, struct volume_entry *ret,
		    struct err *err) MUST_CHECK;

/* Root of the date view of a day (decimal YYYYMMDD). */
enum rc volume_date_root(struct volume *v, uint32_t day,
			 struct volume_entry *ret, struct err *err) MUST_CHECK;
/* The days, ascending; free() the array. */
enum rc volume_days(struct volume *v, uint32_t **ret, size_t *ret_n,
		    struct err *err) MUST_CHECK;

/* The entry a node stands for. */
enum rc volume_get(struct volume *v, struct volume_node node,
		   struct volume_entry *ret, struct err *err) MUST_CHECK;

/* name in the directory dir. */
enum rc volume_lookup(struct volume *v, const struct volume_entry *dir,
		      struct span name, struct volume_entry *ret,
		      struct err *err) MUST_CHECK;

/* What the tree view would take for the newest version of a uid if no directory
 * above it hid anything; also a whiteout.
 */
enum rc volume_newest(struct volume *v, struct span uid,
		      struct volume_entry *ret, struct err *err) MUST_CHECK;

/* A path from the root of the tree view, '/' between names; "", "." and "/"
 * mean the root.  Symbolic links are not followed.
 */
enum rc volume_resolve(struct volume *v, struct span path,
		       struct volume_entry *ret, struct err *err) MUST_CHECK;

/* Entries of dir in byte order of their names, from cookie (0: the first); in
 * the date view older versions follow their name, newest first.  fn gets the
 * name shown (in the date view it may differ from ve->e.name), the entry
 * (borrowed for the call) and the cookie of what follows; false ends. Cookies
 * are below 2^62 and stay good when the volume is refreshed.
 */
typedef bool volume_dir_fn(void *arg, struct span name,
			   const struct volume_entry *ve, uint64_t next_cookie);
enum rc volume_readdir(struct volume *v, const struct volume_entry *dir,
		       uint64_t cookie, volume_dir_fn *fn, void *arg,
		       struct err *err) MUST_CHECK;

/* Up to len bytes of a regular file at off; *ret_len is shorter only at the end
 * of the file.
 */
enum rc volume_read(struct volume *v, const struct volume_entry *ve,
		    uint64_t off, void *buf, size_t len, size_t *ret_len,
		    struct err *err) MUST_CHECK;

/* The same without a copy: the bytes in order, in blocks held meanwhile.  Meant
 * for reads of at most a few MiB, since all their blocks are held at a time.
 */
struct volume_pieces {
	struct iovec *iov; /* n of them, none empty; not to be written to */
	void **holds;      /* n too */
	size_t n, cap, cap_holds;
	size_t len; /* bytes in all */
};
enum rc volume_read_pieces(struct volume *v, const struct volume_entry *ve,
			   uint64_t off, size_t len, struct volume_pieces *ret,
			   struct err *err) MUST_CHECK;
/* Zeroed pieces are fine. */
void volume_pieces_release(struct volume_pieces *p);

/* The name of an entry was asked for by somebody who may read it next: begin to
 * load it, if that has paid lately.  Returns at once.
 */
void volume_expect_read(struct volume *v, const struct volume_entry *ve);

/* From off on: the next offset with data or, the next hole, as lseek(2)
 * SEEK_DATA and SEEK_HOLE; RC_LIMIT beyond the end.  Holes are whole absent
 * blocks.
 */
enum rc volume_seek(struct volume *v, const struct volume_entry *ve,
		    uint64_t off, bool want_data, uint64_t *ret,
		    struct err *err) MUST_CHECK;

/* 63-bit inode number, never 0 or 1: SipHash-2-4 with the archive id as its
 * key, of 't' or, in the date view, 'd' and created_at (8 bytes,
 * little-endian), and then of the uid.  So versions are different files.  Of
 * hard links it is of 'T' or 'D' and the 16 bytes of their link group in place
 * of the uid: the same for all names, and no uid can be made to share it.
 */
uint64_t volume_ino(const struct volume *v, const struct volume_entry *ve);

/* The shard of a node, for messages and stat; borrowed for the volume's life.
 */
const struct shard_meta *volume_shard(const struct volume *v,
				      struct volume_node node);

/* All versions of all entries of one slot, keys ascending, each key's versions
 * newest first, each (uid, created_at) once: what pack compares a source with.
 * Entries of directories that are routed elsewhere are left out.  Slots are
 * those of the descriptor.
 */
struct volume_scan;
enum rc volume_scan_slot(struct volume *v, uint32_t slot,
			 struct volume_scan **ret, struct err *err) MUST_CHECK;
/* RC_NOENT at the end. */
enum rc volume_scan_next(struct volume_scan *scan, struct volume_entry *ret,
			 struct err *err) MUST_CHECK;
void volume_scan_free(struct volume_scan *scan);

/* All entries of one shard, whiteouts too, keys ascending, but for those that
 * are deleted and for directories that are routed elsewhere: for who wants all
 * there is, and of a damaged archive what is left.  shard is a session ordinal,
 * below volume_shard_bound; RC_NOENT: there is none.  fn: false ends.  Runs of
 * entries that cannot be read go to lost_fn, with their number, and the walk
 * goes on behind them; an error is of all from there on, or may pass.  What a
 * local disk cannot read counts as damage.
 */
typedef bool volume_change_fn(void *arg, const struct volume_entry *ve);
typedef void volume_lost_fn(void *arg, uint64_t n, const struct err *why);
enum rc volume_shard_entries(struct volume *v, uint32_t shard,
			     volume_change_fn *fn, volume_lost_fn *lost_fn,
			     void *arg, struct err *err) MUST_CHECK;

/* The view as it is, held; what it says of names is for volume*.c, others
 * compare it with a later one.
 */
struct view;
struct view *volume_mark(struct volume *v) MUST_CHECK;
void volume_mark_release(struct view *mark); /* takes NULL */

/* The uids of which one of two views shows versions that tombstones hide in the
 * other, in the order of a shard's index, but for those that are in both ways,
 * twice.  fn: false ends.
 */
typedef bool volume_uid_fn(void *arg, struct span uid);
void volume_mark_deleted(const struct view *before, const struct view *after,
			 volume_uid_fn *fn, void *arg);

/* How many views were published so far. */
uint64_t volume_generation(const struct volume *v);

/* Shards that come into the view from here on have session ordinals of at least
 * this.
 */
uint32_t volume_shard_bound(struct volume *v);

/* Learn what became of the entries of shards that were replaced since, while
 * these can be read, and forget in the caches what is not needed of them: for
 * who gives out nodes.  By one thread at a time.  What may pass is to be tried
 * again.
 */
enum rc volume_settle(struct volume *v, struct err *err) MUST_CHECK;

/* Hold no descriptors of shards that were replaced, which who was under way may
 * have opened once more: now and then.
 */
void volume_let_go(struct volume *v);

/* Nothing is to be learnt. */
bool volume_is_settled(struct volume *v);

/* Of what was learnt since the last call: nodes (n from one on, in their order)
 * that stand for nothing any more.
 */
typedef void volume_nodes_fn(void *arg, struct volume_node node, uint64_t n);
void volume_lost(struct volume *v, volume_nodes_fn *fn, void *arg);

/* Nodes of shards that were replaced, which stand for the same entry as this
 * one.  fn must not call the volume, nor wait.
 */
typedef void volume_node_fn(void *arg, struct volume_node node);
void volume_aliases(struct volume *v, struct volume_node node,
		    volume_node_fn *fn, void *arg);

/* Forget in the caches the bytes of what tombstones hide in one view and not in
 * the one before, wholly with the blocks these bytes are in.
 */
enum rc volume_forget(struct volume *v, const struct view *before,
		      const struct view *after, struct err *err) MUST_CHECK;

/* The same of all that is deleted, and of what is known of shards that were
 * replaced, in caches that others may have filled: for tools.
 */
enum rc volume_forget_all(struct volume *v, struct err *err) MUST_CHECK;
/* Of shards that were replaced before the volume was opened: what the index
 * cache knows of them, and all their blocks in the disk cache, unless this was
 * done since; before any refresh.
 */
enum rc volume_forget_known(struct volume *v, struct err *err) MUST_CHECK;

/* What refreshes may have changed since volume_shard_bound gave first: the
 * entries, whiteouts too, of the shards that came, shard by shard, keys
 * ascending.  fn's entry is borrowed for the call; false ends.  A damaged shard
 * does not keep back the others; what may pass (rc_is_transient) ends the walk.
 */
enum rc volume_changes(struct volume *v, uint32_t first, volume_change_fn *fn,
		       void *arg, struct err *err) MUST_CHECK;

/* Every version of a uid, whiteouts too, in the tree view (day 0) or the date
 * view of a day: all nodes it has or had there.
 */
enum rc volume_versions(struct volume *v, struct span uid, uint32_t day,
			volume_change_fn *fn, void *arg,
			struct err *err) MUST_CHECK;

/* Read into the index cache what finding files needs: tails, index pages and
 * filters of all shards, until about max_bytes were read.  RC_USAGE: there is
 * no index cache.
 */
struct volume_warm {
	uint64_t shards, bytes;
	bool is_complete;
};
enum rc volume_warm(struct volume *v, uint64_t max_bytes,
		    struct volume_warm *ret, struct err *err) MUST_CHECK;

struct volume_stats {
	uint64_t n_shards, n_entries, n_files, plain_bytes, stored_bytes;
	uint64_t lookups, readdirs, reads, bytes_served;
	uint64_t block_hits, block_misses, block_cache_bytes;
	uint64_t page_hits, page_misses, page_cache_bytes;
	uint64_t shards_opened; /* tails read from the store */
	uint64_t index_hits, index_misses, index_bytes; /* the index cache */
	uint64_t index_errors;                          /* likewise */
	uint64_t store_reads, store_bytes, store_lists;
	/* Requests over the wire, see struct store_counters. */
	uint64_t store_get, store_get_list, store_put, store_post, store_del;
	uint64_t store_head, store_retries, store_timeouts, store_throttled;
	uint64_t store_bad_replies, store_wire_in, store_wire_out;
	/* Of remote stores: the disk cache; ranges of blocks read because one
	 * was wanted and before that, their bytes, and those of them that were
	 * wanted.
	 */
	uint64_t disk_hits, disk_misses, disk_bytes;
	uint64_t fetch_ranges, fetch_ahead, fetch_bytes, fetch_used;
	/* Of others: blocks loaded before they were read; of them those that
	 * were read soon, and those that were not.
	 */
	uint64_t ahead_blocks, ahead_used, ahead_wasted;
	uint64_t corrupt;    /* damaged objects met */
	uint64_t generation; /* views published so far */
	bool any_xattrs;
};
void volume_stats(struct volume *v, struct volume_stats *ret);

/* Versions of the libraries that read blocks and keep an index, for --version,
 * in room of the calling thread's.
 */
const char *volume_libraries(void);

#endif
