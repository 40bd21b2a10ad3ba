/* SPDX-License-Identifier: Apache-2.0 */
/* compare-feed-backend.h - the key at hand while records and versions are
 * merged, for compare-feed*.c.
 */
#ifndef DESFS_PACK_COMPARE_FEED_BACKEND_H
#define DESFS_PACK_COMPARE_FEED_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "pack/compare-feed.h"
#include "pack/feed.h"
#include "pack/gather-feed.h"
#include "pack/item.h"
#include "pack/old-dir.h"
#include "volume/volume.h"

struct links_reader;
struct sorter_reader;

/* What is known of the key at hand, of versions of the archive and of those
 * planned.  Directories that are only implied do not count.
 */
struct seen {
	bool has_any, is_dir; /* is_dir: of the newest */
	int64_t newest;
};

struct compare_feed {
	struct pack *p;
	struct plan *plan;
	struct sorter_reader *records;
	struct links_reader *links;
	struct buf link_key;

	bool has_item;
	struct item item; /* the next one; created_at of its record */
	enum feed_rank rank;

	struct volume_scan *scan; /* NULL: the archive has nothing */
	bool has_ahead;
	struct volume_entry ahead; /* the next one */

	struct old_dir dir; /* that of the key at hand, once asked for */

	/* The key at hand. */
	struct buf bytes;
	struct span parent, name;
	struct seen seen;
	bool has_old;
	struct volume_entry old; /* newest in the archive, none implied */
	bool has_last;
	int64_t last; /* of the record before */
};

/* --- the key at hand, compare-feed-key.c ---------------------------------- */

/* The next record, and the next version of the archive, whatever its key. */
enum rc compare_feed_next(struct compare_feed *c, struct err *err);
enum rc compare_feed_next_ahead(struct compare_feed *c, struct err *err);

/* Its record's key is that at hand from now on, until end_key. */
enum rc compare_feed_begin_key(struct compare_feed *c, struct err *err);
void compare_feed_end_key(struct compare_feed *c);
bool compare_feed_is_root(const struct compare_feed *c);
/* The next record is of the key at hand; the next version is. */
bool compare_feed_is_of_key(const struct compare_feed *c);
bool compare_feed_is_ahead(const struct compare_feed *c);

/* Take versions of the key: up to that of this time, if there is one; all. */
enum rc compare_feed_pass_newer(struct compare_feed *c, int64_t at,
				struct err *err);
enum rc compare_feed_pass_all(struct compare_feed *c, struct err *err);
/* There is one of this time, or will be. */
void compare_feed_note(struct compare_feed *c, int64_t at, bool is_dir);

/* Borrowed from *ret, which is to be freed. */
struct span compare_feed_uid(const struct compare_feed *c, char **ret);

/* --- records that are not packed, compare-feed-told.c --------------------- */

void compare_feed_tell_failed(struct compare_feed *c, enum feed_status status,
			      const struct err *why);
void compare_feed_tell_erased(struct compare_feed *c);
void compare_feed_tell_duplicate(struct compare_feed *c);
void compare_feed_tell_there(struct compare_feed *c,
			     const struct volume_entry *ve);
/* The version of its time is there: that it is, or that it has other content.
 */
void compare_feed_tell_present(struct compare_feed *c);
bool compare_feed_has_other_hash(const struct item *it, const struct entry *e);

#endif
