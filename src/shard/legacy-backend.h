/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-backend.h - what readers of older formats share; for them, the table
 * of formats and the cursor only.
 */
#ifndef DESFS_SHARD_LEGACY_BACKEND_H
#define DESFS_SHARD_LEGACY_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/legacy-cursor.h"
#include "shard/legacy-entry.h"
#include "shard/shard-kinds.h"

/* First and last bytes of an object. */
struct legacy_ends {
	const uint8_t *head, *tail;
	size_t head_len, tail_len;
	uint64_t size;
};

struct legacy_format {
	/* The index of an object that is of this format, as far as can be told.
	 */
	enum rc (*locate)(const struct legacy_ends *ends,
			  struct legacy_index *ret, struct err *err);
	/* What stands before the first entry. */
	enum rc (*begin)(struct legacy_cursor *c, struct err *err);
	bool (*has_more)(const struct legacy_cursor *c);
	/* Fill in an entry, all but ordinal and entry_off.  RC_CORRUPT: where
	 * the next one is cannot be told; other wrong values go to
	 * legacy_damage.
	 */
	enum rc (*next)(struct legacy_cursor *c, struct legacy_entry *e,
			struct err *err);
	/* After the last one. */
	enum rc (*end)(struct legacy_cursor *c, struct err *err);
};

extern const struct legacy_format legacy_des2, legacy_datavision;

/* NULL: no older format. */
const struct legacy_format *legacy_format_of(enum shard_kind kind);

/* A section that is filled back to back. */
struct legacy_run {
	const char *what;    /* is in it */
	uint64_t begin, end; /* of the section */
	uint64_t next;       /* where the next part begins */
	uint64_t other;      /* or this, where something before it was wrong */
	uint64_t off;        /* of the part under way */
	uint64_t gap;        /* bytes left out before it */
	uint64_t gaps, gaps_off; /* left out in all, and where first */
};

/* Bytes of an object, read in order and ahead. */
struct legacy_piece {
	uint64_t off, end; /* in the object: the next byte, and the last */
	uint8_t *p;
	size_t len, used, cap;
};

struct legacy_cursor {
	struct legacy_index ix;
	const struct legacy_format *format;
	legacy_read_fn *read;
	void *arg;
	struct legacy_piece index, metas; /* metas: Datavision */
	uint64_t count;                   /* DES2: entries there are */
	uint64_t n;                       /* entries gone through */
	struct legacy_run data, meta;
	struct buf uid, text; /* of the last entry: uid, metadata */
	char hash[LEGACY_HASH_DIGITS + 1]; /* likewise */
	struct err damage;                 /* of the entry under way */
	unsigned int scouts;               /* sent so far */
	bool is_scout; /* looks for others where entries are */
	bool is_begun, is_over, is_cut;
};

/* The next len bytes, at most LEGACY_TAKE_MAX, called what; valid until more
 * are taken there.
 */
#define LEGACY_TAKE_MAX 65536u
enum rc legacy_take(struct legacy_cursor *c, struct legacy_piece *from,
		    size_t len, const char *what, const uint8_t **ret,
		    struct err *err) MUST_CHECK;

/* Bytes that were not taken. */
static inline uint64_t legacy_left(const struct legacy_piece *from)
{
	return from->end - from->off;
}

/* What is taken next is at off, not beyond the end. */
void legacy_seek(struct legacy_piece *from, uint64_t off);

/* Length (2 bytes) and bytes of a uid. */
enum rc legacy_take_uid(struct legacy_cursor *c, struct legacy_entry *e,
			struct err *err) MUST_CHECK;

/* The metadata of the entry, the next meta_len bytes. */
enum rc legacy_take_meta(struct legacy_cursor *c, struct legacy_piece *from,
			 struct legacy_entry *e, struct err *err) MUST_CHECK;

/* The entry under way is wrong; the first such word counts. */
void legacy_damage(struct legacy_cursor *c, const char *fmt, ...) PRINTF(2, 3);

void legacy_run_init(struct legacy_run *run, const char *what, uint64_t begin,
		     uint64_t end);

/* Damage unless the next of a run are these bytes.  If that len is doubtful,
 * other_len may be right.
 */
void legacy_run_add(struct legacy_cursor *c, struct legacy_run *run,
		    uint64_t off, uint64_t len, uint64_t other_len);

/* After each entry: damage if it was put elsewhere, and is not where the next
 * one goes on.
 */
enum rc legacy_run_settle(struct legacy_cursor *c, struct legacy_run *run,
			  struct err *err) MUST_CHECK;

/* RC_CORRUPT if a section has bytes that are in no entry. */
enum rc legacy_run_end(const struct legacy_run *run,
		       struct err *err) MUST_CHECK;

/* RC_CORRUPT unless len bytes of an object, at p and off, are the magic ones.
 */
enum rc legacy_magic(const char *what, uint64_t off, const uint8_t *p,
		     const char *magic, struct err *err) MUST_CHECK;

#endif
