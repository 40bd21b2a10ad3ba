/* SPDX-License-Identifier: Apache-2.0 */
/* damage.c - one byte of a shard that counts is turned. */
#include "config.h"

#include "damage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/random.h"
#include "op-log.h"
#include "op-repack.h"
#include "volume/oplog-state.h"
#include "volume/volume.h"

enum seen { NOT_THERE, READ, FAILED };

/* The version that has to be shown as the newest of its name. */
static bool is_newest(const struct model *m, const struct model_version *v)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct model_version *o = &m->versions[i];
		enum model_answer a;

		if (strcmp(o->uid, v->uid) != 0)
			continue;
		a = model_ask(m, o, MODEL_ALWAYS);
		if (a == MODEL_EITHER ||
		    (a == MODEL_SHOWN && o->created_at > v->created_at))
			return false;
	}
	return model_ask(m, v, MODEL_ALWAYS) == MODEL_SHOWN;
}

/* Whether the entry's bytes can be read; wrong ones are worse than none. */
static enum seen read_bytes(struct world *w, const struct model_version *v,
			    const struct volume_entry *ve)
{
	uint8_t want[MODEL_FILE_MAX], got[MODEL_FILE_MAX + 1];
	struct err err;
	size_t n = 0;

	if (volume_read(w->reader, ve, 0, got, sizeof(got), &n, &err))
		return FAILED;
	model_bytes(v, want);
	if (n != v->size || memcmp(got, want, n) != 0)
		world_fail(w, "damaged: wrong bytes of %s", v->uid);
	return READ;
}

static enum seen look(struct world *w, const struct model_version *v)
{
	enum seen ret = FAILED;
	struct volume_entry ve;
	struct err err;
	enum rc rc = volume_resolve(w->reader, span_of(v->uid, strlen(v->uid)),
				    &ve, &err);

	if (rc == RC_NOENT || rc == RC_NOTDIR)
		return NOT_THERE;
	if (rc)
		return FAILED;
	if (ve.e.created_at == v->created_at)
		ret = read_bytes(w, v, &ve);
	else
		ret = NOT_THERE;
	volume_entry_release(&ve);
	return ret;
}

static void turn_byte(struct world *w)
{
	CLEANUP_LOG struct oplog *log = op_new_log(w);
	const struct shard_meta *m;
	bool changed;
	struct err err;

	if (oplog_read(log, w->exact, &changed, &err)) {
		world_fail(w, "the log: %s", err.msg);
		return;
	}
	if (!oplog_count(log))
		return;
	m = oplog_shard(log, random_next(&w->random) % oplog_count(log));
	memory_flip(w->memory, m->key, random_next(&w->random) % m->size);
}

/* Fills what is seen of each version; of those not asked for NOT_THERE. */
static void look_at_all(struct world *w, bool is_mended, enum seen *seen)
{
	const struct model *m = &w->model;

	world_open_reader(w);
	for (size_t i = 0; i < m->n && !w->has_failed; i++) {
		const struct model_version *v = &m->versions[i];
		enum seen before = seen[i];

		if (!is_newest(m, v))
			continue;
		seen[i] = look(w, v);
		if (!is_mended && seen[i] == NOT_THERE)
			world_fail(
				w,
				"damaged: %s is not there, or is an older one",
				v->uid);
		if (is_mended && seen[i] == FAILED)
			world_fail(w, "damaged: %s fails still", v->uid);
		if (is_mended && seen[i] == NOT_THERE && before == READ)
			world_fail(w,
				   "damaged: %s could be read and was dropped",
				   v->uid);
	}
}

void damage_check(struct world *w)
{
	CLEANUP_FREE enum seen *seen = xcalloc(w->model.n + 1, sizeof(*seen));
	struct store *st;
	struct err err;

	turn_byte(w);
	if (!w->has_failed)
		look_at_all(w, false, seen);
	if (w->has_failed)
		return;
	st = memory_open(w->memory, 0, w->skew[0], MEMORY_ACTOR);
	memory_show_clock(st);
	if (op_drop_corrupt(w, st, &err))
		world_fail(w, "drop-corrupt: %s", err.msg);
	store_close(st);
	memory_show_clock(w->exact);
	if (!w->has_failed)
		look_at_all(w, true, seen);
}
