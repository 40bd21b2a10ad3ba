/* SPDX-License-Identifier: Apache-2.0 */
/* verify-mirrors.c - what is no shard, in each store of zones: all must have
 * the same.
 *
 * Each copy is read, but salts, which come by the million: of these lists have
 * to do without deep.  Many are read at once, and told in the order of their
 * keys.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/key.h"
#include "base/mem.h"
#include "base/stop.h"
#include "erase/aggregate.h"
#include "store/store-write.h"
#include "verify/verify-mirrors-backend.h"
#include "volume/oplog-checkpoint.h"
#include "volume/random-object.h"

#define SALT_PREFIX "salts/"
#define COPIES_A_JOB 4u

static bool has_prefix(const char *key, const char *prefix)
{
	return !strncmp(key, prefix, strlen(prefix));
}

/* Where the log can be read it tells what counts below the last one. */
static const char *const prefixes[] = { "holds/", "log/", SALT_PREFIX,
					"tombstones/" };

/* --- which objects -------------------------------------------------------- */

static bool is_of_log(const char *name)
{
	int64_t time;

	return oplog_record_name_time(name, &time) ||
	       oplog_checkpoint_name_time(name, &time);
}

static bool sizes_agree(const uint64_t *sizes, size_t n)
{
	uint64_t first = VERIFY_KEYS_UNKNOWN;

	for (size_t i = 0; i < n; i++) {
		if (sizes[i] == VERIFY_KEYS_UNKNOWN)
			continue;
		if (first != VERIFY_KEYS_UNKNOWN && sizes[i] != first)
			return false;
		first = sizes[i];
	}
	return true;
}

static bool is_wanted(const struct mirrors *m, const char *key,
		      const uint64_t *sizes)
{
	if (has_prefix(key, "log/"))
		return is_of_log(key + strlen("log/"));
	if (has_prefix(key, "tombstones/"))
		return !aggregate_key_is_valid(key);
	/* A hold may have a name that nobody can ask for. */
	if (!key_is_valid(key))
		return false;
	return !has_prefix(key, SALT_PREFIX) || m->r->opts->deep ||
	       !strcmp(key, SUPPRESSION_KEY_OBJECT) ||
	       !sizes_agree(sizes, m->n);
}

static bool begin_prefix(struct mirrors *m)
{
	size_t n = ARRAY_LEN(prefixes) - (m->r->state ? 1 : 0);

	verify_keys_free(m->keys);
	m->keys = NULL;
	if (m->at == n)
		return false;
	m->keys = verify_keys_new(m->places, m->n, prefixes[m->at++]);
	return true;
}

static bool next_listed(struct mirrors *m, struct verify_copies *ret)
{
	if (!m->keys && !begin_prefix(m))
		return false;
	do {
		while (verify_keys_next(m->keys)) {
			const char *key = verify_keys_key(m->keys);
			const uint64_t *sizes = verify_keys_sizes(m->keys);

			if (!is_wanted(m, key, sizes))
				continue;
			verify_copies_init(ret, key, sizes, m->places, m->n);
			return true;
		}
	} while (begin_prefix(m));
	return false;
}

/* Documents of deletions that are not done, then those of what is not to come
 * back.
 */
static bool next_document(struct mirrors *m, struct verify_copies *ret)
{
	const struct oplog_state *s = m->r->state;
	size_t n = s ? oplog_state_n_tombstones(s) : 0;
	size_t n_all = s ? n + oplog_state_n_suppressed(s) : 0;
	const char *key = NULL;

	while (!key && m->document < n_all) {
		size_t i = m->document++;
		const struct oplog_tombstone *t =
			i < n ? oplog_state_tombstone(s, i) : NULL;

		if (!t)
			key = oplog_state_suppressed(s, i - n)->key;
		else if (!t->done)
			key = t->object->key;
	}
	if (key)
		verify_copies_init(ret, key, NULL, m->places, m->n);
	return key;
}

/* The next object; false: that were all. */
static bool next_copies(struct mirrors *m, struct verify_copies *ret)
{
	if (!m->has_begun) {
		m->has_begun = true;
		verify_copies_init(ret, DESCRIPTOR_KEY, NULL, m->places, m->n);
		return true;
	}
	return next_listed(m, ret) || next_document(m, ret);
}

/* --- all of them ---------------------------------------------------------- */

/* store_place_fn */
static enum rc add_place(void *arg, const char *zone, struct store *st,
			 struct err *err)
{
	struct mirrors *m = arg;

	(void)err;
	m->places = mem_grow(m->places, &m->cap, m->n + 1, sizeof(*m->places));
	m->places[m->n++] = (struct verify_place){ .name = zone, .st = st };
	return RC_OK;
}

static void begin(struct mirrors *m)
{
	struct verify_copies *c = &m->ring[m->begun % m->n_ring];

	m->is_over = stop_requested() || !next_copies(m, c);
	if (m->is_over)
		return;
	m->begun++;
	if (m->workers)
		job_submit(m->workers, &c->job, verify_copies_read, c);
}

static void finish(struct mirrors *m)
{
	struct verify_copies *c = &m->ring[m->told++ % m->n_ring];

	if (m->workers)
		job_wait(m->workers, &c->job);
	else
		verify_copies_read(c);
	if (!stop_requested())
		verify_mirrors_tell(m, c);
	verify_copies_release(c);
}

static void compare_all(struct mirrors *m)
{
	unsigned int jobs = m->r->opts->jobs ? m->r->opts->jobs : 1;
	struct err err;

	m->n_ring = jobs > 1 ? (size_t)jobs * COPIES_A_JOB : 1;
	m->ring = xcalloc(m->n_ring, sizeof(*m->ring));
	m->is_told = xcalloc(m->n, sizeof(*m->is_told));
	m->excuse = verify_excuse_new(m->r, m->places, m->n);
	/* Without threads it takes longer. */
	if (jobs > 1 &&
	    workers_start(&m->workers, "mirrors", jobs, m->n_ring, &err))
		m->workers = NULL;
	do {
		while (!m->is_over && m->begun < m->told + m->n_ring)
			begin(m);
		if (m->told < m->begun)
			finish(m);
	} while (m->told < m->begun || !m->is_over);
	workers_stop(m->workers);
	for (size_t i = 0; i < m->n; i++) {
		if (*m->places[i].why.msg && !stop_requested())
			verify_mirrors_unread(m, "zones", i, &m->places[i].why);
	}
	verify_excuse_free(m->excuse);
	verify_keys_free(m->keys);
	free(m->is_told);
	free(m->ring);
}

void verify_mirrors(struct verify_run *r)
{
	struct mirrors m = { .r = r };
	struct err err;

	if (store_each_place(r->store, DESCRIPTOR_KEY, add_place, &m, &err))
		verify_place_unread(r, err.msg);
	else if (m.n > 1)
		compare_all(&m);
	free(m.places);
}
