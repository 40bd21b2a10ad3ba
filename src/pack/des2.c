/* SPDX-License-Identifier: Apache-2.0 */
/* des2.c - one run of desfs-pack that writes the format DES2. */
#include "config.h"

#include "pack/des2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sorter.h"
#include "base/stop.h"
#include "base/workers.h"
#include "pack/des2-backend.h"
#include "pack/des2-gather.h"
#include "pack/des2-names.h"
#include "pack/des2-there.h"
#include "pack/dirs.h"
#include "pack/gather.h"
#include "pack/keep.h"
#include "pack/links.h"
#include "pack/own.h"
#include "pack/shard-out.h"
#include "pack/tree.h"
#include "run/state.h"
#include "shard/route.h"
#include "store/store-write.h"

/* Compressed bytes of a file that a thread keeps in memory. */
#define STORED_MEMORY (8u << 20)
/* Entries of other shards, sorted and read, and what else a thread has. */
#define THREAD_MEMORY (16u << 20)
#define LOOKS 8u /* shards that are looked into for their n_bits */

static unsigned int n_threads(const struct pack_options *o)
{
	return o->open_shards;
}

uint64_t des2_memory(const struct pack_options *o)
{
	const struct codec *c = codec_by_id(o->codec);
	uint64_t thread =
		STORED_MEMORY + THREAD_MEMORY + SHARD_OUT_INDEX_MEMORY;

	if (c->encode_memory)
		thread += c->encode_memory(o->big_file, o->level);
	return gather_memory(o) + GATHER_WALKERS * GATHER_WALKER_MEMORY +
	       LINKS_MEMORY + n_threads(o) * thread +
	       store_upload_memory(o->archive, o->how.settings, n_threads(o));
}

/* --- slots ------------------------------------------------------------------
 */

static bool take_slot(struct pack *p, uint32_t *ret)
{
	uint64_t slot;
	LOCK_SCOPE(&p->lock);

	slot = worker_slot(&p->opts->worker, p->next_slot);
	if (p->failure.rc || stop_asked() || slot >> p->opts->n_bits)
		return false;
	p->next_slot++;
	*ret = (uint32_t)slot;
	return true;
}

static void thread_main(void *arg)
{
	struct des2 *d = arg;
	struct pack *p = d->p;
	struct des2_thread t = { .d = d, .tree = tree_new(&p->sources) };
	uint32_t slot = 0;
	struct err err;
	enum rc rc;

	spool_init(&t.stored, p->opts->spool, STORED_MEMORY);
	while (take_slot(p, &slot)) {
		state_attach(report_state(p->report), slot);
		rc = des2_pack_slot(&t, slot, &err);
		/* What is left in good order is no failure. */
		if (!rc)
			report_slot_done(p->report);
		else if (rc != RC_STOPPED || stop_requested())
			pack_fail(p, &err);
	}
	state_detach();
	spool_release(&t.stored);
	tree_free(t.tree);
}

static enum rc pack_slots(struct des2 *d, struct err *err)
{
	struct pack *p = d->p;
	unsigned int n = n_threads(p->opts);
	struct workers *threads = NULL;
	enum rc rc;

	report_phase(p->report, "packing");
	report_slots(p->report,
		     worker_slots(&p->opts->worker, 1u << p->opts->n_bits));
	rc = workers_start(&threads, "slot", n, n, err);
	for (unsigned int i = 0; i < n && !rc; i++)
		workers_submit(threads, thread_main, d);
	workers_stop(threads);
	if (!rc && p->failure.rc) {
		*err = p->failure;
		rc = err->rc;
	}
	return rc;
}

/* --- a run ------------------------------------------------------------------
 */

static enum rc open_store(struct pack *p, struct err *err)
{
	const struct pack_options *o = p->opts;
	enum rc rc;

	if (store_check_writable(o->archive, err))
		return err->rc;
	if (!strncmp(o->archive, "zone:", 5))
		return err_set(err, RC_USAGE,
			       "%s: --format 2 packs into one place, not into "
			       "zones",
			       o->archive);
	rc = o->dry_run
		     ? store_open(&p->store, o->archive, o->how.settings, err)
		     : store_create(&p->store, o->archive, o->how.settings,
				    err);
	if (rc == RC_NOENT && o->dry_run)
		return RC_OK;
	if (!rc && !o->dry_run)
		rc = store_run_begin(p->store, STORE_RUN_PACK, &p->run, err);
	if (!rc && store_is_remote(p->store))
		state_set_remote(report_state(p->report));
	return rc;
}

static enum rc check_slots(const struct pack *p, struct err *err)
{
	struct report_counts c = report_counts(p->report);

	if (c.slots_done == c.slots)
		return RC_OK;
	return err_set(err, RC_STOPPED,
		       "stopped by a signal; %llu shards and big files are in "
		       "the archive, %llu of %llu slots were left for the next "
		       "run",
		       (unsigned long long)c.shards,
		       (unsigned long long)(c.slots - c.slots_done),
		       (unsigned long long)c.slots);
}

/* No name tells of what n_bits it is, but what is in the shards does.  A few of
 * them are enough; of what cannot be read others hear later.
 */
static enum rc check_bits(const struct pack *p, const struct des2_names *names,
			  struct err *err)
{
	size_t n;
	const struct des2_name *all = des2_names_all(names, &n);
	size_t step = n > LOOKS ? n / LOOKS : 1;

	for (size_t i = 0; i < n; i += step) {
		struct des2_there *there = NULL;
		enum rc rc =
			des2_there_new(p->store, &all[i], 1, p->opts->n_bits,
				       p->opts->spool, &there, err);

		des2_there_free(there);
		if (rc && rc != RC_CORRUPT && rc != RC_UNSUPPORTED)
			return rc;
	}
	return RC_OK;
}

static enum rc open_all(struct des2 *d, struct des2_names **names,
			struct err *err)
{
	struct pack *p = d->p;
	const struct pack_options *o = p->opts;
	enum rc rc;

	report_phase(p->report, "opening");
	p->stamp = o->created == CREATED_TIME ? o->created_at : clock_wall_us();
	rc = throttle_new(o->throttle, &p->throttle, err);
	if (!rc && !o->feed)
		rc = sources_open(&p->sources, o->sources, o->n_sources, err);
	if (!rc && o->files0_from && sources_have_names(&p->sources))
		rc = err_set(err, RC_USAGE,
			     "--files0-from needs exactly one source "
			     "directory");
	if (!rc && access(o->spool, W_OK | X_OK))
		rc = err_set_errno(err, errno, "spool directory %s", o->spool);
	if (!rc)
		rc = open_store(p, err);
	if (!rc)
		rc = des2_names_read(p->store, o->n_bits, names, err);
	return rc ? rc : check_bits(p, *names, err);
}

static enum rc run(struct des2 *d, struct err *err)
{
	struct des2_names *names = NULL;
	struct pack *p = d->p;
	enum rc rc = open_all(d, &names, err);

	if (!rc) {
		d->names = names;
		d->big = des2_big_new(names);
		p->own = own_new(p);
		rc = des2_gather(p, err);
	}
	/* What is told of files from here on holds, however the run ends. */
	if (!rc)
		report_committed(p->report);
	/* Shards are worth finishing. */
	if (!rc && !p->opts->dry_run)
		stop_gently();
	if (!rc && stop_requested())
		rc = err_set(err, RC_STOPPED, "stopped by a signal");
	if (!rc)
		rc = pack_slots(d, err);
	des2_big_free(d->big);
	des2_names_free(names);
	return rc ? rc : check_slots(p, err);
}

static void release(struct pack *p)
{
	/* All it has published counts. */
	store_run_end(p->run, true);
	store_close(p->store);
	sources_close(&p->sources);
	sorter_free(p->items);
	dirs_free(p->dirs);
	links_free(p->links);
	keep_free(p->keep);
	own_free(p->own);
	throttle_free(p->throttle);
	pthread_mutex_destroy(&p->lock);
}

enum rc des2_run(const struct pack_options *opts, struct report *report,
		 struct err *err)
{
	struct pack p = { .opts = opts, .report = report };
	struct des2 d = { .p = &p };
	unsigned long long failed;
	enum rc rc;

	/* For local dates, which threads ask for. */
	tzset();
	pthread_mutex_init(&p.lock, NULL);
	p.descriptor.n_bits = opts->n_bits;
	p.descriptor.route = ROUTE_UID;
	rc = run(&d, err);
	release(&p);
	failed = report_counts(report).failed;
	if (!rc && failed)
		rc = err_set(err, RC_PARTIAL, "%llu files failed", failed);
	return rc;
}
