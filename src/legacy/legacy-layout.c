/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-layout.c - files that count, and the directories above them, into the
 * order of shards.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "base/sorter.h"
#include "base/unique.h"
#include "legacy/legacy-path.h"
#include "legacy/legacy-set-backend.h"
#include "legacy/legacy-time.h"
#include "shard/route.h"

#define SORTER_MEMORY (8u << 20)
/* Directories that are remembered, so that not each file adds them again. */
#define SEEN (1u << 15)

/* What directories may take: so many bytes, and so many for each of files.
 * Those of a path that take no more than DIRS_COST always may.
 */
#define DIRS_COST 2048u
#define DIRS_FREE (UINT64_C(16) << 20)
#define DIRS_TIMES 2u

struct legacy_layout *legacy_layout_new(const struct legacy_set_options *o)
{
	struct legacy_layout *l = xcalloc(1, sizeof(*l));
	struct err err;

	l->o = *o;
	l->sorter = sorter_new(o->dir, SORTER_MEMORY, 1);
	l->seen = xcalloc(SEEN, sizeof(*l->seen));
	buf_init(&l->key, 2 * LEGACY_PATH_MAX);
	buf_init(&l->value, 4 * META_MAX);
	/* Without one it is but easier to have a directory left out. */
	(void)!unique_bytes(l->secret, sizeof(l->secret), &err);
	return l;
}

void legacy_layout_free(struct legacy_layout *l)
{
	if (!l)
		return;
	sorter_free(l->sorter);
	free(l->seen);
	buf_release(&l->key);
	buf_release(&l->value);
	free(l);
}

static void append_be(struct buf *out, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	buf_append(out, bytes, n);
}

static uint32_t slot_of(struct span path)
{
	return route_slot(ROUTE_PARENT, LEGACY_N_BITS, path.p, path.len);
}

/* Day, slot, then as entry_compare: paths have no zero bytes. */
static void set_key(struct legacy_layout *l, uint32_t day, uint32_t slot,
		    struct span path, int64_t created_at)
{
	struct span parent, name;

	entry_split_uid(path, &parent, &name);
	buf_clear(&l->key);
	append_be(&l->key, day, 4);
	append_be(&l->key, slot, 2);
	buf_append(&l->key, parent.p, parent.len);
	append_be(&l->key, 0, 1);
	buf_append(&l->key, name.p, name.len);
	append_be(&l->key, 0, 1);
	append_be(&l->key, ~((uint64_t)created_at + (UINT64_C(1) << 63)), 8);
}

static enum rc add(struct legacy_layout *l, uint32_t day, uint32_t slot,
		   struct span path, const struct legacy_raw *r,
		   struct span text, struct span meta, struct err *err)
{
	uint64_t *bytes =
		r->kind == LEGACY_RAW_DIR ? &l->dir_bytes : &l->file_bytes;

	set_key(l, day, slot, path, r->created_at);
	legacy_raw_value(r, text.p, meta.p, &l->value);
	if (!buf_ok(&l->key) || !buf_ok(&l->value))
		return err_set(err, RC_NOMEM, "no memory for an entry");
	*bytes += l->key.len + l->value.len;
	return sorter_add(l->sorter, 0, span_of(l->key.p, l->key.len),
			  span_of(l->value.p, l->value.len), err);
}

/* Was it added just now?  Notes that it is. */
static bool is_seen(struct legacy_layout *l, uint32_t day, struct span dir)
{
	struct siphash h;
	uint64_t hash, *at;

	siphash_init(&h, l->secret);
	siphash_update(&h, &day, sizeof(day));
	siphash_update(&h, dir.p, dir.len);
	hash = siphash_final(&h);
	at = &l->seen[hash % SEEN];
	if (*at == hash)
		return true;
	*at = hash;
	return false;
}

/* A directory is in the slot it is routed to, and in that of what is in it: who
 * lists it asks the filters of these for it.
 */
static enum rc add_dir(struct legacy_layout *l, uint32_t day, struct span path,
		       uint32_t slot_below, struct err *err)
{
	const struct legacy_raw r = { .kind = LEGACY_RAW_DIR,
				      .created_at = legacy_time_of_day(day) };
	const struct span none = { .p = NULL };
	uint32_t slot = slot_of(path);

	if (slot != slot_below &&
	    add(l, day, slot_below, path, &r, none, none, err))
		return err->rc;
	return add(l, day, slot, path, &r, none, none, err);
}

/* The directories above a path; what is above one that was seen was, too. */
static enum rc add_dirs(struct legacy_layout *l, uint32_t day, struct span path,
			struct err *err)
{
	while (path.len) {
		size_t len = route_parent_len(path.p, path.len);
		uint32_t slot = slot_of(path);

		path = span_of(path.p, len);
		if (!len || is_seen(l, day, path))
			break;
		if (add_dir(l, day, path, slot, err))
			return err->rc;
	}
	return RC_OK;
}

/* About what the directories above a path take. */
static uint64_t cost_of(struct span path)
{
	uint64_t cost = 0;

	for (size_t i = 1; i < path.len; i++) {
		if (path.p[i] == '/')
			cost += i + sizeof(struct legacy_raw);
	}
	return cost;
}

/* A path of 64 KiB may have 256 directories above it, which take 8 MiB: of what
 * was written to exhaust a disk only a part is shown.
 */
static bool is_too_deep(const struct legacy_layout *l, struct span path)
{
	return l->dir_bytes > DIRS_FREE + DIRS_TIMES * l->file_bytes &&
	       cost_of(path) > DIRS_COST;
}

static void leave_out(struct legacy_layout *l, struct span path,
		      const struct legacy_raw *r)
{
	const struct legacy_object *o =
		legacy_objects_get(l->o.objects, r->object);
	CLEANUP_FREE char *text = xasprintf(
		"%s: %.*s%s is left out: directories take too much room",
		o->key, path.len < 80 ? (int)path.len : 80, path.p,
		path.len < 80 ? "" : "...");

	legacy_damage_add(l->o.damage, text);
}

enum rc legacy_layout_add(struct legacy_layout *l, struct span path,
			  const struct legacy_raw *r, struct span text,
			  struct span meta, struct err *err)
{
	uint32_t day = legacy_day_of_time(r->created_at);

	if (is_too_deep(l, path)) {
		leave_out(l, path, r);
		return RC_OK;
	}
	if (add(l, day, slot_of(path), path, r, text, meta, err))
		return err->rc;
	return add_dirs(l, day, path, err);
}
