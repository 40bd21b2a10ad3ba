/* SPDX-License-Identifier: Apache-2.0 */
/* archive.h - small archives for tests, made in a temporary directory.
 *
 *	struct archive a;
 *
 *	archive_begin(&a, ROUTE_PARENT);
 *	archive_add(&a, 1, entries, ARRAY_LEN(entries));
 *	... volume_open(&v, a.dir, NULL, &err) ...
 *	archive_end(&a);
 */
#ifndef DESFS_TESTS_ARCHIVE_H
#define DESFS_TESTS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shard/shard-entry.h"
#include "volume/descriptor.h"

/* Block size of the shards made. */
#define ARCHIVE_BLOCK 4096u
#define ARCHIVE_N_BITS 4

/* The time of entries added with number i on day d: seconds, then days. */
#define ARCHIVE_DAY_US (INT64_C(86400) * 1000000)
#define ARCHIVE_TIME(d, i)                                    \
	(INT64_C(1795219200) * 1000000 + (d)*ARCHIVE_DAY_US + \
	 (i)*INT64_C(1000000))
/* ARCHIVE_TIME(0, 0) is midnight of this day. */
#define ARCHIVE_DAY 20261121u

struct archive {
	char dir[64];
	struct descriptor descriptor;
	unsigned int route;
	unsigned int n_records;
};

struct archive_entry {
	const char *uid;
	enum entry_type type;
	const char *content; /* of regular files; NULL: pattern of size bytes */
	uint64_t size;
	uint64_t hole_from, hole_to; /* whole blocks of the pattern left out */
	bool implicit;
	int64_t opaque_since; /* 0: none */
	uint16_t mode;        /* 0: 0644, or 0755 for directories */
};

/* Byte i of a pattern. */
static inline uint8_t archive_pattern(uint64_t i)
{
	return (uint8_t)(i * 7 + i / 4096 * 13 + 1);
}

void archive_begin(struct archive *a, unsigned int route);
/* One run that adds the entries on day number day (0: ARCHIVE_DAY) with
 * created_at ARCHIVE_TIME(day, second): a shard for each slot, with the
 * directories above implied, and a log record.
 */
void archive_add(struct archive *a, unsigned int day, unsigned int second,
		 const struct archive_entry *entries, size_t n);
void archive_end(struct archive *a);

/* What takes the place of all shards of a day.  purge: they are removed. */
struct archive_run {
	unsigned int revision, day, second;
	const struct archive_entry *entries;
	size_t n;
};
void archive_repack(struct archive *a, const struct archive_run *run,
		    bool purge);

/* The path of the i-th shard in order of names; to be freed. */
char *archive_shard_path(const struct archive *a, unsigned int i);

#endif
