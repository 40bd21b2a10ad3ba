/* SPDX-License-Identifier: Apache-2.0 */
/* links.h - which names are the same file: hard links found by the walk.
 *
 * All that have more than one name are added, by any number of walkers, each
 * with its own feed.  When that is done, links_finish finds those of them that
 * have several names among what was added; after that each slot may be read by
 * a thread of its own.  Memory is bounded, however many links there are.
 */
#ifndef DESFS_PACK_LINKS_H
#define DESFS_PACK_LINKS_H

#include <stdint.h>

#include "base/err.h"
#include "pack/item.h"

#define LINKS_MEMORY (12u << 20) /* bytes */

/* That of the run, which comes later than all others. */
#define LINKS_NO_TIME INT64_MIN

struct descriptor;
struct links;
struct links_reader;

/* Slots are those of the descriptor; it and spool_dir are borrowed.  Its id may
 * be set later, before links_finish.
 */
struct links *links_new(const char *spool_dir, unsigned int n_feeds,
			const struct descriptor *d) MUST_CHECK;
void links_free(struct links *l);

/* Names are versions of a feed, each with a time, and only those of the same
 * inode and time are one file; before any are added.
 */
void links_have_times(struct links *l);

/* A name of the inode. */
enum rc links_add(struct links *l, unsigned int feed, uint64_t dev,
		  uint64_t ino, struct span uid, struct err *err) MUST_CHECK;
/* The same with a time, of which names have several. */
enum rc links_add_version(struct links *l, unsigned int feed, uint64_t dev,
			  uint64_t ino, int64_t created_at, struct span uid,
			  struct err *err) MUST_CHECK;
/* The feed has ended; from its own thread.  May be left out. */
void links_end_feed(struct links *l, unsigned int feed);

enum rc links_finish(struct links *l, struct err *err) MUST_CHECK;

/* Those of a slot. */
enum rc links_read(const struct links *l, uint32_t slot,
		   struct links_reader **ret, struct err *err) MUST_CHECK;
void links_reader_free(struct links_reader *r);

/* Fill in link, nlink and link_group of an item that is no directory; its key,
 * as item_key_encode has it, with times as links_key_encode, is above those
 * asked for before.
 */
enum rc links_find(struct links_reader *r, struct span key, struct item *it,
		   struct err *err) MUST_CHECK;

void links_key_encode(struct span parent, struct span name, int64_t created_at,
		      struct buf *out);

#endif
