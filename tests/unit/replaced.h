/* SPDX-License-Identifier: Apache-2.0 */
/* replaced.h - an archive with a shard that another took the place of, and
 * requests to delete; for tests of what becomes of the old one.
 */
#ifndef DESFS_TESTS_REPLACED_H
#define DESFS_TESTS_REPLACED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "erase/tombstone.h"
#include "shard/route.h"
#include "store/store-write.h"
#include "unit.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

#define OK(call)                                 \
	do {                                     \
		struct err err;                  \
		if (call)                        \
			fail_msg("%s", err.msg); \
	} while (0)

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define GRACE 3600 /* seconds */
/* Log records of the archive are of day 100. */
#define NOW ARCHIVE_TIME(101, 0)

/* An archive whose first shard, with "gone" and "kept", was replaced by a
 * second one that has only "kept".
 */
struct fixture {
	struct archive a;
	struct store *st;
	struct oplog *log;
	char *old, *new;
	uint64_t n_lost; /* by each record, says it */
};

static inline void set_now(int64_t us)
{
	clock_thaw();
	clock_freeze(1, us * 1000);
}

static inline void read_log(struct fixture *f)
{
	bool changed;

	oplog_want_all(f->log);
	OK(oplog_read(f->log, f->st, &changed, &err));
}

static inline void write_record(struct fixture *f, struct oplog_record *r)
{
	OK(oplog_write(f->log, f->st, r, f->a.descriptor.archive_id, &err));
}

static inline struct shard_meta copy_of(const struct shard_meta *m)
{
	struct shard_meta c = *m;

	c.key = xstrdup(m->key);
	c.first = xmemdup0(m->first, m->first_len);
	c.last = xmemdup0(m->last, m->last_len);
	return c;
}

/* A record that replaces the shard of old by that of new (NULL: by nothing). */
static inline void replace(struct fixture *f, const char *old, const char *new,
			   int64_t grace)
{
	const struct oplog_state *s = oplog_state(f->log);
	const struct shard_meta *from = oplog_state_find(s, old);
	struct oplog_record r = { .kind = OPLOG_REPACK,
				  .grace = grace,
				  .why = OPLOG_DELETED,
				  .n_lost = f->n_lost };
	struct oplog_replaced *x = xcalloc(1, sizeof(*x));
	struct shard_meta *to = xcalloc(1, sizeof(*to));

	assert_non_null(from);
	x->key = xstrdup(old);
	memcpy(x->root, from->root, sizeof(x->root));
	r.replaces = x;
	r.n_replaces = 1;
	if (new)
		*to = copy_of(oplog_state_find(s, new));
	r.shards = to;
	r.n_shards = r.cap = new ? 1 : 0;
	write_record(f, &r);
	oplog_record_release(&r);
	read_log(f);
}

static const struct archive_entry both[] = {
	{ .uid = "gone", .type = ENTRY_REG, .content = "secret" },
	{ .uid = "kept", .type = ENTRY_REG, .content = "public" },
};

/* in_place: one entry.  n_lost: what the record says. */
static inline void begin_with(struct fixture *f, int64_t grace,
			      const struct archive_entry *in_place,
			      unsigned int second, uint64_t n_lost)
{
	*f = (struct fixture){ .n_lost = n_lost };
	archive_begin(&f->a, ROUTE_PARENT);
	archive_add(&f->a, 0, 1, both, 2);
	archive_add(&f->a, 0, second, in_place, 1);
	OK(store_create(&f->st, f->a.dir, NULL, &err));
	f->log = oplog_new();
	oplog_keep_receipts(f->log);
	set_now(NOW - 2 * HOUR);
	read_log(f);
	assert_int_equal(oplog_count(f->log), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct shard_meta *m = oplog_shard(f->log, i);

		*(m->n_entries > 2 ? &f->old : &f->new) = xstrdup(m->key);
	}
	assert_non_null(f->old);
	assert_non_null(f->new);
	replace(f, f->old, f->new, grace);
	set_now(NOW);
}

/* "gone" is lost, says the record. */
static inline void begin(struct fixture *f, int64_t grace)
{
	begin_with(f, grace, &both[1], 1, 1);
}

static inline void end(struct fixture *f)
{
	clock_thaw();
	oplog_free(f->log);
	store_close(f->st);
	archive_end(&f->a);
	free(f->old);
	free(f->new);
}

static inline bool is_there(const struct fixture *f, const char *key)
{
	char *path = xasprintf("%s/%s", f->a.dir, key);
	bool is = !access(path, F_OK);

	free(path);
	return is;
}

static inline void put(struct fixture *f, const char *key, const char *text)
{
	bool existed;

	OK(store_put(f->st, key, text, strlen(text), &existed, &err));
}

/* One document of n; the id of each is its first byte, again and again. */
static inline void ask_all(struct fixture *f, const char *const *uids, size_t n)
{
	CLEANUP(tombstone_release) struct tombstone t = { .time = NOW - HOUR };
	CLEANUP_BUF struct buf b = { .max = TOMBSTONE_MAX };
	struct oplog_record r = { .kind = OPLOG_TOMBSTONES };
	char key[TOMBSTONE_KEY_TEXT];
	uint8_t id[ERASURE_ID_LEN];
	bool existed;

	memcpy(t.archive_id, f->a.descriptor.archive_id, SHARD_ID_LEN);
	for (size_t i = 0; i < n; i++) {
		memset(id, uids[i][0], sizeof(id));
		tombstone_add(&t, id, uids[i], strlen(uids[i]), ERASURE_UNTIL,
			      t.time);
	}
	OK(tombstone_encode(&t, &b, &err));
	OK(tombstone_key(t.time, key, &err));
	OK(store_put(f->st, key, b.p, b.len, &existed, &err));
	r.tombstones = xcalloc(1, sizeof(*r.tombstones));
	r.n_tombstones = 1;
	r.tombstones[0].key = xstrdup(key);
	r.tombstones[0].count = n;
	sha256_of(b.p, b.len, r.tombstones[0].sha256);
	write_record(f, &r);
	oplog_record_release(&r);
	read_log(f);
}

static inline void ask(struct fixture *f, const char *uid,
		       uint8_t id[ERASURE_ID_LEN])
{
	memset(id, uid[0], ERASURE_ID_LEN);
	ask_all(f, &uid, 1);
}

#endif
