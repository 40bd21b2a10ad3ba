/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - what one slot's shards will hold: items by day, part and key. */
#include "config.h"

#include "pack/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sorter.h"
#include "base/table.h"
#include "base/timestamp.h"
#include "pack/above.h"
#include "pack/dirs.h"
#include "pack/feed.h"
#include "shard/shard-format.h"

/* Of a sorter key: day and part, most significant first; what is behind the
 * names; the same of feeds, with a time, newest first.
 */
#define PLACE_BYTES 8
#define END_BYTES 2
#define FED_END_BYTES 10
#define PARTS_MAX 10000 /* a key has four digits for a part */
#define US_PER_DAY INT64_C(86400000000)
/* Days whose directories above are still to come, and the memory of these.
 * Beyond that they are told early, and may be told again.
 */
#define OPEN_MAX 4096u
#define OPEN_BYTES (4u << 20)

/* Behind the key of an item, so that a real one comes before an implied one. */
enum plan_rank { RANK_REAL = 1, RANK_ABOVE = 2 };

/* One day and the part of it that is being filled. */
struct plan_day {
	uint32_t day, part;
	uint64_t bytes, items;
	char *parent; /* whose directories are in the part; NULL: none */
	size_t parent_len;
	struct above *above; /* of feeds; NULL: not open */
	UT_hash_handle hh;
};

struct plan {
	struct plan_options opts;
	struct sorter *sorter;
	struct plan_day *days; /* by day */
	/* With above, n_open from that at first on, around the end. */
	struct plan_day **open;
	size_t first, n_open, open_bytes;
	uint64_t n;
	struct buf key, value;
	struct plan_reader *reader;
};

struct plan_reader {
	const struct plan *plan;
	struct sorter_reader *sorted;
	struct buf last_key;
	bool has_dir; /* the last key was given as a directory; of feeds */
};

struct plan *plan_new(const struct plan_options *opts)
{
	struct plan *p = xcalloc(1, sizeof(*p));

	p->opts = *opts;
	p->sorter = sorter_new(opts->spool_dir, opts->memory, 1);
	buf_init(&p->key, 2 * UID_MAX_LEN);
	buf_init(&p->value, 2 * XATTRS_MAX + 2 * UID_MAX_LEN + META_MAX);
	return p;
}

static void close_day(struct plan_day *d)
{
	if (d->above)
		above_release(d->above);
	free(d->above);
	d->above = NULL;
}

void plan_free(struct plan *p)
{
	struct plan_day *d, *next;

	if (!p)
		return;
	plan_reader_free(p->reader);
	sorter_free(p->sorter);
	HASH_ITER(hh, p->days, d, next)
	{
		HASH_DEL(p->days, d);
		close_day(d);
		free(d->parent);
		free(d);
	}
	free(p->open);
	buf_release(&p->key);
	buf_release(&p->value);
	free(p);
}

uint64_t plan_count(const struct plan *p)
{
	return p->n;
}

static uint32_t day_number(int64_t us)
{
	char text[TIMESTAMP_DAY_TEXT];

	timestamp_day(us, text);
	return (uint32_t)strtoul(text, NULL, 10);
}

/* NULL: there is nothing of it yet. */
static struct plan_day *find_day(const struct plan *p, uint32_t day)
{
	struct plan_day *d = NULL;

	HASH_FIND(hh, p->days, &day, sizeof(day), d);
	return d;
}

static uint32_t first_part(const struct plan *p, uint32_t day)
{
	for (size_t i = 0; i < p->opts.n_first; i++) {
		if (p->opts.first[i].day == day)
			return p->opts.first[i].part;
	}
	return 0;
}

static struct plan_day *get_day(struct plan *p, uint32_t day)
{
	struct plan_day *d = find_day(p, day);

	if (d)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->day = day;
	d->part = first_part(p, day);
	HASH_ADD(hh, p->days, day, sizeof(d->day), d);
	return d;
}

static void forget_parent(struct plan_day *d)
{
	free(d->parent);
	d->parent = NULL;
	d->parent_len = 0;
}

static void put_be(struct buf *out, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
			       (uint8_t)(v >> 8), (uint8_t)v };

	buf_append(out, b, sizeof(b));
}

static uint32_t get_be(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static enum rc put(struct plan *p, struct plan_place place,
		   const struct item *it, enum plan_rank rank, struct err *err)
{
	const uint8_t end[2] = { 0, (uint8_t)rank };

	buf_clear(&p->key);
	buf_clear(&p->value);
	put_be(&p->key, place.day);
	put_be(&p->key, place.part);
	item_key_encode(it->parent, it->name, &p->key);
	buf_append(&p->key, end, 1);
	if (p->opts.is_fed)
		item_put_newest(it->created_at, &p->key);
	buf_append(&p->key, end + 1, 1);
	item_encode(it, &p->value);
	if (!buf_ok(&p->key) || !buf_ok(&p->value))
		return err_set(err, RC_LIMIT, "entry is too large");
	return sorter_add(p->sorter, 0, span_of(p->key.p, p->key.len),
			  span_of(p->value.p, p->value.len), err);
}

/* The time of a directory that is only implied: that of the run, or else the
 * first of the day, so that it does not depend on what it is above of.
 */
static int64_t implied_time(const struct plan *p, int64_t created_at)
{
	int64_t day = created_at / US_PER_DAY;

	if (created_at % US_PER_DAY < 0)
		day--;
	if (p->opts.stamp >= day * US_PER_DAY &&
	    p->opts.stamp < (day + 1) * US_PER_DAY)
		return p->opts.stamp;
	return day * US_PER_DAY;
}

static enum rc put_above(struct plan *p, struct plan_place place,
			 const struct item *it, int64_t created_at,
			 struct err *err)
{
	struct item above = *it;

	above.implicit = true;
	above.has_opaque = false;
	above.created_at = implied_time(p, created_at);
	above.link = 0;
	above.source = 0;
	above.dir = ITEM_NO_DIR;
	above.ino = 0;
	above.ctime_s = 0;
	above.ctime_ns = 0;
	return put(p, place, &above, RANK_ABOVE, err);
}

/* Is path, or something below it, the parent whose directories are there? */
static bool is_covered(const struct plan_day *d, struct span path)
{
	if (!d->parent || d->parent_len < path.len)
		return false;
	if (path.len && memcmp(d->parent, path.p, path.len))
		return false;
	return d->parent_len == path.len || !path.len ||
	       d->parent[path.len] == '/';
}

static void know_parent(struct plan_day *d, struct span parent)
{
	if (d->parent && d->parent_len == parent.len &&
	    !memcmp(d->parent, parent.p, parent.len))
		return;
	forget_parent(d);
	d->parent = xmemdup0(parent.p, parent.len);
	d->parent_len = parent.len;
}

static enum rc add_dirs(struct plan *p, struct plan_day *d,
			const struct item *it, struct err *err)
{
	struct plan_place place = { .day = d->day, .part = d->part };
	struct span path = it->parent;
	uint64_t number = it->dir;

	while (number != ITEM_NO_DIR && !is_covered(d, path)) {
		struct item dir;
		enum rc rc = dirs_get(p->opts.dirs, number, &dir, err);

		if (rc)
			return rc;
		entry_split_uid(path, &dir.parent, &dir.name);
		number = dir.dir;
		rc = put_above(p, place, &dir, it->created_at, err);
		if (rc)
			return rc;
		path = dir.parent;
	}
	know_parent(d, it->parent);
	return RC_OK;
}

/* --- the directories above a feed's items ----------------------------------
 */

struct above_place {
	struct plan *plan;
	struct plan_place place;
};

static enum rc put_implied(void *arg, struct span dir, int64_t created_at,
			   struct err *err)
{
	const struct above_place *a = arg;
	struct item it = item_implied(dir, created_at);

	feed_directory(a->plan->opts.feed, &it);
	return put(a->plan, a->place, &it, RANK_ABOVE, err);
}

/* Those the part lacks still. */
static enum rc put_rest(struct plan *p, struct plan_day *d, struct err *err)
{
	struct above_place a = { .plan = p,
				 .place = { .day = d->day, .part = d->part } };

	return d->above ? above_end(d->above, put_implied, &a, err) : RC_OK;
}

static size_t bytes_of(const struct plan_day *d)
{
	return d->above->path.cap + d->above->cap * sizeof(*d->above->newest);
}

/* Of the day that is open for longest. */
static enum rc close_first(struct plan *p, struct err *err)
{
	struct plan_day *d = p->open[p->first];
	enum rc rc = put_rest(p, d, err);

	p->open_bytes -= bytes_of(d);
	close_day(d);
	p->first = (p->first + 1) % OPEN_MAX;
	p->n_open--;
	return rc;
}

static enum rc open_day(struct plan *p, struct plan_day *d, struct err *err)
{
	if (d->above)
		return RC_OK;
	if (!p->open)
		p->open = xcalloc(OPEN_MAX, sizeof(struct plan_day *));
	if (p->n_open == OPEN_MAX && close_first(p, err))
		return err->rc;
	d->above = xcalloc(1, sizeof(*d->above));
	p->open[(p->first + p->n_open++) % OPEN_MAX] = d;
	return RC_OK;
}

static enum rc add_implied(struct plan *p, struct plan_day *d,
			   const struct item *it, struct err *err)
{
	struct above_place a = { .plan = p,
				 .place = { .day = d->day, .part = d->part } };
	enum rc rc;

	if ((!it->parent.len && !it->name.len) || it->type == ENTRY_WHITEOUT)
		return RC_OK;
	if (open_day(p, d, err))
		return err->rc;
	p->open_bytes -= bytes_of(d);
	rc = above_add(d->above, it->parent, it->created_at, put_implied, &a,
		       err);
	p->open_bytes += bytes_of(d);
	while (!rc && p->open_bytes > OPEN_BYTES)
		rc = close_first(p, err);
	return rc;
}

/* --- adding ----------------------------------------------------------------
 */

/* The part of the day for one more item.  The last one takes all there is.
 * NULL: failed.
 */
static struct plan_day *choose_part(struct plan *p, const struct item *it,
				    struct err *err)
{
	struct plan_day *d = get_day(p, day_number(it->created_at));
	uint64_t size = it->type == ENTRY_REG ? it->size : 0;
	bool is_full = d->items >= p->opts.part_items;

	/* A file larger than a part has one of its own. */
	if (size && d->bytes &&
	    (d->bytes >= p->opts.part_bytes ||
	     size > p->opts.part_bytes - d->bytes))
		is_full = true;
	if (is_full && d->part + 1 < PARTS_MAX) {
		if (put_rest(p, d, err))
			return NULL;
		d->part++;
		d->bytes = d->items = 0;
		forget_parent(d);
	}
	d->bytes += size;
	d->items++;
	return d;
}

enum rc plan_add(struct plan *p, const struct item *it, struct plan_place *ret,
		 struct err *err)
{
	struct plan_place place;
	struct plan_day *d = choose_part(p, it, err);
	enum rc rc = RC_OK;

	if (!d)
		return err->rc;
	place = (struct plan_place){ .day = d->day, .part = d->part };
	if (p->opts.is_fed)
		rc = add_implied(p, d, it, err);
	else if (it->dir != ITEM_NO_DIR)
		rc = add_dirs(p, d, it, err);
	if (!rc)
		rc = put(p, place, it, RANK_REAL, err);
	if (rc)
		return rc;
	p->n++;
	*ret = place;
	return RC_OK;
}

bool plan_knows_parent(const struct plan *p, struct plan_place place,
		       struct span parent)
{
	const struct plan_day *d = find_day(p, place.day);

	return d && is_covered(d, parent);
}

enum rc plan_add_above(struct plan *p, struct plan_place place,
		       const struct item *it, struct err *err)
{
	return put_above(p, place, it, it->created_at, err);
}

void plan_know_parent(struct plan *p, struct plan_place place,
		      struct span parent)
{
	know_parent(get_day(p, place.day), parent);
}

enum rc plan_finish(struct plan *p, struct err *err)
{
	enum rc rc = RC_OK;

	while (p->n_open && !rc)
		rc = close_first(p, err);
	if (!rc)
		rc = sorter_finish(p->sorter, err);
	return rc ? rc : plan_reader_new(p, &p->reader, err);
}

enum rc plan_reader_new(const struct plan *p, struct plan_reader **ret,
			struct err *err)
{
	struct plan_reader *r = xcalloc(1, sizeof(*r));
	enum rc rc = sorter_read(p->sorter, 0, &r->sorted, err);

	if (rc) {
		free(r);
		return rc;
	}
	buf_init(&r->last_key, 2 * UID_MAX_LEN);
	r->plan = p;
	*ret = r;
	return RC_OK;
}

void plan_reader_free(struct plan_reader *r)
{
	if (!r)
		return;
	sorter_reader_free(r->sorted);
	buf_release(&r->last_key);
	free(r);
}

static size_t end_bytes(const struct plan_reader *r)
{
	return r->plan->opts.is_fed ? FED_END_BYTES : END_BYTES;
}

/* The same key again, whatever its rank?  Of feeds: a directory that is only
 * implied, while there is a newer version of it.
 */
static bool is_repeated(struct plan_reader *r, struct span key)
{
	struct span last = span_of(r->last_key.p, r->last_key.len);
	bool is_above = key.p[key.len - 1] == RANK_ABOVE;

	key.len -= end_bytes(r) - 1;
	if (last.len && span_equal(last, key))
		return !r->plan->opts.is_fed || (is_above && r->has_dir);
	buf_clear(&r->last_key);
	buf_append(&r->last_key, key.p, key.len);
	r->has_dir = false;
	return false;
}

enum rc plan_reader_next(struct plan_reader *r, struct plan_place *ret_place,
			 struct item *ret, struct err *err)
{
	struct span key, value;
	enum rc rc;

	do {
		rc = sorter_next(r->sorted, &key, &value, err);
		if (rc)
			return rc;
	} while (is_repeated(r, key));
	rc = item_decode(value.p, value.len, ret, err);
	if (rc)
		return rc;
	*ret_place = (struct plan_place){ .day = get_be(key.p),
					  .part = get_be(key.p + 4) };
	r->has_dir |= ret->type == ENTRY_DIR;
	key = span_of(key.p + PLACE_BYTES,
		      key.len - PLACE_BYTES - end_bytes(r));
	if (!item_key_decode(key, &ret->parent, &ret->name))
		return err_set(err, RC_IO, "temporary data were damaged");
	return RC_OK;
}

enum rc plan_next(struct plan *p, struct plan_place *ret_place,
		  struct item *ret, struct err *err)
{
	return plan_reader_next(p->reader, ret_place, ret, err);
}
